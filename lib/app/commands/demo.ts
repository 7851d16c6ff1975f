import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import type { Config } from '../../adapters/config/config.ts';
import { decimal, whole } from '../../adapters/config/units.ts';
import { wallTime } from '../../adapters/time/calendar.ts';
import { formatReport, type SessionReport } from '../../engine/report.ts';
import type { Io, Register } from '../command.ts';
import { compareBooks } from '../compare-books.ts';
import { CONFIG_HELP, CONFIG_OPTION, readConfiguration } from '../configuration.ts';
import { openDemoScreen } from '../demo-screen.ts';
import { hourAndMinute, startEmbeddedExchange } from '../embedded-exchange.ts';
import type { ExchangeFacts } from '../exchange-options.ts';
import type { ExchangeThread, LedgerView } from '../exchange-thread.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type RunResult, runDaemon } from '../run-daemon.ts';
import { type Verification, verifyDay } from '../verify-day.ts';

type DemoOptions = {
  readonly seed?: string;
  readonly speed?: string;
  readonly tape?: readonly string[];
  readonly config?: string;
  readonly journal?: string;
  readonly json?: boolean;
};

/** A day of 390 minutes in a good minute, its start included. */
const SPEED = 420;
/** Wall time from the exchange's first tick to the open: the lanes are live before it. */
const LEAD_SECONDS = 4;
const OPEN_MINUTE = 9 * 60 + 30;

export const registerDemo: Register = (program, { io, ends }) => {
  program
    .command('demo')
    .description('a whole simulated day, exchange and daemon together; needs no account')
    .option(
      '--seed <N>',
      'the market to invent: the same seed, the same market (default: exchange.seed of the file)',
    )
    .option('--speed <N>', `exchange seconds per second (default: ${SPEED})`)
    .option(
      '--tape <PATH...>',
      'recorded days instead of an invented market: .ndjson or .ndjson.gz files, or folders',
    )
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option(
      '--journal <FILE>',
      'keep the journal in this new file, and the flat certificate in reports/ beside it',
    )
    .option('--json', 'end with the report as JSON, and print nothing else')
    .action(ends((options: DemoOptions) => demo(io, options)));
};

async function demo(io: Io, options: DemoOptions): Promise<ExitCode> {
  const load = await readConfiguration(io, options);
  if (load === null) return EXIT.usage;
  const seed = readNumber(io, '--seed', options.seed, whole(0, 4_294_967_295), load.config.exchange.seed);
  const speed = readNumber(io, '--speed', options.speed, decimal(0.01, 10_000), SPEED);
  if (seed === null || speed === null) return EXIT.usage;
  const kept = options.journal === undefined ? null : resolve(io.cwd, options.journal);
  // A day that is in the journal already would be taken up where it ended.
  if (kept !== null && existsSync(kept)) {
    io.err(`command line: --journal: allowed: a file that is not there yet; found: ${options.journal}`);
    return EXIT.usage;
  }
  const signals = io.stopSignals();
  const started = await startEmbeddedExchange(factsOfDemo(load.config, options, seed, speed), {
    speed,
    feed: load.config.feed,
    tell: io.err,
  });
  if (!started.ok) {
    for (const mistake of started.mistakes) io.err(`exchange: ${mistake}`);
    signals.release();
    return EXIT.usage;
  }
  const { thread, endpoints } = started;
  const scratch = await mkdtemp(join(tmpdir(), 'scalpd-demo-'));
  const journalPath = kept ?? join(scratch, 'demo.db');
  const reportsDir = join(dirname(journalPath), 'reports');
  const screen = openDemoScreen({
    write: options.json === true ? () => undefined : io.write,
    isTty: io.isTty,
    timeOfDay: wallTime,
  });
  signals.onAgain((name) => io.err(`scalpd: ${name} again: still getting out`));
  try {
    const before = await thread.ledger();
    const result = await runDaemon({
      config: tradable(load.config, thread),
      endpoints,
      cwd: io.cwd,
      journalPath,
      reportsDir,
      console: null,
      once: true,
      control: false,
      stop: signals.first,
      watch: { onOpen: (status) => screen.watch(status), onLog: screen.log },
    });
    screen.close();
    const { report } = result;
    const verification =
      report === null || report.day === null
        ? null
        : await verifyDay({ day: report.day, journalPath, reportsDir });
    return tell(io, options, result, verification, before, await thread.ledger());
  } finally {
    screen.close();
    await thread.stop();
    await rm(scratch, { recursive: true, force: true });
    signals.release();
  }
}

function factsOfDemo(config: Config, options: DemoOptions, seed: number, speed: number): ExchangeFacts {
  const tapePaths = options.tape ?? config.exchange.tape;
  const lead = Math.min(Math.ceil((speed * LEAD_SECONDS) / 60) + 1, 5 * 60);
  return {
    tapePaths,
    symbols: tapePaths.length > 0 ? null : config.symbols.map(({ symbol }) => symbol),
    seed,
    day: tapePaths.length > 0 ? null : config.exchange.day,
    startAt: hourAndMinute((OPEN_MINUTE - lead) * 60_000_000),
    cashUsd: config.exchange.cash / 10_000,
  };
}

/** On a tape, the symbols that it holds, with the file's lot or the middle one. */
function tradable(config: Config, { listening }: ExchangeThread): Config {
  const lots = config.symbols.map(({ lot }) => lot).sort((a, b) => a - b);
  const usual = lots[lots.length >> 1];
  if (usual === undefined) return config;
  const lotOf = new Map(config.symbols.map(({ symbol, lot }) => [symbol, lot]));
  return {
    ...config,
    symbols: listening.symbols.map((symbol) => ({ symbol, lot: lotOf.get(symbol) ?? usual })),
  };
}

function tell(
  io: Io,
  options: DemoOptions,
  { code, text, report }: RunResult,
  verification: Verification | null,
  before: LedgerView,
  after: LedgerView,
): ExitCode {
  if (report === null) {
    io.err(`scalpd: ${text}`);
    return code;
  }
  const differences = compareBooks(report, before, after);
  const full: SessionReport = { ...report, discrepancies: [...report.discrepancies, ...differences] };
  const certificate = certificateOf(verification);
  if (options.json === true) io.out(JSON.stringify({ ...full, certificate }));
  else {
    io.out(formatReport(full).trimEnd());
    for (const line of describeCertificate(io, options, certificate)) io.out(line);
  }
  if (code !== EXIT.done) {
    io.err(`scalpd: ${text}`);
    return code;
  }
  // Stopped before a session began: there is nothing to certify.
  const isProven = certificate.verified || (certificate.flat === null && report.submitted === 0);
  return differences.length === 0 && isProven ? EXIT.done : EXIT.failed;
}

type CertificateFacts = {
  readonly day: string | null;
  readonly flat: boolean | null;
  readonly verified: boolean;
  readonly records: number;
  readonly head: string | null;
  readonly findings: readonly string[];
};

const certificateOf = (verification: Verification | null): CertificateFacts => ({
  day: verification?.day ?? null,
  flat: verification?.certificate?.flat ?? null,
  verified: verification?.ok ?? false,
  records: verification?.journal.records ?? 0,
  head: verification?.journal.head?.hash ?? null,
  findings: verification?.findings ?? [],
});

function describeCertificate(io: Io, options: DemoOptions, found: CertificateFacts): readonly string[] {
  const { day, flat, verified, records, head, findings } = found;
  const word = flat === null ? 'unproven' : flat ? 'flat' : 'not flat';
  const first = `certificate: ${word}, ${verified ? 'verified' : 'NOT verified'} against ${records} journal records, chain head ${head ?? '-'}`;
  if (options.journal === undefined || day === null) return [first, ...findings];
  const reports = relative(io.cwd, join(dirname(resolve(io.cwd, options.journal)), 'reports'));
  return [
    first,
    ...findings,
    `again: scalpd verify ${day} --journal ${options.journal} --reports ${reports}`,
  ];
}

function readNumber(
  io: Io,
  name: string,
  text: string | undefined,
  unit: { readonly allowed: string; readonly read: (text: string) => number | null },
  otherwise: number,
): number | null {
  if (text === undefined) return otherwise;
  const value = unit.read(text);
  if (value === null) io.err(`command line: ${name}: allowed: ${unit.allowed}; found: ${text}`);
  return value;
}

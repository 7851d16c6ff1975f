import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

type DemoOptions = {
  readonly seed?: string;
  readonly speed?: string;
  readonly tape?: readonly string[];
  readonly config?: string;
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
    .option('--json', 'end with the report as JSON, and print nothing else')
    .action(ends((options: DemoOptions) => demo(io, options)));
};

async function demo(io: Io, options: DemoOptions): Promise<ExitCode> {
  const load = await readConfiguration(io, options);
  if (load === null) return EXIT.usage;
  const seed = readNumber(io, '--seed', options.seed, whole(0, 4_294_967_295), load.config.exchange.seed);
  const speed = readNumber(io, '--speed', options.speed, decimal(0.01, 10_000), SPEED);
  if (seed === null || speed === null) return EXIT.usage;
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
      journalPath: join(scratch, 'demo.db'),
      console: null,
      once: true,
      control: false,
      stop: signals.first,
      watch: { onOpen: (status) => screen.watch(status), onLog: screen.log },
    });
    screen.close();
    return tell(io, options, result, before, await thread.ledger());
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
  before: LedgerView,
  after: LedgerView,
): ExitCode {
  if (report === null) {
    io.err(`scalpd: ${text}`);
    return code;
  }
  const differences = compareBooks(report, before, after);
  const full: SessionReport = { ...report, discrepancies: [...report.discrepancies, ...differences] };
  if (options.json === true) io.out(JSON.stringify(full));
  else io.out(formatReport(full).trimEnd());
  if (code !== EXIT.done) {
    io.err(`scalpd: ${text}`);
    return code;
  }
  return differences.length === 0 ? EXIT.done : EXIT.failed;
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

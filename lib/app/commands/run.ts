import { resolve } from 'node:path';
import { type Endpoints, resolveEndpoints } from '../../adapters/alpaca/endpoints.ts';
import type { Config } from '../../adapters/config/config.ts';
import { killFilePath } from '../../adapters/control/socket-path.ts';
import { wallTime } from '../../adapters/time/calendar.ts';
import { formatReport } from '../../engine/report.ts';
import type { Io, Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, namesBroker, readConfiguration } from '../configuration.ts';
import { factsOf, startEmbeddedExchange } from '../embedded-exchange.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type RunPlan, type RunResult, runDaemon } from '../run-daemon.ts';

type RunOptions = {
  readonly config?: string;
  readonly lot?: string;
  readonly once?: boolean;
  readonly json?: boolean;
};

export const registerRun: Register = (program, { io, ends }) => {
  program
    .command('run')
    .description('the daemon: trades until it is stopped; before the open and after the close it waits')
    .argument('[SYMBOL...]', "symbols to trade instead of the file's list")
    .option('--lot <USD>', 'dollar lot of every symbol')
    .option('--once', 'end after one session')
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'with --once: end with the report as JSON; the log goes to its file alone')
    .action(ends((symbols: string[], options: RunOptions) => run(io, symbols, options)));
};

async function run(io: Io, symbols: readonly string[], options: RunOptions): Promise<ExitCode> {
  const load = await readConfiguration(io, options, { symbols, lot: options.lot ?? null });
  if (load === null) return EXIT.usage;
  const { config } = load;
  const access = await openAccess(io, config);
  if (access === null) return EXIT.usage;
  if (access.endpoints.live)
    io.err(
      `scalpd: LIVE TRADING with real money at ${access.endpoints.baseUrl}: the kill switch is \`scalpd kill\``,
    );
  const signals = io.stopSignals();
  signals.onAgain((name) => io.err(`scalpd: ${name} again: still getting out; see the log`));
  try {
    const result = await runDaemon({
      config,
      endpoints: access.endpoints,
      cwd: io.cwd,
      journalPath: resolve(io.cwd, config.journal.path),
      reportsDir: resolve(io.cwd, config.reports.dir),
      console: options.json === true ? null : consoleOf(io),
      once: options.once === true,
      control: true,
      kill: { file: killFileOf(io, config), onSignal: signals.onKill },
      stop: signals.first,
      watch: {},
    });
    return tell(io, options, result);
  } finally {
    await access.close();
    signals.release();
  }
}

const killFileOf = ({ cwd }: Io, { risk, journal }: Config): string =>
  risk.killFile === 'auto' ? killFilePath(resolve(cwd, journal.path)) : resolve(cwd, risk.killFile);

/** Readable for a person, JSON for a pipe; under pm2, whose own capture is not rotated, only what needs attention. */
function consoleOf({ isTty, env }: Io): RunPlan['console'] {
  if (isTty) return { style: { color: true, timeOfDay: wallTime } };
  return env.pm_id === undefined ? { style: 'json' } : { style: 'json', level: 'warn' };
}

function tell(io: Io, options: RunOptions, { code, text, report }: RunResult): ExitCode {
  if (options.json === true) io.out(JSON.stringify(report ?? { flat: null, error: text }));
  else if (report !== null && io.isTty) io.out(formatReport(report).trimEnd());
  if (code !== EXIT.done) io.err(`scalpd: ${text}`);
  return code;
}

type Access = { readonly endpoints: Endpoints; close(): Promise<void> };

/** The broker the environment names, or an exchange of our own; `null` after the mistakes were printed. */
async function openAccess(io: Io, config: Config): Promise<Access | null> {
  const { mode } = config.account;
  if (!namesBroker(io, config)) {
    if (io.env.APCA_API_KEY_ID !== undefined)
      io.err('scalpd: keys are set, but account.mode is embedded: trading on the simulated exchange');
    return openOwnExchange(io, config);
  }
  const resolved = resolveEndpoints(io.env, mode, config.feed);
  if (resolved.ok) {
    forgetKeys();
    return { endpoints: resolved.endpoints, close: async () => undefined };
  }
  for (const { key, allowed, found } of resolved.mistakes)
    io.err(`environment: ${key}: allowed: ${allowed}; found: ${found}`);
  return null;
}

/** They are known now. Whatever shows the environment later (Node's diagnostic report, a thread, a child) shows no key. */
function forgetKeys(): void {
  delete process.env.APCA_API_KEY_ID;
  delete process.env.APCA_API_SECRET_KEY;
}

async function openOwnExchange(io: Io, config: Config): Promise<Access | null> {
  const started = await startEmbeddedExchange(factsOf(config), {
    speed: config.exchange.speed,
    feed: config.feed,
    tell: io.err,
  });
  if (started.ok) return { endpoints: started.endpoints, close: () => started.thread.stop() };
  for (const mistake of started.mistakes) io.err(`exchange: ${mistake}`);
  return null;
}

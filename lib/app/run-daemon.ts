import { resolve } from 'node:path';
import { EMBEDDED_KEY, type Endpoints } from '../adapters/alpaca/endpoints.ts';
import type { Config } from '../adapters/config/config.ts';
import { type ControlServer, startControlServer } from '../adapters/control/server.ts';
import { controlPath } from '../adapters/control/socket-path.ts';
import { type OpenLog, openLog } from '../adapters/log/open-log.ts';
import type { LogLevel, ReadableStyle } from '../adapters/log/record.ts';
import { after, type Duration, type Micros, seconds } from '../domain/time.ts';
import type { EndReport, Engine, EngineStatus } from '../engine/engine-types.ts';
import type { SessionReport } from '../engine/report.ts';
import type { Log } from '../ports/log.ts';
import { type Daemon, openDaemon } from './daemon.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type KillDoors, type KillWays, openKillDoors } from './kill-doors.ts';
import { operatorHandlers } from './operator-handlers.ts';
import { runRehearsal } from './warm-up.ts';

/** How one run of the daemon is seen and ended; what it trades is in the configuration. */
export type RunPlan = {
  readonly config: Config;
  readonly endpoints: Endpoints;
  /** Relative paths of the configuration count from here. */
  readonly cwd: string;
  readonly journalPath: string;
  /** Where flat certificates go, absolute; absent: none are made. */
  readonly reportsDir?: string;
  /** What goes to the standard output line by line; `null` when somebody else writes there. */
  readonly console: { readonly style: 'json' | ReadableStyle; readonly level?: LogLevel } | null;
  /** End after one session. */
  readonly once: boolean;
  /** Operators may speak to it: false for a demo, which must not stand in a daemon's place. */
  readonly control: boolean;
  /** The kill switch by file and by signal; neither when absent. */
  readonly kill?: KillWays;
  readonly stop: AbortSignal;
  readonly watch: RunWatch;
};

/** What a screen wants to know of a run. */
export type RunWatch = {
  /** Called once the engine exists; `status` may be asked at any time until the run is over. */
  readonly onOpen?: (status: () => EngineStatus, now: () => Micros) => void;
  readonly onReady?: () => void;
  /** Every line of the log as it is written. */
  readonly onLog?: Log;
};

export type RunResult = {
  readonly code: ExitCode;
  /** One line for people; empty when there is nothing to add. */
  readonly text: string;
  /** Of the session that ended, or of what was done until the stop; `null` when nothing was started. */
  readonly report: SessionReport | null;
};

/** Wall time that a stop may take: less than pm2's kill timeout, so that the last word is ours. */
const STOP_WITHIN = seconds(20);
/** How much of it a stop leaves to a start under way. */
const START_GRACE = seconds(8);
const NOT_KNOWN = 'stopped before the broker had told what is open: an earlier run may have left something';

/** Runs the daemon until it is told to stop, or for one session. Never throws for what the outside does. */
export async function runDaemon(plan: RunPlan): Promise<RunResult> {
  const openedLog = openRunLog(plan);
  const log = plan.watch.onLog === undefined ? openedLog : both(openedLog, plan.watch.onLog);
  const onCrash = (error: unknown): void => {
    // The state of the books is not known any more. A restart rebuilds it from journal and broker.
    log.error('daemon.crashed', {
      text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    openedLog.flushSync();
    process.exit(EXIT.failed);
  };
  process.on('uncaughtException', onCrash);
  try {
    return await run(plan, openedLog, log);
  } finally {
    process.off('uncaughtException', onCrash);
    await openedLog.close();
  }
}

async function run(plan: RunPlan, openedLog: OpenLog, log: Log): Promise<RunResult> {
  const { config, endpoints, stop, watch } = plan;
  announce(plan, log);
  const sessionEnd = oneShot<SessionReport>();
  const outcome = await openDaemon({
    config,
    endpoints,
    baseDir: plan.cwd,
    journalPath: plan.journalPath,
    ...(plan.reportsDir === undefined ? {} : { reportsDir: plan.reportsDir }),
    openLog: openedLog,
    log,
    stop,
    events: {
      onSessionEnded: (report) => sessionEnd.resolve(report),
      // From a turn of its own, where no socket's guard can catch it.
      onBroken: (error) =>
        void setImmediate(() => {
          throw error;
        }),
    },
  });
  if (outcome.kind === 'failed') {
    log.error('daemon.notStarted', { code: outcome.code, text: outcome.text });
    const code = outcome.code === 'journal' ? EXIT.failed : EXIT.unreachable;
    return nothing(code, whyNot(outcome, endpoints));
  }
  const { daemon } = outcome;
  try {
    watch.onOpen?.(() => daemon.engine.status(), daemon.clock.now);
    const kill = plan.kill === undefined ? null : openKillDoors(daemon.engine, log, plan.kill);
    const control = plan.control ? await listen(plan, daemon.engine, log, kill) : null;
    try {
      const ended = await trade(plan, daemon, log, sessionEnd.promise);
      return ended;
    } finally {
      kill?.close();
      await control?.close();
    }
  } finally {
    await daemon.close();
  }
}

/** From the start of the lanes to the last word about what is open. */
async function trade(
  plan: RunPlan,
  { engine, clock, certify }: Daemon,
  log: Log,
  sessionEnded: Promise<SessionReport>,
): Promise<RunResult> {
  const { config, stop, once } = plan;
  const stopped = whenAborted(stop);
  const inWall = (wait: Duration): Micros => after(clock.now(), (wait * clock.speed()) as Duration);
  const starting = engine.start().catch(broken);
  const early = await Promise.race([starting, stopped.then(() => null)]);
  // Half a start knows of no shares: what is held can be told, and sold, only when it is done.
  const first = early ?? (await settledBy(starting, inWall(START_GRACE), clock));
  if (first?.kind === 'failed') {
    log.error('daemon.notStarted', { code: first.code, text: first.text });
    await engine.stop('hold', inWall(STOP_WITHIN));
    return first.code === 'broken'
      ? nothing(EXIT.failed, first.text)
      : nothing(EXIT.unreachable, whyNot(first, plan.endpoints));
  }
  if (first !== null) {
    log.info('daemon.ready', { symbols: config.symbols.length, session: first.session?.day ?? null });
    plan.watch.onReady?.();
    // pm2 waits for this (`wait_ready`).
    process.send?.('ready');
    void runRehearsal(log);
  }
  const session = await Promise.race([stopped.then(() => null), once ? sessionEnded : never]);
  if (session === null) log.warn('daemon.stopping', { policy: config.shutdown });
  const within = (early === null ? STOP_WITHIN - START_GRACE : STOP_WITHIN) as Duration;
  const end = await engine.stop(session === null ? config.shutdown : 'flatten', inWall(within));
  // A report that does not name the lanes was made before anybody knew what they hold.
  if (end.symbols.length === config.symbols.length) {
    if (end.day !== null) await certify(end.day);
    return conclude(session ?? end, end, config.shutdown, log);
  }
  log.error('daemon.open', { text: NOT_KNOWN });
  return nothing(EXIT.notFlat, NOT_KNOWN);
}

function conclude(report: SessionReport, end: EndReport, policy: Config['shutdown'], log: Log): RunResult {
  for (const line of end.open) log.error('daemon.open', { text: line });
  log.info('daemon.stopped', { flat: end.flat, inTime: end.inTime, roundTrips: report.roundTrips });
  if (end.flat && report.flat) return { code: EXIT.done, text: 'flat', report };
  const open = (end.flat ? report.open : end.open).join('; ');
  // Resting exits are what `hold` is for: they are told, and no failure.
  const held = policy === 'hold' && end.policy === 'hold' && end.inTime;
  return {
    code: held ? EXIT.done : EXIT.notFlat,
    text: `${held ? 'held open as configured' : 'not flat'}: ${open}`,
    report,
  };
}

/** A refusal means little without the name of who refused. */
function whyNot(failure: { readonly code: string; readonly text: string }, { baseUrl }: Endpoints): string {
  const { code, text } = failure;
  if (code === 'unauthorized') return `the keys are refused by ${baseUrl}: ${text}`;
  return code === 'notConnected' ? `no connection to ${baseUrl}: ${text}` : text;
}

function announce({ config, endpoints }: RunPlan, log: Log): void {
  const where = { broker: endpoints.baseUrl, data: endpoints.dataStreamUrl, feed: endpoints.feed };
  log.info('daemon.starting', {
    mode: config.account.mode,
    ...where,
    symbols: config.symbols.map(({ symbol }) => symbol),
    node: process.version,
  });
  if (endpoints.live)
    log.warn('account.live', { text: 'LIVE TRADING: orders go to a real market with real money', ...where });
}

async function listen(
  plan: RunPlan,
  engine: Engine,
  log: Log,
  kill: KillDoors | null,
): Promise<ControlServer | null> {
  try {
    return await startControlServer({
      path: controlPath(plan.journalPath),
      handlers: operatorHandlers(engine, kill?.isHeld),
      onFailure: (request, cause) =>
        log.error('control.failed', { request: request.kind, text: String(cause) }),
    });
  } catch (error) {
    // Signals still work; trading does not wait for a socket file.
    log.error('control.notListening', { text: error instanceof Error ? error.message : String(error) });
    return null;
  }
}

function openRunLog({ config, endpoints, cwd, console }: RunPlan): OpenLog {
  const log = openLog({
    level: config.log.level,
    dir: resolve(cwd, config.log.dir),
    fileBytesMax: config.log.fileSizeMaxMb * 1024 * 1024,
    filesMax: config.log.filesMax,
    console: console === null ? null : { descriptor: 1, ...console },
    now: wallMicros,
    wallNow: wallMicros,
  });
  // The embedded exchange's key is a word of ours, and no secret.
  if (endpoints.keyId !== EMBEDDED_KEY)
    for (const secret of [endpoints.keyId, endpoints.secret]) log.redactor.add(secret);
  return log;
}

const wallMicros = (): Micros => (Date.now() * 1_000) as Micros;
const nothing = (code: ExitCode, text: string): RunResult => ({ code, text, report: null });
const never = new Promise<never>(() => undefined);

function both(first: Log, second: Log): Log {
  const each =
    (level: keyof Log): Log[keyof Log] =>
    (event, fields) => {
      first[level](event, fields);
      second[level](event, fields);
    };
  return { debug: each('debug'), info: each('info'), warn: each('warn'), error: each('error') };
}

function oneShot<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A start that threw: the journal could not be read, or a promise of our own was broken. */
const broken = (error: unknown) => ({
  kind: 'failed' as const,
  code: 'broken' as const,
  text: error instanceof Error ? error.message : String(error),
});

/** What the promise came to, or `null` when it had not by then. */
function settledBy<T>(promise: Promise<T>, at: Micros, clock: Daemon['clock']): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = clock.at(at, () => resolve(null));
    promise.finally(() => timer.cancel()).then(resolve, reject);
  });
}

function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

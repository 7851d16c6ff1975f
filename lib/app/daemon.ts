import { setImmediate as nextTurn } from 'node:timers/promises';
import { openDataFeed } from '../adapters/alpaca/data-feed.ts';
import type { Endpoints } from '../adapters/alpaca/endpoints.ts';
import { type AlpacaBroker, openBroker } from '../adapters/alpaca/rest.ts';
import { openTradeFeed } from '../adapters/alpaca/trade-feed.ts';
import type { Config } from '../adapters/config/config.ts';
import { toEngineSettings } from '../adapters/config/to-engine-settings.ts';
import type { OpenJournal } from '../adapters/journal/journal.ts';
import { toJournalError } from '../adapters/journal/journal-error.ts';
import { openJournalOrWait, type StandbyJournal } from '../adapters/journal/standby.ts';
import type { OpenLog } from '../adapters/log/open-log.ts';
import { capThreads, planThreads, type ThreadLimits } from '../adapters/threads/pack-plan.ts';
import { openPiscinaLanes } from '../adapters/threads/piscina-lanes.ts';
import { readThreadLimits } from '../adapters/threads/process-limits.ts';
import { resolveStrategy } from '../adapters/threads/strategy-loader.ts';
import { createExchangeClock, type ExchangeClock } from '../adapters/time/exchange-clock.ts';
import { after, formatInstant, type Micros, type SessionDay, seconds } from '../domain/time.ts';
import { transportMillis } from '../engine/connection-types.ts';
import { createEngine } from '../engine/engine.ts';
import type { Engine, EngineEvents } from '../engine/engine-types.ts';
import type { Log } from '../ports/log.ts';
import { createCertifier } from './certifier.ts';
import { connectClock } from './connect-clock.ts';
import { projectVersion } from './project.ts';
import { orderLinesFor, warmUp } from './warm-up.ts';

/**
 * The daemon put together: real sockets, threads, journal and clock around the engine. Whoever opens it starts it, and
 * closes it in the end; nothing here decides about trading.
 */
export type Daemon = {
  readonly engine: Engine;
  readonly clock: ExchangeClock;
  /** Makes the flat certificate of what the day's journal holds by now. */
  certify(day: SessionDay): Promise<void>;
  /** Orders the shutdown by the engine's rules, then closes journal, connections and clock. */
  close(): Promise<void>;
};

export type DaemonSetup = {
  readonly config: Config;
  readonly endpoints: Endpoints;
  /** Absolute. */
  readonly journalPath: string;
  /** Where flat certificates go, absolute; absent: none are made. */
  readonly reportsDir?: string;
  /** What a strategy's path in the configuration is relative to. */
  readonly baseDir: string;
  readonly openLog: OpenLog;
  /** What the engine writes to; may be more than the file. */
  readonly log: Log;
  readonly events: EngineEvents;
  readonly stop: AbortSignal;
};

export type DaemonOutcome =
  | { readonly kind: 'open'; readonly daemon: Daemon }
  | {
      readonly kind: 'failed';
      readonly code: 'unauthorized' | 'notConnected' | 'journal';
      readonly text: string;
    };

const wallMicros = (): Micros => (Date.now() * 1_000) as Micros;
/** Room in the shared marks for symbols that are added while the daemon runs. */
const SPARE_MARKS = 16;
/** How long an answer is waited for: exchange time, but never less than this much of the machine's own. */
const REQUEST_WAIT = seconds(10);
const REQUEST_WALL_MIN = seconds(1);

/** Connects, takes the broker's clock, opens the journal; trades nothing before `engine.start()`. */
export async function openDaemon(setup: DaemonSetup): Promise<DaemonOutcome> {
  const { config, endpoints, log, openLog } = setup;
  let clock: ExchangeClock | null = null;
  const limits = readThreadLimits();
  const orderLines = orderLinesFor(config.symbols.length, limits.openFiles);
  const broker = openBroker({
    ...endpoints,
    orderLines,
    random: Math.random,
    now: () => clock?.now() ?? wallMicros(),
    timeoutMillis: () => transportMillis(REQUEST_WAIT, REQUEST_WALL_MIN, clock?.speed() ?? 1),
    onRate: ({ host, limit, remaining }) => {
      if (host === 'trading') engine?.observeRate({ limit, remaining, resetAt: null });
    },
  });
  let engine: Engine | null = null;

  const connected = await connectClock(broker, log, setup.stop);
  if (connected.kind === 'failed') {
    await broker.close();
    return connected;
  }
  const speed = connected.clock.speed ?? config.clock.speed;
  clock = createExchangeClock({ at: connected.clock.at, speed });
  openLog.setNow(clock.now);
  log.info('clock.connected', {
    exchange: formatInstant(connected.clock.at),
    speed,
    open: connected.clock.isOpen,
  });

  let journal: StandbyJournal;
  try {
    journal = await openJournalOrWait({
      path: setup.journalPath,
      onWriterLost: (text) => log.error('journal.writerLost', { text }),
      onOpened: (opened) => {
        log.warn('journal.opened', { text: 'the journal can be written again', recovered: opened.recovered });
        tellChained(opened, log);
      },
    });
  } catch (cause) {
    clock.close();
    await broker.close();
    const { code, message } = toJournalError(cause);
    const text = code === 'journal.corrupt' ? `${message}: ${CORRUPT}` : message;
    return { kind: 'failed', code: 'journal', text };
  }

  if (journal.waitingFor !== null)
    log.error('journal.notWritable', {
      code: journal.waitingFor.code,
      text: journal.waitingFor.message,
      consequence: 'what it tells is read; entries stay shut and exits go on until it takes records',
    });
  tellChained(journal, log);
  if (journal.recovered > 0)
    log.warn('journal.recovered', {
      records: journal.recovered,
      text: 'the last process was killed before its journal had them: they lay beside it',
    });
  const certifier = setup.reportsDir === undefined ? null : createCertifier(journal, log, setup.reportsDir);
  const events: EngineEvents = {
    ...setup.events,
    onSessionEnded(report) {
      if (report.day !== null) void certifier?.certify(report.day);
      setup.events.onSessionEnded(report);
    },
  };
  const requestsMade = await warmUp(broker, config.gateway.requestsPerMinute);
  const threadLimits = { ...limits, openFiles: limits.openFiles - orderLines };
  engine = assemble({ ...setup, events, broker, clock, journal, speed, requestsMade, threadLimits });
  const opened = { engine, clock };
  return {
    kind: 'open',
    daemon: {
      ...opened,
      certify: async (day) => certifier?.certify(day),
      async close() {
        await certifier?.idle();
        // Requests that nobody has answered yet end here; in the same turn their outcome, unknown, is recorded.
        await broker.close();
        await nextTurn();
        await journal.close();
        opened.clock.close();
      },
    },
  };
}

type Parts = DaemonSetup & {
  readonly broker: AlpacaBroker;
  readonly clock: ExchangeClock;
  readonly journal: OpenJournal;
  readonly speed: number;
  readonly requestsMade: number;
  readonly threadLimits: ThreadLimits;
};

function assemble(parts: Parts): Engine {
  const { config, endpoints, broker, clock, journal, log, speed } = parts;
  const { maxThreads } = config.lanes;
  const plan = planThreads(
    config.symbols.length,
    capThreads(maxThreads === 'auto' ? null : maxThreads, parts.threadLimits),
  );
  log.info('lanes.planned', { text: plan.sentence, threads: plan.threads });
  const settings = toEngineSettings(config, speed);
  const socket = {
    keyId: endpoints.keyId,
    secret: endpoints.secret,
    clock,
    speed,
    random: Math.random,
    onFault: (error: unknown) => log.error('feed.fault', { text: describe(error) }),
  };
  return createEngine({
    clock,
    broker,
    journal,
    log,
    settings: { ...settings, strategy: resolveStrategy(settings.strategy, parts.baseDir) },
    build: projectVersion(),
    requestsMade: parts.requestsMade,
    events: {
      ...parts.events,
      onDrift: (drift) => clock.anchor(after(clock.now(), drift), clock.speed()),
    },
    laneHost: (events) =>
      openPiscinaLanes(
        {
          maxThreads: Math.max(1, plan.threads),
          threadsAhead: plan.threads,
          marksCapacity: config.symbols.length + SPARE_MARKS,
          onError: (error) => log.error('lanes.fault', { text: describe(error) }),
        },
        events,
      ),
    openDataFeed: (symbols, events) =>
      openDataFeed(
        {
          ...socket,
          url: endpoints.dataStreamUrl,
          onUnreadable: (text) => log.warn('feed.unreadable', { text }),
        },
        symbols,
        events,
      ),
    openTradeFeed: (events) => openTradeFeed({ ...socket, url: endpoints.tradeStreamUrl, stopwatch }, events),
    stopwatch,
  });
}

const stopwatch = (): number => performance.now() * 1_000;

const CORRUPT =
  'the journal must be whole; move it away and keep it, `scalpd verify` says what of it holds, and start again: the lanes are then taken from the broker, latches and pauses are not';

function tellChained({ chained }: OpenJournal, log: Log): void {
  if (chained > 0)
    log.warn('journal.chained', {
      records: chained,
      text: 'records of an older scalpd are chained from now on: what was changed before does not show',
    });
}

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

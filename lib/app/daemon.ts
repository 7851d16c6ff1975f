import { openDataFeed } from '../adapters/alpaca/data-feed.ts';
import type { Endpoints } from '../adapters/alpaca/endpoints.ts';
import { type AlpacaBroker, openBroker } from '../adapters/alpaca/rest.ts';
import { openTradeFeed } from '../adapters/alpaca/trade-feed.ts';
import type { Config } from '../adapters/config/config.ts';
import { toEngineSettings } from '../adapters/config/to-engine-settings.ts';
import { type OpenJournal, openJournal } from '../adapters/journal/journal.ts';
import type { OpenLog } from '../adapters/log/open-log.ts';
import { capThreads, planThreads } from '../adapters/threads/pack-plan.ts';
import { openPiscinaLanes } from '../adapters/threads/piscina-lanes.ts';
import { readThreadLimits } from '../adapters/threads/process-limits.ts';
import { resolveStrategy } from '../adapters/threads/strategy-loader.ts';
import { createExchangeClock, type ExchangeClock } from '../adapters/time/exchange-clock.ts';
import { after, formatInstant, type Micros, seconds } from '../domain/time.ts';
import { transportMillis } from '../engine/connection-types.ts';
import { createEngine } from '../engine/engine.ts';
import type { Engine, EngineEvents } from '../engine/engine-types.ts';
import type { Log } from '../ports/log.ts';
import { connectClock } from './connect-clock.ts';

/**
 * The daemon put together: real sockets, threads, journal and clock around the engine. Whoever opens it starts it, and
 * closes it in the end; nothing here decides about trading.
 */
export type Daemon = {
  readonly engine: Engine;
  readonly clock: ExchangeClock;
  /** Orders the shutdown by the engine's rules, then closes journal, connections and clock. */
  close(): Promise<void>;
};

export type DaemonSetup = {
  readonly config: Config;
  readonly endpoints: Endpoints;
  /** Absolute. */
  readonly journalPath: string;
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
  const broker = openBroker({
    ...endpoints,
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

  let journal: OpenJournal;
  try {
    journal = await openJournal({
      path: setup.journalPath,
      onWriterLost: (text) => log.error('journal.writerLost', { text }),
    });
  } catch (error) {
    clock.close();
    await broker.close();
    return { kind: 'failed', code: 'journal', text: error instanceof Error ? error.message : String(error) };
  }

  engine = assemble({ ...setup, broker, clock, journal, speed });
  const opened = { engine, clock };
  return {
    kind: 'open',
    daemon: {
      ...opened,
      async close() {
        await journal.close();
        await broker.close();
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
};

function assemble(parts: Parts): Engine {
  const { config, endpoints, broker, clock, journal, log, speed } = parts;
  const { maxThreads } = config.lanes;
  const plan = planThreads(
    config.symbols.length,
    capThreads(maxThreads === 'auto' ? null : maxThreads, readThreadLimits()),
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
  const engine: Engine = createEngine({
    clock,
    broker,
    journal,
    log,
    settings: { ...settings, strategy: resolveStrategy(settings.strategy, parts.baseDir) },
    events: {
      ...parts.events,
      onDrift: (drift) => clock.anchor(after(clock.now(), drift), clock.speed()),
    },
    laneHost: (events) =>
      openPiscinaLanes(
        {
          maxThreads: Math.max(1, plan.threads),
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
          dueSince: (at) => engine.dataDueSince(at),
          onUnreadable: (text) => log.warn('feed.unreadable', { text }),
        },
        symbols,
        events,
      ),
    openTradeFeed: (events) => openTradeFeed({ ...socket, url: endpoints.tradeStreamUrl }, events),
  });
  return engine;
}

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

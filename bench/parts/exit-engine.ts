import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFeed } from '../../lib/adapters/alpaca/data-feed.ts';
import { openBroker } from '../../lib/adapters/alpaca/rest.ts';
import { openTradeFeed } from '../../lib/adapters/alpaca/trade-feed.ts';
import { openJournal } from '../../lib/adapters/journal/journal.ts';
import { memoryJournal } from '../../lib/adapters/journal/memory.ts';
import { openLog } from '../../lib/adapters/log/open-log.ts';
import { openPiscinaLanes } from '../../lib/adapters/threads/piscina-lanes.ts';
import { readThreadLimits } from '../../lib/adapters/threads/process-limits.ts';
import { createExchangeClock } from '../../lib/adapters/time/exchange-clock.ts';
import { orderLinesFor, runRehearsal, warmUp } from '../../lib/app/warm-up.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { type Duration, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { createEngine } from '../../lib/engine/engine.ts';
import type { EndReport, Engine } from '../../lib/engine/engine-types.ts';
import type { OverloadSettings } from '../../lib/engine/overload.ts';
import { DEFAULT_ENGINE_SETTINGS, type EngineSettings } from '../../lib/engine/settings.ts';
import type { LaneHost } from '../../lib/ports/lane-host.ts';
import type { LaneStep, LaneUplink, StrategySetting } from '../../lib/ports/lane-protocol.ts';
import type { Log, LogFields } from '../../lib/ports/log.ts';
import { laneStart } from './lane-starts.ts';
import { wallNow } from './wall.ts';

/** What is other than in the exit benchmark. */
export type EngineOver = {
  readonly strategy?: StrategySetting;
  /** Where journal and log lie; kept in the end. A folder of its own that is removed, when absent. */
  readonly folder?: string;
  readonly maxThreads?: number;
  readonly heapLimitMb?: number;
  /** Neither journal file nor log. */
  readonly silent?: boolean;
  /** Whether the main thread takes steps that it knows before the lane's thread has; the engine's default when absent. */
  readonly stepAhead?: boolean;
  readonly watch?: EngineWatch;
  /** Where market data come from, `ws://host:port`; from the exchange when absent. */
  readonly dataStream?: string;
  readonly overload?: OverloadSettings;
  readonly onEngine?: (engine: Engine) => void;
  /** Besides the file. */
  readonly onLine?: (event: string, fields: LogFields) => void;
};

/** Sees what lanes decide, on the way. */
export type EngineWatch = {
  uplink(uplink: LaneUplink): void;
  /** `decidedAt`: wall milliseconds. */
  ahead(step: LaneStep, decidedAt: number): void;
};

/**
 * The whole daemon but for its configuration and commands: sockets, REST, engine, journal on disk, log in a file, a thread
 * for each lane. Exchange time runs at `speed`; what is paced by our own machine keeps its pace in wall time.
 */
export async function startEngine(
  url: string,
  symbols: readonly Ticker[],
  speed: number,
  over: EngineOver = {},
): Promise<() => Promise<EndReport>> {
  const keys = { keyId: 'engine', secret: 'engine' };
  const dir = over.folder ?? (await mkdtemp(join(tmpdir(), 'scalpd-bench-')));
  const wallMicros = (): Micros => (Date.now() * 1_000) as Micros;
  const broker = openBroker({
    ...keys,
    baseUrl: url,
    dataUrl: url,
    feed: 'iex',
    orderLines: orderLinesFor(symbols.length, readThreadLimits().openFiles),
    now: () => clock?.now() ?? wallMicros(),
  });
  let clock: ReturnType<typeof createExchangeClock> | null = null;
  const read = await broker.clock();
  if (read.kind === 'failed') throw new Error(`the exchange tells its time. Found: ${read.failure.text}`);
  const exchangeClock = createExchangeClock({ at: read.value.at, speed });
  clock = exchangeClock;
  const requestsMade = await warmUp(broker, DEFAULT_ENGINE_SETTINGS.gateway.requestsPerMinute);

  const journal =
    over.silent === true ? memoryJournal() : await openJournal({ path: join(dir, 'journal.db') });
  const log = openLog({
    level: 'info',
    dir: over.silent === true ? null : dir,
    fileBytesMax: 2 ** 24,
    filesMax: 1,
    console: null,
    now: exchangeClock.now,
    wallNow: wallMicros,
  });
  const socket = { ...keys, clock: exchangeClock, speed, random: Math.random };
  const stream = url.replace('http', 'ws');
  const wallOf = (at: Micros): number => wallNow() - (exchangeClock.now() - at) / 1_000 / speed;
  const engine = createEngine({
    clock: exchangeClock,
    broker,
    journal,
    log: over.onLine === undefined ? log : tee(log, over.onLine),
    settings: settingsOf(symbols, speed, over),
    events: { onSessionEnded: () => {} },
    laneHost(events) {
      const { watch } = over;
      const host = openPiscinaLanes(
        {
          maxThreads: over.maxThreads ?? symbols.length,
          marksCapacity: symbols.length,
          ...(over.heapLimitMb !== undefined && { heapLimitMb: over.heapLimitMb }),
          onError: (error) => console.error(error),
        },
        watch === undefined ? events : { ...events, onUplink: both(events.onUplink, watch.uplink) },
      );
      return watch === undefined ? host : watched(host, watch, wallOf);
    },
    openDataFeed: (wanted, events) =>
      openDataFeed({ ...socket, url: `${over.dataStream ?? stream}/v2/iex` }, wanted, events),
    openTradeFeed: (events) => openTradeFeed({ ...socket, url: `${stream}/stream`, stopwatch }, events),
    stopwatch,
    requestsMade,
  });
  over.onEngine?.(engine);
  const outcome = await engine.start();
  if (outcome.kind === 'failed') throw new Error(`the engine starts. Found: ${outcome.text}`);
  await runRehearsal(log);
  return async () => {
    const report = await engine.stop('flatten', (exchangeClock.now() + 5_000_000 * speed) as Micros);
    await journal.close();
    await log.close();
    await broker.close();
    exchangeClock.close();
    if (over.folder === undefined) await rm(dir, { recursive: true });
    return report;
  };
}

const stopwatch = (): number => performance.now() * 1_000;

function both<T>(first: (value: T) => void, second: (value: T) => void): (value: T) => void {
  return (value) => {
    first(value);
    second(value);
  };
}

function watched(host: LaneHost, watch: EngineWatch, wallOf: (at: Micros) => number): LaneHost {
  return {
    ...host,
    repeat(symbol, step) {
      watch.ahead(step, wallOf(step.event.at));
      return host.repeat(symbol, step);
    },
  };
}

function tee(log: Log, onLine: (event: string, fields: LogFields) => void): Log {
  const each =
    (level: keyof Log): Log[keyof Log] =>
    (event, fields = {}) => {
      log[level](event, fields);
      onLine(event, fields);
    };
  return { debug: each('debug'), info: each('info'), warn: each('warn'), error: each('error') };
}

function settingsOf(symbols: readonly Ticker[], speed: number, over: EngineOver): EngineSettings {
  const standard = DEFAULT_ENGINE_SETTINGS;
  /** Stretched by the speed, so that it takes as long on the wall as it would in life. */
  const wall = (duration: Duration): Duration => (duration * speed) as Duration;
  const huge = cash(1_000_000_000 * UNITS_PER_USD);
  const { session, gateway, tracker, supervisor, reconcile } = standard;
  return {
    ...standard,
    lanes: symbols.map((symbol) => ({
      ...laneStart(symbol).params,
      entryQueueMax: minutes(1),
      lastTradeMaxAge: minutes(1),
      entriesMax: 10_000,
      lossesMax: 10_000,
    })),
    strategy: over.strategy ?? { name: new URL('./enter-always.js', import.meta.url).href },
    session: { ...session, startPatience: wall(seconds(30)), driftMax: wall(seconds(1)) },
    gateway: { ...gateway, requestsPerMinute: 1_000_000, journalPatience: wall(gateway.journalPatience) },
    tracker: {
      ...tracker,
      pollFirst: wall(tracker.pollFirst),
      pollMax: wall(tracker.pollMax),
      silenceMax: wall(tracker.silenceMax),
      absentAfter: wall(tracker.absentAfter),
      sweepEvery: wall(tracker.sweepEvery),
      sweepEveryBlind: wall(tracker.sweepEveryBlind),
    },
    feed: { ...standard.feed, liveFor: seconds(59) },
    supervisor: {
      ...supervisor,
      pingEvery: wall(supervisor.pingEvery),
      stallAfter: wall(supervisor.stallAfter),
      restartPause: wall(supervisor.restartPause),
      stepAhead: over.stepAhead ?? supervisor.stepAhead,
    },
    reconcile: { ...reconcile, every: wall(reconcile.every), recheckAfter: wall(reconcile.recheckAfter) },
    overload: over.overload ?? {
      shutAfter: wall(standard.overload.shutAfter),
      calmAfter: wall(standard.overload.calmAfter),
    },
    risk: {
      limits: {
        sharesPerOrderMax: 10_000,
        notionalPerOrderMax: huge,
        collarBps: 100,
        grossExposureMax: huge,
        dailyLossMax: huge,
      },
      checkEvery: wall(seconds(1)),
    },
  };
}

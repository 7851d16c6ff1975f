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
import { createExchangeClock } from '../../lib/adapters/time/exchange-clock.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { type Duration, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { createEngine } from '../../lib/engine/engine.ts';
import type { EndReport } from '../../lib/engine/engine-types.ts';
import { DEFAULT_ENGINE_SETTINGS, type EngineSettings } from '../../lib/engine/settings.ts';
import type { StrategySetting } from '../../lib/ports/lane-protocol.ts';
import type { Log, LogFields } from '../../lib/ports/log.ts';
import { laneStart } from './lane-starts.ts';

/** What is other than in the exit benchmark. */
export type EngineOver = {
  readonly strategy?: StrategySetting;
  /** Where journal and log lie; kept in the end. A folder of its own that is removed, when absent. */
  readonly folder?: string;
  readonly maxThreads?: number;
  readonly heapLimitMb?: number;
  /** Neither journal file nor log. */
  readonly silent?: boolean;
  /** Besides the file. */
  readonly onLine?: (event: string, fields: LogFields) => void;
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
  const wallNow = (): Micros => (Date.now() * 1_000) as Micros;
  const broker = openBroker({
    ...keys,
    baseUrl: url,
    dataUrl: url,
    feed: 'iex',
    now: () => clock?.now() ?? wallNow(),
  });
  let clock: ReturnType<typeof createExchangeClock> | null = null;
  const read = await broker.clock();
  if (read.kind === 'failed') throw new Error(`the exchange tells its time. Found: ${read.failure.text}`);
  const exchangeClock = createExchangeClock({ at: read.value.at, speed });
  clock = exchangeClock;
  await broker.warm(50);

  const journal =
    over.silent === true ? memoryJournal() : await openJournal({ path: join(dir, 'journal.db') });
  const log = openLog({
    level: 'info',
    dir: over.silent === true ? null : dir,
    fileBytesMax: 2 ** 24,
    filesMax: 1,
    console: null,
    now: exchangeClock.now,
    wallNow,
  });
  const socket = { ...keys, clock: exchangeClock, speed, random: Math.random };
  const stream = url.replace('http', 'ws');
  const engine = createEngine({
    clock: exchangeClock,
    broker,
    journal,
    log: over.onLine === undefined ? log : tee(log, over.onLine),
    settings: { ...settingsOf(symbols, speed), ...(over.strategy && { strategy: over.strategy }) },
    events: { onSessionEnded: () => {} },
    laneHost: (events) =>
      openPiscinaLanes(
        {
          maxThreads: over.maxThreads ?? symbols.length,
          marksCapacity: symbols.length,
          ...(over.heapLimitMb !== undefined && { heapLimitMb: over.heapLimitMb }),
          onError: (error) => console.error(error),
        },
        events,
      ),
    openDataFeed: (wanted, events) => openDataFeed({ ...socket, url: `${stream}/v2/iex` }, wanted, events),
    openTradeFeed: (events) => openTradeFeed({ ...socket, url: `${stream}/stream` }, events),
  });
  const outcome = await engine.start();
  if (outcome.kind === 'failed') throw new Error(`the engine starts. Found: ${outcome.text}`);
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

function tee(log: Log, onLine: (event: string, fields: LogFields) => void): Log {
  const each =
    (level: keyof Log): Log[keyof Log] =>
    (event, fields = {}) => {
      log[level](event, fields);
      onLine(event, fields);
    };
  return { debug: each('debug'), info: each('info'), warn: each('warn'), error: each('error') };
}

function settingsOf(symbols: readonly Ticker[], speed: number): EngineSettings {
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
    strategy: { name: new URL('./enter-always.js', import.meta.url).href },
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
    },
    reconcile: { ...reconcile, every: wall(reconcile.every), recheckAfter: wall(reconcile.recheckAfter) },
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

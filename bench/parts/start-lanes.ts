/**
 * Child process of the lanes benchmark: `start-lanes lanes|bare COUNT [THREADS]` starts that many lanes, or as many empty
 * workers, and prints how long it took, what each costs in memory and how long the main thread was ever deaf.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openPiscinaLanes, PISCINA_LANES_DEFAULTS } from '../../lib/adapters/threads/piscina-lanes.ts';
import { startEmptyWorkers } from './empty-workers.ts';
import { laneStart, tickers } from './lane-starts.ts';

export type StartCost = {
  /** From the first start to the last `ready`, by the number started. */
  readonly msEach: number;
  readonly rssMbEach: number;
  readonly mainDeafMs: number;
};

const [kind, countText, threadsText] = process.argv.slice(2);
const count = Number(countText);
const threads = Number(threadsText ?? count);

async function startLanes(): Promise<() => Promise<void>> {
  const host = openPiscinaLanes(
    { maxThreads: threads, marksCapacity: count, stallMs: 60_000, onError: (error) => console.error(error) },
    { onUplink: () => {}, onLost: (symbol, loss) => console.error(symbol, loss) },
  );
  await host.start(tickers(count).map(laneStart));
  return () => host.close();
}

const rssBefore = process.memoryUsage.rss();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const startedAt = performance.now();
const end = await (kind === 'lanes'
  ? startLanes()
  : startEmptyWorkers(threads, PISCINA_LANES_DEFAULTS.startConcurrency));
const took = performance.now() - startedAt;
delay.disable();
const cost: StartCost = {
  msEach: took / count,
  rssMbEach: (process.memoryUsage.rss() - rssBefore) / 2 ** 20 / count,
  mainDeafMs: delay.max / 1e6,
};
process.stdout.write(JSON.stringify(cost));
await end();

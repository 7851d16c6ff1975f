import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { openPiscinaLanes } from '../lib/adapters/threads/piscina-lanes.ts';
import type { Ticker } from '../lib/domain/ids.ts';
import { type Benchmark, interleave, type Latencies, latenciesOf, latencyFigures } from './figure.ts';
import { barInput, laneStart, planOf } from './parts/lane-starts.ts';

const SPY = 'SPY' as Ticker;
/** Bars of one session that are fed before the next session opens. */
const BARS_PER_ROUND = 380;

/** Main to lane to main, one message at a time: a bar through the lane's runner, a ping past it, and a bare echo. */
const ports: Benchmark = {
  name: 'ports',
  async run({ quick }, report) {
    const lane = await openTimedLane();
    const echo = await openEcho();
    const trips = quick ? 20 : BARS_PER_ROUND;
    const rounds = await interleave(quick ? 1 : 9, {
      bar: () => lane.bars(trips),
      ping: () => lane.pings(trips),
      echo: () => echo.bars(trips),
    });
    await Promise.all([lane.close(), echo.close()]);
    const against = (name: string, measured: readonly Latencies[]): void => {
      for (const figure of latencyFigures(name, measured, 'bare echo worker', rounds.echo)) report(figure);
    };
    against('bar to decision', rounds.bar);
    against('ping to alive', rounds.ping);
  },
};
export default ports;

const PLAN = planOf(0);
const closeOf = (n: number): number => 100 + Math.sin(n / 7);

async function openTimedLane() {
  let onAnswer: () => void = () => {};
  const host = openPiscinaLanes(
    { maxThreads: 1, marksCapacity: 1, stallMs: 60_000, onError: (error) => console.error(error) },
    { onUplink: () => onAnswer(), onLost: (symbol, loss) => console.error(symbol, loss) },
  );
  await host.start([laneStart(SPY)]);
  const answer = (): Promise<void> =>
    new Promise((resolve) => {
      onAnswer = resolve;
    });
  let session = 0;
  return {
    close: () => host.close(),
    async bars(count: number): Promise<Latencies> {
      const plan = planOf(session++);
      const opened = answer();
      host.post(SPY, { kind: 'sessionOpened', at: plan.openAt, plan });
      await opened;
      return timeEach(count, (n) => {
        const answered = answer();
        host.post(SPY, barInput(SPY, plan, n, closeOf(n)));
        return answered;
      });
    },
    pings: (count: number): Promise<Latencies> =>
      timeEach(count, () => {
        const answered = answer();
        host.ping(SPY);
        return answered;
      }),
  };
}

async function openEcho() {
  const worker = new Worker(new URL('./parts/bare-worker.js', import.meta.url));
  await once(worker, 'message');
  let onAnswer: () => void = () => {};
  worker.on('message', () => onAnswer());
  return {
    close: () => worker.terminate(),
    bars: (count: number): Promise<Latencies> =>
      timeEach(
        count,
        (n) =>
          new Promise<void>((resolve) => {
            onAnswer = resolve;
            worker.postMessage({ seq: n, kind: 'input', input: barInput(SPY, PLAN, n, closeOf(n)) });
          }),
      ),
  };
}

/**
 * Each trip's time in microseconds; the first tenth warms up and does not count. Both threads fall asleep before each
 * trip, as they do in life: back to back, two threads that share a core answer three times faster than they ever will.
 */
async function timeEach(count: number, trip: (n: number) => Promise<void>): Promise<Latencies> {
  const took: number[] = [];
  for (let n = 0; n < count; n++) {
    await pause(1);
    const startedAt = performance.now();
    await trip(n);
    if (n >= count / 10) took.push((performance.now() - startedAt) * 1_000);
  }
  return latenciesOf(took);
}

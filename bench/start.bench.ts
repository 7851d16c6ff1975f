import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PISCINA_LANES_DEFAULTS } from '../lib/adapters/threads/piscina-lanes.ts';
import { type Benchmark, interleave, spreadOf } from './figure.ts';
import { type DaemonStart, startDaemon } from './parts/start-daemon.ts';
import { endOf, startExchange } from './parts/start-exchange.ts';

/**
 * In the middle of a session: `scalpd run` from its exec until every lane is ready and has the session's bars, against a
 * process that starts as many empty workers. A process per round, and one for its exchange.
 */
const start: Benchmark = {
  name: 'start',
  async run({ quick }, report) {
    const count = quick ? 4 : 100;
    const rounds = await measure(quick ? 1 : 5, count, !quick);
    const figure = (name: string, key: keyof DaemonStart): void =>
      report({
        name: `${name}, ${count} symbols`,
        unit: 'ms',
        measured: spreadOf(rounds.daemon.map((round) => round[key])),
        floor: { name: `${count} empty workers`, ...spreadOf(rounds.empty.map((round) => round[key])) },
      });
    figure('exec to every lane warmed up', 'warmMs');
    figure('exec to ready', 'readyMs');
  },
};
export default start;

const measure = (rounds: number, count: number, warmUp: boolean) =>
  interleave<'daemon' | 'empty', DaemonStart>(
    rounds,
    { daemon: () => startAgainst(count), empty: () => startEmpty(count) },
    warmUp,
  );

/** An exchange for each: five starts within a minute would ask more of one account than it may. */
async function startAgainst(count: number): Promise<DaemonStart> {
  const exchange = await startExchange(count);
  try {
    return await startDaemon(exchange);
  } finally {
    await exchange.close();
  }
}

async function startEmpty(count: number): Promise<DaemonStart> {
  const file = fileURLToPath(new URL('./parts/start-empty.js', import.meta.url));
  const startedAt = performance.now();
  const child = fork(file, [String(count), String(PISCINA_LANES_DEFAULTS.startConcurrency)]);
  const ended = endOf(child);
  await new Promise((resolve) => child.once('message', resolve));
  const tookMs = performance.now() - startedAt;
  await ended;
  return { readyMs: tookMs, warmMs: tookMs };
}

import { capThreads, planThreads } from '../lib/adapters/threads/pack-plan.ts';
import { openPiscinaLanes } from '../lib/adapters/threads/piscina-lanes.ts';
import { readThreadLimits } from '../lib/adapters/threads/process-limits.ts';
import type { Ticker } from '../lib/domain/ids.ts';
import { createLaneRunner } from '../lib/engine/lane-runner.ts';
import { builtInStrategy } from '../lib/strategy/registry.ts';
import { type Benchmark, type Figure, interleave, spreadOf } from './figure.ts';
import { barInput, laneStart, planOf, tickers } from './parts/lane-starts.ts';

/**
 * A minute ends: every lane gets its bar in the same turn of the main thread. How long until the last has decided, a thread
 * each and packed, against the same arithmetic in one loop of one thread; and 500 symbols as the daemon packs them here.
 */
const barClose: Benchmark = {
  name: 'bar-close',
  async run({ quick }, report) {
    for (const count of quick ? [4] : [50, 250]) {
      const rounds = await measure(quick, count, {
        'a thread each': count,
        'ten to a thread': Math.ceil(count / 10),
      });
      for (const name of ['a thread each', 'ten to a thread'] as const)
        report(figureOf(`bar to last of ${count} decisions, ${name}`, rounds[name], rounds.loop));
    }
    const count = quick ? 12 : 500;
    const { threads } = planThreads(count, capThreads(null, readThreadLimits()));
    const { daemon, loop } = await measure(quick, count, { daemon: threads });
    report(figureOf(`bar to last of ${count} decisions, as packed by default`, daemon, loop));
    const beyond = daemon.map((micros, round) => micros - (loop[round] ?? 0));
    report({
      name: `bar to last of ${count} decisions, as packed by default, beyond the loop`,
      unit: 'us',
      measured: spreadOf(beyond),
      floor: null,
    });
  },
};
export default barClose;

const figureOf = (name: string, measured: readonly number[], loop: readonly number[]): Figure => ({
  name,
  unit: 'us',
  measured: spreadOf(measured),
  floor: { name: 'the same arithmetic in one loop', ...spreadOf(loop) },
});

/** Rounds of every packing, by its number of threads, and of the loop. */
async function measure<Name extends string>(
  quick: boolean,
  count: number,
  packings: Readonly<Record<Name, number>>,
): Promise<Readonly<Record<Name | 'loop', readonly number[]>>> {
  const names = Object.keys(packings) as Name[];
  const opened = await Promise.all(
    names.map(async (name) => [name, await openLanes(count, packings[name])] as const),
  );
  const variants = Object.fromEntries([
    ...opened.map(([name, { barClose }]) => [name, barClose]),
    ['loop', openLoop(count)],
  ]) as Record<Name | 'loop', () => Promise<number>>;
  const rounds = await interleave(quick ? 1 : 20, variants);
  await Promise.all(opened.map(([, lanes]) => lanes.close()));
  return rounds;
}

/** The same lanes with nothing between them: no thread, no port, no host. Microseconds for all to decide. */
function openLoop(count: number): () => Promise<number> {
  const plan = planOf(0);
  const runners = tickers(count).map((symbol) => {
    const start = laneStart(symbol);
    const strategy = builtInStrategy(start.strategy.name);
    if (strategy === null)
      throw new Error(`a built-in strategy has that name. Found: ${start.strategy.name}`);
    const runner = createLaneRunner(start, strategy, { read: () => null });
    runner.feed({ kind: 'sessionOpened', at: plan.openAt, plan });
    return { symbol, runner };
  });
  let minute = 0;
  return async () => {
    const startedAt = performance.now();
    for (const { symbol, runner } of runners)
      runner.feed(barInput(symbol, plan, minute, 100 + Math.sin(minute)));
    minute += 1;
    return (performance.now() - startedAt) * 1_000;
  };
}

async function openLanes(count: number, threads: number) {
  let waitingFor = 0;
  let onLast: () => void = () => {};
  const host = openPiscinaLanes(
    { maxThreads: threads, marksCapacity: count, stallMs: 60_000, onError: (error) => console.error(error) },
    {
      onUplink: ({ kind }) => {
        if (kind !== 'decided') return;
        waitingFor -= 1;
        if (waitingFor === 0) onLast();
      },
      onLost: (symbol, loss) => console.error(symbol, loss),
    },
  );
  const symbols = tickers(count);
  const toAll = (post: (symbol: Ticker) => void): Promise<void> =>
    new Promise((resolve) => {
      waitingFor = count;
      onLast = resolve;
      symbols.forEach(post);
    });
  await host.start(symbols.map(laneStart));
  const plan = planOf(0);
  await toAll((symbol) => host.post(symbol, { kind: 'sessionOpened', at: plan.openAt, plan }));
  let minute = 0;
  return {
    close: () => host.close(),
    /** Microseconds from the first post to the last decision. */
    async barClose(): Promise<number> {
      const startedAt = performance.now();
      await toAll((symbol) => host.post(symbol, barInput(symbol, plan, minute, 100 + Math.sin(minute))));
      minute += 1;
      return (performance.now() - startedAt) * 1_000;
    },
  };
}

import { openPiscinaLanes } from '../lib/adapters/threads/piscina-lanes.ts';
import type { Ticker } from '../lib/domain/ids.ts';
import { type Benchmark, interleave, spreadOf } from './figure.ts';
import { barInput, laneStart, planOf, tickers } from './parts/lane-starts.ts';

/**
 * A minute ends: every lane gets its bar in the same turn of the main thread. How long until the last has decided,
 * with a thread for each lane, with ten lanes to a thread, and with all of them in one.
 */
const barClose: Benchmark = {
  name: 'bar-close',
  async run({ quick }, report) {
    for (const count of quick ? [4] : [50, 250]) {
      const apart = await openLanes(count, count);
      const packed = await openLanes(count, Math.ceil(count / 10));
      const together = await openLanes(count, 1);
      const rounds = await interleave(quick ? 1 : 20, {
        apart: apart.barClose,
        packed: packed.barClose,
        together: together.barClose,
      });
      await Promise.all([apart.close(), packed.close(), together.close()]);
      const floor = { name: `${count} lanes in one thread`, ...spreadOf(rounds.together) };
      const figure = (name: string, measured: readonly number[]): void =>
        report({
          name: `bar to last of ${count} decisions, ${name}`,
          unit: 'us',
          measured: spreadOf(measured),
          floor,
        });
      figure('a thread each', rounds.apart);
      figure('ten to a thread', rounds.packed);
    }
  },
};
export default barClose;

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

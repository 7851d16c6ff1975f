import { type Benchmark, interleave, spreadOf } from './figure.ts';
import { runChild } from './parts/child.ts';
import type { StartCost } from './parts/start-lanes.ts';

/** What a lane costs to start and to keep, against empty worker threads of the same number; a process per round. */
const lanes: Benchmark = {
  name: 'lanes',
  async run({ quick }, report) {
    for (const count of quick ? [1, 3] : [1, 100]) {
      const rounds = await interleave(
        quick ? 1 : 5,
        {
          lanes: () => runChild<StartCost>('start-lanes', ['lanes', count]),
          bare: () => runChild<StartCost>('start-lanes', ['bare', count]),
        },
        false,
      );
      const figure = (name: string, unit: string, key: keyof StartCost): void =>
        report({
          name: `${name}, ${count} lanes`,
          unit,
          measured: spreadOf(rounds.lanes.map((cost) => cost[key])),
          floor: { name: 'empty worker threads', ...spreadOf(rounds.bare.map((cost) => cost[key])) },
        });
      figure('start, each', 'ms', 'msEach');
      figure('memory, each', 'MB', 'rssMbEach');
      figure('main thread deaf at most', 'ms', 'mainDeafMs');
    }
  },
};
export default lanes;

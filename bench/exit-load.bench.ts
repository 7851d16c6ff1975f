import { type Benchmark, type Figure, latenciesOf, latencyFigures, spreadOf } from './figure.ts';
import { runUnderLoad, type Stretch } from './parts/exit-load.ts';
import type { DecisionPlace } from './parts/exit-party.ts';

/**
 * The exit, and what a lane knows when it decides, while other trades come in masses: 100,000 a second on the data socket,
 * by turns with none. Fills and requests go their usual ways; the trades come from a process of their own, stamped with the
 * instant at which they are sent, and every one has to arrive.
 */
const exitLoad: Benchmark = {
  name: 'exit-load',
  async run({ quick }, report) {
    const rounds = quick ? 1 : 5;
    const rate = quick ? 5_000 : RATE;
    for (const figure of await measureExits(quick ? 8 : 500, rate, rounds, quick ? 8 : SAMPLES))
      report(figure);
    for (const figure of await measureMarks(quick ? 4 : 50, rate, rounds, quick ? 8 : SAMPLES))
      report(figure);
  },
};
export default exitLoad;

const RATE = 100_000;
/** The largest of 69 samples lies below their p99 as often as above it: so the median over rounds of it is that p99. */
const SAMPLES = 69;
/** Exchange seconds per wall second. */
const SPEED = 200;
const THREADS = 10;

async function measureExits(
  symbols: number,
  rate: number,
  rounds: number,
  exits: number,
): Promise<readonly Figure[]> {
  const stretches = await runUnderLoad({
    symbols,
    maxThreads: THREADS,
    speed: SPEED,
    watched: 4,
    stretches: Array.from({ length: 2 * rounds }, (_, n) => ({ rate: n % 2 === 0 ? 0 : rate, exits })),
  });
  const quiet = stretches.filter((stretch) => stretch.rate === 0);
  const loaded = stretches.filter((stretch) => stretch.rate > 0);
  tellLoad(loaded);
  const latencies = (of: readonly Stretch[]) => of.map((stretch) => latenciesOf(stretch.exits));
  const load = `${rate} trades/s to ${symbols} symbols`;
  return [
    ...latencyFigures(
      `fill to exit, 1 symbol, at ${load},`,
      latencies(loaded),
      'without them',
      latencies(quiet),
    ),
    ...ageFigures(`age of the mark that an exit is decided on, at ${load},`, loaded, 'ahead'),
    {
      name: `trades sent, at ${load}`,
      unit: 'trades/s',
      measured: spreadOf(loaded.map(({ sentPerSecond }) => sentPerSecond)),
      floor: null,
    },
    {
      name: `trades taken of those sent, at ${load}`,
      unit: '%',
      measured: spreadOf(loaded.map(({ sent, lost }) => (100 * (sent - lost)) / sent)),
      floor: null,
    },
  ];
}

/**
 * What the lanes' own threads know: each of 50 symbols trades 2,000 times a second and in every frame, so that the market
 * itself is silent for half a millisecond in the mean.
 */
async function measureMarks(
  symbols: number,
  rate: number,
  rounds: number,
  exits: number,
): Promise<readonly Figure[]> {
  const stretches = await runUnderLoad({
    symbols,
    maxThreads: symbols,
    stepAhead: false,
    speed: SPEED,
    watched: symbols,
    stretches: Array.from({ length: rounds }, () => ({ rate, exits })),
  });
  tellLoad(stretches);
  const load = `at ${rate} trades/s to ${symbols} symbols,`;
  return [
    ...ageFigures(`age of the mark that a lane's thread decides a fill on, ${load}`, stretches, 'thread'),
    ...ageFigures(
      `age of the mark that lanes decide on, bars of all in one burst, ${load}`,
      stretches,
      'bar',
    ),
  ];
}

/** From the instant at which the trade was sent that made the mark until the decision. */
function ageFigures(name: string, stretches: readonly Stretch[], on: DecisionPlace): readonly Figure[] {
  const latencies = stretches.map(({ ages }) => latenciesOf(ages[on].map(({ age }) => age)));
  return (['p50', 'p99'] as const).map((key) => ({
    name: `${name} ${key}`,
    unit: 'us',
    measured: spreadOf(latencies.map((round) => round[key])),
    floor: null,
  }));
}

function tellLoad(stretches: readonly Stretch[]): void {
  const backlog = Math.max(...stretches.map((stretch) => stretch.backlog));
  const lost = stretches.reduce((sum, stretch) => sum + stretch.lost, 0);
  process.stderr.write(`  the sender's buffer held ${backlog} bytes at most; ${lost} trades were lost\n`);
}

import { type Benchmark, type Figure, latenciesOf, latencyFigures, spreadOf } from './figure.ts';
import { type BurstPlan, burstsOf, type Contest, holdContest, type Round } from './parts/exit-contest.ts';

/**
 * The critical path: from the frame that says an entry filled until the exit order is at the exchange, both ends on this
 * machine. Measured through the whole engine with its threads and journal; the floor answers the same frames from one
 * thread with nothing else to do. Engines that differ in one thing stand beside it in the same minutes, each with an exchange
 * of its own, none of them busy while another one is measured.
 */
const exitPath: Benchmark = {
  name: 'exit-path',
  async run({ quick }, report) {
    const figures = (found: readonly Figure[]): void => found.forEach(report);
    figures(await measureOne(quick ? 1 : 5, quick ? 2 : SAMPLES));
    const plans: readonly BurstPlan[] = quick
      ? [{ symbols: 2, speed: 120, rounds: 1, minutesPerRound: 1 }]
      : [
          { symbols: 50, speed: 60, rounds: 5, minutesPerRound: 3 },
          { symbols: 200, speed: 24, rounds: 5, minutesPerRound: 2 },
        ];
    for (const plan of plans) figures(await measureMany(plan));
  },
};
export default exitPath;

/** The largest of 69 samples lies below their p99 as often as above it: so the median over rounds of it is that p99. */
const SAMPLES = 69;
const WARM_MINUTES = 15;
/** Exchange seconds per wall second: three tenths of a second a minute, and no fill within 30 ms of what another party does. */
const SPEED = 200;
const FLOOR = 'one thread, ws and undici';

async function measureOne(rounds: number, minutesPerRound: number): Promise<readonly Figure[]> {
  const contest = await holdContest({
    symbols: 1,
    speed: SPEED,
    rounds,
    minutesPerRound,
    warmMinutes: minutesPerRound < SAMPLES ? 1 : WARM_MINUTES,
    parties: {
      floor: { kind: 'floor' },
      engine: { kind: 'engine' },
      silent: { kind: 'engine', silent: true },
      thread: { kind: 'engine', stepAhead: false },
    },
  });
  const latencies = (rounds: readonly Round[]) => rounds.map((round) => latenciesOf(round.flat()));
  const [floor, engine, silent, thread] = [contest.floor, contest.engine, contest.silent, contest.thread].map(
    latencies,
  );
  if (floor === undefined || engine === undefined || silent === undefined || thread === undefined) return [];
  const name = 'fill to exit, 1 symbol';
  const [costOfRecords] = latencyFigures(`${name}, journal and log`, engine, 'both off', silent);
  return [
    ...latencyFigures(name, engine, FLOOR, floor),
    ...(costOfRecords === undefined ? [] : [costOfRecords]),
    ...latencyFigures(`${name}, by way of the lane's thread`, thread, FLOOR, floor),
  ];
}

/** All symbols fill in one instant: the median exit of such a burst, and its last. */
async function measureMany(plan: BurstPlan): Promise<readonly Figure[]> {
  const { engine, floor }: Contest<'engine' | 'floor'> = await holdContest({
    ...plan,
    parties: { floor: { kind: 'floor' }, engine: { kind: 'engine' } },
  });
  return (['median', 'last'] as const).map((which) => ({
    name: `fill to exit, ${plan.symbols} symbols at once, ${which} exit`,
    unit: 'us',
    measured: spreadOf(burstsOf(engine, which)),
    floor: { name: FLOOR, ...spreadOf(burstsOf(floor, which)) },
  }));
}

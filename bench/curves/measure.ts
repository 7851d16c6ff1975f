import { availableParallelism } from 'node:os';
import { latenciesOf, spreadOf } from '../figure.ts';
import { burstsOf, holdContest } from '../parts/exit-contest.ts';
import { runUnderLoad, type Stretch } from '../parts/exit-load.ts';
import type { Chart, CurveData, Point, Series } from './curve-data.ts';

type BurstSize = {
  readonly symbols: number;
  /** Exchange seconds per wall second: the more at once, the more wall time a minute has to last. */
  readonly speed: number;
  readonly rounds: number;
  readonly minutesPerRound: number;
  readonly warmMinutes?: number;
};
type LoadSteps = {
  readonly rates: readonly number[];
  readonly symbols: number;
  readonly rounds: number;
  readonly exits: number;
};

const BURSTS: readonly BurstSize[] = [
  ...[1, 2, 5, 10].map((symbols) => ({
    symbols,
    speed: 180,
    rounds: 5,
    minutesPerRound: 4,
    warmMinutes: 10,
  })),
  ...[20, 50].map((symbols) => ({ symbols, speed: 80, rounds: 5, minutesPerRound: 2 })),
  { symbols: 100, speed: 40, rounds: 5, minutesPerRound: 2 },
  { symbols: 200, speed: 24, rounds: 5, minutesPerRound: 2 },
  { symbols: 500, speed: 12, rounds: 5, minutesPerRound: 1 },
];
const LOADS: LoadSteps = {
  rates: [1_000, 3_000, 10_000, 30_000, 100_000, 200_000, 300_000],
  symbols: 50,
  rounds: 3,
  exits: 69,
};
const QUICK_BURSTS: readonly BurstSize[] = [1, 2].map((symbols) => ({
  symbols,
  speed: 180,
  rounds: 1,
  minutesPerRound: 1,
}));
const QUICK_LOADS: LoadSteps = { rates: [1_000, 3_000], symbols: 4, rounds: 1, exits: 8 };

/** More threads than this buy a lane nothing; open files would end first on many machines. */
const THREADS_MAX = 200;
const LOAD_SPEED = 200;
const ENGINE = '#0969da';
const FLOOR = '#9a6700';
const MARKS = '#8250df';

/** Minutes of work; with `quick`, two points each, in seconds. `tell` hears how it goes. */
export async function measureCurves(quick: boolean, tell: (line: string) => void): Promise<CurveData> {
  const bursts = await measureBursts(quick ? QUICK_BURSTS : BURSTS, tell);
  const load = await measureLoad(quick ? QUICK_LOADS : LOADS, tell);
  const machine = `Node ${process.versions.node}, ${process.platform}, ${availableParallelism()} cores`;
  const day = new Date().toISOString().slice(0, 10);
  return {
    measured: `${machine}, ${day}. Dots: medians of rounds; strokes: the lowest and the highest round.`,
    charts: [bursts, load],
  };
}

async function measureBursts(sizes: readonly BurstSize[], tell: (line: string) => void): Promise<Chart> {
  const lines = { engine: { median: [], last: [] }, floor: { median: [], last: [] } } as Record<
    'engine' | 'floor',
    Record<'median' | 'last', Point[]>
  >;
  for (const size of sizes) {
    tell(`${size.symbols} at once`);
    const contest = await holdContest({
      ...size,
      parties: {
        floor: { kind: 'floor' },
        engine: { kind: 'engine', maxThreads: Math.min(size.symbols, THREADS_MAX) },
      },
    });
    for (const who of ['engine', 'floor'] as const)
      for (const which of ['median', 'last'] as const)
        lines[who][which].push(pointOf(size.symbols, burstsOf(contest[who], which)));
  }
  const series = (name: string, color: string, points: readonly Point[], dashed = false): Series => ({
    name,
    color,
    dashed,
    points,
  });
  return {
    title: 'From fill to exit, as many symbols filled at once',
    x: 'symbols filled in the same instant',
    y: 'milliseconds',
    series: [
      series('scalpd, median exit', ENGINE, lines.engine.median),
      series('scalpd, last exit', ENGINE, lines.engine.last, true),
      series('floor, median exit', FLOOR, lines.floor.median),
      series('floor, last exit', FLOOR, lines.floor.last, true),
    ],
  };
}

async function measureLoad(
  { rates, symbols, rounds, exits }: LoadSteps,
  tell: (line: string) => void,
): Promise<Chart> {
  tell(`${rates.join(', ')} trades a second, by turns`);
  const stretches = await runUnderLoad({
    symbols,
    maxThreads: symbols,
    speed: LOAD_SPEED,
    watched: Math.min(symbols, 4),
    stretches: Array.from({ length: rounds }, () => rates.map((rate) => ({ rate, exits }))).flat(),
  });
  for (const { rate, sentPerSecond, backlog, lost } of stretches)
    tell(`  ${rate}/s: sent ${Math.round(sentPerSecond)}/s, ${backlog} bytes waited, ${lost} lost`);
  const series = (
    name: string,
    color: string,
    dashed: boolean,
    of: (stretch: Stretch) => number,
  ): Series => ({
    name,
    color,
    dashed,
    points: rates.flatMap((rate) => {
      const found = stretches
        .filter((stretch) => stretch.rate === rate)
        .map(of)
        .filter(Number.isFinite);
      return found.length === 0 ? [] : [pointOf(rate, found)];
    }),
  });
  return {
    title: `Under load: ${symbols} symbols subscribed, one filled at a time`,
    x: 'trades a second on the data socket',
    y: 'milliseconds',
    series: [
      series('fill to exit, p50', ENGINE, false, ({ exits }) => latenciesOf(exits).p50),
      series('fill to exit, p99', ENGINE, true, ({ exits }) => latenciesOf(exits).p99),
      series(
        'late marks, p99',
        MARKS,
        false,
        ({ ages }) => latenciesOf(ages.bar.map(({ behind }) => behind)).p99,
      ),
    ],
  };
}

/** Rounds in micros, the point in milliseconds. */
function pointOf(x: number, rounds: readonly number[]): Point {
  const { median, min, max } = spreadOf(rounds);
  return { x, y: toMillis(median), min: toMillis(min), max: toMillis(max) };
}

/** Three digits; a hundredth of a millisecond at least, for a logarithm knows no 0. */
const toMillis = (micros: number): number => Number((Math.max(micros, 10) / 1_000).toPrecision(3));

/** Figures and how they are won. Nothing here asserts: timings on a shared machine mean something as ratios alone. */

export type BenchOptions = {
  /** Tiny input: shows that the benchmark runs, its figures mean nothing. */
  readonly quick: boolean;
};

/** What a `*.bench.ts` exports by default. `report` may be called as soon as a figure is known. */
export type Benchmark = {
  readonly name: string;
  run(options: BenchOptions, report: (figure: Figure) => void): Promise<void>;
};

/** Medians over rounds, with the lowest and the highest round. */
export type Spread = {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
};

export type Figure = {
  readonly name: string;
  readonly unit: string;
  readonly measured: Spread;
  /** The same work with nothing of ours around it, in the same rounds; `null` where the figure stands alone. */
  readonly floor: ({ readonly name: string } & Spread) | null;
};

export function spreadOf(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    rounds: sorted.length,
  };
}

/** The value below which the share `q` of a sorted list lies, without interpolation. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** One JSON line: name, unit, median, min, max, rounds, floor, ratio (measured / floor). */
export function formatFigure(bench: string, { name, unit, measured, floor }: Figure): string {
  const line = { bench, name, unit, ...roundedSpread(measured) };
  if (floor === null) return JSON.stringify({ ...line, floor: null, ratio: null });
  const { name: floorName, ...spread } = floor;
  return JSON.stringify({
    ...line,
    floor: { name: floorName, ...roundedSpread(spread) },
    ratio: rounded(measured.median / floor.median),
  });
}

const roundedSpread = ({ median, min, max, rounds }: Spread): Spread => ({
  median: rounded(median),
  min: rounded(min),
  max: rounded(max),
  rounds,
});

/** Three significant digits: more would be noise. */
const rounded = (value: number): number => Number(value.toPrecision(3));

/**
 * Runs every variant once per round, in an order that turns from round to round, so that a disturbance of the machine
 * or a warmed cache does not favor one of them. One untimed round goes before.
 */
export async function interleave<Name extends string, T>(
  rounds: number,
  variants: Readonly<Record<Name, () => Promise<T>>>,
  warmUp = true,
): Promise<Readonly<Record<Name, readonly T[]>>> {
  const names = Object.keys(variants) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<Name, T[]>;
  if (warmUp) for (const name of names) await variants[name]();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      if (name !== undefined) results[name].push(await variants[name]());
    }
  }
  return results;
}

/** Latencies of one round in microseconds. */
export type Latencies = { readonly p50: number; readonly p99: number };

export function latenciesOf(micros: readonly number[]): Latencies {
  const sorted = Float64Array.from(micros).sort();
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** Two figures, p50 and p99, of latencies against a floor's. */
export function latencyFigures(
  name: string,
  measured: readonly Latencies[],
  floorName: string,
  floor: readonly Latencies[],
): readonly Figure[] {
  return (['p50', 'p99'] as const).map((key) => ({
    name: `${name} ${key}`,
    unit: 'us',
    measured: spreadOf(measured.map((round) => round[key])),
    floor: { name: floorName, ...spreadOf(floor.map((round) => round[key])) },
  }));
}

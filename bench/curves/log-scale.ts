/** From a value to a place on paper, by its logarithm. */
export type LogScale = {
  readonly from: number;
  readonly to: number;
  /** Rounded to a tenth of a pixel. */
  place(value: number): number;
};

/** The values are above 0; `from` and `to` become the ends `first` and `last`, in pixels. */
export function logScale(from: number, to: number, first: number, last: number): LogScale {
  const span = Math.log(to / from);
  return {
    from,
    to,
    place: (value) => Math.round((first + (last - first) * (Math.log(value / from) / span)) * 10) / 10,
  };
}

/** The numbers 1, 2 and 5 of every decade, from the last one at or below all values to the first at or above them. */
export function ticksAround(values: readonly number[]): readonly number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const all: number[] = [];
  // A decade more below: the logarithm of a number just under 10^n is rounded to n.
  for (let decade = Math.floor(Math.log10(low)) - 1; decade <= Math.ceil(Math.log10(high)); decade += 1)
    for (const step of [1, 2, 5]) all.push(Number(`${step}e${decade}`));
  const first = all.findLastIndex((tick) => tick <= low);
  const last = all.findIndex((tick) => tick >= high);
  // Two at least: a scale of one value has no length.
  return all.slice(first, Math.max(last, first + 1) + 1);
}

/** `0.5`, `20`, `3k`, `1.5M`. */
export function shortNumber(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return `${Number(value.toPrecision(3))}`;
}

/**
 * How a US equity session breathes, by the fraction of it that has passed (0 at the open, 1 at the close): busy and wild
 * after the open, quiet at lunch, busy again into the close. Each curve is scaled so that its mean over the day is 1.
 */

const BINS = 390;

const curve = (shape: (x: number) => number): Float64Array => {
  const bins = Float64Array.from({ length: BINS }, (_, bin) => shape((bin + 0.5) / BINS));
  const mean = bins.reduce((a, b) => a + b, 0) / BINS;
  return bins.map((value) => value / mean);
};

const VOLUME = curve(
  (x) => 0.55 + 2.0 * Math.exp(-x / 0.05) + 0.3 * Math.exp(-x / 0.25) + 1.9 * Math.exp((x - 1) / 0.045),
);
/** Of the variance; the volatility is its root. */
const VARIANCE = curve((x) => (0.72 + 1.5 * Math.exp(-x / 0.06) + 0.3 * Math.exp((x - 1) / 0.06)) ** 2);
const SPREAD = curve((x) => 1 + 2.2 * Math.exp(-x / 0.03) + 0.3 * Math.exp((x - 1) / 0.03));

const at = (bins: Float64Array, x: number): number =>
  bins[Math.min(BINS - 1, Math.max(0, Math.floor(x * BINS)))] ?? 1;

/** Prints per minute against the day's mean. */
export const volumeShape = (x: number): number => at(VOLUME, x);
/** Standard deviation of a minute's return against the day's root mean square. */
export const volatilityShape = (x: number): number => Math.sqrt(at(VARIANCE, x));
export const spreadShape = (x: number): number => at(SPREAD, x);

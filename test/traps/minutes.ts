import type { Ticker } from '../../lib/domain/ids.ts';
import { type Price, price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import type { Session } from '../../lib/domain/session.ts';
import { after, type Micros, minutes, type SessionDay, seconds } from '../../lib/domain/time.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import { symbolOf, tapeFromItems } from '../../lib/sim/tape.ts';

const MIDNIGHT = 1_704_240_000_000_000;

/** An ordinary day in winter: 09:30 to 16:00 in New York is 14:30 to 21:00 UTC. */
export const FULL_DAY: Session = {
  day: '2024-01-03' as SessionDay,
  openAt: utc('14:30:00'),
  closeAt: utc('21:00:00'),
  halfDay: false,
};
/** The same, closing at 13:00. */
export const HALF_DAY: Session = { ...FULL_DAY, closeAt: utc('18:00:00'), halfDay: true };

/** An instant of the test day by its UTC time. */
export function utc(time: string): Micros {
  const [hours = 0, mins = 0, secs = 0] = time.split(':').map(Number);
  return (MIDNIGHT + ((hours * 60 + mins) * 60 + secs) * 1_000_000) as Micros;
}

export const usd = (dollars: number): Price => price(Math.round(dollars * UNITS_PER_USD));

/** `from` the minute that begins then, one close per minute. */
export type Path = { readonly from: string; readonly closes: readonly number[] };

/**
 * A market that crosses its average upward once: 20 flat minutes, a dip, a rise to 0.2 % above. The signal comes with the
 * bar of the 22nd minute, half a second after it ended.
 */
export function crossing(from: string, level: number, afterwards: readonly number[]): Path {
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  return {
    from,
    closes: [
      ...new Array<number>(20).fill(level),
      rounded(level * 0.999),
      rounded(level * 1.002),
      ...afterwards,
    ],
  };
}

/** Prints every ten seconds from second 5 of each minute, on a straight line of whole cents to the minute's close. */
export function minutesOf(symbol: Ticker, { from, closes }: Path): readonly TapeItem[] {
  return closes.flatMap((close, index) => {
    const startAt = after(utc(from), minutes(index));
    const previous = closes[index - 1] ?? close;
    const prices = Array.from({ length: 6 }, (_, step) =>
      usd(Math.round((previous + ((close - previous) * (step + 1)) / 6) * 100) / 100),
    );
    return [
      ...prices.map((each, step): TapeItem => printAt(symbol, after(startAt, seconds(5 + 10 * step)), each)),
      barOf(symbol, startAt, prices),
    ];
  });
}

export function printAt(symbol: Ticker, at: Micros, each: Price, size = 100): TapeItem {
  return {
    kind: 'print',
    at,
    print: { symbol, at, price: each, size, exchange: 'V', conditions: [], id: String(at) },
  };
}

function barOf(symbol: Ticker, startAt: Micros, prices: readonly Price[]): TapeItem {
  const close = prices.at(-1) ?? price(0);
  const sum = prices.reduce((total, each) => total + each, 0);
  return {
    kind: 'bar',
    at: after(startAt, minutes(1)),
    bar: {
      symbol,
      startAt,
      open: prices[0] ?? close,
      high: price(Math.max(...prices)),
      low: price(Math.min(...prices)),
      close,
      volume: prices.length * 100,
      tradeCount: prices.length,
      vwap: price(Math.round(sum / prices.length)),
    },
  };
}

/** Items in time order, ties in the order given; every bar has its prints with it. */
export function tapeOf(items: readonly TapeItem[]): Tape {
  const inOrder = [...items].sort((a, b) => a.at - b.at);
  const symbols = [...new Set(inOrder.map(symbolOf))];
  return { ...tapeFromItems(symbols, [inOrder]), complete: true };
}

import type { Ticker } from '../../lib/domain/ids.ts';
import { type Price, price } from '../../lib/domain/money.ts';
import { type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import type { Strategy } from '../../lib/strategy/contract.ts';
import { type DayOptions, type SimulatedDay, sessionOf, startDay } from './simulated-day.ts';

/** Half an hour is a whole day where entries come when a test wants them. */
export const HALF_HOUR = sessionOf('09:30', '10:00');

/** Enters at the bars with these numbers, counted from the open. */
export const enterAtBars = (...wanted: readonly number[]): Strategy<number> => ({
  name: 'enter-at-bars',
  check: () => [],
  open: () => 0,
  onBar: (seen) => ({ state: seen + 1, signal: wanted.includes(seen + 1) ? 'enter' : 'none', facts: {} }),
});

/** Exits rest far above the market: nobody gets out by himself. */
const OUT_OF_REACH: Price = price(1_000_000);

/** A day on which every lane buys at the bar and holds until something makes it sell, the flatten at the latest. */
export function startHolding(options: Partial<DayOptions> = {}, bar = 3): Promise<SimulatedDay> {
  return startDay({
    seed: 21,
    session: HALF_HOUR,
    printsPerDay: 8_000,
    strategy: enterAtBars(bar),
    ...options,
    params: {
      exitMarkup: OUT_OF_REACH,
      holdMax: seconds(21 * 60 + 30),
      lastTradeMaxAge: minutes(5),
      ...options.params,
    },
  });
}

export const laneOf = (day: SimulatedDay, symbol: Ticker) => {
  const lane = day
    .engine()
    .status()
    .lanes.find((each) => each.symbol === symbol);
  if (lane === undefined) throw new Error(`the day has a lane of ${symbol}`);
  return lane;
};

export const ordersOf = (day: SimulatedDay, symbol: Ticker) =>
  day.exchange.ledger().orders.filter((order) => order.symbol === symbol);

export const loggedOf = (day: SimulatedDay, event: string) => day.log.filter((line) => line.event === event);

/** A second at a time until it is so; throws when it is not by then. */
export async function until(
  day: SimulatedDay,
  last: Micros,
  holds: () => boolean,
  what: string,
): Promise<void> {
  for (let now = day.clock.now(); now <= last; now = (now + seconds(1)) as Micros) {
    await day.runTo(now);
    if (holds()) return;
  }
  throw new Error(`it must come to this in time: ${what}`);
}

/** A tape with more on it. */
export function withItems(tape: Tape, items: readonly TapeItem[]): Tape {
  const rest = [...items].sort((a, b) => a.at - b.at);
  const extraIsNext = (): boolean => {
    const [extra] = rest;
    const own = tape.peek();
    return extra !== undefined && (own === null || extra.at <= own.at);
  };
  return {
    ...tape,
    peek: () => (extraIsNext() ? (rest[0] ?? null) : tape.peek()),
    take: () => (extraIsNext() ? (rest.shift() ?? null) : tape.take()),
  };
}

import type { Ticker } from '../../lib/domain/ids.ts';
import { price } from '../../lib/domain/money.ts';
import type { SessionPlan } from '../../lib/domain/session.ts';
import { after, type Duration, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';

/**
 * A market that stands still at 100.00 and has two minutes' beat. In the first, entries sent at its start fill in part:
 * every lane holds shares, with more to come. A second after the bar between the two, on which lanes die, the rest fills,
 * and exits are due; they fill with the prints after that.
 */
type Beat = { readonly after: Duration; readonly size: number };

/** Half of a print is ours: 8 of the 20 shares that a lot of 2,000 USD buys. */
const PARTIAL: readonly Beat[] = [{ after: seconds(20), size: 16 }];
const COMPLETE: readonly Beat[] = [1, 20, 30, 40, 50, 59].map((second) => ({
  after: seconds(second),
  size: 1_000,
}));

/** Around the one price that is traded at, so that our orders rest at it and are the first in their queue. */
function quote(symbol: Ticker, at: Micros): TapeItem {
  const [bid, ask] = [price(999_900), price(1_000_100)];
  return { kind: 'quote', at, quote: { symbol, at, bid, bidSize: 100, ask, askSize: 100 } };
}

export function deathlyTape(symbols: readonly Ticker[], plan: SessionPlan): Tape {
  return { ...tapeFromItems(symbols, [prints(symbols, plan)]), complete: true };
}

function* prints(symbols: readonly Ticker[], plan: SessionPlan): Generator<TapeItem> {
  let id = 0;
  let minute = 0;
  for (let from = plan.openAt; from < plan.closeAt; from = after(from, minutes(1))) {
    const beats = minute % 2 === 0 ? PARTIAL : COMPLETE;
    minute += 1;
    for (const symbol of symbols) yield quote(symbol, from);
    for (const { after: wait, size } of beats)
      for (const symbol of symbols) {
        id += 1;
        const at = after(from, wait);
        const print = {
          symbol,
          at,
          price: price(1_000_000),
          size,
          exchange: 'V',
          conditions: ['@'],
          id: `${id}`,
        };
        yield { kind: 'print', at, print };
      }
  }
}

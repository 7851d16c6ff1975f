import type { Ticker } from '../../lib/domain/ids.ts';
import { type Price, price } from '../../lib/domain/money.ts';
import { after, minutes, seconds } from '../../lib/domain/time.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';
import { planOf } from './lane-starts.ts';

/**
 * The least market that makes lanes trade: each symbol prints once a minute, at a price that rises for twenty minutes and
 * falls for twenty, each symbol at its own time. In every minute one symbol in forty crosses its average upwards.
 */
const PERIOD = 40;
const STEP = 500;
const PLAN = planOf(0);
const MINUTES = (PLAN.closeAt - PLAN.openAt) / minutes(1);

/** The price at which symbol `index` ends that minute of the session. */
export function closeAt(index: number, minute: number): Price {
  const place = (minute + index) % PERIOD;
  const height = place < PERIOD / 2 ? place : PERIOD - place;
  return price(200_000 + (index % 80) * 10_000 + height * STEP);
}

export function wavingTape(symbols: readonly Ticker[]): Tape {
  return { ...tapeFromItems(symbols, [prints(symbols)]), complete: true };
}

function* prints(symbols: readonly Ticker[]): Generator<TapeItem> {
  let id = 0;
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const begin = after(PLAN.openAt, minutes(minute));
    for (const [index, symbol] of symbols.entries()) {
      id += 1;
      const at = after(begin, seconds(1 + Math.floor((index * 58) / symbols.length)));
      const px = closeAt(index, minute);
      yield {
        kind: 'print',
        at,
        print: { symbol, at, price: px, size: 100_000, exchange: 'V', conditions: ['@'], id: `${id}` },
      };
    }
  }
}

import type { Ticker } from '../../lib/domain/ids.ts';
import { price } from '../../lib/domain/money.ts';
import type { SessionPlan } from '../../lib/domain/session.ts';
import { after, type Duration, minutes, seconds } from '../../lib/domain/time.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';

/**
 * A market that stands still at 100.00, with a beat: in every minute all symbols print at the same few instants, and an
 * order that rests at 100.00 fills with the next of these prints. So the benchmark decides when things happen.
 */
export const AT_ONCE_USD = 100;

export function beatingTape(symbols: readonly Ticker[], plan: SessionPlan, beats: readonly Duration[]): Tape {
  return { ...tapeFromItems(symbols, [prints(symbols, plan, beats)]), complete: true };
}

function* prints(
  symbols: readonly Ticker[],
  plan: SessionPlan,
  beats: readonly Duration[],
): Generator<TapeItem> {
  let id = 0;
  for (let minute = plan.openAt; minute < plan.closeAt; minute = after(minute, minutes(1))) {
    for (const beat of beats) {
      const at = after(minute, beat);
      for (const symbol of symbols) {
        id += 1;
        const px = price(AT_ONCE_USD * 10_000);
        const print = { symbol, at, price: px, size: 100, exchange: 'V', conditions: ['@'], id: `${id}` };
        yield { kind: 'print', at, print };
      }
    }
  }
}

/** When in a minute orders fill. The engine's entries leave with the bar, at its start; the two never overlap. */
export const FLOOR_BEATS = [seconds(18), seconds(24)];
/** The last one sets the mark that the next bar's entries are priced by. */
export const ENGINE_BEATS = [seconds(40), seconds(50), seconds(59)];

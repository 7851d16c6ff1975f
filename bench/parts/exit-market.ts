import type { Ticker } from '../../lib/domain/ids.ts';
import { price } from '../../lib/domain/money.ts';
import { planSession, type SessionPlan } from '../../lib/domain/session.ts';
import { after, minutes, seconds } from '../../lib/domain/time.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';
import { planOf } from './lane-starts.ts';

/**
 * A market that stands still at 100.00, with a beat: in every minute the same symbols print at the same few instants, and an
 * order that rests at 100.00 fills with the next of these prints. So the benchmark decides when things happen.
 */
export const AT_ONCE_USD = 100;

export type Beat = {
  /** Seconds into every minute. */
  readonly second: number;
  readonly symbols: readonly Ticker[];
};

/** One session that is longer than any of the runs, however long the engine takes to start. */
export const EXIT_PLAN: SessionPlan = sessionOf(800);

function sessionOf(length: number): SessionPlan {
  const { day, openAt } = planOf(0);
  const session = { day, openAt, closeAt: after(openAt, minutes(length)), halfDay: false };
  return planSession(session, minutes(5), seconds(120));
}

export function beatingTape(symbols: readonly Ticker[], beats: readonly Beat[]): Tape {
  return { ...tapeFromItems(symbols, [prints(beats)]), complete: true };
}

function* prints(beats: readonly Beat[]): Generator<TapeItem> {
  const inOrder = [...beats].sort((a, b) => a.second - b.second);
  let id = 0;
  for (let minute = EXIT_PLAN.openAt; minute < EXIT_PLAN.closeAt; minute = after(minute, minutes(1))) {
    for (const { second, symbols } of inOrder) {
      const at = after(minute, seconds(second));
      for (const symbol of symbols) {
        id += 1;
        const px = price(AT_ONCE_USD * 10_000);
        const print = { symbol, at, price: px, size: 100, exchange: 'V', conditions: ['@'], id: `${id}` };
        yield { kind: 'print', at, print };
      }
    }
  }
}

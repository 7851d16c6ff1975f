import type { Session } from '../domain/session.ts';
import type { Micros } from '../domain/time.ts';
import type { SimClock, TimeInForce } from './exchange-api.ts';
import { type Refused, unprocessable } from './refusals.ts';

const HOUR = 3_600_000_000;
const MINUTE = 60_000_000;
/** Pre-market begins at 04:00 and after-hours end 4 hours after the close (20:00; 17:00 on half-days). */
const PRE_MARKET = 5.5 * HOUR;
const AFTER_HOURS = 4 * HOUR;
/** 19:00 New York, from when orders for the next day's auctions are taken again. */
const AUCTION_ORDERS_AGAIN = 3 * HOUR;
const GTC_LIFE = 90 * 24 * HOUR;

export type Phase = 'closed' | 'extended' | 'regular';

/** An instant at which the rules change. */
export type Boundary = {
  readonly at: Micros;
  readonly kind: 'dayBegins' | 'opens' | 'closes' | 'dayEnds';
  readonly session: Session;
};

const preMarketAt = (session: Session): Micros => (session.openAt - PRE_MARKET) as Micros;
const afterHoursEndAt = (session: Session): Micros => (session.closeAt + AFTER_HOURS) as Micros;
/** Midnight in New York: daily bars start there. */
export const midnightOf = (session: Session): Micros => (session.openAt - 9.5 * HOUR) as Micros;

export function boundariesOf(sessions: readonly Session[]): readonly Boundary[] {
  return sessions.flatMap((session): readonly Boundary[] => [
    { at: preMarketAt(session), kind: 'dayBegins', session },
    { at: session.openAt, kind: 'opens', session },
    { at: session.closeAt, kind: 'closes', session },
    { at: afterHoursEndAt(session), kind: 'dayEnds', session },
  ]);
}

/** Past the last known session the clock points a day after it, so that clients always get an instant in the future. */
export function clockAt(sessions: readonly Session[], now: Micros): SimClock {
  const current = sessions.find((session) => now >= session.openAt && now < session.closeAt);
  const next = sessions.find((session) => session.openAt > now);
  const last = sessions[sessions.length - 1];
  const days = last === undefined ? 0 : Math.ceil((now - last.openAt + 1) / (24 * HOUR));
  const beyond = (instant: Micros | undefined): Micros => ((instant ?? now) + days * 24 * HOUR) as Micros;
  return {
    at: now,
    isOpen: current !== undefined,
    nextOpenAt: next?.openAt ?? beyond(last?.openAt),
    nextCloseAt: current?.closeAt ?? next?.closeAt ?? beyond(last?.closeAt),
  };
}

export type Route = {
  /** When the order may go to the book: now, or the begin of its window. */
  readonly startAt: Micros;
  /** When it ends by itself. */
  readonly expiresAt: Micros;
};

/** Which window an order lives in. Sent after the close, a day order is queued for the next trading day. */
export function routeOf(
  sessions: readonly Session[],
  now: Micros,
  timeInForce: TimeInForce,
  extendedHours: boolean,
): Route | Refused {
  const outside = auctionRefusal(sessions, now, timeInForce);
  if (outside !== null) return outside;
  const session = sessions.find((each) =>
    timeInForce === 'opg' ? each.openAt > now : (extendedHours ? afterHoursEndAt(each) : each.closeAt) > now,
  );
  // With no session left in the data the order waits for one that never comes.
  if (session === undefined)
    return { startAt: Number.POSITIVE_INFINITY as Micros, expiresAt: (now + 24 * HOUR) as Micros };
  const opensAt = extendedHours ? preMarketAt(session) : session.openAt;
  const endsAt = extendedHours ? afterHoursEndAt(session) : session.closeAt;
  return {
    startAt: Math.max(now, opensAt) as Micros,
    expiresAt: timeInForce === 'gtc' ? ((now + GTC_LIFE) as Micros) : endsAt,
  };
}

/** `opg` is refused from two minutes before the open, `cls` from ten minutes before the close, both until 19:00. */
function auctionRefusal(sessions: readonly Session[], now: Micros, timeInForce: TimeInForce): Refused | null {
  if (timeInForce !== 'opg' && timeInForce !== 'cls') return null;
  const shut = sessions.some((session) => {
    const from = timeInForce === 'opg' ? session.openAt - 2 * MINUTE : session.closeAt - 10 * MINUTE;
    return now >= from && now < session.closeAt + AUCTION_ORDERS_AGAIN;
  });
  if (!shut) return null;
  return unprocessable(
    timeInForce === 'opg'
      ? 'opg orders are not accepted between 9:28am and 7:00pm ET'
      : 'cls orders are not accepted between 3:50pm and 7:00pm ET',
  );
}

import { type Micros, micros, type SessionDay } from '../../domain/time.ts';
import { instantOf } from '../time/calendar.ts';
import { badField, type Refused } from './codec-encode-errors.ts';
import {
  type Decoded,
  instantParam,
  isCalendarDate,
  listParam,
  type Query,
  wholeNumber,
} from './codec-serve-orders.ts';

/** Queries on the account, the calendar and positions as clients write them. */

const fine = <T>(value: T): Decoded<T> => ({ ok: true, value });
const refuse = (name: string): { readonly ok: false; readonly refused: Refused } => ({
  ok: false,
  refused: badField(name),
});

export type CalendarQuery = { readonly from: SessionDay; readonly to: SessionDay };

const CALENDAR_FIRST = '1970-01-01';
const CALENDAR_LAST = '2029-12-31';

/** The first ten characters count: a date-time is accepted and means its date. */
export function decodeCalendarQuery(query: Query): Decoded<CalendarQuery> {
  const type = query.date_type;
  if (type !== undefined && type !== 'TRADING' && type !== 'SETTLEMENT') return refuse('date_type');
  const from = (query.start ?? CALENDAR_FIRST).slice(0, 10);
  const to = (query.end ?? CALENDAR_LAST).slice(0, 10);
  if (!isCalendarDate(from)) return refuse('start');
  if (!isCalendarDate(to)) return refuse('end');
  return fine({ from: from as SessionDay, to: to as SessionDay });
}

export type AssetsQuery = {
  /** Every asset here is an active US equity: a query for anything else finds nothing. */
  readonly possible: boolean;
  readonly exchanges: readonly string[] | null;
  readonly attributes: readonly string[] | null;
};

export function decodeAssetsQuery(query: Query): AssetsQuery {
  return {
    possible: (query.status ?? 'active') === 'active' && (query.asset_class ?? 'us_equity') === 'us_equity',
    exchanges: listParam(query.exchange),
    attributes: listParam(query.attributes),
  };
}

export type ActivitiesQuery = {
  /** Whether fills are among the kinds asked for: there are no others here. */
  readonly fills: boolean;
  /** Both exclusive. */
  readonly after: number;
  readonly until: number;
  readonly descending: boolean;
  readonly pageSize: number;
  /** The id of the last item of the page before. */
  readonly pageToken: string | null;
  readonly orderId: string | null;
};

const PAGE_MAX = 100;
const DAY = 86_400_000_000;

/** `type` is the kind in the path, where there is one. */
export function decodeActivitiesQuery(type: string | undefined, query: Query): Decoded<ActivitiesQuery> {
  if (type !== undefined && query.activity_types !== undefined) return refuse('activity_types');
  const types = listParam(type ?? query.activity_types);
  const direction = query.direction ?? 'desc';
  if (direction !== 'asc' && direction !== 'desc') return refuse('direction');
  const pageSize = wholeNumber(query.page_size, PAGE_MAX, 1, PAGE_MAX);
  if (pageSize === null) return refuse('page_size');
  const range = activityRange(query);
  if (!range.ok) return range;
  return fine({
    fills: (types === null || types.includes('FILL')) && query.category !== 'non_trade_activity',
    ...range.value,
    descending: direction === 'desc',
    pageSize,
    pageToken: query.page_token === undefined || query.page_token === '' ? null : query.page_token,
    orderId: query.order_id ?? null,
  });
}

function activityRange(query: Query): Decoded<{ readonly after: number; readonly until: number }> {
  const { date } = query;
  if (date !== undefined) {
    if (!isCalendarDate(date)) return refuse('date');
    const midnight = instantOf(date as SessionDay, '00:00');
    return fine({ after: midnight - 1, until: midnight + DAY });
  }
  const afterAt = instantParam(query.after);
  const untilAt = instantParam(query.until);
  if (afterAt === undefined) return refuse('after');
  if (untilAt === undefined) return refuse('until');
  return fine({ after: afterAt ?? -1, until: untilAt ?? Number.POSITIVE_INFINITY });
}

export type PortfolioQuery = {
  readonly from: Micros;
  readonly to: Micros;
  readonly stepMicros: number;
  readonly timeframe: string;
};

const STEPS: Readonly<Record<string, number>> = { '1Min': 1, '5Min': 5, '15Min': 15, '1H': 60, '1D': 1_440 };
const MINUTE = 60_000_000;
const PERIOD_DAYS: Readonly<Record<string, number>> = { D: 1, W: 7, M: 30, A: 365 };
const INTRADAY_MAX = 30 * DAY;

/** At most two of `start`, `end` and `period`; the finer the step, the shorter the window. */
export function decodePortfolioQuery(query: Query, now: Micros): Decoded<PortfolioQuery> {
  const start = instantParam(query.start ?? query.date_start);
  const end = instantParam(query.end ?? query.date_end);
  if (start === undefined) return refuse('start');
  if (end === undefined) return refuse('end');
  const period = /^(\d{1,3})([DWMA])$/.exec(query.period ?? '1M');
  if (period === null || (start !== null && end !== null && query.period !== undefined))
    return refuse('period');
  const span = Number(period[1]) * (PERIOD_DAYS[period[2] ?? ''] ?? 1) * DAY;
  const to = end ?? (start !== null && query.period !== undefined ? micros(start + span) : now);
  const from = start ?? micros(Math.max(to - span, 0));
  const fitting = to - from < 7 * DAY ? '1Min' : to - from < INTRADAY_MAX ? '15Min' : '1D';
  const timeframe = query.timeframe ?? fitting;
  const step = STEPS[timeframe];
  if (step === undefined || (timeframe !== '1D' && to - from > INTRADAY_MAX)) return refuse('timeframe');
  return fine({ from, to, stepMicros: step * MINUTE, timeframe });
}

export type ClosePart = { readonly qty: string } | { readonly percentage: string } | null;

const PART = /^\d{1,9}(?:\.\d{1,9})?$/;

/** How much of a position to close; `null` for all of it. */
export function decodeClosePart(query: Query): Decoded<ClosePart> {
  const { qty, percentage } = query;
  if (qty !== undefined && percentage !== undefined) return refuse('percentage');
  if (qty !== undefined) return PART.test(qty) ? fine({ qty }) : refuse('qty');
  if (percentage === undefined) return fine(null);
  return PART.test(percentage) && Number(percentage) <= 100 ? fine({ percentage }) : refuse('percentage');
}

export const cancelsOrders = (query: Query): boolean => query.cancel_orders === 'true';

export function decodeClientOrderId(query: Query): Decoded<string> {
  const id = query.client_order_id;
  return id === undefined || id === '' ? refuse('client_order_id') : fine(id);
}

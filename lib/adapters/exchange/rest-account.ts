import type { Session } from '../../domain/session.ts';
import type { Exchange, SimFill } from '../../sim/exchange-api.ts';
import {
  encodeAccount,
  encodeAsset,
  encodeCalendarDay,
  encodeCalendarDayV3,
  encodeCalendarV3,
  encodeClock,
  encodeClockV3,
  encodeConfigurations,
  encodePortfolioHistory,
  hasAttribute,
  isKnownMarket,
  settlementDay,
} from '../alpaca/codec-encode-account.ts';
import { noEndpoint, refusalOf } from '../alpaca/codec-encode-errors.ts';
import { activityId, encodeFillActivity } from '../alpaca/codec-encode-orders.ts';
import {
  type CalendarQuery,
  decodeActivitiesQuery,
  decodeAssetsQuery,
  decodeCalendarQuery,
  decodePortfolioQuery,
} from '../alpaca/codec-serve-account.ts';
import { decodeConfigurations } from '../alpaca/codec-serve-orders.ts';
import { dayOf } from '../time/calendar.ts';
import { portfolioHistory } from './portfolio-history.ts';
import { type Handler, ok, refused } from './rest-types.ts';

/** Account, activities, clock, calendar and assets. */

export const getAccount: Handler = (_request, { exchange }) =>
  ok(encodeAccount(exchange.account(), exchange.configurations()));

export const getConfigurations: Handler = (_request, { exchange }) =>
  ok(encodeConfigurations(exchange.configurations()));

export const patchConfigurations: Handler = ({ body }, { exchange }) => {
  const changes = decodeConfigurations(body);
  return changes.ok ? ok(encodeConfigurations(exchange.configure(changes.value))) : refused(changes.refused);
};

/** Tells a client how fast this exchange's clock runs: exchange seconds per wall second. */
const speedHeader = (speed: number): Record<string, string> => ({ 'x-scalpd-clock-speed': String(speed) });

export const getClock: Handler = (_request, { exchange, speed }) => ({
  status: 200,
  body: encodeClock(exchange.clock()),
  headers: speedHeader(speed),
});

export const getClockV3: Handler = (_request, { exchange, speed }) => {
  const clock = exchange.clock();
  const day = dayOf(clock.at);
  const today = exchange.options.sessions.find((session) => session.day === day) ?? null;
  return { status: 200, body: encodeClockV3(clock, today), headers: speedHeader(speed) };
};

function calendarDays(
  exchange: Exchange,
  { from, to }: CalendarQuery,
  encode: (session: Session, settles: string) => unknown,
): readonly unknown[] {
  const all = exchange.options.sessions;
  return exchange.calendar(from, to).map((session) => encode(session, settlementDay(session, all)));
}

export const getCalendar: Handler = ({ query }, { exchange }) => {
  const decoded = decodeCalendarQuery(query);
  return decoded.ok ? ok(calendarDays(exchange, decoded.value, encodeCalendarDay)) : refused(decoded.refused);
};

export const getCalendarV3: Handler = ({ params, query }, { exchange }) => {
  if (!isKnownMarket(params.market ?? '')) return refused(noEndpoint());
  const decoded = decodeCalendarQuery(query);
  return decoded.ok
    ? ok(encodeCalendarV3(calendarDays(exchange, decoded.value, encodeCalendarDayV3)))
    : refused(decoded.refused);
};

export const listAssets: Handler = ({ query }, { exchange }) => {
  const { possible, exchanges, attributes } = decodeAssetsQuery(query);
  const wanted = exchange
    .assets()
    .filter((asset) => possible && (exchanges === null || exchanges.includes(asset.exchange)));
  return ok(wanted.map(encodeAsset).filter((asset) => hasAttribute(asset, attributes)));
};

export const getAsset: Handler = ({ params }, { exchange }) => {
  const answer = exchange.asset(params.symbol ?? '');
  return answer.ok ? ok(encodeAsset(answer.value)) : refused(refusalOf(answer));
};

export const listActivities: Handler = ({ params, query }, { exchange }) => {
  const decoded = decodeActivitiesQuery(params.type, query);
  if (!decoded.ok) return refused(decoded.refused);
  const { fills, after, until, descending, pageSize, pageToken, orderId } = decoded.value;
  const wanted = exchange
    .fills()
    .filter((fill) => fills && fill.at > after && fill.at < until)
    .filter((fill) => orderId === null || orderId === fill.orderId);
  const ordered = descending ? wanted.toReversed() : wanted;
  const start = pageToken === null ? 0 : placeAfter(ordered, pageToken);
  return ok(ordered.slice(start, start + pageSize).map(encodeFillActivity));
};

/** A token that names no item starts over: ids are searched, not checked. */
const placeAfter = (fills: readonly SimFill[], token: string): number =>
  fills.findIndex((fill) => activityId(fill) === token) + 1;

export const getPortfolioHistory: Handler = ({ query }, { exchange }) => {
  const decoded = decodePortfolioQuery(query, exchange.now());
  return decoded.ok
    ? ok(encodePortfolioHistory(portfolioHistory(exchange, decoded.value)))
    : refused(decoded.refused);
};

import type { BrokerOrderId } from '../../domain/ids.ts';
import { type Micros, parseInstant } from '../../domain/time.ts';
import type { OrderRequest, OrdersQuery, ReplaceRequest, SimConfigurations } from '../../sim/exchange-api.ts';
import { instantOf } from '../time/calendar.ts';
import { badBody, badField, type Refused } from './codec-encode-errors.ts';

/**
 * Requests on orders as clients write them. Only shapes are judged here: a value of the wrong JSON type is Alpaca's
 * "request body format is invalid". What the text says is the exchange's to judge.
 */

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refused: Refused };

export type Query = Readonly<Record<string, string>>;

const fine = <T>(value: T): Decoded<T> => ({ ok: true, value });
const refuse = (refused: Refused): Decoded<never> => ({ ok: false, refused });

/** Thrown by the field readers and caught by `decodeBody`: a body with forty fields needs no forty branches. */
class WrongShape extends Error {}

type Fields = Readonly<Record<string, unknown>>;

function decodeBody<T>(body: unknown, read: (fields: Fields) => T): Decoded<T> {
  if (!isFields(body)) return refuse(badBody());
  try {
    return fine(read(body));
  } catch (error) {
    if (error instanceof WrongShape) return refuse(badBody());
    throw error;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Amounts may come as text or as JSON numbers; an empty text counts as absent. */
function amount(fields: Fields, name: string): string | null {
  const value = fields[name];
  if (typeof value === 'number') return String(value);
  return text(fields, name);
}

function text(fields: Fields, name: string): string | null {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string') throw new WrongShape();
  return value;
}

function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw new WrongShape();
  return value;
}

function part<T>(fields: Fields, name: string, read: (inner: Fields) => T): T | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (!isFields(value)) throw new WrongShape();
  return read(value);
}

export function decodeOrderRequest(body: unknown): Decoded<OrderRequest> {
  return decodeBody(body, (fields) => ({
    symbol: text(fields, 'symbol'),
    qty: amount(fields, 'qty'),
    notional: amount(fields, 'notional'),
    side: text(fields, 'side'),
    type: text(fields, 'type'),
    timeInForce: text(fields, 'time_in_force'),
    limitPrice: amount(fields, 'limit_price'),
    stopPrice: amount(fields, 'stop_price'),
    trailPrice: amount(fields, 'trail_price'),
    trailPercent: amount(fields, 'trail_percent'),
    extendedHours: flag(fields, 'extended_hours'),
    clientOrderId: text(fields, 'client_order_id'),
    orderClass: text(fields, 'order_class'),
    takeProfit: part(fields, 'take_profit', (inner) => ({ limitPrice: amount(inner, 'limit_price') })),
    stopLoss: part(fields, 'stop_loss', (inner) => ({
      stopPrice: amount(inner, 'stop_price'),
      limitPrice: amount(inner, 'limit_price'),
    })),
    positionIntent: text(fields, 'position_intent'),
  }));
}

export function decodeReplaceRequest(body: unknown): Decoded<ReplaceRequest> {
  return decodeBody(body, (fields) => ({
    qty: amount(fields, 'qty'),
    timeInForce: text(fields, 'time_in_force'),
    limitPrice: amount(fields, 'limit_price'),
    stopPrice: amount(fields, 'stop_price'),
    trail: amount(fields, 'trail'),
    clientOrderId: text(fields, 'client_order_id'),
  }));
}

const MULTIPLIERS = { '1': 1, '2': 2, '4': 4 } as const;

export function decodeConfigurations(body: unknown): Decoded<Partial<SimConfigurations>> {
  if (!isFields(body)) return refuse(badBody());
  const changes: { -readonly [K in keyof SimConfigurations]?: SimConfigurations[K] } = {};
  for (const [name, field] of FLAGS) {
    const value = body[name];
    if (value === undefined) continue;
    if (typeof value !== 'boolean') return refuse(badField(name));
    changes[field] = value;
  }
  const email = body.trade_confirm_email;
  if (email !== undefined) {
    if (email !== 'all' && email !== 'none') return refuse(badField('trade_confirm_email'));
    changes.tradeConfirmEmail = email;
  }
  const multiplier = body.max_margin_multiplier;
  if (multiplier !== undefined) {
    const known = Object.entries(MULTIPLIERS).find(([name]) => name === String(multiplier));
    if (known === undefined) return refuse(badField('max_margin_multiplier'));
    changes.maxMarginMultiplier = known[1];
  }
  const level = body.max_options_trading_level;
  if (level !== undefined && level !== null) {
    if (!Number.isInteger(level) || Number(level) < 0 || Number(level) > 3)
      return refuse(badField('max_options_trading_level'));
    changes.maxOptionsTradingLevel = Number(level);
  }
  return fine(changes);
}

const FLAGS = [
  ['suspend_trade', 'suspendTrade'],
  ['no_shorting', 'noShorting'],
  ['fractional_trading', 'fractionalTrading'],
  ['disable_overnight_trading', 'disableOvernightTrading'],
  ['ptp_no_exception_entry', 'ptpNoExceptionEntry'],
] as const;

const ORDERS_LIMIT = 50;
const ORDERS_LIMIT_MAX = 500;

export function decodeOrdersQuery(query: Query): Decoded<OrdersQuery> {
  const status = query.status ?? 'open';
  if (status !== 'open' && status !== 'closed' && status !== 'all') return refuse(badField('status'));
  const direction = query.direction ?? 'desc';
  if (direction !== 'asc' && direction !== 'desc') return refuse(badField('direction'));
  const side = query.side ?? null;
  if (side !== null && side !== 'buy' && side !== 'sell') return refuse(badField('side'));
  const limit = wholeNumber(query.limit, ORDERS_LIMIT, 1, ORDERS_LIMIT_MAX);
  if (limit === null) return refuse(badField('limit'));
  const afterAt = instantParam(query.after);
  const untilAt = instantParam(query.until);
  if (afterAt === undefined) return refuse(badField('after'));
  if (untilAt === undefined) return refuse(badField('until'));
  const beforeOrderId = (query.before_order_id ?? null) as BrokerOrderId | null;
  const afterOrderId = (query.after_order_id ?? null) as BrokerOrderId | null;
  const byId = beforeOrderId !== null || afterOrderId !== null;
  if ((beforeOrderId !== null && afterOrderId !== null) || (byId && (afterAt !== null || untilAt !== null)))
    return refuse(badField('before_order_id'));
  return fine({
    status,
    direction,
    side,
    limit,
    after: afterAt,
    until: untilAt,
    symbols: listParam(query.symbols),
    nested: query.nested === 'true',
    beforeOrderId,
    afterOrderId,
  });
}

/** A comma list; `null` when absent or empty. */
export function listParam(value: string | undefined): readonly string[] | null {
  const items = (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  return items.length === 0 ? null : items;
}

/** The default when absent, `null` when it is not a whole number within bounds. */
export function wholeNumber(
  value: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number | null {
  if (value === undefined || value === '') return fallback;
  if (!/^\d{1,9}$/.test(value)) return null;
  const number = Number(value);
  return number >= min && number <= max ? number : null;
}

/** RFC 3339, a date (New York midnight) or Unix seconds; `null` when absent, `undefined` when it is none of these. */
export function instantParam(value: string | undefined): Micros | null | undefined {
  if (value === undefined || value === '') return null;
  if (isCalendarDate(value)) return instantOf(value as Parameters<typeof instantOf>[0], '00:00');
  if (/^\d{9,10}$/.test(value)) return (Number(value) * 1_000_000) as Micros;
  // A plus sign that was not escaped arrives as a blank.
  const at = parseInstant(value.replace(/ (?=\d\d:\d\d$)/, '+'));
  return at === null || !isCalendarDate(value.slice(0, 10)) || !DAY_TIME.test(value) ? undefined : at;
}

const DAY_TIME = /^.{10}[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d/;

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** `YYYY-MM-DD` of a day that exists, in the years that New York's clock rules cover here. */
export function isCalendarDate(value: string): boolean {
  const match = /^(19[7-9]\d|20[0-9]\d)-(\d\d)-(\d\d)$/.exec(value);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && !leap ? 28 : (MONTH_DAYS[month - 1] ?? 0);
  return day >= 1 && day <= last;
}

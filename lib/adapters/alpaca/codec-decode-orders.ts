import type { ExecutionReport, Fill, OrderStatus, Side } from '../../domain/execution.ts';
import type { BrokerOrderId, ClientOrderId, ExecutionId } from '../../domain/ids.ts';
import { type Cash, cash, type Qty, qty } from '../../domain/money.ts';
import { reportOf } from '../../domain/reconcile.ts';
import type { Micros } from '../../domain/time.ts';
import type { BrokerFill, BrokerOrder, BrokerPosition } from '../../ports/broker.ts';
import {
  asList,
  asObject,
  attempt,
  type Decoded,
  type Fields,
  field,
  instant,
  instantOrNull,
  mismatch,
  optionalText,
  positivePrice,
  priceOf,
  shortText,
  symbolOf,
  text,
} from './codec-decode-base.ts';

/** Orders, fills and positions as Alpaca writes them: amounts as text, unset fields null, unknown keys at any time. */

const STATUSES: ReadonlySet<string> = new Set<OrderStatus>([
  'pending_new',
  'accepted',
  'accepted_for_bidding',
  'held',
  'new',
  'partially_filled',
  'pending_cancel',
  'pending_replace',
  'stopped',
  'suspended',
  'calculated',
  'filled',
  'canceled',
  'expired',
  'rejected',
  'replaced',
  'done_for_day',
]);

/** A status that did not exist when this was written decides nothing. */
export const decodeStatus = (value: unknown): OrderStatus =>
  typeof value === 'string' && STATUSES.has(value) ? (value as OrderStatus) : 'unrecognized';

const DECIMAL = /^(-?)(\d{1,12})(?:\.(\d{1,18}))?$/;

/** Text or number as an exact decimal: `digits` divided by ten to the power of `scale`. */
function exactDecimal(value: unknown): { readonly digits: bigint; readonly scale: number } | null {
  const match = DECIMAL.exec(
    typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '',
  );
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = ''] = match;
  return { digits: BigInt(sign + whole + fraction), scale: fraction.length };
}

/** Signed shares; a fraction stays a fraction. */
export function sharesOf(value: unknown): number | null {
  const decimal = exactDecimal(value);
  if (decimal === null) return null;
  const shares = Number(decimal.digits) / 10 ** decimal.scale;
  return Number.isFinite(shares) ? shares + 0 : null;
}

/** Whole shares, rounded up: a fraction is never ours and must not look like nothing. */
function wholeShares(fields: Fields, key: string, where: string): Qty {
  const shares = sharesOf(field(fields, key));
  const whole = shares === null ? -1 : Math.ceil(shares);
  return whole < 0 || !Number.isSafeInteger(whole)
    ? mismatch(`${where}.${key}`, 'a number of shares', field(fields, key))
    : qty(whole);
}

/** 10 billion USD: sums of what an order filled stay exact. */
const NOTIONAL_MAX_UNITS = 100_000_000_000_000;

/**
 * `filled_qty * filled_avg_price`, rounded once, half away from zero. The average comes with more decimals than a price
 * has units; rounding it first would be off by cents on large fills.
 */
function cumNotional(fields: Fields, where: string): Cash {
  const filled = exactDecimal(field(fields, 'filled_qty'));
  if (filled === null || filled.digits === 0n) return cash(0);
  const average = exactDecimal(field(fields, 'filled_avg_price'));
  if (average === null || average.digits < 0n)
    return mismatch(`${where}.filled_avg_price`, 'a decimal', field(fields, 'filled_avg_price'));
  const divisor = 10n ** BigInt(filled.scale + average.scale);
  const product = filled.digits * average.digits * 10_000n;
  const rounded = Number((2n * product + divisor) / (2n * divisor));
  return rounded <= NOTIONAL_MAX_UNITS
    ? cash(rounded)
    : mismatch(`${where}.filled_avg_price`, 'an amount that fits', rounded);
}

function side(fields: Fields, where: string): Side {
  const value = field(fields, 'side');
  if (value === 'buy' || value === 'sell') return value;
  // Old recordings name a short sale by itself.
  return value === 'sell_short' ? 'sell' : mismatch(`${where}.side`, 'buy or sell', value);
}

function readOrder(value: unknown, where: string): BrokerOrder {
  const fields = asObject(value, where);
  const filled = wholeShares(fields, 'filled_qty', where);
  // Orders by dollar amount have no quantity; what they have filled is the least that they are for.
  const byNotional = field(fields, 'qty') === null || field(fields, 'qty') === undefined;
  const type = field(fields, 'type') ?? field(fields, 'order_type');
  const submitted = submittedAt(fields, where);
  return {
    brokerOrderId: text(fields, 'id', where) as BrokerOrderId,
    clientOrderId: text(fields, 'client_order_id', where) as ClientOrderId,
    symbol: symbolOf(fields, 'symbol', where),
    side: side(fields, where),
    qty: byNotional ? filled : wholeShares(fields, 'qty', where),
    type: type === 'market' || type === 'limit' ? type : 'other',
    limit: priceOf(field(fields, 'limit_price')),
    status: decodeStatus(field(fields, 'status')),
    cumQty: filled,
    cumNotional: cumNotional(fields, where),
    submittedAt: submitted,
    updatedAt: instantOrNull(field(fields, 'updated_at')) ?? submitted,
    replacedBy: optionalText(fields, 'replaced_by') as BrokerOrderId | null,
    replaces: optionalText(fields, 'replaces') as BrokerOrderId | null,
  };
}

export const decodeOrder = (value: unknown): Decoded<BrokerOrder> => attempt(() => readOrder(value, 'order'));

export type OrdersPage = {
  readonly orders: readonly BrokerOrder[];
  /** Rows on the wire, those left out included: only a short page is the last. */
  readonly rows: number;
  readonly last: { readonly id: string; readonly submittedAt: Micros } | null;
};

/**
 * A page of orders. Orders of other asset classes are left out: they cannot touch a share of ours, and some of them
 * (option spreads) have neither symbol nor side.
 */
export function decodeOrdersPage(value: unknown): Decoded<OrdersPage> {
  return attempt(() => {
    const rows = asList(value, 'orders').map((item, index) => {
      const where = `orders[${index}]`;
      return { fields: asObject(item, where), where };
    });
    const last = rows.at(-1);
    return {
      orders: rows
        .filter(({ fields }) => isEquity(fields))
        .map(({ fields, where }) => readOrder(fields, where)),
      rows: rows.length,
      last:
        last === undefined
          ? null
          : { id: text(last.fields, 'id', last.where), submittedAt: submittedAt(last.fields, last.where) },
    };
  });
}

/** An order that waits for another one has been created and not yet submitted. */
function submittedAt(fields: Fields, where: string): Micros {
  return (
    instantOrNull(field(fields, 'submitted_at')) ??
    instantOrNull(field(fields, 'created_at')) ??
    instant(fields, 'submitted_at', where)
  );
}

function isEquity(fields: Fields): boolean {
  const assetClass = field(fields, 'asset_class');
  if (field(fields, 'order_class') === 'mleg') return false;
  return assetClass === undefined || assetClass === null || assetClass === 'us_equity';
}

/** What each event says the order's status now is; `order` means that only the order itself knows. */
const EVENTS: ReadonlyMap<string, { readonly status: OrderStatus | 'order'; readonly final: boolean }> =
  new Map([
    ['accepted', { status: 'accepted', final: false }],
    ['pending_new', { status: 'pending_new', final: false }],
    ['new', { status: 'new', final: false }],
    ['held', { status: 'held', final: false }],
    ['partial_fill', { status: 'partially_filled', final: false }],
    ['fill', { status: 'filled', final: true }],
    ['canceled', { status: 'canceled', final: true }],
    ['expired', { status: 'expired', final: true }],
    ['replaced', { status: 'replaced', final: true }],
    ['rejected', { status: 'rejected', final: true }],
    ['done_for_day', { status: 'done_for_day', final: true }],
    ['pending_cancel', { status: 'pending_cancel', final: false }],
    ['pending_replace', { status: 'pending_replace', final: false }],
    ['order_cancel_rejected', { status: 'order', final: false }],
    ['order_replace_rejected', { status: 'order', final: false }],
    ['stopped', { status: 'stopped', final: false }],
    ['suspended', { status: 'suspended', final: false }],
    ['calculated', { status: 'calculated', final: false }],
  ]);

/** A report, and what of it could not be read: then the order has to be fetched. */
export type TradeUpdate = { readonly report: ExecutionReport; readonly unreadable: string | null };

/**
 * One `trade_updates` message. Only `event` and `order` are certain to be there. The event is what happened; the order
 * is a picture of about that moment, which may lag an event that ends it.
 */
export function decodeTradeUpdate(data: unknown, receivedAt: Micros): Decoded<TradeUpdate> {
  return attempt(() => {
    const fields = asObject(data, 'trade update');
    const event = text(fields, 'event', 'trade update');
    const order = readOrder(field(fields, 'order'), 'trade update.order');
    const known = EVENTS.get(event);
    const isFill = event === 'fill' || event === 'partial_fill';
    const fill = isFill ? attempt(() => readFill(fields)) : null;
    const occurredAt =
      instantOrNull(field(fields, 'timestamp')) ?? instantOrNull(field(fields, 'at')) ?? order.updatedAt;
    return {
      report: {
        ...reportOf(order, receivedAt),
        source: 'stream',
        status: statusOf(known, order.status),
        fill: fill?.ok === true ? fill.value : null,
        occurredAt,
      },
      unreadable: complaint(event, known !== undefined, order, fill),
    };
  });
}

function statusOf(
  event: { readonly status: OrderStatus | 'order'; readonly final: boolean } | undefined,
  ofOrder: OrderStatus,
): OrderStatus {
  if (event === undefined) return 'unrecognized';
  if (event.status === 'order') return ofOrder;
  return event.final || ofOrder === 'unrecognized' ? event.status : ofOrder;
}

function complaint(
  event: string,
  known: boolean,
  order: BrokerOrder,
  fill: Decoded<Fill> | null,
): string | null {
  const which = `order ${order.clientOrderId}`;
  if (!known) return `${which}: event ${shortText(event)} is not known`;
  if (order.status === 'unrecognized') return `${which}: its status is not known`;
  return fill?.ok === false ? `${which}: ${fill.error.where} is ${fill.error.found}` : null;
}

/** This execution alone: `price` and `qty` of the event are not cumulative. */
function readFill(fields: Fields): Fill {
  const where = 'trade update';
  const lastQty = wholeShares(fields, 'qty', where);
  // Its id would be taken for counted, and the execution itself passed over when it comes.
  if (lastQty === 0) mismatch(`${where}.qty`, 'shares', field(fields, 'qty'));
  return {
    executionId: text(fields, 'execution_id', where) as ExecutionId,
    lastQty,
    lastPx: positivePrice(fields, 'price', where),
  };
}

/** A page of fill activities, with the id that asks for the next page. */
export function decodeFills(value: unknown): Decoded<readonly BrokerFill[]> {
  return attempt(() =>
    asList(value, 'activities').map((item, index) => {
      const where = `activities[${index}]`;
      const fields = asObject(item, where);
      const activityId = text(fields, 'id', where);
      return {
        activityId,
        // `20220202135509981::<uuid>`: the prefix is New York wall time and no part of the id of the execution.
        executionId: (activityId.split('::')[1] ?? activityId) as ExecutionId,
        brokerOrderId: text(fields, 'order_id', where) as BrokerOrderId,
        symbol: symbolOf(fields, 'symbol', where),
        side: side(fields, where),
        qty: wholeShares(fields, 'qty', where),
        px: positivePrice(fields, 'price', where),
        cumQty: wholeShares(fields, 'cum_qty', where),
        at: instant(fields, 'transaction_time', where),
      };
    }),
  );
}

export function decodePositions(value: unknown): Decoded<readonly BrokerPosition[]> {
  return attempt(() =>
    asList(value, 'positions')
      .map((item, index) => ({ item, where: `positions[${index}]` }))
      .map(({ item, where }) => ({ fields: asObject(item, where), where }))
      .filter(({ fields }) => isEquity(fields))
      .map(({ fields, where }) => readPosition(fields, where)),
  );
}

function readPosition(fields: Fields, where: string): BrokerPosition {
  const shares =
    sharesOf(field(fields, 'qty')) ?? mismatch(`${where}.qty`, 'a number of shares', field(fields, 'qty'));
  return {
    symbol: symbolOf(fields, 'symbol', where),
    // A short position has a negative quantity; where a server forgets the sign, the side still says so.
    shares: field(fields, 'side') === 'short' ? -Math.abs(shares) : shares,
    available:
      sharesOf(field(fields, 'qty_available')) ??
      mismatch(`${where}.qty_available`, 'a number of shares', field(fields, 'qty_available')),
    averagePx:
      priceOf(field(fields, 'avg_entry_price')) ??
      mismatch(`${where}.avg_entry_price`, 'a price', field(fields, 'avg_entry_price')),
  };
}

import type { Micros } from '../../domain/time.ts';
import type { Answer, SimFill, SimOrder, TradeUpdate, TradeUpdateEvent } from '../../sim/exchange-api.ts';
import { refusalOf } from './codec-encode-errors.ts';
import {
  activityStamp,
  amountText,
  averageText,
  eventIdText,
  instantText,
  sharesText,
} from './codec-encode-text.ts';

/** Orders, executions and trade updates of the embedded exchange as Alpaca's JSON. Unset fields are `null`, not absent. */

/** `cancel_requested_at` appears on the stream alone. `nested` shows the legs of a complex order under their parent. */
export type OrderView = { readonly stream: boolean; readonly nested: boolean };

const REST: OrderView = { stream: false, nested: true };

export function encodeOrder(order: SimOrder, view: OrderView = REST): Record<string, unknown> {
  return {
    id: order.id,
    client_order_id: order.clientOrderId,
    created_at: instantText(order.createdAt),
    updated_at: instantText(order.updatedAt),
    submitted_at: instantText(order.submittedAt),
    filled_at: instantOrNull(order.filledAt),
    expired_at: instantOrNull(order.expiredAt),
    expires_at: instantText(order.expiresAt),
    ...(view.stream ? { cancel_requested_at: instantOrNull(order.cancelRequestedAt) } : {}),
    canceled_at: instantOrNull(order.canceledAt),
    failed_at: instantOrNull(order.failedAt),
    replaced_at: instantOrNull(order.replacedAt),
    replaced_by: order.replacedBy,
    replaces: order.replaces,
    asset_id: order.assetId,
    symbol: order.symbol,
    asset_class: 'us_equity',
    notional: amountOrNull(order.notional),
    qty: order.qty === null ? null : sharesText(order.qty),
    filled_qty: sharesText(order.filledQty),
    filled_avg_price: order.filledQty === 0 ? null : averageText(order.filledNotional, order.filledQty),
    order_class: order.orderClass,
    order_type: order.type,
    type: order.type,
    side: order.side,
    position_intent: order.positionIntent,
    time_in_force: order.timeInForce,
    limit_price: amountOrNull(order.limitPrice),
    stop_price: amountOrNull(order.stopPrice),
    status: order.status,
    extended_hours: order.extendedHours,
    legs: view.nested && order.legs !== null ? order.legs.map((leg) => encodeOrder(leg, view)) : null,
    trail_percent: order.trailPercent === null ? null : sharesText(order.trailPercent),
    trail_price: amountOrNull(order.trailPrice),
    hwm: amountOrNull(order.highWaterMark),
    ratio_qty: null,
    source: null,
    subtag: null,
  };
}

/** Events that carry `timestamp`; the others carry `event` and `order` alone. Source: protocol notes on `trade_updates`. */
const STAMPED: ReadonlySet<TradeUpdateEvent> = new Set([
  'new',
  'partial_fill',
  'fill',
  'canceled',
  'expired',
  'replaced',
  'rejected',
]);

/** The `data` of a `trade_updates` frame. `sequence` makes its event id; `at` is when the frame is made. */
export function encodeTradeUpdate(
  update: TradeUpdate,
  at: Micros,
  sequence: number,
): Record<string, unknown> {
  const execution = update.execution;
  return {
    event: update.event,
    ...(update.executionId === null && update.event !== 'pending_new'
      ? {}
      : { execution_id: update.executionId }),
    at: instantText(at),
    event_id: eventIdText(at, sequence),
    ...(STAMPED.has(update.event) ? { timestamp: instantText(update.at) } : {}),
    ...(execution === null
      ? {}
      : {
          price: amountText(execution.price),
          qty: sharesText(execution.qty),
          position_qty: sharesText(execution.positionQty),
        }),
    order: encodeOrder(update.order, { stream: true, nested: true }),
  };
}

/** One item of the 207 that answers a cancel of everything. */
export const encodeCanceled = (id: string, answer: Answer<unknown>): Record<string, unknown> =>
  answer.ok ? { id, status: 200 } : { id, status: answer.status, body: refusalOf(answer).body };

/** One item of the 207 that answers a close of everything: the closing order, or the error. */
export const encodeClosed = (symbol: string, answer: Answer<SimOrder>): Record<string, unknown> =>
  answer.ok
    ? { symbol, status: 200, body: encodeOrder(answer.value) }
    : { symbol, status: answer.status, body: refusalOf(answer).body };

/** The same update under an event name that no client knows yet. */
export const asUnknownEvent = (data: Record<string, unknown>): Record<string, unknown> => ({
  ...data,
  event: 'order_reviewed',
});

export const activityId = (fill: SimFill): string => `${activityStamp(fill.at)}::${fill.executionId}`;

/** An item of `/v2/account/activities`. It has no `client_order_id` and no `execution_id` at Alpaca either. */
export function encodeFillActivity(fill: SimFill): Record<string, unknown> {
  return {
    activity_type: 'FILL',
    id: activityId(fill),
    transaction_time: instantText(fill.at),
    type: fill.type,
    price: amountText(fill.price),
    qty: sharesText(fill.qty),
    side: fill.side,
    symbol: fill.symbol,
    leaves_qty: sharesText(fill.leavesQty),
    order_id: fill.orderId,
    cum_qty: sharesText(fill.cumQty),
    order_status: fill.type === 'fill' ? 'filled' : 'partially_filled',
  };
}

const instantOrNull = (at: Micros | null): string | null => (at === null ? null : instantText(at));
const amountOrNull = (units: number | null): string | null => (units === null ? null : amountText(units));

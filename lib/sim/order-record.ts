import type { Side } from '../domain/execution.ts';
import type { BrokerOrderId, Ticker } from '../domain/ids.ts';
import type { Cash, Price } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import { roundShares } from './amounts.ts';
import type {
  FillRule,
  PositionIntent,
  SimOrder,
  SimOrderStatus,
  SimOrderType,
  TimeInForce,
} from './exchange-api.ts';

export type OrderClass = SimOrder['orderClass'];

/** An order as the book works on it; `snapshot` makes the immutable view that leaves the exchange. */
export type OrderRecord = {
  readonly id: BrokerOrderId;
  readonly clientOrderId: string;
  readonly symbol: Ticker;
  readonly assetId: string;
  readonly side: Side;
  readonly type: SimOrderType;
  readonly timeInForce: TimeInForce;
  readonly orderClass: OrderClass;
  qty: number | null;
  readonly notional: Cash | null;
  readonly limitPrice: Price | null;
  stopPrice: Price | null;
  readonly trailPrice: Price | null;
  readonly trailPercent: number | null;
  highWaterMark: Price | null;
  readonly extendedHours: boolean;
  readonly positionIntent: PositionIntent;
  status: SimOrderStatus;
  filledQty: number;
  filledNotional: number;
  readonly createdAt: Micros;
  readonly submittedAt: Micros;
  updatedAt: Micros;
  readonly expiresAt: Micros;
  filledAt: Micros | null;
  cancelRequestedAt: Micros | null;
  canceledAt: Micros | null;
  expiredAt: Micros | null;
  failedAt: Micros | null;
  replacedAt: Micros | null;
  replacedBy: BrokerOrderId | null;
  readonly replaces: BrokerOrderId | null;

  /** Position in submission order. */
  readonly sequence: number;
  legs: OrderRecord[];
  parent: OrderRecord | null;
  /** The status to go back to when a cancel or replace is refused. */
  statusBefore: SimOrderStatus;
  /** The order that will take this one's place once the replace arrives. */
  successor: OrderRecord | null;
  script: FillRule['model'] | null;
  /** Shares that trade before us at our price. */
  queueAhead: number;
  /** Crossed the spread on arrival and still does: pays the opposite quote rather than its own limit. */
  taker: boolean;
  /** The worst price it trades at: its limit; `Infinity` or 0 for market orders. Set when it reaches the book. */
  bookPrice: number;
};

/** Shares still to fill. A notional order has none until it fills, all at once. */
export const leavesOf = (order: OrderRecord): number =>
  order.qty === null ? 0 : roundShares(order.qty - order.filledQty);

/** Ended for good: no fill, no cancel, no expiry any more. */
export function isOver(order: OrderRecord): boolean {
  switch (order.status) {
    case 'filled':
    case 'canceled':
    case 'expired':
    case 'rejected':
    case 'replaced':
      return true;
    case 'done_for_day':
      return order.timeInForce !== 'gtc';
    default:
      return false;
  }
}

export function snapshot(order: OrderRecord): SimOrder {
  return {
    id: order.id,
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    assetId: order.assetId,
    side: order.side,
    type: order.type,
    timeInForce: order.timeInForce,
    orderClass: order.orderClass,
    qty: order.qty,
    notional: order.notional,
    limitPrice: order.limitPrice,
    stopPrice: order.stopPrice,
    trailPrice: order.trailPrice,
    trailPercent: order.trailPercent,
    highWaterMark: order.highWaterMark,
    extendedHours: order.extendedHours,
    positionIntent: order.positionIntent,
    status: order.status,
    filledQty: order.filledQty,
    filledNotional: order.filledNotional,
    createdAt: order.createdAt,
    submittedAt: order.submittedAt,
    updatedAt: order.updatedAt,
    expiresAt: order.expiresAt,
    filledAt: order.filledAt,
    cancelRequestedAt: order.cancelRequestedAt,
    canceledAt: order.canceledAt,
    expiredAt: order.expiredAt,
    failedAt: order.failedAt,
    replacedAt: order.replacedAt,
    replacedBy: order.replacedBy,
    replaces: order.replaces,
    legs: order.legs.length === 0 ? null : order.legs.map(snapshot),
  };
}

import type { BrokerOrderId, ClientOrderId, ExecutionId, Ticker } from './ids.ts';
import type { Cash, Price, Qty } from './money.ts';
import type { Micros } from './time.ts';

export type Side = 'buy' | 'sell';

/**
 * What the broker says an order is. The names are Alpaca's statuses (protocol: 17 documented); `unrecognized`
 * stands for one that did not exist when this was written: fetch the order, decide nothing on it.
 */
export type OrderStatus =
  | 'pending_new'
  | 'accepted'
  | 'accepted_for_bidding'
  | 'held'
  | 'new'
  | 'partially_filled'
  | 'pending_cancel'
  | 'pending_replace'
  | 'stopped'
  | 'suspended'
  | 'calculated'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'rejected'
  | 'replaced'
  | 'done_for_day'
  | 'unrecognized';

/** Shares that moved for us. `executionId` makes it count once. */
export type Fill = {
  readonly executionId: ExecutionId;
  readonly lastQty: Qty;
  readonly lastPx: Price;
};

/**
 * What the broker tells us about one order, by the stream or as the answer to a query.
 * `cumQty` and `cumNotional` are totals of the order so far; `fill` is this report's own execution (stream only).
 */
export type ExecutionReport = {
  readonly source: 'stream' | 'query';
  readonly clientOrderId: ClientOrderId;
  readonly brokerOrderId: BrokerOrderId;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly orderQty: Qty;
  readonly status: OrderStatus;
  readonly cumQty: Qty;
  /** `filled_qty * filled_avg_price`, rounded to 1/10000 USD; 0 when nothing filled. */
  readonly cumNotional: Cash;
  readonly fill: Fill | null;
  /** Set when somebody replaced the order: the order that lives on in its place. */
  readonly replacedBy: BrokerOrderId | null;
  readonly occurredAt: Micros;
  readonly receivedAt: Micros;
};

/** Statuses after which an order can fill no more today; fills already made may still be on their way to us. */
export function isEnd(status: OrderStatus): boolean {
  switch (status) {
    case 'filled':
    case 'canceled':
    case 'expired':
    case 'rejected':
    case 'replaced':
    case 'done_for_day':
      return true;
    default:
      return false;
  }
}

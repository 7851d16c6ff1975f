import type { ExecutionReport, OrderStatus, Side } from './execution.ts';
import type { BrokerOrderId, ClientOrderId, ExecutionId, Ticker } from './ids.ts';
import type { Cash, Price, Qty } from './money.ts';
import type { Micros } from './time.ts';

/** What a lane believes. Get it by `beliefOf(lane)`. */
export type LaneBelief = {
  readonly symbol: Ticker;
  /** Shares by the lane's own fills. */
  readonly shares: number;
  /** Every order of ours of this session, past ones included. */
  readonly orders: readonly BelievedOrder[];
};

export type BelievedOrder = {
  readonly clientOrderId: ClientOrderId;
  readonly side: Side;
  readonly state: 'inFlight' | 'working' | 'canceling' | 'closing' | 'done';
  readonly bookedQty: Qty;
  /** Executions counted one by one, and what they add up to; the rest of `bookedQty` is known from totals alone. */
  readonly executionIds: readonly ExecutionId[];
  readonly executedQty: Qty;
  readonly executedNotional: Cash;
};

/** An order as the broker lists it; the broker port's `BrokerOrder` fits. */
export type SeenOrder = {
  readonly brokerOrderId: BrokerOrderId;
  readonly clientOrderId: ClientOrderId;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly qty: Qty;
  readonly status: OrderStatus;
  readonly cumQty: Qty;
  readonly cumNotional: Cash;
  readonly updatedAt: Micros;
  readonly replacedBy: BrokerOrderId | null;
  readonly replaces: BrokerOrderId | null;
};

/** The broker port's `BrokerPosition` fits. */
export type SeenPosition = { readonly symbol: Ticker; readonly shares: number };

/** One fill of the account's activities; the broker port's `BrokerFill` fits. */
export type SeenFill = {
  readonly executionId: ExecutionId;
  readonly brokerOrderId: BrokerOrderId;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly qty: Qty;
  readonly px: Price;
  /** The order's total after this fill. */
  readonly cumQty: Qty;
};

/** Complete answers of the broker. A failed read is no picture: do not reconcile on it. */
export type BrokerPicture = {
  readonly takenAt: Micros;
  readonly openOrders: readonly SeenOrder[];
  /** Everything submitted since the session opened (or earlier), whatever its state. */
  readonly ordersSince: readonly SeenOrder[];
  readonly positions: readonly SeenPosition[];
  /** Every fill since then; `null` when they were not asked for. */
  readonly fills: readonly SeenFill[] | null;
};

export type DiscrepancyCode =
  | 'sharesMissing' // the broker holds fewer shares than our fills add up to, and no sale of others explains it
  | 'short' // the broker shows a short position
  | 'fillsUnknownToBroker' // we booked more of an order than the broker says it filled
  | 'fillsContradict' // the account's fills do not add up to what the order says, or to what we counted
  | 'orderMissing' // an order we hold for live is not at the broker
  | 'endedOrderLives' // an order we hold for done is open at the broker
  | 'unknownOwnOrder'; // an order with an id of ours, open or with fills, that the lane does not know

export type Finding =
  | { readonly kind: 'agrees' }
  /** Reports to feed to the lane. Idempotent, so they do not wait for confirmation. */
  | { readonly kind: 'behind'; readonly reports: readonly ExecutionReport[] }
  /** Our order lives on under another id: feed a `succeeded` event. */
  | { readonly kind: 'replaced'; readonly clientOrderId: ClientOrderId; readonly successor: SeenOrder }
  /** Shares or orders that are not ours. Never touched. */
  | {
      readonly kind: 'foreign';
      readonly shares: number;
      readonly orders: readonly SeenOrder[];
      readonly evidence: string;
    }
  /** Shares of ours that orders of others have sold, at `averagePx`: feed a `released` event. */
  | { readonly kind: 'gone'; readonly shares: Qty; readonly averagePx: Price; readonly evidence: string }
  | { readonly kind: 'discrepancy'; readonly code: DiscrepancyCode; readonly evidence: string }
  /** A disagreement not yet seen often enough: REST views lag behind each other by seconds. */
  | {
      readonly kind: 'suspected';
      readonly code: DiscrepancyCode | 'foreign' | 'gone';
      readonly seen: number;
      readonly evidence: string;
    };

export type SymbolFindings = { readonly symbol: Ticker; readonly findings: readonly Finding[] };

export const discrepancy = (code: DiscrepancyCode, evidence: string): Finding => ({
  kind: 'discrepancy',
  code,
  evidence,
});

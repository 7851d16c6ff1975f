import type { ExecutionReport, OrderStatus, Side } from '../domain/execution.ts';
import type { BrokerOrderId, ClientOrderId, ExecutionId, Ticker } from '../domain/ids.ts';
import type { Approved, OrderIntent } from '../domain/intent.ts';
import type { Bar, Mark } from '../domain/market.ts';
import type { Cash, Price, Qty } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import type { Micros, SessionDay } from '../domain/time.ts';

/** Why a request has no usable answer. None of these proves that it had no effect. */
export type FailureCode =
  | 'timeout'
  | 'connection' // refused, reset, closed
  | 'serverError' // 5xx
  | 'rateLimited' // 429
  | 'unauthorized' // 401, and 403 on reads
  | 'unreadable' // a body that does not decode
  | 'refused'; // any other 4xx on a read

export type BrokerFailure = {
  readonly code: FailureCode;
  /** For people; redacted, at most a line. */
  readonly text: string;
  readonly httpStatus: number | null;
  readonly requestId: string | null;
  /** On `rateLimited`: when the budget comes back, in exchange time, if the answer said so. */
  readonly retryAt: Micros | null;
};

/** An error is not an empty list: reads say which it was. */
export type Read<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'failed'; readonly failure: BrokerFailure };

/** A refusal that the answer proves. `relatedOrders` and the quantities come from the body of a held-shares refusal. */
export type Refusal = {
  /** Stable, ours. */
  readonly code: RefusalCode;
  /** Alpaca's number, for instance 40310000. */
  readonly brokerCode: number | null;
  readonly text: string;
  readonly available: Qty | null;
  readonly relatedOrders: readonly BrokerOrderId[];
};

export type RefusalCode =
  | 'heldShares'
  | 'washTrade'
  | 'buyingPower'
  | 'subPenny'
  | 'notTradable'
  | 'shortNotAllowed'
  | 'restricted'
  | 'invalid'
  | 'other';

/** "client order id taken" is `unknown`, not a rejection: an order by that id exists, so look it up. */
export type SubmitOutcome =
  | { readonly kind: 'accepted'; readonly report: ExecutionReport }
  | { readonly kind: 'rejected'; readonly refusal: Refusal }
  /** Proven not to have reached the order book: 429. May be sent again as it is. */
  | { readonly kind: 'notSent'; readonly failure: BrokerFailure }
  | { readonly kind: 'unknown'; readonly failure: BrokerFailure };

/** 204 is a request, only the report is a fact; `refused` means: fetch the order and believe only what it says. */
export type CancelOutcome =
  | { readonly kind: 'requested' }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly failure: BrokerFailure };

/** `absent` straight after a timeout proves nothing: wait and ask again. */
export type Lookup =
  | { readonly kind: 'found'; readonly order: BrokerOrder }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly failure: BrokerFailure };

export type BrokerOrder = {
  readonly brokerOrderId: BrokerOrderId;
  readonly clientOrderId: ClientOrderId;
  readonly symbol: Ticker;
  readonly side: Side;
  /** Whole shares; fractional or notional orders of others are rounded up: they are only ever counted as not ours. */
  readonly qty: Qty;
  readonly type: 'market' | 'limit' | 'other';
  readonly limit: Price | null;
  readonly status: OrderStatus;
  readonly cumQty: Qty;
  readonly cumNotional: Cash;
  readonly submittedAt: Micros;
  readonly updatedAt: Micros;
  readonly replacedBy: BrokerOrderId | null;
  readonly replaces: BrokerOrderId | null;
};

export type BrokerPosition = {
  readonly symbol: Ticker;
  /** Signed shares; negative when short. A fraction is kept as a fraction: it is not ours. */
  readonly shares: number;
  readonly available: number;
  readonly averagePx: Price;
};

export type BrokerFill = {
  /** The activity's id; that its UUID part equals the stream's execution id is plausible, not documented. */
  readonly activityId: string;
  readonly executionId: ExecutionId;
  readonly brokerOrderId: BrokerOrderId;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly qty: Qty;
  readonly px: Price;
  readonly cumQty: Qty;
  readonly at: Micros;
};

export type BrokerAccount = {
  readonly id: string;
  readonly active: boolean;
  /** Every block flag the account carries, by the broker's name; empty when free to trade. */
  readonly blocks: readonly string[];
  readonly cash: Cash;
  readonly equity: Cash;
  readonly buyingPower: Cash;
};

export type BrokerClock = {
  readonly at: Micros;
  readonly isOpen: boolean;
  readonly nextOpenAt: Micros;
  readonly nextCloseAt: Micros;
  /** Exchange seconds per wall second when the server says so (the embedded exchange does); else `null`. */
  readonly speed: number | null;
};

export type BrokerAsset = { readonly symbol: Ticker; readonly tradable: boolean; readonly active: boolean };

/** The broker as requests and answers. Nothing here queues, retries or decides: the gateway does. */
export type Broker = {
  submit(intent: Approved<OrderIntent>): Promise<SubmitOutcome>;
  cancel(order: BrokerOrderId): Promise<CancelOutcome>;
  orderByClientOrderId(id: ClientOrderId): Promise<Lookup>;
  orderById(id: BrokerOrderId): Promise<Lookup>;
  /** Every open order, all pages. */
  openOrders(): Promise<Read<readonly BrokerOrder[]>>;
  /** Every order submitted after `from`, whatever its state, oldest first, all pages. */
  ordersSince(from: Micros): Promise<Read<readonly BrokerOrder[]>>;
  /** Every fill after `from`, oldest first, all pages. */
  fillsSince(from: Micros): Promise<Read<readonly BrokerFill[]>>;
  positions(): Promise<Read<readonly BrokerPosition[]>>;
  account(): Promise<Read<BrokerAccount>>;
  clock(): Promise<Read<BrokerClock>>;
  /** Trading sessions from `from` to `to`, both included. */
  calendar(from: SessionDay, to: SessionDay): Promise<Read<readonly Session[]>>;
  assets(symbols: readonly Ticker[]): Promise<Read<readonly BrokerAsset[]>>;
  /** Complete minute bars with `from <= startAt < to`, by symbol, in time order, all pages. */
  bars(
    symbols: readonly Ticker[],
    from: Micros,
    to: Micros,
  ): Promise<Read<ReadonlyMap<Ticker, readonly Bar[]>>>;
  latestPrints(symbols: readonly Ticker[]): Promise<Read<ReadonlyMap<Ticker, Mark>>>;
};

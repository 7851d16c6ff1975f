import type { Side } from '../domain/execution.ts';
import type { BrokerOrderId, Ticker } from '../domain/ids.ts';
import type { Cash, Price } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';

/** As the client wrote it: amounts are still text, so that the exchange can judge them as Alpaca does. */
export type OrderRequest = {
  readonly symbol: string | null;
  readonly qty: string | null;
  readonly notional: string | null;
  readonly side: string | null;
  readonly type: string | null;
  readonly timeInForce: string | null;
  readonly limitPrice: string | null;
  readonly stopPrice: string | null;
  readonly trailPrice: string | null;
  readonly trailPercent: string | null;
  readonly extendedHours: boolean;
  readonly clientOrderId: string | null;
  readonly orderClass: string | null;
  readonly takeProfit: { readonly limitPrice: string | null } | null;
  readonly stopLoss: { readonly stopPrice: string | null; readonly limitPrice: string | null } | null;
  readonly positionIntent: string | null;
};

export type ReplaceRequest = {
  readonly qty: string | null;
  readonly timeInForce: string | null;
  readonly limitPrice: string | null;
  readonly stopPrice: string | null;
  readonly trail: string | null;
  readonly clientOrderId: string | null;
};

export type OrdersQuery = {
  readonly status: 'open' | 'closed' | 'all';
  readonly limit: number;
  /** Both exclusive, on submission time. */
  readonly after: Micros | null;
  readonly until: Micros | null;
  readonly direction: 'asc' | 'desc';
  readonly symbols: readonly string[] | null;
  readonly side: Side | null;
  readonly nested: boolean;
  readonly beforeOrderId: BrokerOrderId | null;
  readonly afterOrderId: BrokerOrderId | null;
};

export type SimOrderType = 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop';
export type TimeInForce = 'day' | 'gtc' | 'opg' | 'cls' | 'ioc' | 'fok';
export type PositionIntent = 'buy_to_open' | 'buy_to_close' | 'sell_to_open' | 'sell_to_close';
export type SimOrderStatus =
  | 'pending_new'
  | 'accepted'
  | 'held'
  | 'new'
  | 'partially_filled'
  | 'pending_cancel'
  | 'pending_replace'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'rejected'
  | 'replaced'
  | 'done_for_day'
  | 'suspended'
  | 'stopped'
  | 'calculated';

/** An order as the exchange keeps it. Quantities in shares with up to 9 decimals (fractional orders of other clients). */
export type SimOrder = {
  readonly id: BrokerOrderId;
  readonly clientOrderId: string;
  readonly symbol: Ticker;
  readonly assetId: string;
  readonly side: Side;
  readonly type: SimOrderType;
  readonly timeInForce: TimeInForce;
  readonly orderClass: '' | 'bracket' | 'oco' | 'oto';
  readonly qty: number | null;
  readonly notional: Cash | null;
  readonly limitPrice: Price | null;
  readonly stopPrice: Price | null;
  readonly trailPrice: Price | null;
  readonly trailPercent: number | null;
  readonly highWaterMark: Price | null;
  readonly extendedHours: boolean;
  readonly positionIntent: PositionIntent;
  readonly status: SimOrderStatus;
  readonly filledQty: number;
  /** Sum of price times shares, in 1/10000 USD. */
  readonly filledNotional: number;
  readonly createdAt: Micros;
  readonly submittedAt: Micros;
  readonly updatedAt: Micros;
  readonly expiresAt: Micros;
  readonly filledAt: Micros | null;
  readonly cancelRequestedAt: Micros | null;
  readonly canceledAt: Micros | null;
  readonly expiredAt: Micros | null;
  readonly failedAt: Micros | null;
  readonly replacedAt: Micros | null;
  readonly replacedBy: BrokerOrderId | null;
  readonly replaces: BrokerOrderId | null;
  readonly legs: readonly SimOrder[] | null;
};

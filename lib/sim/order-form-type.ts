import type { Side } from '../domain/execution.ts';
import type { Cash, Price } from '../domain/money.ts';
import type { PositionIntent, SimAsset, SimOrderType, TimeInForce } from './exchange-api.ts';
import type { OrderClass } from './order-record.ts';

/** A request whose text has been read and whose parts fit together; whether the account may do it is not asked here. */
export type OrderForm = {
  readonly asset: SimAsset;
  readonly side: Side;
  readonly type: SimOrderType;
  readonly timeInForce: TimeInForce;
  readonly orderClass: OrderClass;
  readonly qty: number | null;
  readonly notional: Cash | null;
  readonly limitPrice: Price | null;
  readonly stopPrice: Price | null;
  readonly trailPrice: Price | null;
  readonly trailPercent: number | null;
  readonly extendedHours: boolean;
  readonly clientOrderId: string | null;
  readonly takeProfit: Price | null;
  readonly stopLoss: { readonly stop: Price; readonly limit: Price | null } | null;
  readonly positionIntent: PositionIntent | null;
};

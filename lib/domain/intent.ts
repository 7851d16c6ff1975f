import type { Brand } from './brand.ts';
import type { Side } from './execution.ts';
import type { ClientOrderId, Ticker } from './ids.ts';
import type { Mark } from './market.ts';
import type { Price, Qty } from './money.ts';
import type { Micros } from './time.ts';

/** Why the lane wants the order; the gateway's priority follows from it. */
export type Purpose = 'entry' | 'exit' | 'bailOut' | 'flatten';

/** What we want; never changes. Time in force is always `day`. */
export type OrderIntent = {
  readonly clientOrderId: ClientOrderId;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly qty: Qty;
  readonly price: { readonly type: 'limit'; readonly limit: Price } | { readonly type: 'market' };
  readonly purpose: Purpose;
  /** When the lane decided, and the mark it decided on (`null`: none was known). */
  readonly decidedAt: Micros;
  readonly mark: Mark | null;
  /** After this instant the intent must not be sent any more; `null` never expires (exits). */
  readonly expiresAt: Micros | null;
};

/** Only `checkIntent` makes one: the gateway takes nothing else. */
export type Approved<T> = Brand<T, 'Approved'>;

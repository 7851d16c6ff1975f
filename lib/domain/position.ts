import type { Side } from './execution.ts';
import {
  averageRoundedUp,
  type Cash,
  cash,
  type Price,
  type Qty,
  qty,
  ZERO_CASH,
  ZERO_QTY,
} from './money.ts';

/**
 * One round trip as the fold of its fills: what was bought and sold so far, in shares and money. Corrections of a price
 * that was only inferred arrive as a change of money without shares, and need no special case.
 */
export type Position = {
  readonly bought: Qty;
  readonly boughtFor: Cash;
  readonly sold: Qty;
  readonly soldFor: Cash;
};

export const FLAT: Position = { bought: ZERO_QTY, boughtFor: ZERO_CASH, sold: ZERO_QTY, soldFor: ZERO_CASH };

/** Shares and money that moved; money alone when an inferred price was trued up. */
export type Trade = { readonly qty: Qty; readonly notional: Cash };

export function applyTrade(position: Position, side: Side, trade: Trade): Position {
  return side === 'buy'
    ? {
        ...position,
        bought: qty(position.bought + trade.qty),
        boughtFor: cash(position.boughtFor + trade.notional),
      }
    : { ...position, sold: qty(position.sold + trade.qty), soldFor: cash(position.soldFor + trade.notional) };
}

/** Shares held. Negative when more was sold than bought: a broken promise of the broker's reports, never a plan. */
export const sharesOf = (position: Position): number => position.bought - position.sold;

/** What the shares still held cost, by average cost. */
export function costOf(position: Position): Cash {
  return cash(position.boughtFor - costOfSold(position));
}

/** Profit of the shares sold so far, gross of fees, by average cost. */
export function realizedOf(position: Position): Cash {
  return cash(position.soldFor - costOfSold(position));
}

/** Average price paid, rounded up to a whole `Price` unit; `null` when nothing was bought. */
export function averageEntry(position: Position): Price | null {
  return position.bought === 0 ? null : averageRoundedUp(position.boughtFor, position.bought);
}

function costOfSold(position: Position): number {
  if (position.bought === 0) return 0;
  const priced = Math.min(position.sold, position.bought);
  return Math.round((position.boughtFor / position.bought) * priced);
}

export const isFlat = ({ bought, boughtFor, sold, soldFor }: Position): boolean =>
  bought === 0 && sold === 0 && boughtFor === 0 && soldFor === 0;

import type { Carried } from './lane-types.ts';
import { type Cash, cash, type Qty, qty } from './money.ts';

export type Totals = { readonly cumQty: Qty; readonly cumNotional: Cash };

const NOTHING: Carried = { qty: qty(0), notional: cash(0) };

/**
 * How much of what a successor counts as filled its predecessor filled. Whether a replaced order's fills go over to the new
 * one is not documented (Alpaca says that the new quantity is the total), so it is read off: `executed` are the shares that
 * the account's fills name for the successor itself, `null` when they were not read.
 *
 * `null`: cannot be told from this; the fills have to be read, or read again, because they lag.
 */
export function carriedBy(old: Totals, successor: Totals, executed: number | null): Carried | null {
  if (old.cumQty === 0 || successor.cumQty < old.cumQty) return NOTHING;
  if (executed === null) return null;
  const carried: Carried = { qty: old.cumQty, notional: old.cumNotional };
  if (executed === 0 && successor.cumQty === old.cumQty)
    // Fills of its own would hardly be worth the same to the last cent; those of its predecessor are.
    return successor.cumNotional === old.cumNotional ? carried : null;
  if (executed === successor.cumQty) return NOTHING;
  return executed === successor.cumQty - old.cumQty ? carried : null;
}

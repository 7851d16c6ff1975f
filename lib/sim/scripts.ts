import type { Price } from '../domain/money.ts';
import { markOf } from './book.ts';
import type { FillRule } from './exchange-api.ts';
import { endFamily } from './legs.ts';
import { fillOrder } from './matching.ts';
import type { OrderForm } from './order-form-type.ts';
import { isOver, leavesOf, type OrderRecord } from './order-record.ts';
import { bookOf, endOrder, later, type Venue } from './venue.ts';

/** The first rule that matches the order and has strikes left; taking it uses one up. */
export function takeScript(venue: Venue, form: OrderForm): FillRule['model'] | null {
  for (const [index, rule] of venue.options.fillRules.entries()) {
    const left = venue.rulesLeft[index] ?? 0;
    const { side, type, symbol } = rule.match;
    const fits =
      (side === undefined || side === form.side) &&
      (type === undefined || type === form.type) &&
      (symbol === undefined || symbol === form.asset.symbol);
    if (!fits || left <= 0) continue;
    venue.rulesLeft[index] = left - 1;
    return rule.model;
  }
  return null;
}

/** Starts what a scripted order does by itself once it is in the book. */
export function runScript(venue: Venue, order: OrderRecord): void {
  const script = order.script;
  if (script?.kind === 'reject')
    later(venue, script.delay, () => {
      endOrder(venue, order, 'rejected');
      endFamily(venue, order, 'canceled');
    });
  if (script?.kind === 'partial' && order.qty !== null) {
    const pieces = Math.max(1, Math.min(script.pieces, Math.floor(order.qty)));
    const played = Math.min(script.only ?? pieces, pieces);
    const each = Math.floor(order.qty / pieces);
    for (let piece = 1; piece <= played; piece++)
      later(venue, script.delay * piece, () => fillPiece(venue, order, piece === pieces ? null : each));
  }
}

/** Fills one equal part at the limit (the mark for market orders); `null` fills whatever is left. */
function fillPiece(venue: Venue, order: OrderRecord, qty: number | null): void {
  const price = (order.limitPrice ?? markOf(bookOf(venue, order.symbol))) as Price;
  if (isOver(order) || price <= 0) return;
  const shares = Math.min(qty ?? leavesOf(order), leavesOf(order));
  if (shares > 0) fillOrder(venue, order, shares, price);
}

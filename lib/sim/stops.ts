import { type Price, roundDownToTick, roundUpToTick, UNITS_PER_USD } from '../domain/money.ts';
import { type Book, withdraw } from './book.ts';
import { siblingsOf } from './legs.ts';
import type { OrderRecord } from './order-record.ts';
import { endOrder, report, setStatus, type Venue } from './venue.ts';

export const isStop = (order: OrderRecord): boolean =>
  order.type === 'stop' || order.type === 'stop_limit' || order.type === 'trailing_stop';

/** Buy stops become stop-limits: 4 % above the stop below $50, 2.5 % from there on (Alpaca, "Orders"). */
function collarOf(stop: Price): Price {
  return roundDownToTick((stop * (stop < 50 * UNITS_PER_USD ? 1.04 : 1.025)) as Price);
}

/** The worst price an order trades at once it is live: its limit, or none. */
export function workingPrice(order: OrderRecord): number {
  if (order.limitPrice !== null) return order.limitPrice;
  if (order.type === 'stop' && order.side === 'buy' && order.stopPrice !== null)
    return collarOf(order.stopPrice);
  return order.side === 'buy' ? Number.POSITIVE_INFINITY : 0;
}

/** Moves a trailing stop with the best price seen so far. */
export function trail(order: OrderRecord, price: number): void {
  if (order.type !== 'trailing_stop' || price <= 0) return;
  const selling = order.side === 'sell';
  const mark = order.highWaterMark;
  if (mark !== null && (selling ? price <= mark : price >= mark)) return;
  order.highWaterMark = price as Price;
  const distance = order.trailPrice ?? (price * (order.trailPercent ?? 0)) / 100;
  const stop = Math.max(1, Math.round(selling ? price - distance : price + distance)) as Price;
  order.stopPrice = selling ? roundUpToTick(stop) : roundDownToTick(stop);
}

/** Lets a print trigger stops; each triggered order is handed to `goLive`. Regular session only. */
export function triggerStops(
  venue: Venue,
  book: Book,
  price: number,
  goLive: (order: OrderRecord) => void,
): void {
  if (venue.phase !== 'regular' || book.halted !== 'no') return;
  for (const order of [...book.stops]) {
    if (order.status === 'suspended' || order.status === 'done_for_day') continue;
    trail(order, price);
    const stop = order.stopPrice;
    if (stop === null || (order.side === 'sell' ? price > stop : price < stop)) continue;
    withdraw(book, order);
    // The twin exit held the shares until now.
    for (const sibling of siblingsOf(order)) endOrder(venue, sibling, 'canceled');
    if (order.status === 'held') {
      setStatus(venue, order, 'new');
      report(venue, 'new', order);
    }
    goLive(order);
  }
}

import type { Price } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import { sharesOf } from './account.ts';
import { type Book, enqueue, markOf, park, withdraw } from './book.ts';
import { endFamily, sharesAreHeldBySibling, siblingsOf } from './legs.ts';
import { crosses, fillOrder, mayTrade, settleIntoQueue, takeDisplayed } from './matching.ts';
import { isOver, leavesOf, type OrderRecord } from './order-record.ts';
import { runScript } from './scripts.ts';
import { isStop, trail, workingPrice } from './stops.ts';
import { bookOf, closeOrder, endOrder, later, report, setStatus, type Venue } from './venue.ts';

/*
 * What happens to an order between the answer to its request and its end: it arrives, rests, is canceled or replaced,
 * and ends with its day. Requests reach the book in the order in which they were sent.
 */

/** The order reaches the venue. */
export function arrive(venue: Venue, order: OrderRecord): void {
  if (isOver(order)) return;
  const book = bookOf(venue, order.symbol);
  const twinHolds = isStop(order) && siblingsOf(order).some((sibling) => !isOver(sibling));
  if (!twinHolds && exceedsPosition(venue, book, order)) {
    endOrder(venue, order, 'rejected');
    endFamily(venue, order, 'canceled');
    return;
  }
  if (order.status === 'pending_cancel') order.statusBefore = 'new';
  else if (!twinHolds) {
    setStatus(venue, order, 'new');
    report(venue, 'new', order);
  }
  enterBook(venue, book, order);
  runScript(venue, order);
}

/**
 * An order that closes must not open: what held the shares may have filled while it was on its way, and a leg that slept
 * may wake to find others at its shares. Whoever is at the venue already comes first.
 */
function exceedsPosition(venue: Venue, book: Book, order: OrderRecord): boolean {
  if (venue.options.oversell === 'allow' || !order.positionIntent.endsWith('_to_close')) return false;
  const held = sharesOf(venue.account, order.symbol);
  let free = order.side === 'sell' ? held : -held;
  const family = siblingsOf(order);
  for (const other of book.open) {
    if (other === order || other.side !== order.side || sharesAreHeldBySibling(other)) continue;
    const onItsWay = other.status === 'pending_new' || other.status === 'accepted';
    if (family.includes(other) || (onItsWay && other.sequence > order.sequence)) continue;
    free -= leavesOf(other);
  }
  return leavesOf(order) > free;
}

function enterBook(venue: Venue, book: Book, order: OrderRecord): void {
  if (order.timeInForce === 'opg') park(book, book.opening, order);
  else if (order.timeInForce === 'cls') park(book, book.closing, order);
  else if (isStop(order)) {
    trail(order, markOf(book));
    park(book, book.stops, order);
  } else goLive(venue, book, order);
}

/** The order starts to trade: takes what is displayed, then waits in its queue. */
export function goLive(venue: Venue, book: Book, order: OrderRecord): void {
  order.bookPrice = workingPrice(order);
  // A market order takes until it is done, with or without a quote to take from.
  order.taker = crosses(book, order) || order.limitPrice === null;
  const trades = mayTrade(venue, order) && book.halted === 'no';
  if (order.timeInForce === 'fok' && !(trades && isFillable(venue, book, order))) {
    endOrder(venue, order, 'canceled');
    return;
  }
  enqueue(book, order);
  if (!order.taker) settleIntoQueue(venue, book, order);
  if (trades && venue.options.fillModel === 'tape' && crosses(book, order)) takeDisplayed(venue, book, order);
  const atOnce = order.timeInForce === 'ioc' || order.timeInForce === 'fok';
  if (!atOnce || isOver(order)) return;
  if (venue.options.fillModel === 'print' && trades && isFillable(venue, book, order))
    fillOrder(venue, order, leavesOf(order), (order.limitPrice ?? book.last) as Price);
  else endOrder(venue, order, 'canceled');
}

/** Whether the whole order could trade this instant. */
function isFillable(venue: Venue, book: Book, order: OrderRecord): boolean {
  if (venue.options.fillModel === 'print')
    return (
      book.last > 0 && (order.side === 'buy' ? order.bookPrice >= book.last : order.bookPrice <= book.last)
    );
  return crosses(book, order) && (order.side === 'buy' ? book.askSize : book.bidSize) >= leavesOf(order);
}

/** A cancel reaches the venue. */
export function arriveCancel(venue: Venue, order: OrderRecord): void {
  if (isOver(order)) return;
  if (order.script?.kind === 'cancelRace') {
    const price = (order.limitPrice ?? markOf(bookOf(venue, order.symbol))) as Price;
    if (price > 0) fillOrder(venue, order, leavesOf(order), price);
    return;
  }
  if (order.script?.kind === 'cancelRefused') {
    order.script = null;
    setStatus(venue, order, order.statusBefore);
    report(venue, 'order_cancel_rejected', order);
    return;
  }
  endOrder(venue, order, 'canceled');
  endFamily(venue, order, 'canceled');
}

/** A replace reaches the venue: the successor takes over, unless the old order ended or outgrew it on the way. */
export function arriveReplace(venue: Venue, order: OrderRecord, successor: OrderRecord): void {
  order.successor = null;
  if (isOver(successor)) return;
  const outgrown = successor.qty !== null && successor.qty <= order.filledQty;
  if (isOver(order) || outgrown) {
    endOrder(venue, successor, 'rejected');
    if (isOver(order)) return;
    if (order.status === 'pending_replace') setStatus(venue, order, order.statusBefore);
    report(venue, 'order_replace_rejected', order);
    return;
  }
  setStatus(venue, order, 'replaced');
  order.replacedAt = venue.now;
  order.replacedBy = successor.id;
  closeOrder(venue, order);
  report(venue, 'replaced', order);
  inherit(venue, order, successor);
  setStatus(venue, successor, 'new');
  report(venue, 'new', successor);
  enterBook(venue, bookOf(venue, successor.symbol), successor);
}

/** The successor carries on with the fills and the family of the order it replaces. */
function inherit(venue: Venue, order: OrderRecord, successor: OrderRecord): void {
  successor.filledQty = order.filledQty;
  successor.filledNotional = order.filledNotional;
  successor.filledAt = order.filledAt;
  successor.script = order.script;
  successor.legs = order.legs;
  for (const leg of successor.legs) {
    leg.parent = successor;
    if (successor.orderClass !== 'oco' && leg.qty !== null) leg.qty = successor.qty;
  }
  if (order.parent !== null) {
    successor.parent = order.parent;
    order.parent.legs = order.parent.legs.map((leg) => (leg === order ? successor : leg));
  }
  bookOf(venue, successor.symbol).open.add(successor);
  venue.open.add(successor);
}

/** The closing auction: everything for the close trades at the last price, or ends. */
export function runClosingAuction(venue: Venue, book: Book): void {
  for (const order of [...book.closing]) auction(venue, book, order, book.last);
}

/** The opening auction happens with the first print of the session. */
export function runOpeningAuction(venue: Venue, book: Book, price: number): void {
  for (const order of [...book.opening]) auction(venue, book, order, price);
}

function auction(venue: Venue, book: Book, order: OrderRecord, price: number): void {
  const limit = workingPrice(order);
  const fits = price > 0 && (order.side === 'buy' ? limit >= price : limit <= price);
  if (fits && book.halted === 'no' && mayTrade(venue, order))
    fillOrder(venue, order, leavesOf(order), price as Price);
  else endOrder(venue, order, 'expired');
}

/** The end of a window: whatever lives no longer than this ends. */
export function expireOrders(venue: Venue): void {
  for (const order of [...venue.open]) {
    if (order.expiresAt > venue.now || isOver(order)) continue;
    const how = order.status === 'pending_cancel' ? 'canceled' : (venue.options.dayOrderEnd ?? 'expired');
    if (order.successor !== null) endOrder(venue, order.successor, 'rejected');
    endOrder(venue, order, how);
  }
}

/** A gtc order that was done for a day is back on the next. */
export function reviveOrders(venue: Venue): void {
  for (const order of venue.open) {
    if (order.status !== 'done_for_day') continue;
    setStatus(venue, order, 'new');
    report(venue, 'new', order);
    enterBook(venue, bookOf(venue, order.symbol), order);
  }
}

/** Schedules an order's arrival; past the last known session it never comes. */
export function scheduleArrival(venue: Venue, order: OrderRecord, startAt: Micros): void {
  if (startAt === Number.POSITIVE_INFINITY) return;
  const at = Math.max(startAt, venue.now + venue.options.latencyIn) as Micros;
  venue.queue.schedule(at, () => arrive(venue, order));
}

/** Wakes a leg whose parent has filled. */
export function activateLeg(venue: Venue, leg: OrderRecord): void {
  later(venue, 0, () => arrive(venue, leg));
}

/** Ends an order the way the venue itself does. */
export function endByVenue(
  venue: Venue,
  order: OrderRecord,
  how: 'expired' | 'done_for_day' | 'canceled' | 'rejected' | 'suspended',
): void {
  if (isOver(order)) return;
  if (how === 'suspended' || how === 'done_for_day') {
    setStatus(venue, order, how);
    if (how === 'done_for_day') withdraw(bookOf(venue, order.symbol), order);
    if (isOver(order)) closeOrder(venue, order);
    report(venue, how, order);
    return;
  }
  endOrder(venue, order, how);
  endFamily(venue, order, how === 'rejected' ? 'canceled' : how);
}

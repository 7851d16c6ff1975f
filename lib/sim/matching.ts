import type { Price } from '../domain/money.ts';
import { sharesOf } from './account.ts';
import { floorShares, isWhole } from './amounts.ts';
import type { Book } from './book.ts';
import { settleSiblings } from './legs.ts';
import { leavesOf, type OrderRecord } from './order-record.ts';
import { execute, type Venue } from './venue.ts';

/*
 * The fill model `tape`: our orders against recorded prints and quotes. What we do never moves the tape.
 *
 * 1. An order fills at its limit or better.
 * 2. Marketable orders pay the opposite quote, at most the size displayed there; the rest waits for the next quote or
 *    print. Market orders always complete: each takes at least one share of whatever comes next.
 * 3. Resting limits fill when a print goes through their price, or at it once the shares ahead have traded.
 * 4. A print or a displayed size is never used twice by our orders.
 */

/** The share of a print at our price that we can expect to get: others are in the queue and at other venues. */
const PARTICIPATION = 0.5;

/** Fills, and lets what depends on it follow: twin exits shrink, legs wake. */
export function fillOrder(venue: Venue, order: OrderRecord, qty: number, price: Price): void {
  const { done } = execute(venue, order, qty, price);
  settleSiblings(venue, order);
  if (done && order.orderClass !== 'oco') for (const leg of order.legs) venue.activate(leg);
}

/** Whether an order in the book may trade now, as far as scripts, sessions and its own state say. */
export function mayTrade(venue: Venue, order: OrderRecord): boolean {
  if (order.script !== null && order.script.kind !== 'cancelRefused') return false;
  if (order.status === 'suspended' || order.status === 'done_for_day') return false;
  return venue.phase === 'regular' || (venue.phase === 'extended' && order.extendedHours);
}

/** How many shares of those available go to this order; notional and fractional orders fill in one piece. */
function portion(venue: Venue, order: OrderRecord, available: number, price: number): number {
  if (order.notional !== null) return notionalShares(venue, order, order.notional, price);
  const leaves = leavesOf(order);
  if (!isWhole(leaves)) return leaves;
  const qty = Math.min(leaves, Math.max(1, Math.floor(available)));
  const { partialFillShare } = venue.options;
  if (qty > 1 && partialFillShare > 0 && venue.chance.fills.chance(partialFillShare))
    return venue.chance.fills.integer(1, qty - 1);
  return qty;
}

function notionalShares(venue: Venue, order: OrderRecord, notional: number, price: number): number {
  const shares = Math.max(1e-9, floorShares(notional / price));
  const closes = order.positionIntent.endsWith('_to_close');
  return closes ? Math.min(shares, Math.abs(sharesOf(venue.account, order.symbol))) : shares;
}

/** A print that somebody in the book could have met. */
export function matchPrint(venue: Venue, book: Book, price: number, size: number): void {
  if (book.halted !== 'no' || venue.phase === 'closed') return;
  matchSide(venue, book, book.buys, price, size);
  matchSide(venue, book, book.sells, price, size);
}

function matchSide(venue: Venue, book: Book, side: OrderRecord[], price: number, size: number): void {
  let free = size;
  for (let index = 0; free > 0; ) {
    const order = side[index];
    if (order === undefined) return;
    if (order.side === 'buy' ? order.bookPrice < price : order.bookPrice > price) return;
    if (mayTrade(venue, order))
      free -=
        venue.options.fillModel === 'print'
          ? meetPrintInFull(venue, order, price)
          : meetPrint(venue, book, order, price, free);
    if (side[index] === order) index++;
  }
}

/** Parity scenarios: the next print at or through the limit fills the order whole, at its limit; a market order at the print. */
function meetPrintInFull(venue: Venue, order: OrderRecord, price: number): number {
  const at = (isLimited(order) ? order.bookPrice : price) as Price;
  const { notional } = order;
  fillOrder(
    venue,
    order,
    notional === null ? leavesOf(order) : notionalShares(venue, order, notional, at),
    at,
  );
  return 0;
}

/** Returns the shares of the print that are used up, by those ahead and by us. */
function meetPrint(venue: Venue, book: Book, order: OrderRecord, price: number, free: number): number {
  const buying = order.side === 'buy';
  if (order.taker) {
    const opposite = buying ? Math.max(price, book.ask) : book.bid > 0 ? Math.min(price, book.bid) : price;
    const at = (buying ? Math.min(opposite, order.bookPrice) : Math.max(opposite, order.bookPrice)) as Price;
    const qty = portion(venue, order, free * PARTICIPATION, at);
    fillOrder(venue, order, qty, at);
    return qty;
  }
  const limit = order.bookPrice as Price;
  if (buying ? price < limit : price > limit) {
    const qty = portion(venue, order, free, limit);
    fillOrder(venue, order, qty, limit);
    return qty;
  }
  const ahead = Math.min(order.queueAhead, free);
  order.queueAhead -= ahead;
  const rest = free - ahead;
  if (rest <= 0) return free;
  const qty = portion(venue, order, rest * PARTICIPATION, limit);
  fillOrder(venue, order, qty, limit);
  return ahead + qty;
}

/** A new best bid and offer: what crosses it fills, what rests at it learns how many are ahead at the most. */
export function matchQuote(venue: Venue, book: Book): void {
  if (book.halted !== 'no' || venue.phase === 'closed' || venue.options.fillModel === 'print') return;
  meetQuote(venue, book, book.buys);
  meetQuote(venue, book, book.sells);
}

function meetQuote(venue: Venue, book: Book, side: OrderRecord[]): void {
  for (let index = 0; ; ) {
    const order = side[index];
    if (order === undefined) return;
    const buying = order.side === 'buy';
    const same = buying ? book.bid : book.ask;
    if (same > 0 && (buying ? order.bookPrice < same : order.bookPrice > same)) return;
    if (mayTrade(venue, order)) {
      if (crosses(book, order)) takeDisplayed(venue, book, order);
      else if (order.taker) settleIntoQueue(venue, book, order);
      else if (order.bookPrice === same)
        order.queueAhead = Math.min(order.queueAhead, buying ? book.bidSize : book.askSize);
    }
    if (side[index] === order) index++;
  }
}

/** Whether the opposite quote is at the order's price or better. */
export function crosses(book: Book, order: OrderRecord): boolean {
  return order.side === 'buy'
    ? book.ask > 0 && order.bookPrice >= book.ask
    : book.bid > 0 && order.bookPrice <= book.bid;
}

/** Takes what the opposite quote displays. A limit that rested before the market came to it trades at its own price. */
export function takeDisplayed(venue: Venue, book: Book, order: OrderRecord): void {
  const buying = order.side === 'buy';
  const displayed = buying ? book.askSize : book.bidSize;
  if (displayed < 1) return;
  const at = (order.taker ? (buying ? book.ask : book.bid) : order.bookPrice) as Price;
  const qty = portion(venue, order, displayed, at);
  if (buying) book.askSize -= qty;
  else book.bidSize -= qty;
  fillOrder(venue, order, qty, at);
}

/** Where a limit stands in its price's queue when it starts to rest. */
export function settleIntoQueue(venue: Venue, book: Book, order: OrderRecord): void {
  if (!isLimited(order)) return;
  order.taker = false;
  const buying = order.side === 'buy';
  const best = buying ? book.bid : book.ask;
  const improves = best > 0 && (buying ? order.bookPrice > best : order.bookPrice < best);
  if (improves) order.queueAhead = 0;
  else if (order.bookPrice === best && book.quoted) order.queueAhead = buying ? book.bidSize : book.askSize;
  else order.queueAhead = venue.options.queueAhead;
}

/** Whether the book price is a limit; a market order has none. */
const isLimited = (order: OrderRecord): boolean =>
  order.bookPrice > 0 && order.bookPrice !== Number.POSITIVE_INFINITY;

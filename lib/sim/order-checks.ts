import type { Side } from '../domain/execution.ts';
import { buyingPowerOf, sharesOf, valueAccount } from './account.ts';
import { isWhole, roundShares } from './amounts.ts';
import { type Book, markOf } from './book.ts';
import type { PositionIntent } from './exchange-api.ts';
import { sharesAreHeldBySibling } from './legs.ts';
import type { OrderForm } from './order-form-type.ts';
import { leavesOf, type OrderRecord } from './order-record.ts';
import { buyingPowerDetails, insufficientQty, stopDetails, washTradeDetails } from './refusal-details.ts';
import { forbidden, type Refused, unprocessable } from './refusals.ts';
import type { Venue } from './venue.ts';

/** Judges a well-formed order against account, position and open orders, in the broker's order of checks. */
export function checkOrder(
  venue: Venue,
  book: Book,
  form: OrderForm,
  heldIsReleased: boolean,
): PositionIntent | Refused {
  const position = sharesOf(venue.account, book.symbol);
  const intent = intentOf(form.side, position);
  return (
    intentMistake(form, intent) ??
    stopMistake(book, form) ??
    openingMistake(venue, book, form, intent) ??
    (venue.options.washTrades === 'allow' ? null : washTrade(book, form, heldIsReleased)) ??
    (intent.endsWith('_to_close')
      ? heldMistake(venue, book, form, position, heldIsReleased)
      : buyingPowerMistake(venue, book, form)) ??
    intent
  );
}

export function intentOf(side: Side, position: number): PositionIntent {
  if (side === 'buy') return position < 0 ? 'buy_to_close' : 'buy_to_open';
  return position > 0 ? 'sell_to_close' : 'sell_to_open';
}

function intentMistake(form: OrderForm, inferred: PositionIntent): Refused | null {
  const specified = form.positionIntent;
  if (specified !== null && specified !== inferred)
    return unprocessable(`position intent mismatch, inferred: ${inferred}, specified: ${specified}`);
  const closes = inferred.endsWith('_to_close');
  if (form.orderClass === 'oco' && !closes) return unprocessable('oco orders must be exit orders');
  if (form.orderClass === 'bracket' && closes) return unprocessable('bracket orders must be entry orders');
  return null;
}

/** A stop that the market has already passed would be a market order. */
function stopMistake(book: Book, form: OrderForm): Refused | null {
  const market = markOf(book);
  if (form.stopPrice === null || market <= 0) return null;
  const wrong = form.side === 'buy' ? form.stopPrice <= market : form.stopPrice >= market;
  if (!wrong) return null;
  return unprocessable(
    `stop price must be ${form.side === 'buy' ? 'greater' : 'less'} than current price`,
    stopDetails(market, form.stopPrice),
  );
}

function openingMistake(venue: Venue, book: Book, form: OrderForm, intent: PositionIntent): Refused | null {
  const rests = (other: PositionIntent): boolean => {
    for (const order of book.open) if (order.positionIntent === other && order.parent === null) return true;
    return false;
  };
  if (intent === 'buy_to_open' && rests('sell_to_open'))
    return forbidden('cannot open a long buy while a short sell order is open');
  if (intent !== 'sell_to_open') return null;
  if (rests('buy_to_open')) return forbidden('cannot open a short sell while a long buy order is open');
  if (form.notional !== null || (form.qty !== null && !isWhole(form.qty)))
    return unprocessable('fractional orders cannot be sold short');
  if (!form.asset.shortable) return unprocessable(`asset "${form.asset.symbol}" cannot be sold short`);
  if (!mayShort(venue)) return forbidden('account is not allowed to short');
  return null;
}

/** Short selling needs a margin account that is allowed to. */
function mayShort(venue: Venue): boolean {
  const { account } = venue.options;
  return account.shorting && account.multiplier > 1 && !venue.configurations.noShorting;
}

/** Complex orders and trailing stops are exempt from the wash-trade rule, on either side. */
const isExempt = (order: { readonly orderClass: string; readonly type: string }): boolean =>
  order.orderClass !== '' || order.type === 'trailing_stop';

function washTrade(book: Book, form: OrderForm, canceledFirst: boolean): Refused | null {
  if (isExempt(form)) return null;
  for (const order of book.open) {
    if (order.side === form.side || order.parent !== null || isExempt(order)) continue;
    if (canceledFirst && order.status === 'pending_cancel') continue;
    const existing = order.type === 'limit' ? order.limitPrice : null;
    if (existing !== null && form.type === 'limit' && form.limitPrice !== null) {
      const cross = form.side === 'buy' ? form.limitPrice >= existing : form.limitPrice <= existing;
      if (!cross) continue;
    }
    return forbidden(
      'potential wash trade detected. use complex orders',
      washTradeDetails(order.id, existing === null ? 'market/stop' : 'limit'),
    );
  }
  return null;
}

export type Held = { readonly shares: number; readonly orders: readonly OrderRecord[] };

/** Shares that open orders of one side hold. While a replace is on its way the larger of the two orders counts. */
export function heldBy(book: Book, side: Side, except: OrderRecord | null = null): Held {
  let shares = 0;
  const orders: OrderRecord[] = [];
  for (const order of book.open) {
    if (order.side !== side || order === except || sharesAreHeldBySibling(order)) continue;
    if (order.positionIntent.endsWith('_to_open') && order.parent === null) continue;
    shares += heldShares(order);
    orders.push(order);
  }
  return { shares: roundShares(shares), orders };
}

function heldShares(order: OrderRecord): number {
  const next = order.successor?.qty ?? null;
  return Math.max(leavesOf(order), next === null ? 0 : next - order.filledQty);
}

function heldMistake(
  venue: Venue,
  book: Book,
  form: OrderForm,
  position: number,
  heldIsReleased: boolean,
): Refused | null {
  if (venue.options.oversell === 'allow') return null;
  const existing = Math.abs(position);
  const { shares, orders } = heldBy(book, form.side);
  const held = heldIsReleased
    ? orders.reduce((sum, order) => sum + (order.status === 'pending_cancel' ? 0 : heldShares(order)), 0)
    : shares;
  const available = Math.max(0, roundShares(existing - held));
  const requested = form.qty ?? (form.notional ?? 0) / Math.max(1, markOf(book));
  if (form.notional !== null && orders.length > 0)
    return forbidden('unable to open new notional orders while having open closing position orders');
  if (requested <= available) return null;
  const ids = orders.map(({ id }) => id);
  return insufficientQty({ symbol: book.symbol, requested, existing, held, available, orders: ids });
}

function buyingPowerMistake(venue: Venue, book: Book, form: OrderForm): Refused | null {
  const cost = openingCost(book, form.side, form, form.qty ?? 0);
  return costMistake(venue, cost, 0);
}

/** Refuses a cost beyond the buying power; `credit` is what an order about to be replaced reserves itself. */
export function costMistake(venue: Venue, cost: number, credit: number): Refused | null {
  const power = buyingPower(venue) + credit;
  if (cost <= power) return null;
  return forbidden('insufficient buying power', buyingPowerDetails(power, cost));
}

type Priced = Pick<OrderForm, 'notional' | 'limitPrice' | 'stopPrice'>;

/** What an opening order counts against buying power: its limit, else the far side of the quote; shorts at least 3 % above the ask. */
export function openingCost(book: Book, side: Side, order: Priced, shares: number): number {
  if (order.notional !== null) return order.notional;
  const ask = book.ask > 0 ? book.ask : markOf(book);
  if (side === 'buy') return shares * (order.limitPrice ?? order.stopPrice ?? ask);
  return shares * Math.max(order.limitPrice ?? 0, ask * 1.03);
}

/** What one open order reserves of the buying power. */
export function reservedBy(venue: Venue, order: OrderRecord): number {
  if (order.parent !== null || !order.positionIntent.endsWith('_to_open')) return 0;
  const book = venue.books.get(order.symbol);
  if (book === undefined) return 0;
  const shares = order.qty === null ? 0 : heldShares(order);
  const now = openingCost(book, order.side, order, shares);
  return order.successor === null
    ? now
    : Math.max(now, openingCost(book, order.side, order.successor, shares));
}

export function buyingPower(venue: Venue): number {
  let reserved = 0;
  for (const order of venue.open) reserved += reservedBy(venue, order);
  const value = valueAccount(venue.account, (symbol) => markOf(venue.books.get(symbol)));
  const multiplier = Math.min(venue.options.account.multiplier, venue.configurations.maxMarginMultiplier);
  return buyingPowerOf(venue.account, value, multiplier as 1 | 2 | 4, reserved);
}

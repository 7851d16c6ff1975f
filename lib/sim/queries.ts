import type { Ticker } from '../domain/ids.ts';
import type { Cash, Price } from '../domain/money.ts';
import { type Holding, valueAccount } from './account.ts';
import { floorShares, formatShares, isWhole, parseShares, roundShares } from './amounts.ts';
import { markOf } from './book.ts';
import type {
  Answer,
  Ledger,
  OrderRequest,
  OrdersQuery,
  SimAccount,
  SimAsset,
  SimOrder,
  SimPosition,
} from './exchange-api.ts';
import { buyingPower, heldBy } from './order-checks.ts';
import { isOver, type OrderRecord, snapshot } from './order-record.ts';
import { badShape, ok, type Refused, unprocessable } from './refusals.ts';
import { bookOf, type Venue } from './venue.ts';

/** Orders by submission; `open` means not ended. Legs are listed by themselves unless nested under their parent. */
export function listOrders(venue: Venue, query: OrdersQuery): Answer<readonly SimOrder[]> {
  if (query.beforeOrderId !== null && query.afterOrderId !== null)
    return badShape('only one of before_order_id or after_order_id is accepted');
  const before = query.beforeOrderId === null ? null : venue.orders.get(query.beforeOrderId);
  const after = query.afterOrderId === null ? null : venue.orders.get(query.afterOrderId);
  if (before === undefined || after === undefined) return unprocessable('order not found');
  const wanted = (order: OrderRecord): boolean =>
    (query.status === 'all' || isOver(order) === (query.status === 'closed')) &&
    (query.after === null || order.submittedAt > query.after) &&
    (query.until === null || order.submittedAt < query.until) &&
    (before === null || order.sequence < before.sequence) &&
    (after === null || order.sequence > after.sequence) &&
    (query.symbols === null || query.symbols.includes(order.symbol)) &&
    (query.side === null || order.side === query.side) &&
    !(query.nested && order.parent !== null);
  // Open orders are few; the list of all orders of a day is long.
  const source = query.status === 'open' ? openOrders(venue) : venue.bySequence;
  const found: SimOrder[] = [];
  const count = source.length;
  for (let i = 0; i < count && found.length < query.limit; i++) {
    const order = source[query.direction === 'asc' ? i : count - 1 - i];
    if (order === undefined || !wanted(order)) continue;
    found.push(query.nested ? snapshot(order) : { ...snapshot(order), legs: null });
  }
  return ok(found);
}

/** Successors of a replace on its way hold nothing yet, but they are open for whoever asks. */
function openOrders(venue: Venue): readonly OrderRecord[] {
  const all: OrderRecord[] = [];
  for (const order of venue.open) {
    all.push(order);
    if (order.successor !== null) all.push(order.successor);
  }
  return all.sort((a, b) => a.sequence - b.sequence);
}

/** What the positions endpoints say: the books, or the books as they were `positionsLag` ago. */
export const shownHoldings = (venue: Venue): ReadonlyMap<Ticker, Holding> =>
  venue.options.positionsLag === undefined ? venue.account.holdings : venue.laggingHoldings;

export function positionOf(
  venue: Venue,
  asset: SimAsset,
  holdings: ReadonlyMap<Ticker, Holding>,
): SimPosition | null {
  const { symbol } = asset;
  const held = holdings.get(symbol);
  if (held === undefined) return null;
  const book = bookOf(venue, symbol);
  const reserved = heldBy(book, held.qty > 0 ? 'sell' : 'buy').shares;
  const free = Math.max(0, roundShares(Math.abs(held.qty) - reserved));
  return {
    symbol,
    assetId: asset.id,
    exchange: asset.exchange,
    qty: held.qty,
    available: held.qty > 0 ? free : -free,
    cost: held.cost,
    averagePrice: Math.round(held.cost / held.qty) as Price,
    currentPrice: markOf(book),
    lastDayPrice: (book.previousClose > 0 ? book.previousClose : markOf(book)) as Price,
  };
}

/** The market order that closes a position or a part of it. */
export function closingRequest(
  position: SimPosition,
  part: { readonly qty: string } | { readonly percentage: string } | null,
): OrderRequest | Refused {
  const size = Math.abs(position.qty);
  let shares: number | null = size;
  if (part !== null && 'qty' in part) {
    shares = parseShares(part.qty);
    if (shares === null || shares <= 0) return badShape('qty must be > 0');
  } else if (part !== null) {
    const share = parseShares(part.percentage);
    if (share === null || share <= 0 || share > 100) return badShape('percentage must be between 0 and 100');
    const exact = floorShares((size * share) / 100);
    shares = isWhole(size) && exact >= 1 && isWhole(roundShares(exact)) ? roundShares(exact) : exact;
  }
  return {
    symbol: position.symbol,
    qty: formatShares(shares),
    notional: null,
    side: position.qty > 0 ? 'sell' : 'buy',
    type: 'market',
    timeInForce: 'day',
    limitPrice: null,
    stopPrice: null,
    trailPrice: null,
    trailPercent: null,
    extendedHours: false,
    clientOrderId: null,
    orderClass: null,
    takeProfit: null,
    stopLoss: null,
    positionIntent: null,
  };
}

export function accountView(venue: Venue, id: string, number: string): SimAccount {
  const value = valueAccount(venue.account, (symbol) => markOf(venue.books.get(symbol)));
  return {
    id,
    number,
    cash: venue.account.cash as Cash,
    equity: value.equity as Cash,
    lastEquity: venue.account.lastEquity as Cash,
    longMarketValue: value.long as Cash,
    shortMarketValue: value.short as Cash,
    buyingPower: buyingPower(venue) as Cash,
    initialMargin: value.initialMargin as Cash,
    maintenanceMargin: value.maintenanceMargin as Cash,
    multiplier: Math.min(venue.options.account.multiplier, venue.configurations.maxMarginMultiplier) as
      | 1
      | 2
      | 4,
    accruedFees: venue.account.feesToday as Cash,
    createdAt: venue.options.startAt,
  };
}

export function ledgerOf(venue: Venue): Ledger {
  return {
    orders: venue.bySequence.map(snapshot),
    fills: [...venue.fills],
    positions: new Map([...venue.account.holdings].map(([symbol, held]) => [symbol, held.qty])),
    cash: venue.account.cash as Cash,
    feesPaid: venue.account.feesPaid as Cash,
  };
}

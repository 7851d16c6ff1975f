import type { BrokerOrderId, ExecutionId, Ticker } from '../domain/ids.ts';
import { invariant } from '../domain/invariant.ts';
import type { Price } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import { type Account, bookFill, type Holding, openAccount } from './account.ts';
import { roundShares } from './amounts.ts';
import { type Book, createBook, withdraw } from './book.ts';
import type { EventQueue } from './event-queue.ts';
import { createEventQueue } from './event-queue.ts';
import type {
  ExchangeOptions,
  SimConfigurations,
  SimFill,
  SimOrderStatus,
  Tape,
  TradeUpdate,
  TradeUpdateEvent,
} from './exchange-api.ts';
import { feesOf } from './fees.ts';
import { isOver, leavesOf, type OrderRecord, snapshot } from './order-record.ts';
import { createRandom, type Random } from './random.ts';
import type { Phase } from './session-clock.ts';

/** Everything the exchange's parts share. Each part is functions over it; none keeps state of its own. */
export type Venue = {
  readonly options: ExchangeOptions;
  readonly tape: Tape;
  readonly books: Map<Ticker, Book>;
  readonly account: Account;
  /** Positions as the endpoints show them where they trail the books. */
  readonly laggingHoldings: Map<Ticker, Holding>;
  readonly queue: EventQueue;
  readonly orders: Map<BrokerOrderId, OrderRecord>;
  readonly byClientId: Map<string, OrderRecord>;
  /** Every order of every symbol that has not ended. */
  readonly open: Set<OrderRecord>;
  readonly bySequence: OrderRecord[];
  readonly fills: SimFill[];
  /** How often each fill rule may still strike, by its index. */
  readonly rulesLeft: number[];
  readonly chance: { readonly ids: Random; readonly fills: Random };
  readonly tradeListeners: ((update: TradeUpdate) => void)[];
  configurations: SimConfigurations;
  now: Micros;
  phase: Phase;
  /** Sends an order on to the book; the router sets it, so that a fill can wake the legs that waited for it. */
  activate: (order: OrderRecord) => void;
};

/** Enough for "latest" and a short look back; more of them outlive the young heap and cost a third of the speed. */
const HISTORY_PER_SYMBOL = 250;

export function createVenue(options: ExchangeOptions, tape: Tape): Venue {
  const random = createRandom(options.seed);
  const bound = options.historyPerSymbol ?? HISTORY_PER_SYMBOL;
  return {
    options,
    tape,
    books: new Map(
      tape.symbols.map((symbol) => [symbol, createBook(symbol, tape.previousClose(symbol), bound)]),
    ),
    account: openAccount(options),
    laggingHoldings: new Map(),
    queue: createEventQueue(),
    orders: new Map(),
    byClientId: new Map(),
    open: new Set(),
    bySequence: [],
    fills: [],
    rulesLeft: options.fillRules.map((rule) => rule.times ?? Number.POSITIVE_INFINITY),
    chance: { ids: random.fork('ids'), fills: random.fork('fills') },
    tradeListeners: [],
    configurations: {
      suspendTrade: false,
      noShorting: false,
      fractionalTrading: true,
      maxMarginMultiplier: options.account.multiplier,
      tradeConfirmEmail: 'none',
      disableOvernightTrading: false,
      ptpNoExceptionEntry: false,
      maxOptionsTradingLevel: 0,
    },
    now: options.startAt,
    phase: 'closed',
    activate: () => undefined,
  };
}

export function bookOf(venue: Venue, symbol: Ticker): Book {
  const book = venue.books.get(symbol);
  invariant(book !== undefined, 'an order has a book', symbol);
  return book;
}

export function later(venue: Venue, delay: number, run: () => void): void {
  venue.queue.schedule((venue.now + delay) as Micros, run);
}

/** Tells the client's stream what happened just now; it hears of it after the latency out. */
export function report(
  venue: Venue,
  event: TradeUpdateEvent,
  order: OrderRecord,
  executionId: ExecutionId | null = null,
  execution: TradeUpdate['execution'] = null,
): void {
  const update: TradeUpdate = { event, at: venue.now, executionId, execution, order: snapshot(order) };
  later(venue, venue.options.latencyOut, () => {
    for (const listener of [...venue.tradeListeners]) listener(update);
  });
}

const nextExecutionId = (venue: Venue): ExecutionId => venue.chance.ids.uuid() as ExecutionId;

export function setStatus(venue: Venue, order: OrderRecord, status: SimOrderStatus): void {
  order.status = status;
  order.updatedAt = venue.now;
}

/** Takes an order out of the book and out of the open orders. */
export function closeOrder(venue: Venue, order: OrderRecord): void {
  const book = bookOf(venue, order.symbol);
  withdraw(book, order);
  book.open.delete(order);
  venue.open.delete(order);
}

/** Ends an order without a fill, says so, and returns whether it was still open. */
export function endOrder(
  venue: Venue,
  order: OrderRecord,
  how: 'canceled' | 'expired' | 'rejected',
): boolean {
  if (isOver(order)) return false;
  setStatus(venue, order, how);
  if (how === 'canceled') order.canceledAt = venue.now;
  else if (how === 'expired') order.expiredAt = venue.now;
  else order.failedAt = venue.now;
  closeOrder(venue, order);
  report(venue, how, order, nextExecutionId(venue));
  return true;
}

/** Lets the positions endpoints see a holding as it is now, once their lag has passed. */
export function showHolding(venue: Venue, symbol: Ticker): void {
  const lag = venue.options.positionsLag;
  if (lag === undefined) return;
  const held = venue.account.holdings.get(symbol);
  const seen = held === undefined ? null : { ...held };
  later(venue, lag, () => {
    if (seen === null) venue.laggingHoldings.delete(symbol);
    else venue.laggingHoldings.set(symbol, seen);
  });
}

/** One execution: order, account, ledger and report move together. `done` when it completed the order. */
export function execute(
  venue: Venue,
  order: OrderRecord,
  qty: number,
  price: Price,
): { readonly done: boolean } {
  invariant(!isOver(order), 'an order that has ended never fills', order.id);
  const { notional } = order;
  invariant(
    qty > 0 && (notional !== null || qty <= leavesOf(order)),
    'fills never exceed the order quantity',
    { qty, leaves: leavesOf(order) },
  );
  const fees = feesOf(venue.options.fees, order.side, qty, qty * price);
  order.filledQty = roundShares(order.filledQty + qty);
  order.filledNotional += qty * price;
  order.filledAt = venue.now;
  order.updatedAt = venue.now;
  const done = notional !== null || leavesOf(order) === 0;
  const requested = order.status === 'pending_cancel' || order.status === 'pending_replace';
  if (done) order.status = 'filled';
  else if (requested) order.statusBefore = 'partially_filled';
  else order.status = 'partially_filled';
  const positionQty = bookFill(venue.account, order.symbol, order.side, qty, price, fees);
  showHolding(venue, order.symbol);
  const executionId = nextExecutionId(venue);
  const type = done ? 'fill' : 'partial_fill';
  venue.fills.push({
    executionId,
    orderId: order.id,
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    side: order.side,
    type,
    qty,
    price,
    cumQty: order.filledQty,
    leavesQty: notional === null ? leavesOf(order) : 0,
    fees,
    at: venue.now,
  });
  if (done) closeOrder(venue, order);
  report(venue, type, order, executionId, { qty, price, positionQty });
  return { done };
}

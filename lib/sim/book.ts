import type { Ticker } from '../domain/ids.ts';
import type { Bar, Print, Quote } from '../domain/market.ts';
import type { Price } from '../domain/money.ts';
import { type BarBuilder, createBarBuilder } from './bars.ts';
import { createHistory, type History } from './history.ts';
import type { OrderRecord } from './order-record.ts';

/** One symbol: its market as the tape tells it, our orders in it, and what was played so far. */
export type Book = {
  readonly symbol: Ticker;
  /** 0 means that side has no quote. Sizes shrink by what our orders took until the next quote. */
  bid: number;
  bidSize: number;
  ask: number;
  askSize: number;
  quoteAt: number;
  /** Whether the tape itself quotes this symbol; if not, quotes are derived from prints. */
  quoted: boolean;
  /** The last print that sets the price; 0 before the first. */
  last: number;
  previousClose: number;
  /** By the tape: what it prints still goes out, our orders wait. By an operator: the symbol neither trades nor quotes. */
  halted: 'no' | 'byTape' | 'byOperator';

  /** Best price first, then the order of arrival. */
  readonly buys: OrderRecord[];
  readonly sells: OrderRecord[];
  /** Stops and trailing stops that were not triggered yet. */
  readonly stops: OrderRecord[];
  /** Waiting for the opening print, and for the close. */
  readonly opening: OrderRecord[];
  readonly closing: OrderRecord[];
  /** Every order that has not ended, whether in the book or not. */
  readonly open: Set<OrderRecord>;
  /** Orders in the five lists together; while 0, market events need no matching. */
  working: number;

  minute: BarBuilder;
  /** Minutes that ended and were not delivered yet, oldest first. */
  readonly ended: BarBuilder[];
  /** Recorded bars that wait for their delivery. */
  readonly recorded: Bar[];
  /** Whether the tape brought bars for this symbol today: then none are built. */
  hasRecordedBars: boolean;
  /** The minute this book was last put on the delivery list for. */
  tickMinute: number;
  haltedInMinute: number;
  readonly day: BarBuilder;
  previousDay: Bar | null;

  readonly bars: History<Bar>;
  readonly prints: History<Print>;
  readonly quotes: History<Quote>;
  latestPrint: Print | null;
};

/** Minute bars of 40 full days, pre- and after-market included. */
const BARS_KEPT = 40_000;

export function createBook(symbol: Ticker, previousClose: Price | null, historyBound: number): Book {
  return {
    symbol,
    bid: 0,
    bidSize: 0,
    ask: 0,
    askSize: 0,
    quoteAt: Number.NEGATIVE_INFINITY,
    quoted: false,
    last: 0,
    previousClose: previousClose ?? 0,
    halted: 'no',
    buys: [],
    sells: [],
    stops: [],
    opening: [],
    closing: [],
    open: new Set(),
    working: 0,
    minute: createBarBuilder(),
    ended: [],
    recorded: [],
    hasRecordedBars: false,
    tickMinute: Number.NEGATIVE_INFINITY,
    haltedInMinute: Number.NEGATIVE_INFINITY,
    day: createBarBuilder(),
    previousDay: null,
    bars: createHistory<Bar>(BARS_KEPT, (bar) => bar.startAt),
    prints: createHistory<Print>(historyBound, (print) => print.at),
    quotes: createHistory<Quote>(historyBound, (quote) => quote.at),
    latestPrint: null,
  };
}

/** What shares are valued at: the last print, else the close of the day before. */
export const markOf = (book: Book | undefined): Price =>
  (book === undefined ? 0 : book.last > 0 ? book.last : book.previousClose) as Price;

/** Puts an order in its price's queue behind those already there. */
export function enqueue(book: Book, order: OrderRecord): void {
  const side = order.side === 'buy' ? book.buys : book.sells;
  const isAhead = (other: OrderRecord): boolean =>
    order.side === 'buy' ? other.bookPrice >= order.bookPrice : other.bookPrice <= order.bookPrice;
  let index = side.length;
  for (let other = side[index - 1]; other !== undefined && !isAhead(other); other = side[index - 1]) index--;
  side.splice(index, 0, order);
  book.working++;
}

export function park(book: Book, list: OrderRecord[], order: OrderRecord): void {
  list.push(order);
  book.working++;
}

/** Takes an order out of whichever list holds it. */
export function withdraw(book: Book, order: OrderRecord): void {
  const lists = [order.side === 'buy' ? book.buys : book.sells, book.stops, book.opening, book.closing];
  for (const list of lists) {
    const index = list.indexOf(order);
    if (index >= 0) {
      list.splice(index, 1);
      book.working--;
    }
  }
}

/** At the begin of a trading day yesterday's quotes mean nothing any more. */
export function clearQuotes(book: Book): void {
  book.bid = 0;
  book.ask = 0;
  book.bidSize = 0;
  book.askSize = 0;
  book.quoted = false;
  book.quoteAt = Number.NEGATIVE_INFINITY;
}

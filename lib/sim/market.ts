import type { Ticker } from '../domain/ids.ts';
import type { HaltState, TradingStatus } from '../domain/market.ts';
import { type Price, tickAt } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import type { Micros } from '../domain/time.ts';
import { addToBar, createBarBuilder, finishBar, restartBar } from './bars.ts';
import { type Book, clearQuotes } from './book.ts';
import { BOOK, PRICE, printCounts } from './conditions.ts';
import type { MarketEvent, TapeItem } from './exchange-api.ts';
import { matchPrint, matchQuote } from './matching.ts';
import { goLive, runOpeningAuction } from './router.ts';
import { midnightOf } from './session-clock.ts';
import { triggerStops } from './stops.ts';
import { symbolOf } from './tape.ts';
import type { Venue } from './venue.ts';

/*
 * Plays the tape: keeps each symbol's last price, quote, bars and history, lets our orders meet it, and tells the
 * listeners. A bar goes out at the end of its minute plus `barDelay`, a recorded one in place of the built one.
 */

const MINUTE = 60_000_000;
/** A quote older than this is moved by prints outside it: one-a-minute and one-a-second recordings trail the market. */
const QUOTE_STALE = 500_000;
/** Shares shown on each side where no quote says so. */
const DERIVED_SIZE = 300;

export type Market = {
  readonly listeners: ((event: MarketEvent) => void)[];
  play(item: TapeItem): void;
  /** An operator stops or resumes a symbol. */
  setHalt(symbol: Ticker, state: HaltState, code: string, reason: string): void;
  /** Forgets the day before. */
  beginDay(session: Session): void;
};

export function createMarket(venue: Venue): Market {
  const listeners: ((event: MarketEvent) => void)[] = [];
  const barDelay = venue.options.barDelay ?? 0;
  /** The running minute's books, delivered together when it ends. */
  let tick: { readonly startAt: number; readonly books: Book[] } = {
    startAt: Number.NEGATIVE_INFINITY,
    books: [],
  };

  const emit = (event: MarketEvent): void => {
    for (let i = 0; i < listeners.length; i++) listeners[i]?.(event);
  };

  const joinTick = (book: Book, startAt: number): void => {
    book.tickMinute = startAt;
    if (tick.startAt !== startAt) {
      const next = { startAt, books: [] };
      tick = next;
      const at = Math.max(startAt + MINUTE + barDelay, venue.now) as Micros;
      venue.queue.schedule(at, () => {
        for (const each of next.books) deliver(each, startAt);
      });
    }
    tick.books.push(book);
  };

  const deliver = (book: Book, startAt: number): void => {
    const recordedAt = book.recorded.findIndex((bar) => bar.startAt === startAt);
    const recorded = recordedAt < 0 ? null : (book.recorded.splice(recordedAt, 1)[0] ?? null);
    const built = takeEnded(book, startAt);
    const halted = book.haltedInMinute >= startAt;
    const bar =
      recorded !== null && !halted
        ? recorded
        : built !== null && (!book.hasRecordedBars || halted)
          ? finishBar(built, book.symbol)
          : null;
    if (bar === null || (book.bars.last()?.startAt ?? Number.NEGATIVE_INFINITY) >= startAt) return;
    book.bars.push(bar);
    if (listeners.length === 0) return;
    emit({ kind: 'bar', bar });
    const day = venue.phase === 'closed' ? null : finishBar(book.day, book.symbol);
    if (day !== null) emit({ kind: 'dailyBar', bar: day });
  };

  const setQuote = (book: Book, item: Extract<TapeItem, { kind: 'quote' }>): void => {
    const { quote } = item;
    book.bid = quote.bid;
    book.bidSize = quote.bidSize;
    book.ask = quote.ask;
    book.askSize = quote.askSize;
    book.quoteAt = item.at;
    book.quotes.push(quote);
    if (book.working > 0) matchQuote(venue, book);
    if (listeners.length > 0) emit(item);
  };

  const playPrint = (book: Book, item: Extract<TapeItem, { kind: 'print' }>): void => {
    const { print, at } = item;
    const counts = printCounts(print.conditions);
    if (at >= book.minute.startAt + MINUTE) beginMinute(book, at - (at % MINUTE));
    if (book.tickMinute !== book.minute.startAt) joinTick(book, book.minute.startAt);
    addToBar(book.minute, print.price, print.size, counts);
    addToBar(book.day, print.price, print.size, counts);
    book.prints.push(print);
    if ((counts & PRICE) !== 0) {
      if (!book.quoted) derive(book, print.price, at, setQuote);
      else if (at - book.quoteAt > QUOTE_STALE) follow(book, print.price);
      book.last = print.price;
      book.latestPrint = print;
    }
    if (book.working > 0 && counts !== 0) meetOrders(venue, book, print.price, print.size, counts);
    if (listeners.length > 0) emit(item);
  };

  const halt = (book: Book, status: TradingStatus, by: 'byTape' | 'byOperator'): void => {
    book.halted = status.state === 'halted' ? by : 'no';
    if (listeners.length > 0) emit({ kind: 'status', status });
  };

  return {
    listeners,
    play(item) {
      const book = venue.books.get(symbolOf(item));
      if (book === undefined) return;
      const silent = book.halted === 'byOperator';
      if (silent) book.haltedInMinute = item.at - (item.at % MINUTE);
      switch (item.kind) {
        case 'print':
          if (!silent) playPrint(book, item);
          return;
        case 'quote':
          book.quoted = true;
          if (!silent) setQuote(book, item);
          return;
        case 'bar':
          book.hasRecordedBars = true;
          if (silent && book.tickMinute !== item.bar.startAt) return;
          book.recorded.push(item.bar);
          if (book.tickMinute !== item.bar.startAt && !book.ended.some((b) => b.startAt === item.bar.startAt))
            venue.queue.schedule(Math.max(item.bar.startAt + MINUTE + barDelay, venue.now) as Micros, () =>
              deliver(book, item.bar.startAt),
            );
          return;
        case 'updatedBar':
          if (!silent) emit(item);
          return;
        case 'status':
          if (!silent) halt(book, item.status, 'byTape');
          return;
        case 'luld':
          emit(item);
      }
    },
    setHalt(symbol, state, code, reason) {
      const book = venue.books.get(symbol);
      if (book === undefined) return;
      book.halted = state === 'halted' ? 'byOperator' : 'no';
      book.haltedInMinute = venue.now - (venue.now % MINUTE);
      const status: TradingStatus = { symbol, at: venue.now, state, code, reason };
      venue.queue.schedule(venue.now, () => emit({ kind: 'status', status }));
    },
    beginDay(session) {
      for (const book of venue.books.values()) beginDay(book, session);
    },
  };
}

function meetOrders(venue: Venue, book: Book, price: Price, size: number, counts: number): void {
  if ((counts & PRICE) !== 0) {
    if (book.opening.length > 0 && venue.phase === 'regular') runOpeningAuction(venue, book, price);
    if (book.stops.length > 0) triggerStops(venue, book, price, (order) => goLive(venue, book, order));
  }
  if ((counts & BOOK) !== 0) matchPrint(venue, book, price, size);
}

function beginMinute(book: Book, startAt: number): void {
  const ended = book.minute;
  if (ended.volume > 0) {
    book.ended.push(ended);
    book.minute = createBarBuilder();
  }
  restartBar(book.minute, startAt);
}

function takeEnded(book: Book, startAt: number): Book['minute'] | null {
  const index = book.ended.findIndex((bar) => bar.startAt === startAt);
  if (index >= 0) return book.ended.splice(index, 1)[0] ?? null;
  if (book.minute.startAt !== startAt) return null;
  const running = book.minute;
  book.minute = createBarBuilder();
  return running;
}

/**
 * Bid and offer from prints alone, by the tick rule: a print above the last one met the ask, one below it the bid. The
 * spread is one tick below $100, two from there on.
 */
function derive(
  book: Book,
  price: Price,
  at: Micros,
  setQuote: (book: Book, item: Extract<TapeItem, { kind: 'quote' }>) => void,
): void {
  const inside = book.bid > 0 && price >= book.bid && price <= book.ask;
  if (inside && at - book.quoteAt < 1_000_000) return;
  const spread = tickAt(price) * (price >= 1_000_000 ? 2 : 1);
  const buying = inside ? price === book.ask : price > book.last;
  const bid = Math.max(0, buying ? price - spread : price) as Price;
  const ask = (bid + spread) as Price;
  const quote = { symbol: book.symbol, at, bid, bidSize: DERIVED_SIZE, ask, askSize: DERIVED_SIZE };
  setQuote(book, { kind: 'quote', at, quote });
}

/** The market has moved on from an old quote: shift it so that the print lies on its edge. */
function follow(book: Book, price: number): void {
  const spread = Math.max(0, book.ask - book.bid);
  if (book.ask > 0 && price > book.ask) {
    book.ask = price;
    book.bid = Math.max(0, price - spread);
  } else if (book.bid > 0 && price < book.bid) {
    book.bid = price;
    book.ask = price + spread;
  } else return;
  book.bidSize = DERIVED_SIZE;
  book.askSize = DERIVED_SIZE;
}

function beginDay(book: Book, session: Session): void {
  const yesterday = finishBar(book.day, book.symbol);
  if (yesterday !== null) {
    book.previousDay = yesterday;
    book.previousClose = yesterday.close;
  }
  restartBar(book.day, midnightOf(session));
  clearQuotes(book);
  book.hasRecordedBars = false;
}

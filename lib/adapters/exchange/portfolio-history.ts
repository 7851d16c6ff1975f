import type { Ticker } from '../../domain/ids.ts';
import { UNITS_PER_USD } from '../../domain/money.ts';
import type { Session } from '../../domain/session.ts';
import { MICROS_PER_SECOND, type Micros, micros } from '../../domain/time.ts';
import type { Exchange, SimFill } from '../../sim/exchange-api.ts';
import type { PortfolioPoints } from '../alpaca/codec-encode-account.ts';
import type { PortfolioQuery } from '../alpaca/codec-serve-account.ts';

/** The account's value over time, told from the ledger: cash and shares rebuilt from the fills, shares at bar closes. */
const MINUTE = 60 * MICROS_PER_SECOND;

export function portfolioHistory(exchange: Exchange, query: PortfolioQuery): PortfolioPoints {
  const fills = exchange.fills().toSorted((a, b) => a.at - b.at);
  const books = openingBooks(exchange, fills);
  const marks = new Map(
    [...symbolsOf(exchange, fills)].map((symbol) => [symbol, markReader(exchange, symbol)]),
  );
  const base = worthOf(books, marks, micros(0));
  const seconds: number[] = [];
  const equity: number[] = [];
  let next = 0;
  for (const at of pointsOf(exchange, query)) {
    for (let fill = fills[next]; fill !== undefined && fill.at <= at; fill = fills[next]) {
      book(books, fill, 1);
      next += 1;
    }
    seconds.push(Math.floor((at - query.stepMicros) / MICROS_PER_SECOND));
    equity.push(worthOf(books, marks, at));
  }
  return { seconds, equity, base, timeframe: query.timeframe };
}

type Books = { cash: number; readonly shares: Map<Ticker, number> };

/** What was held before the first fill: today's books with every fill taken back. Shares set by hand are in it. */
function openingBooks(exchange: Exchange, fills: readonly SimFill[]): Books {
  const ledger = exchange.ledger();
  const books: Books = { cash: ledger.cash, shares: new Map(ledger.positions) };
  for (const fill of fills) book(books, fill, -1);
  return books;
}

function book(books: Books, fill: SimFill, direction: 1 | -1): void {
  const signed = (fill.side === 'buy' ? fill.qty : -fill.qty) * direction;
  books.cash -= signed * fill.price + fill.fees * direction;
  books.shares.set(fill.symbol, (books.shares.get(fill.symbol) ?? 0) + signed);
}

function symbolsOf(exchange: Exchange, fills: readonly SimFill[]): ReadonlySet<Ticker> {
  return new Set([...exchange.ledger().positions.keys(), ...fills.map((fill) => fill.symbol)]);
}

/** The last close at or before an instant; before the first bar, that bar's open. Instants must not go back. */
function markReader(exchange: Exchange, symbol: Ticker): (at: Micros) => number {
  const bars = exchange.bars(symbol, micros(0), exchange.now());
  let index = 0;
  return (at) => {
    while ((bars[index + 1]?.startAt ?? Number.POSITIVE_INFINITY) + MINUTE <= at) index += 1;
    const bar = bars[index];
    if (bar === undefined) return exchange.latestPrint(symbol)?.price ?? 0;
    return bar.startAt + MINUTE <= at ? bar.close : bar.open;
  };
}

function worthOf(books: Books, marks: ReadonlyMap<Ticker, (at: Micros) => number>, at: Micros): number {
  let units = books.cash;
  for (const [symbol, shares] of books.shares) {
    if (shares !== 0) units += shares * (marks.get(symbol)?.(at) ?? 0);
  }
  return round(units / UNITS_PER_USD, 4);
}

/** The right edges of the steps inside the sessions asked for, none after now. */
function pointsOf(exchange: Exchange, { from, to, stepMicros }: PortfolioQuery): readonly Micros[] {
  const until = Math.min(to, exchange.now());
  const points: Micros[] = [];
  for (const session of sessionsWithin(exchange.options.sessions, from, until)) {
    if (stepMicros >= session.closeAt - session.openAt) {
      points.push(micros(Math.min(session.closeAt, until)));
      continue;
    }
    for (let at = session.openAt + stepMicros; at <= Math.min(session.closeAt, until); at += stepMicros)
      points.push(micros(at));
  }
  return points;
}

const sessionsWithin = (sessions: readonly Session[], from: number, to: number): readonly Session[] =>
  sessions.filter((session) => session.closeAt > from && session.openAt < to);

const round = (value: number, decimals: number): number => Number(value.toFixed(decimals));

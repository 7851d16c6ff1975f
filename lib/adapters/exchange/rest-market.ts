import type { Ticker } from '../../domain/ids.ts';
import { type Micros, micros, minutes } from '../../domain/time.ts';
import type { Exchange } from '../../sim/exchange-api.ts';
import { dataRefusal, noRecentSip } from '../alpaca/codec-encode-errors.ts';
import {
  encodeBar,
  encodeLatest,
  encodePage,
  encodePrint,
  encodeQuote,
  encodeSnapshot,
  encodeSnapshots,
  type MarketKind,
} from '../alpaca/codec-encode-market.ts';
import { instantText } from '../alpaca/codec-encode-text.ts';
import {
  type AskedSymbols,
  decodeFeed,
  decodeHistoryQuery,
  decodeSymbols,
  decodeTimeframe,
  type HistoryQuery,
} from '../alpaca/codec-serve-market.ts';
import type { Decoded, Query } from '../alpaca/codec-serve-orders.ts';
import { dayOf, instantOf } from '../time/calendar.ts';
import { atMidnight, barsOf, pageOf } from './market-history.ts';
import { type Door, type Handler, ok, type Reply, type RouteRequest, refused } from './rest-types.ts';

/** Bars, trades, quotes, latest values and snapshots; each for one symbol in the path or many in the query. */

type Kind<T> = {
  readonly name: MarketKind;
  reader(
    exchange: Exchange,
    query: Query,
  ): Decoded<(symbol: Ticker, from: Micros, to: Micros) => readonly T[]>;
  instantOf(item: T): Micros;
  latest(exchange: Exchange, symbol: Ticker): T | null;
  encode(item: T): unknown;
};

const lastBar = (exchange: Exchange, symbol: Ticker) =>
  exchange.bars(symbol, micros(exchange.now() - RECENT), exchange.now()).at(-1) ??
  exchange.bars(symbol, micros(0), exchange.now()).at(-1) ??
  null;

const BARS: Kind<ReturnType<Exchange['bars']>[number]> = {
  name: 'bars',
  reader: (exchange, query) => {
    const timeframe = decodeTimeframe(query.timeframe);
    return timeframe.ok ? { ok: true, value: barsOf(exchange, timeframe.value) } : timeframe;
  },
  instantOf: (bar) => bar.startAt,
  latest: lastBar,
  encode: (bar) => encodeBar(bar, instantText),
};

const TRADES: Kind<ReturnType<Exchange['prints']>[number]> = {
  name: 'trades',
  reader: (exchange) => ({ ok: true, value: (symbol, from, to) => exchange.prints(symbol, from, to) }),
  instantOf: (print) => print.at,
  latest: (exchange, symbol) => exchange.latestPrint(symbol),
  encode: (print) => encodePrint(print, instantText),
};

const QUOTES: Kind<ReturnType<Exchange['quotes']>[number]> = {
  name: 'quotes',
  reader: (exchange) => ({ ok: true, value: (symbol, from, to) => exchange.quotes(symbol, from, to) }),
  instantOf: (quote) => quote.at,
  latest: (exchange, symbol) => exchange.latestQuote(symbol),
  encode: (quote) => encodeQuote(quote, instantText),
};

/** Without the entitlement, the last quarter of an hour of the consolidated feed stays closed. */
const RECENT = minutes(15);

function sipClosed(door: Door, feed: string | null, end: Micros | null): boolean {
  if (feed !== 'sip' || door.plan.feeds.includes('sip')) return false;
  return end === null || end > door.exchange.now() - RECENT;
}

const asked = ({ params, query }: RouteRequest): AskedSymbols => ({
  one: params.symbol,
  many: query.symbols,
});

function history<T>(kind: Kind<T>): Handler {
  return (request, door) => {
    const decoded = decodeHistoryQuery(asked(request), request.query);
    if (!decoded.ok) return refused(decoded.refused);
    const read = kind.reader(door.exchange, request.query);
    if (!read.ok) return refused(read.refused);
    if (sipClosed(door, decoded.value.feed, decoded.value.end)) return refused(noRecentSip());
    const bounds = boundsOf(door.exchange, decoded.value);
    const page = pageOf(decoded.value, bounds, read.value, kind.instantOf);
    const bySymbol = new Map([...page.items].map(([symbol, items]) => [symbol, items.map(kind.encode)]));
    return ok(encodePage(kind.name, request.params.symbol, bySymbol, page.nextToken));
  };
}

/** Defaults: from New York midnight of today to now. */
function boundsOf(exchange: Exchange, query: HistoryQuery): { readonly from: Micros; readonly to: Micros } {
  const now = exchange.now();
  return { from: query.start ?? instantOf(dayOf(now), '00:00'), to: query.end ?? now };
}

function latest<T>(kind: Kind<T>): Handler {
  return (request, door) => {
    const symbols = readableSymbols(request, door);
    if (!symbols.ok) return refused(symbols.refused);
    const found = new Map<Ticker, unknown>();
    for (const symbol of symbols.value) {
      const item = kind.latest(door.exchange, symbol);
      if (item !== null) found.set(symbol, kind.encode(item));
    }
    const one = request.params.symbol;
    return foundOr404(encodeLatest(kind.name, one, found), one);
  };
}

function readableSymbols(request: RouteRequest, door: Door): Decoded<readonly Ticker[]> {
  const symbols = decodeSymbols(asked(request));
  if (!symbols.ok) return symbols;
  const feed = decodeFeed(request.query);
  if (!feed.ok) return feed;
  return sipClosed(door, feed.value, null) ? { ok: false, refused: noRecentSip() } : symbols;
}

const foundOr404 = (body: Record<string, unknown> | null, symbol: string | undefined): Reply =>
  body === null ? refused(dataRefusal(404, `no data found for ${symbol}`)) : ok(body);

function snapshotOf(exchange: Exchange, symbol: Ticker): Record<string, unknown> | null {
  const daily = exchange.dailyBar(symbol);
  const previous = exchange.previousDailyBar(symbol);
  const parts = {
    print: exchange.latestPrint(symbol),
    quote: exchange.latestQuote(symbol),
    minuteBar: lastBar(exchange, symbol),
    dailyBar: daily === null ? null : atMidnight(daily),
    previousDailyBar: previous === null ? null : atMidnight(previous),
  };
  return Object.values(parts).every((part) => part === null) ? null : encodeSnapshot(parts);
}

export const snapshots: Handler = (request, door) => {
  const symbols = readableSymbols(request, door);
  if (!symbols.ok) return refused(symbols.refused);
  const found = new Map<Ticker, Record<string, unknown>>();
  for (const symbol of symbols.value) {
    const snapshot = snapshotOf(door.exchange, symbol);
    if (snapshot !== null) found.set(symbol, snapshot);
  }
  const one = request.params.symbol;
  return foundOr404(encodeSnapshots(one, found), one);
};

export const barHistory = history(BARS);
export const tradeHistory = history(TRADES);
export const quoteHistory = history(QUOTES);
export const latestBars = latest(BARS);
export const latestTrades = latest(TRADES);
export const latestQuotes = latest(QUOTES);

import type { Ticker } from '../../domain/ids.ts';
import type { Micros } from '../../domain/time.ts';
import { dataRefusal, type Refused } from './codec-encode-errors.ts';
import { type Decoded, instantParam, listParam, type Query, wholeNumber } from './codec-serve-orders.ts';

/** Queries on market data as clients write them, with Alpaca's defaults and limits. */

export type Timeframe = {
  readonly unit: 'minute' | 'hour' | 'day' | 'week' | 'month';
  readonly count: number;
};

export type HistoryQuery = {
  readonly symbols: readonly Ticker[];
  /** Both included; `null`: the beginning of today, now. */
  readonly start: Micros | null;
  readonly end: Micros | null;
  readonly limit: number;
  readonly descending: boolean;
  readonly page: PageToken | null;
  readonly feed: string | null;
};

/** Where a page ended: the instant of its last item and how many items of that instant were given. */
export type PageToken = { readonly symbol: string; readonly at: Micros; readonly given: number };

const LIMIT = 1_000;
const LIMIT_MAX = 10_000;
const FEEDS = ['sip', 'iex', 'otc', 'boats', 'delayed_sip', 'overnight'];
const SYMBOL = /^[A-Z][A-Z0-9]{0,9}(?:[./][A-Z0-9]{1,4})?$/;

const isTicker = (text: string): text is Ticker => SYMBOL.test(text);

const fine = <T>(value: T): Decoded<T> => ({ ok: true, value });
const refuse = (message: string, status = 400): { readonly ok: false; readonly refused: Refused } => ({
  ok: false,
  refused: dataRefusal(status, message),
});

/** The one symbol of a path, or the list of a query. */
export type AskedSymbols = { readonly one: string | undefined; readonly many: string | undefined };

/** One malformed symbol fails the whole request; a well-formed unknown one is just absent from the answer. */
export function decodeSymbols(asked: AskedSymbols): Decoded<readonly Ticker[]> {
  const symbols = asked.one === undefined ? listParam(asked.many) : [asked.one];
  if (symbols === null) return refuse('symbols is required');
  const tickers: Ticker[] = [];
  for (const symbol of symbols) {
    if (!isTicker(symbol)) return refuse(`invalid symbol: ${symbol.slice(0, 40)}`);
    if (!tickers.includes(symbol)) tickers.push(symbol);
  }
  return fine(tickers.sort());
}

export function decodeFeed(query: Query): Decoded<string | null> {
  const feed = query.feed ?? null;
  if (feed !== null && !FEEDS.includes(feed)) return refuse(`invalid feed: ${feed.slice(0, 40)}`);
  const currency = query.currency;
  if (currency !== undefined && currency !== 'USD')
    return refuse(`invalid currency: ${currency.slice(0, 40)}`);
  return fine(feed);
}

export function decodeHistoryQuery(asked: AskedSymbols, query: Query): Decoded<HistoryQuery> {
  const tickers = decodeSymbols(asked);
  if (!tickers.ok) return tickers;
  const feed = decodeFeed(query);
  if (!feed.ok) return feed;
  const start = instantParam(query.start);
  if (start === undefined) return refuse('invalid start: must be RFC 3339 or YYYY-MM-DD');
  const end = endParam(query.end);
  if (end === undefined) return refuse('invalid end: must be RFC 3339 or YYYY-MM-DD');
  if (start !== null && end !== null && end < start) return refuse('end should not be before start');
  const limit = wholeNumber(query.limit, LIMIT, 1, LIMIT_MAX);
  if (limit === null) return refuse('invalid limit: must be between 1 and 10000');
  const sort = query.sort ?? 'asc';
  if (sort !== 'asc' && sort !== 'desc') return refuse('invalid sort: must be asc or desc');
  const token = query.page_token;
  const page = token === undefined || token === '' ? null : decodePageToken(token);
  if (page === undefined) return refuse('invalid page token');
  return fine({
    symbols: tickers.value,
    start,
    end,
    limit,
    descending: sort === 'desc',
    page,
    feed: feed.value,
  });
}

const LAST_MICRO_OF_DAY = 86_400_000_000 - 1;

/** A bare date as an end takes in that whole day. */
function endParam(value: string | undefined): Micros | null | undefined {
  const at = instantParam(value);
  return at !== null && at !== undefined && value?.length === 10 ? ((at + LAST_MICRO_OF_DAY) as Micros) : at;
}

const TIMEFRAME = /^(\d{1,2})(Min|T|Hour|H|Day|D|Week|W|Month|M)$/;
const MONTH_COUNTS = [1, 2, 3, 4, 6, 12];

export function decodeTimeframe(value: string | undefined): Decoded<Timeframe> {
  if (value === undefined || value === '') return refuse('timeframe is required');
  const match = TIMEFRAME.exec(value);
  const count = Number(match?.[1]);
  switch (match?.[2]) {
    case 'Min':
    case 'T':
      if (count >= 1 && count <= 59) return fine({ unit: 'minute', count });
      break;
    case 'Hour':
    case 'H':
      if (count >= 1 && count <= 23) return fine({ unit: 'hour', count });
      break;
    case 'Day':
    case 'D':
      if (count === 1) return fine({ unit: 'day', count });
      break;
    case 'Week':
    case 'W':
      if (count === 1) return fine({ unit: 'week', count });
      break;
    case 'Month':
    case 'M':
      if (MONTH_COUNTS.includes(count)) return fine({ unit: 'month', count });
      break;
  }
  return refuse(`invalid timeframe: ${value.slice(0, 40)}`);
}

/** Opaque to clients: base64 of `SYMBOL|micros|count`. */
export function encodePageToken(token: PageToken): string {
  return Buffer.from(`${token.symbol}|${token.at}|${token.given}`).toString('base64url');
}

function decodePageToken(text: string): PageToken | undefined {
  const match = /^([A-Z][A-Z0-9./]{0,14})\|(\d{1,16})\|(\d{1,9})$/.exec(
    Buffer.from(text.slice(0, 200), 'base64url').toString('latin1'),
  );
  if (match === null) return undefined;
  const [, symbol = '', at, given] = match;
  return { symbol, at: Number(at) as Micros, given: Number(given) };
}

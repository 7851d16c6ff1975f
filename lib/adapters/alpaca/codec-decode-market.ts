import type { Ticker } from '../../domain/ids.ts';
import type { Bar, HaltState, Mark, Quote } from '../../domain/market.ts';
import type { Price } from '../../domain/money.ts';
import { type Micros, micros } from '../../domain/time.ts';
import type { MarketMessage, PrintTaker } from '../../ports/feeds.ts';
import {
  asList,
  asObject,
  attempt,
  type Decoded,
  type DecodeError,
  type Fields,
  field,
  instantOrNull,
  mismatch,
  optionalText,
  parseJson,
  positivePrice,
  priceOf,
  symbolOf,
} from './codec-decode-base.ts';
import { type DataControl, decodeDataControl } from './codec-decode-control.ts';

/** Where a frame's messages go. None of these may throw: the decoder would lose the rest of the frame. */
export type MarketSink = {
  message(message: MarketMessage): void;
  /** Takes the trades of binary frames where it can; all others come as messages. */
  readonly prints?: PrintTaker<object>;
  control(control: DataControl): void;
  /** One message of the frame, or the frame as a whole, could not be read. */
  unreadable(error: DecodeError): void;
};

/** A text frame: a list of messages, or a single one. */
export function decodeMarketJson(source: string, sink: MarketSink): void {
  const value = parseJson(source);
  if (value === undefined) {
    sink.unreadable({ where: 'data frame', expected: 'JSON', found: `${source.length} characters` });
    return;
  }
  for (const item of Array.isArray(value) ? value : [value]) decodeMarketObject(item, sink);
}

/** One message that is an object already. Kinds that nobody here needs, and kinds not known, are passed over. */
export function decodeMarketObject(value: unknown, sink: MarketSink): void {
  const decoded = attempt(() => {
    const fields = asObject(value, 'data message');
    const type = optionalText(fields, 'T') ?? mismatch('data message.T', 'text', field(fields, 'T'));
    const control = decodeDataControl(type, fields);
    if (control !== null) sink.control(control);
    else {
      const message = readMessage(type, fields);
      if (message !== null) sink.message(message);
    }
  });
  if (!decoded.ok) sink.unreadable(decoded.error);
}

function readMessage(type: string, fields: Fields): MarketMessage | null {
  switch (type) {
    case 't':
      return { kind: 'print', print: readPrint(fields) };
    case 'q':
      return { kind: 'quote', quote: readQuote(fields) };
    case 'b':
      return { kind: 'bar', bar: readBar(fields, symbolOf(fields, 'S', 'bar'), 'bar') };
    case 'u':
      return {
        kind: 'updatedBar',
        bar: readBar(fields, symbolOf(fields, 'S', 'updated bar'), 'updated bar'),
      };
    case 's':
      return tradingStatus(
        symbolOf(fields, 'S', 'status'),
        time(fields, 'status'),
        optionalText(fields, 'sc') ?? '',
        optionalText(fields, 'rc') ?? '',
      );
    case 'l':
      return {
        kind: 'luld',
        band: {
          symbol: symbolOf(fields, 'S', 'band'),
          at: time(fields, 'band'),
          up: positivePrice(fields, 'u', 'band'),
          down: positivePrice(fields, 'd', 'band'),
        },
      };
    default:
      return null;
  }
}

function readPrint(fields: Fields) {
  const conditions = field(fields, 'c');
  return {
    symbol: symbolOf(fields, 'S', 'trade'),
    at: time(fields, 'trade'),
    price: positivePrice(fields, 'p', 'trade'),
    size: count(fields, 's', 'trade'),
    exchange: optionalText(fields, 'x') ?? '',
    conditions: Array.isArray(conditions) ? conditions.filter((c) => typeof c === 'string') : [],
    // Ids pass 2^53, so a parsed number may not be the id; nothing here uses one.
    id: '',
  };
}

function readQuote(fields: Fields): Quote {
  return {
    symbol: symbolOf(fields, 'S', 'quote'),
    at: time(fields, 'quote'),
    bid: sidePrice(fields, 'bp'),
    bidSize: count(fields, 'bs', 'quote'),
    ask: sidePrice(fields, 'ap'),
    askSize: count(fields, 'as', 'quote'),
  };
}

/** 0 means that the side has no quote. */
const sidePrice = (fields: Fields, key: string): Price =>
  priceOf(field(fields, key)) ?? mismatch(`quote.${key}`, 'a price or 0', field(fields, key));

function readBar(fields: Fields, symbol: Ticker, where: string): Bar {
  const close = positivePrice(fields, 'c', where);
  return {
    symbol,
    startAt: time(fields, where),
    open: positivePrice(fields, 'o', where),
    high: positivePrice(fields, 'h', where),
    low: positivePrice(fields, 'l', where),
    close,
    volume: count(fields, 'v', where),
    // Absent from some recordings, and nothing is decided on them.
    tradeCount: optionalCount(fields, 'n'),
    vwap: priceOf(field(fields, 'vw')) ?? close,
  };
}

/** JSON carries RFC 3339 text; the msgpack timestamp was read as a number of microseconds. */
function time(fields: Fields, where: string): Micros {
  const value = field(fields, 't');
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return micros(value);
  return instantOrNull(value) ?? mismatch(`${where}.t`, 'a time', value);
}

function count(fields: Fields, key: string, where: string): number {
  const value = field(fields, key);
  return isCount(value) ? value : mismatch(`${where}.${key}`, 'a number, 0 or more', value);
}

const optionalCount = (fields: Fields, key: string): number => {
  const value = field(fields, key);
  return isCount(value) ? value : 0;
};

export const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** Resumptions: `T` on tape C, `3` on tapes A and B. */
const RESUMED = new Set(['T', '3']);

/**
 * Messages of the status channel of tapes A and B that do not change whether a stock trades: price and trading range
 * indications, imbalances, the short-sale restriction. No resumption follows them, so that taking them for halts would
 * freeze most NYSE stocks every afternoon, when market-on-close imbalances are published.
 */
const NO_CHANGE = new Set(['5', '6', '7', '8', '9', 'A', 'C', 'D', 'E']);

/** `null` for a message that changes nothing; a code that is not known counts as a halt. */
function tradingStatus(symbol: Ticker, at: Micros, code: string, reason: string): MarketMessage | null {
  if (NO_CHANGE.has(code)) return null;
  const state: HaltState = RESUMED.has(code) ? 'trading' : 'halted';
  return { kind: 'status', status: { symbol, at, state, code, reason } };
}

/** One page of `GET /v2/stocks/bars`. Symbols without bars are absent, or present with `null`. */
export function decodeBarsPage(
  value: unknown,
): Decoded<{ readonly bars: ReadonlyMap<Ticker, readonly Bar[]>; readonly nextPage: string | null }> {
  return attempt(() => {
    const fields = asObject(value, 'bars page');
    const listed = asObject(field(fields, 'bars') ?? {}, 'bars page.bars');
    const bars = Object.entries(listed).map(([symbol, items]): [Ticker, readonly Bar[]] => [
      symbol as Ticker,
      asList(items ?? [], `bars.${symbol}`).map((item, index) => {
        const where = `bars.${symbol}[${index}]`;
        return readBar(asObject(item, where), symbol as Ticker, where);
      }),
    ]);
    const next = field(fields, 'next_page_token');
    if (next !== null && next !== undefined && typeof next !== 'string')
      mismatch('bars page.next_page_token', 'text or null', next);
    return { bars: new Map(bars), nextPage: typeof next === 'string' && next !== '' ? next : null };
  });
}

/** `GET /v2/stocks/trades/latest`: the server has left out prints that are no last trade. */
export function decodeLatestTrades(value: unknown): Decoded<ReadonlyMap<Ticker, Mark>> {
  return attempt(() => {
    const listed = asObject(field(asObject(value, 'latest trades'), 'trades') ?? {}, 'latest trades.trades');
    const known = Object.entries(listed).filter(([, item]) => item !== null);
    return new Map(
      known.map(([symbol, item]): [Ticker, Mark] => {
        const where = `trades.${symbol}`;
        const fields = asObject(item, where);
        return [symbol as Ticker, { price: positivePrice(fields, 'p', where), at: time(fields, where) }];
      }),
    );
  });
}

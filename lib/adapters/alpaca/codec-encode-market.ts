import type { Bar, Print, Quote } from '../../domain/market.ts';
import { UNITS_PER_USD } from '../../domain/money.ts';
import type { Micros } from '../../domain/time.ts';
import type { MarketEvent } from '../../sim/exchange-api.ts';
import { instantText } from './codec-encode-text.ts';

/**
 * Market data as Alpaca's JSON: numbers, not text. The integer price divided once gives the double nearest to the
 * decimal, which prints as that decimal.
 */

/** How an instant is written: text in JSON, a timestamp extension in MessagePack. */
export type Stamp<T> = (at: Micros) => T;

const usd = (units: number): number => units / UNITS_PER_USD;

/** Tape A, B or C is not known to the tape files; consolidated listings of the NYSE are tape A. */
const TAPE = 'A';

export function encodeBar<T>(bar: Bar, stamp: Stamp<T>): Record<string, unknown> {
  return {
    t: stamp(bar.startAt),
    o: usd(bar.open),
    h: usd(bar.high),
    l: usd(bar.low),
    c: usd(bar.close),
    v: bar.volume,
    n: bar.tradeCount,
    vw: usd(bar.vwap),
  };
}

export function encodePrint<T>(print: Print, stamp: Stamp<T>): Record<string, unknown> {
  return {
    t: stamp(print.at),
    x: print.exchange,
    p: usd(print.price),
    s: print.size,
    c: print.conditions,
    i: printId(print.id),
    z: TAPE,
  };
}

export function encodeQuote<T>(quote: Quote, stamp: Stamp<T>): Record<string, unknown> {
  return {
    t: stamp(quote.at),
    ax: quote.ask === 0 ? ' ' : 'V',
    ap: usd(quote.ask),
    as: quote.askSize,
    bx: quote.bid === 0 ? ' ' : 'V',
    bp: usd(quote.bid),
    bs: quote.bidSize,
    c: ['R'],
    z: TAPE,
  };
}

/** Ids are numbers on the wire; one that a double cannot hold exactly, or that is no number, is shown as 0. */
function printId(id: string): number {
  const value = Number(id);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

export type SnapshotParts = {
  readonly print: Print | null;
  readonly quote: Quote | null;
  readonly minuteBar: Bar | null;
  readonly dailyBar: Bar | null;
  readonly previousDailyBar: Bar | null;
};

/** A part that is not known is left out, as Alpaca does. */
export function encodeSnapshot(parts: SnapshotParts): Record<string, unknown> {
  return {
    ...(parts.print === null ? {} : { latestTrade: encodePrint(parts.print, instantText) }),
    ...(parts.quote === null ? {} : { latestQuote: encodeQuote(parts.quote, instantText) }),
    ...(parts.minuteBar === null ? {} : { minuteBar: encodeBar(parts.minuteBar, instantText) }),
    ...(parts.dailyBar === null ? {} : { dailyBar: encodeBar(parts.dailyBar, instantText) }),
    ...(parts.previousDailyBar === null
      ? {}
      : { prevDailyBar: encodeBar(parts.previousDailyBar, instantText) }),
  };
}

/** The channels of the data socket by the names a subscribe message uses. */
export const CHANNELS = [
  'trades',
  'quotes',
  'bars',
  'updatedBars',
  'dailyBars',
  'statuses',
  'lulds',
  'corrections',
  'cancelErrors',
] as const;
export type Channel = (typeof CHANNELS)[number];

export function channelOf(event: MarketEvent): Channel {
  switch (event.kind) {
    case 'print':
      return 'trades';
    case 'quote':
      return 'quotes';
    case 'bar':
      return 'bars';
    case 'updatedBar':
      return 'updatedBars';
    case 'dailyBar':
      return 'dailyBars';
    case 'status':
      return 'statuses';
    case 'luld':
      return 'lulds';
  }
}

export function symbolOf(event: MarketEvent): string {
  switch (event.kind) {
    case 'print':
      return event.print.symbol;
    case 'quote':
      return event.quote.symbol;
    case 'bar':
    case 'updatedBar':
    case 'dailyBar':
      return event.bar.symbol;
    case 'status':
      return event.status.symbol;
    case 'luld':
      return event.band.symbol;
  }
}

/** The `T` of its message. */
export function typeOf(event: MarketEvent): string {
  switch (event.kind) {
    case 'print':
      return 't';
    case 'quote':
      return 'q';
    case 'bar':
      return 'b';
    case 'updatedBar':
      return 'u';
    case 'dailyBar':
      return 'd';
    case 'status':
      return 's';
    case 'luld':
      return 'l';
  }
}

/** One message of the data socket. `T` is the first key: the Go client reads it before anything else. */
export function encodeMarketEvent<T>(event: MarketEvent, stamp: Stamp<T>): Record<string, unknown> {
  switch (event.kind) {
    case 'print':
      return { T: 't', S: event.print.symbol, ...encodePrint(event.print, stamp) };
    case 'quote':
      return { T: 'q', S: event.quote.symbol, ...encodeQuote(event.quote, stamp) };
    case 'bar':
      return { T: 'b', S: event.bar.symbol, ...encodeBar(event.bar, stamp) };
    case 'updatedBar':
      return { T: 'u', S: event.bar.symbol, ...encodeBar(event.bar, stamp) };
    case 'dailyBar':
      return { T: 'd', S: event.bar.symbol, ...encodeBar(event.bar, stamp) };
    case 'status':
      return {
        T: 's',
        S: event.status.symbol,
        sc: event.status.code,
        sm: event.status.state === 'halted' ? 'Trading Halt' : 'Trading Resumption',
        rc: event.status.reason,
        rm: event.status.reason,
        t: stamp(event.status.at),
        z: TAPE,
      };
    case 'luld':
      return {
        T: 'l',
        S: event.band.symbol,
        u: usd(event.band.up),
        d: usd(event.band.down),
        i: 'B',
        t: stamp(event.band.at),
        z: TAPE,
      };
  }
}

/** A message of a type that no client knows yet. */
export const unknownMessage = (symbol: string): Record<string, unknown> => ({ T: 'y', S: symbol });

export type MarketKind = 'bars' | 'trades' | 'quotes';
const ONE = { bars: 'bar', trades: 'trade', quotes: 'quote' } as const;

/** A page of history: of one symbol in its path, `null` where there is nothing, or of many by symbol. */
export function encodePage(
  kind: MarketKind,
  one: string | undefined,
  bySymbol: ReadonlyMap<string, readonly unknown[]>,
  token: string | null,
): Record<string, unknown> {
  if (one === undefined) return { [kind]: Object.fromEntries(bySymbol), next_page_token: token };
  return { [kind]: bySymbol.get(one) ?? null, symbol: one, next_page_token: token };
}

/** The newest of each symbol; `null` when the one symbol asked for has none. */
export function encodeLatest(
  kind: MarketKind,
  one: string | undefined,
  bySymbol: ReadonlyMap<string, unknown>,
): Record<string, unknown> | null {
  if (one === undefined) return { [kind]: Object.fromEntries(bySymbol) };
  const item = bySymbol.get(one);
  return item === undefined ? null : { symbol: one, [ONE[kind]]: item };
}

/** Snapshots are keyed by symbol at the top level. */
export function encodeSnapshots(
  one: string | undefined,
  bySymbol: ReadonlyMap<string, Record<string, unknown>>,
): Record<string, unknown> | null {
  if (one === undefined) return Object.fromEntries(bySymbol);
  const item = bySymbol.get(one);
  return item === undefined ? null : { symbol: one, ...item };
}

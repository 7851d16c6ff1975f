import type { Ticker } from '../../domain/ids.ts';
import type { Bar } from '../../domain/market.ts';
import type { Price } from '../../domain/money.ts';
import { type Micros, parseInstant } from '../../domain/time.ts';
import type { DecodeError } from './codec-decode-base.ts';
import { PRICE_MAX_UNITS, shortText, units } from './codec-decode-base.ts';
import { decodeMarketObject, isCount, type MarketSink } from './codec-decode-market.ts';
import { createPrintReader } from './codec-decode-print.ts';
import { MsgpackError, MsgpackReader } from './msgpack-reader.ts';

/**
 * Binary data frames. Trades, quotes and bars, which come by the hundred thousand, are read field by field; a message of
 * any other type, or one that does not begin with its type, is built as an object and takes the way of the text frames.
 */

/** Keys as `MsgpackReader.shortKey` gives them: one character, or two with the first in the high byte. */
const key = (name: string): number =>
  name.length === 1 ? name.charCodeAt(0) : (name.charCodeAt(0) << 8) | name.charCodeAt(1);

const T = key('T');
const S = key('S');
const PRICE = key('p');
const SIZE = key('s');
const TIME = key('t');
const CONDITIONS = key('c');
const EXCHANGE = key('x');
const BID = key('bp');
const BID_SIZE = key('bs');
const ASK = key('ap');
const ASK_SIZE = key('as');
const OPEN = key('o');
const HIGH = key('h');
const LOW = key('l');
const CLOSE = key('c');
const VOLUME = key('v');
const TRADES = key('n');
const VWAP = key('vw');

const NO_CONDITIONS: readonly string[] = [];

export type MarketDecoder = (frame: Uint8Array, sink: MarketSink) => void;

/** A decoder keeps the strings it has seen and the lines of its sink, so each socket has its own. It never throws. */
export function createMsgpackMarketDecoder(): MarketDecoder {
  const reader = new MsgpackReader();
  const readPrint = createPrintReader();
  return (frame, sink) => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    reader.reset(frame, view);
    const { prints } = sink;
    try {
      const length = reader.listLength();
      for (let i = 0; i < (length < 0 ? 1 : length); i += 1) {
        const end = prints === undefined ? -1 : readPrint(frame, view, reader.offset, prints);
        if (end < 0) decodeMessage(reader, sink);
        else reader.offset = end;
      }
      if (!reader.isAtEnd) sink.unreadable(frameError(frame, 'nothing after the last message'));
    } catch (error) {
      if (!(error instanceof MsgpackError)) throw error;
      sink.unreadable(frameError(frame, `MessagePack (${error.message})`));
    }
  };
}

const frameError = (frame: Uint8Array, expected: string): DecodeError => ({
  where: 'data frame',
  expected,
  found: `${frame.length} bytes`,
});

function decodeMessage(reader: MsgpackReader, sink: MarketSink): void {
  const start = reader.offset;
  const entries = reader.mapLength();
  if (entries > 0 && reader.shortKey() === T && decodeByType(reader, entries - 1, sink)) return;
  reader.offset = start;
  decodeMarketObject(reader.value(), sink);
}

/** The frequent types; `false`, with the reader behind the type, for any other. */
function decodeByType(reader: MsgpackReader, entries: number, sink: MarketSink): boolean {
  switch (reader.internedString()) {
    case 't':
      decodePrint(reader, entries, sink);
      return true;
    case 'q':
      decodeQuote(reader, entries, sink);
      return true;
    case 'b':
      decodeBar(reader, entries, 'bar', sink);
      return true;
    case 'u':
      decodeBar(reader, entries, 'updatedBar', sink);
      return true;
    default:
      return false;
  }
}

function decodePrint(reader: MsgpackReader, entries: number, sink: MarketSink): void {
  let symbol = '';
  let at = Number.NaN;
  let price = Number.NaN;
  let size = Number.NaN;
  let exchange = '';
  let conditions = NO_CONDITIONS;
  for (let i = 0; i < entries; i += 1) {
    switch (reader.shortKey()) {
      case S:
        symbol = reader.internedString();
        break;
      case TIME:
        at = readTime(reader);
        break;
      case PRICE:
        price = readUnits(reader);
        break;
      case SIZE:
        size = reader.number();
        break;
      case EXCHANGE:
        exchange = reader.internedString();
        break;
      case CONDITIONS:
        conditions = reader.internedList() ?? NO_CONDITIONS;
        break;
      default:
        reader.skip();
    }
  }
  if (symbol === '' || !(price > 0) || !isCount(size) || !isTime(at)) {
    sink.unreadable(fieldsError('trade', 'S, p, s and t', [symbol, price, size, at]));
    return;
  }
  // Ids pass 2^53 and nothing here uses one, so none is built.
  sink.message({
    kind: 'print',
    print: {
      symbol: symbol as Ticker,
      at: at as Micros,
      price: price as Price,
      size,
      exchange,
      conditions,
      id: '',
    },
  });
}

function decodeQuote(reader: MsgpackReader, entries: number, sink: MarketSink): void {
  let symbol = '';
  let at = Number.NaN;
  let bid = Number.NaN;
  let bidSize = Number.NaN;
  let ask = Number.NaN;
  let askSize = Number.NaN;
  for (let i = 0; i < entries; i += 1) {
    switch (reader.shortKey()) {
      case S:
        symbol = reader.internedString();
        break;
      case TIME:
        at = readTime(reader);
        break;
      case BID:
        bid = readUnits(reader);
        break;
      case BID_SIZE:
        bidSize = reader.number();
        break;
      case ASK:
        ask = readUnits(reader);
        break;
      case ASK_SIZE:
        askSize = reader.number();
        break;
      default:
        reader.skip();
    }
  }
  const readable = bid >= 0 && ask >= 0 && isCount(bidSize) && isCount(askSize) && isTime(at);
  if (symbol === '' || !readable) {
    sink.unreadable(
      fieldsError('quote', 'S, bp, bs, ap, as and t', [symbol, bid, bidSize, ask, askSize, at]),
    );
    return;
  }
  sink.message({
    kind: 'quote',
    quote: {
      symbol: symbol as Ticker,
      at: at as Micros,
      bid: bid as Price,
      bidSize,
      ask: ask as Price,
      askSize,
    },
  });
}

function decodeBar(
  reader: MsgpackReader,
  entries: number,
  kind: 'bar' | 'updatedBar',
  sink: MarketSink,
): void {
  let symbol = '';
  let at = Number.NaN;
  let open = Number.NaN;
  let high = Number.NaN;
  let low = Number.NaN;
  let close = Number.NaN;
  let volume = Number.NaN;
  let trades = 0;
  let vwap = Number.NaN;
  for (let i = 0; i < entries; i += 1) {
    switch (reader.shortKey()) {
      case S:
        symbol = reader.internedString();
        break;
      case TIME:
        at = readTime(reader);
        break;
      case OPEN:
        open = readUnits(reader);
        break;
      case HIGH:
        high = readUnits(reader);
        break;
      case LOW:
        low = readUnits(reader);
        break;
      case CLOSE:
        close = readUnits(reader);
        break;
      case VOLUME:
        volume = reader.number();
        break;
      case TRADES:
        trades = reader.number();
        break;
      case VWAP:
        vwap = readUnits(reader);
        break;
      default:
        reader.skip();
    }
  }
  if (symbol === '' || !(open > 0 && high > 0 && low > 0 && close > 0) || !isCount(volume) || !isTime(at)) {
    sink.unreadable(
      fieldsError('bar', 'S, o, h, l, c, v and t', [symbol, open, high, low, close, volume, at]),
    );
    return;
  }
  const bar: Bar = {
    symbol: symbol as Ticker,
    startAt: at as Micros,
    open: open as Price,
    high: high as Price,
    low: low as Price,
    close: close as Price,
    volume,
    tradeCount: isCount(trades) ? trades : 0,
    vwap: (vwap >= 0 ? vwap : close) as Price,
  };
  sink.message({ kind, bar });
}

/** Units of 1/10000 USD up to the highest price, or NaN. Some encoders write a price as text or as an integer. */
function readUnits(reader: MsgpackReader): number {
  const start = reader.offset;
  const number = reader.number();
  if (!Number.isNaN(number)) {
    const rounded = Math.round(number * 10_000);
    return rounded <= PRICE_MAX_UNITS ? rounded : Number.NaN;
  }
  reader.offset = start;
  const value = units(reader.value());
  return value !== null && value <= PRICE_MAX_UNITS ? value : Number.NaN;
}

/** The timestamp extension; text as in JSON frames is taken as well. */
function readTime(reader: MsgpackReader): number {
  const at = reader.timestampMicros();
  if (!Number.isNaN(at)) return at;
  const value = reader.value();
  return typeof value === 'string' ? (parseInstant(value) ?? Number.NaN) : Number.NaN;
}

const isTime = (at: number): boolean => at > 0 && Number.isSafeInteger(at);

function fieldsError(where: string, expected: string, found: readonly (string | number)[]): DecodeError {
  return {
    where,
    expected,
    found: found.map((value) => (typeof value === 'string' ? shortText(value) : String(value))).join(', '),
  };
}

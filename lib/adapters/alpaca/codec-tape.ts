import type { Ticker } from '../../domain/ids.ts';
import type { Bar, LuldBand, Print, Quote, TradingStatus } from '../../domain/market.ts';
import { type Price, UNITS_PER_USD } from '../../domain/money.ts';
import { type Micros, micros, parseInstant } from '../../domain/time.ts';

/**
 * One line of a tape file: an object with the field names of Alpaca's data socket.
 *
 * Prices pass through a double here, unlike the broker's: a recorded price has at most four decimals worth keeping, and
 * the double nearest to such a decimal rounds back to the same integer.
 */
export type TapeRecord =
  | { readonly kind: 'print'; readonly print: Print }
  | { readonly kind: 'quote'; readonly quote: Quote }
  | { readonly kind: 'bar'; readonly bar: Bar }
  | { readonly kind: 'updatedBar'; readonly bar: Bar }
  | { readonly kind: 'status'; readonly status: TradingStatus }
  | { readonly kind: 'luld'; readonly band: LuldBand }
  /** Daily bars, corrections, imbalances: nothing that moves this market. */
  | { readonly kind: 'ignored' };

/** What is wrong with a line: the rule, then what was found. */
export class TapeLineError extends Error {}

type Fields = Readonly<Record<string, unknown>>;

export function decodeTapeLine(line: string): TapeRecord {
  const fields = parseObject(line);
  switch (fields.T) {
    case 't':
      return { kind: 'print', print: decodePrint(fields) };
    case 'q':
      return { kind: 'quote', quote: decodeQuote(fields) };
    case 'b':
      return { kind: 'bar', bar: decodeBar(fields) };
    case 'u':
      return { kind: 'updatedBar', bar: decodeBar(fields) };
    case 's':
      return { kind: 'status', status: decodeStatus(fields) };
    case 'l':
      return { kind: 'luld', band: decodeBand(fields) };
    case 'd':
    case 'c':
    case 'x':
    case 'i':
      return { kind: 'ignored' };
    default:
      return wrong('"T" is one of t, q, b, u, s, l, d, c, x, i', fields.T);
  }
}

function parseObject(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return wrong('a line is one JSON object', line.slice(0, 60));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrong('a line is one JSON object', line.slice(0, 60));
  return value as Fields;
}

function decodePrint(fields: Fields): Print {
  const conditions = fields.c;
  const id = fields.i;
  return {
    symbol: symbol(fields),
    at: instant(fields),
    price: price(fields, 'p', 1),
    size: count(fields, 's'),
    exchange: text(fields, 'x'),
    conditions: Array.isArray(conditions) ? conditions.map(String) : [],
    id: typeof id === 'number' || typeof id === 'string' ? String(id) : '',
  };
}

function decodeQuote(fields: Fields): Quote {
  return {
    symbol: symbol(fields),
    at: instant(fields),
    bid: price(fields, 'bp', 0),
    bidSize: count(fields, 'bs'),
    ask: price(fields, 'ap', 0),
    askSize: count(fields, 'as'),
  };
}

function decodeBar(fields: Fields): Bar {
  const [open, high] = [price(fields, 'o', 1), price(fields, 'h', 1)];
  const [low, close] = [price(fields, 'l', 1), price(fields, 'c', 1)];
  if (high < Math.max(open, close) || low > Math.min(open, close))
    wrong('l <= o, c <= h', [fields.o, fields.h, fields.l, fields.c]);
  const startAt = instant(fields);
  if (startAt % 60_000_000 !== 0) wrong('"t" of a minute bar is a whole minute', fields.t);
  return {
    symbol: symbol(fields),
    startAt,
    open,
    high,
    low,
    close,
    volume: count(fields, 'v'),
    tradeCount: fields.n === undefined ? 0 : count(fields, 'n'),
    vwap: fields.vw === undefined ? close : price(fields, 'vw', 1),
  };
}

/** Codes after which trading goes on: `3` on tapes A and B, `T` on tape C. Everything else halts. */
const RESUMES: ReadonlySet<string> = new Set(['3', 'T']);

function decodeStatus(fields: Fields): TradingStatus {
  const code = text(fields, 'sc');
  const reason = fields.rc;
  return {
    symbol: symbol(fields),
    at: instant(fields),
    state: RESUMES.has(code) ? 'trading' : 'halted',
    code,
    reason: typeof reason === 'string' ? reason : '',
  };
}

function decodeBand(fields: Fields): LuldBand {
  return {
    symbol: symbol(fields),
    at: instant(fields),
    up: price(fields, 'u', 0),
    down: price(fields, 'd', 0),
  };
}

function symbol(fields: Fields): Ticker {
  const value = fields.S;
  return typeof value === 'string' && /^[A-Z][A-Z0-9./]{0,14}$/.test(value)
    ? (value as Ticker)
    : wrong('"S" is a symbol in capitals', value);
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : wrong(`"${name}" is a text`, value);
}

function price(fields: Fields, name: string, min: number): Price {
  const value = fields[name];
  const units = typeof value === 'number' ? Math.round(value * UNITS_PER_USD) : Number.NaN;
  if (!Number.isSafeInteger(units) || units < min)
    return wrong(`"${name}" is a price in dollars, ${min === 0 ? '0 or more' : 'above 0'}`, value);
  return units as Price;
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : wrong(`"${name}" is a whole number, 0 or more`, value);
}

function instant(fields: Fields): Micros {
  const value = fields.t;
  const at = typeof value === 'string' ? parseUtc(value) : null;
  return at ?? wrong('"t" is an instant in RFC 3339', value);
}

let knownDay = '';
let knownMidnight = 0;

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3_600;

/** Most lines of a file share their date and end in `Z`: then a few digits and a sum do what the pattern would. */
function parseUtc(value: string): Micros | null {
  if (!PLAIN_UTC.test(value)) return parseInstant(value);
  const day = value.slice(0, 10);
  if (day !== knownDay) {
    const midnight = parseInstant(`${day}T00:00:00Z`);
    if (midnight === null) return null;
    [knownDay, knownMidnight] = [day, midnight];
  }
  const whole =
    twoDigits(value, 11) * HOUR_SECONDS + twoDigits(value, 14) * MINUTE_SECONDS + twoDigits(value, 17);
  const fraction = value.length === 20 ? 0 : Math.floor(Number(value.slice(19, -1)) * 1e6 + 1e-3);
  return micros(knownMidnight + whole * 1_000_000 + fraction);
}

const PLAIN_UTC = /^\d{4}-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;

const ZERO = 48;
const twoDigits = (text: string, at: number): number =>
  (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;

function wrong(rule: string, found: unknown): never {
  throw new TapeLineError(`${rule}. Found: ${JSON.stringify(found) ?? 'nothing'}`);
}

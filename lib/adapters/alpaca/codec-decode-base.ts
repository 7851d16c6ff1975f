import type { Ticker } from '../../domain/ids.ts';
import { type Cash, cash, type Price, parseDecimal, price } from '../../domain/money.ts';
import { type Micros, micros, parseInstant } from '../../domain/time.ts';

/** Why outside data could not be read: where, what was expected, what was found instead. Carries no whole values. */
export type DecodeError = { readonly where: string; readonly expected: string; readonly found: string };

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: DecodeError };

export const formatDecodeError = (error: DecodeError): string =>
  `${error.where}: expected ${error.expected}, found ${error.found}`;

/** Stops a decoder inside; `attempt` turns it into a value, so that none leaves this adapter. */
class Mismatch extends Error {
  readonly error: DecodeError;

  constructor(where: string, expected: string, found: unknown) {
    super(expected);
    this.error = { where, expected, found: describe(found) };
  }
}

export function mismatch(where: string, expected: string, found: unknown): never {
  throw new Mismatch(where, expected, found);
}

/** Runs a decoder; what it could not read becomes an error value. */
export function attempt<T>(decode: () => T): Decoded<T> {
  try {
    return { ok: true, value: decode() };
  } catch (error) {
    if (error instanceof Mismatch) return { ok: false, error: error.error };
    throw error;
  }
}

/** Short scalars as they are, everything else by its kind: an answer may echo what must not be logged. */
function describe(found: unknown): string {
  if (typeof found === 'string') return shortText(found);
  if (found === undefined) return 'nothing';
  if (Array.isArray(found)) return `a list of ${found.length}`;
  return typeof found === 'object' && found !== null ? 'an object' : String(found);
}

const SHOWN_MAX = 40;

/** A text whole or not at all: of a secret that was cut, redaction would not know the piece again. */
export const shortText = (found: string): string =>
  found.length > SHOWN_MAX ? `a text of ${found.length} characters` : JSON.stringify(found);

/** A JSON object whose keys are not known yet. */
export type Fields = { readonly [key: string]: unknown };

export function asObject(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  return mismatch(where, 'an object', value);
}

export function asList(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? value : mismatch(where, 'a list', value);
}

/** Own keys only: `constructor` and the like are no fields. */
export const field = (fields: Fields, key: string): unknown =>
  Object.hasOwn(fields, key) ? fields[key] : undefined;

export function text(fields: Fields, key: string, where: string): string {
  const value = field(fields, key);
  return typeof value === 'string' && value !== '' ? value : mismatch(`${where}.${key}`, 'text', value);
}

/** `null` when the field is absent, null, empty or not text. */
export function optionalText(fields: Fields, key: string): string | null {
  const value = field(fields, key);
  return typeof value === 'string' && value !== '' ? value : null;
}

export function flag(fields: Fields, key: string, where: string): boolean {
  const value = field(fields, key);
  return typeof value === 'boolean' ? value : mismatch(`${where}.${key}`, 'true or false', value);
}

export const symbolOf = (fields: Fields, key: string, where: string): Ticker =>
  text(fields, key, where) as Ticker;

/**
 * An amount as units of 1/10000 USD. The trading routes send decimals as text, the data routes as JSON numbers, and a
 * server may do either. A number is the double nearest to the printed decimal, so that up to 2^49 units the nearest whole
 * unit is that decimal again.
 */
export function units(value: unknown): number | null {
  if (typeof value === 'string') return parseDecimal(value);
  if (typeof value === 'number' && Number.isFinite(value)) {
    const rounded = Math.round(value * 10_000);
    return Number.isSafeInteger(rounded) ? rounded + 0 : null;
  }
  return null;
}

export function amount(fields: Fields, key: string, where: string): Cash {
  const value = units(field(fields, key));
  return value === null || !Number.isSafeInteger(value)
    ? mismatch(`${where}.${key}`, 'a decimal', field(fields, key))
    : cash(value);
}

export function positivePrice(fields: Fields, key: string, where: string): Price {
  const value = priceOf(field(fields, key));
  return value === null || value === 0
    ? mismatch(`${where}.${key}`, 'a price above 0', field(fields, key))
    : value;
}

/**
 * 10 million USD, more than ten times what the dearest share costs. A broken price beyond it would make amounts that no
 * longer count exactly, which is the end of the process.
 */
export const PRICE_MAX_UNITS = 100_000_000_000;

/** A price from 0 to the highest, or `null`. */
export function priceOf(value: unknown): Price | null {
  const found = units(value);
  return found === null || !(found >= 0 && found <= PRICE_MAX_UNITS) ? null : price(found);
}

export function instant(fields: Fields, key: string, where: string): Micros {
  return (
    instantOrNull(field(fields, key)) ?? mismatch(`${where}.${key}`, 'an RFC 3339 time', field(fields, key))
  );
}

const MICROS_PER_MILLI = 1_000;

/**
 * RFC 3339 with any offset and precision, or the `Date` that a msgpack timestamp may have been read as. `null` as well for
 * an instant before 1970, which is how a server written in Go says "never" (`0001-01-01T00:00:00Z`), and for one that
 * microseconds cannot count exactly, from the year 2255 on.
 */
export function instantOrNull(value: unknown): Micros | null {
  if (typeof value === 'string') return plausible(parseInstant(value));
  if (value instanceof Date) return plausible(value.getTime() * MICROS_PER_MILLI);
  return null;
}

const plausible = (at: number | null): Micros | null =>
  at !== null && Number.isSafeInteger(at) && at > 0 ? micros(at) : null;

/** Parses JSON into a value; text that is none gives `undefined`, which no JSON text does. */
export function parseJson(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch {
    return undefined;
  }
}

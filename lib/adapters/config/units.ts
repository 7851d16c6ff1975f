import type { Ticker } from '../../domain/ids.ts';
import { type Cash, type Price, parseDecimal } from '../../domain/money.ts';
import { civilFromDays, type Duration, daysFromCivil, type SessionDay } from '../../domain/time.ts';

/** How one setting is written: `read` gives `null` for anything that is not `allowed`. */
export type Unit<T> = { readonly allowed: string; readonly read: (text: string) => T | null };

const MICROS: Readonly<Record<string, number>> = {
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
};
const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)\s?(ms|s|m|h)$/;

function readDuration(text: string): Duration | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const [, amount = '', unit = ''] = match;
  return Math.round(Number(amount) * (MICROS[unit] ?? Number.NaN)) as Duration;
}

/** A duration with its unit, `min` to `max` inclusive, both written the same way. */
export function duration(min: string, max: string): Unit<Duration> {
  const low = readDuration(min) ?? Number.NaN;
  const high = readDuration(max) ?? Number.NaN;
  return {
    allowed: `a duration with its unit (500ms, 15s, 5m, 1h), ${min} to ${max}`,
    read: (text) => within(readDuration(text), low, high),
  };
}

const PERCENT = /^(\d{1,3}(?:\.\d{1,2})?)\s?%$/;

/** A percentage with its sign, read as a fraction: `20%` is 0.2. */
export function percent(min: number, max: number): Unit<number> {
  return {
    allowed: `a percentage with its sign and at most two decimals, ${min}% to ${max}%`,
    read: (text) => {
      const match = PERCENT.exec(text);
      const value = match === null ? null : within(Number(match[1]), min, max);
      return value === null ? null : value / 100;
    },
  };
}

const USD = /^\d{1,9}(?:\.\d{1,4})?$/;

function readUsd(text: string, min: number, max: number): number | null {
  if (!USD.test(text)) return null;
  const units = parseDecimal(text);
  return within(units, min * 10_000, max * 10_000);
}

/** An amount in USD with at most four decimals; `min` and `max` in USD, inclusive. */
export function usd(min: number, max: number): Unit<Cash> {
  return {
    allowed: `US dollars without sign or separators (2000 or 0.01), ${min} to ${max}`,
    read: (text) => readUsd(text, min, max) as Cash | null,
  };
}

/** The same as a price per share. */
export function perShare(min: number, max: number): Unit<Price> {
  return {
    allowed: `US dollars per share (0.01), ${min} to ${max}`,
    read: (text) => readUsd(text, min, max) as Price | null,
  };
}

export function whole(min: number, max: number): Unit<number> {
  return {
    allowed: `a whole number, ${min} to ${max}`,
    read: (text) => (/^\d{1,15}$/.test(text) ? within(Number(text), min, max) : null),
  };
}

/** A whole number, or `auto` (read as `'auto'`): the program finds out. */
export function wholeOrAuto(min: number, max: number): Unit<number | 'auto'> {
  const number = whole(min, max);
  return {
    allowed: `auto, or ${number.allowed}`,
    read: (text) => (text === 'auto' ? text : number.read(text)),
  };
}

export function decimal(min: number, max: number): Unit<number> {
  return {
    allowed: `a number, ${min} to ${max}`,
    read: (text) => (/^\d{1,9}(?:\.\d{1,6})?$/.test(text) ? within(Number(text), min, max) : null),
  };
}

export function oneOf<const T extends string>(...names: readonly T[]): Unit<T> {
  return { allowed: names.join(', '), read: (text) => names.find((name) => name === text) ?? null };
}

/** A path or a name; not empty, no control characters. */
export const path: Unit<string> = {
  allowed: 'a path, relative to the working directory or absolute',
  read: (text) => (/^[^\p{Cc}]{1,1000}$/u.test(text) ? text : null),
};

/** A path, or `auto` (read as `'auto'`): the program knows a place. */
export const pathOrAuto: Unit<string> = { allowed: `auto, or ${path.allowed}`, read: path.read };

/** As Alpaca spells US equities: `SPY`, `BRK.B`. */
export const ticker: Unit<Ticker> = {
  allowed: 'a US equity symbol in capitals (SPY, BRK.B)',
  read: (text) => (/^[A-Z]{1,5}(?:\.[A-Z]{1,2})?$/.test(text) ? (text as Ticker) : null),
};

const DAY = /^(\d{4})-(\d\d)-(\d\d)$/;

export const day: Unit<SessionDay> = {
  allowed: 'a day, YYYY-MM-DD',
  read: (text) => {
    const match = DAY.exec(text);
    if (match === null) return null;
    const [year, month, date] = [Number(match[1]), Number(match[2]), Number(match[3])];
    if (year < 1990 || year > 2100) return null;
    const [y, m, d] = civilFromDays(daysFromCivil(year, month, date));
    return y === year && m === month && d === date ? (text as SessionDay) : null;
  },
};

function readTimeOfDay(text: string): Duration | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) return null;
  return ((Number(match[1]) * 60 + Number(match[2])) * 60_000_000) as Duration;
}

/** A time of day in New York, read as the duration since midnight; `min` and `max` inclusive. */
export function timeOfDay(min: string, max: string): Unit<Duration> {
  const low = readTimeOfDay(min) ?? Number.NaN;
  const high = readTimeOfDay(max) ?? Number.NaN;
  return {
    allowed: `a New York time of day, ${min} to ${max}`,
    read: (text) => within(readTimeOfDay(text), low, high),
  };
}

function within<T extends number>(value: T | null, min: number, max: number): T | null {
  return value !== null && value >= min && value <= max ? value : null;
}

import type { Brand } from './brand.ts';

/** An instant: microseconds since 1970-01-01T00:00:00Z, in exchange time unless a name says otherwise. */
export type Micros = Brand<number, 'Micros'>;
/** A length of time in microseconds of exchange time. */
export type Duration = Brand<number, 'Duration'>;
/** A trading day in New York, `YYYY-MM-DD`. */
export type SessionDay = Brand<string, 'SessionDay'>;

export const MICROS_PER_SECOND = 1_000_000;

export const micros = (value: number): Micros => value as Micros;
export const millis = (value: number): Duration => (value * 1_000) as Duration;
export const seconds = (value: number): Duration => (value * MICROS_PER_SECOND) as Duration;
export const minutes = (value: number): Duration => (value * 60 * MICROS_PER_SECOND) as Duration;

export const after = (at: Micros, wait: Duration): Micros => (at + wait) as Micros;
export const before = (at: Micros, lead: Duration): Micros => (at - lead) as Micros;
export const between = (from: Micros, to: Micros): Duration => (to - from) as Duration;

/** The whole minute that holds `at`. */
export const minuteOf = (at: Micros): Micros => (at - (at % (60 * MICROS_PER_SECOND))) as Micros;

/** RFC 3339 in UTC with six decimals. `Date` is not used: it knows milliseconds only. */
export function formatInstant(at: Micros): string {
  const days = Math.floor(at / 86_400_000_000);
  const inDay = at - days * 86_400_000_000;
  const [year, month, day] = civilFromDays(days);
  const two = (n: number): string => String(n).padStart(2, '0');
  const wholeSeconds = Math.floor(inDay / MICROS_PER_SECOND);
  const fraction = String(inDay % MICROS_PER_SECOND).padStart(6, '0');
  const clock = [Math.floor(wholeSeconds / 3600), Math.floor(wholeSeconds / 60) % 60, wholeSeconds % 60];
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${clock.map(two).join(':')}.${fraction}Z`;
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)$/;

/** Reads RFC 3339 with any offset and 0 to 9 decimals; digits past the sixth are cut. Anything else gives `null`. */
export function parseInstant(text: string): Micros | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const offset =
    zone === 'Z' || zone === 'z'
      ? 0
      : (zone[0] === '-' ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)));
  const inDay = Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset * 60;
  const whole = daysFromCivil(Number(year), Number(month), Number(day)) * 86_400 + inDay;
  return (whole * MICROS_PER_SECOND + Number(fraction.padEnd(6, '0').slice(0, 6))) as Micros;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse of `daysFromCivil`: `[year, month, day]`. */
export function civilFromDays(days: number): readonly [number, number, number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

import { UNITS_PER_USD } from '../../domain/money.ts';
import { formatInstant, MICROS_PER_SECOND, type Micros, parseInstant } from '../../domain/time.ts';
import { dayOf, wallTime } from '../time/calendar.ts';

/** Prices, amounts, shares and instants as Alpaca writes them. */

/** An amount in 1/10000 USD as a plain decimal without padding: `187.35`, `150`, `-0.5`. */
export function amountText(units: number): string {
  return plainDecimal(units / UNITS_PER_USD, 4);
}

/** Shares, whole or with up to 9 decimals: `100`, `0.5`. */
export function sharesText(shares: number): string {
  return Number.isInteger(shares) ? String(shares) : plainDecimal(shares, 9);
}

/**
 * The average price of fills: `notional` in 1/10000 USD over `shares`. Nine decimals, so that
 * `filled_qty * filled_avg_price` rounds back to the notional for any order below 100,000 shares.
 */
export function averageText(notional: number, shares: number): string {
  return plainDecimal(notional / UNITS_PER_USD / shares, 9);
}

/** A fraction such as `unrealized_plpc`: 0.01 is one percent; 0 where there is nothing to divide by. */
export function ratioText(part: number, whole: number): string {
  return whole === 0 ? '0' : plainDecimal(part / whole, 10);
}

/** `formatDecimal` pads to cents; the wire does not, and never uses an exponent. */
function plainDecimal(value: number, decimals: number): string {
  const fixed = value.toFixed(decimals);
  const trimmed = fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
  return trimmed === '-0' ? '0' : trimmed;
}

/** RFC 3339 in UTC; trailing zeros of the fraction are cut, as a Go server prints it. */
export function instantText(at: Micros): string {
  return `${formatInstant(at)
    .slice(0, -1)
    .replace(/\.?0+$/, '')}Z`;
}

/** RFC 3339 with the New York offset: `2026-10-05T09:30:00-04:00`. */
export function newYorkText(at: Micros): string {
  const wholeSecond = Math.floor(at / MICROS_PER_SECOND) * MICROS_PER_SECOND;
  const wall = `${dayOf(at)}T${wallTime(at)}`;
  const shown = parseInstant(`${wall}Z`) ?? at;
  const offset = Math.round((shown - wholeSecond) / (60 * MICROS_PER_SECOND));
  const fraction =
    at === wholeSecond
      ? ''
      : `.${String(at - wholeSecond)
          .padStart(6, '0')
          .replace(/0+$/, '')}`;
  const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0');
  const minutes = String(Math.abs(offset) % 60).padStart(2, '0');
  return `${wall}${fraction}${offset < 0 ? '-' : '+'}${hours}:${minutes}`;
}

/** The 17 digits before `::` of an activity id: New York wall time to the millisecond. */
export function activityStamp(at: Micros): string {
  const millis = String(Math.floor((at % MICROS_PER_SECOND) / 1_000)).padStart(3, '0');
  return `${dayOf(at)}${wallTime(at)}`.replace(/[-:]/g, '') + millis;
}

const ULID_DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A ULID from an instant and a running number: sortable, and the same day gives the same ids. */
export function eventIdText(at: Micros, sequence: number): string {
  return base32(Math.floor(at / 1_000), 10) + base32(sequence, 16);
}

function base32(value: number, width: number): string {
  let text = '';
  for (let rest = value; text.length < width; rest = Math.floor(rest / 32))
    text = (ULID_DIGITS[rest % 32] ?? '0') + text;
  return text;
}

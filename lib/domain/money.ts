import type { Brand } from './brand.ts';
import { invariant } from './invariant.ts';

/** A price per share in 1/10000 USD; an integer, at least 0. */
export type Price = Brand<number, 'Price'>;
/** An amount of money in 1/10000 USD; an integer, may be negative. */
export type Cash = Brand<number, 'Cash'>;
/** Whole shares; an integer, at least 0. */
export type Qty = Brand<number, 'Qty'>;

/** Units of `Price` and `Cash` in one dollar. */
export const UNITS_PER_USD = 10_000;
export const ZERO_QTY = 0 as Qty;
export const ZERO_CASH = 0 as Cash;

export function price(units: number): Price {
  invariant(
    Number.isSafeInteger(units) && units >= 0,
    'a price is an integer of 1/10000 USD, 0 or more',
    units,
  );
  return units as Price;
}

export function cash(units: number): Cash {
  invariant(Number.isSafeInteger(units), 'an amount is an integer of 1/10000 USD', units);
  return units as Cash;
}

export function qty(shares: number): Qty {
  invariant(
    Number.isSafeInteger(shares) && shares >= 0,
    'a quantity is a whole number of shares, 0 or more',
    shares,
  );
  return shares as Qty;
}

/**
 * The minimum pricing increment in `Price` units: 1 cent from $1.00, 1/100 cent below.
 * Source: Alpaca "Orders", sub-penny increments; SEC Rule 612.
 */
export function tickAt(at: Price): number {
  return at >= UNITS_PER_USD ? 100 : 1;
}

/** The highest price on the tick that is not above `at`. */
export function roundDownToTick(at: Price): Price {
  const tick = tickAt(at);
  return (Math.floor(at / tick) * tick) as Price;
}

/** The lowest price on the tick that is not below `at`. */
export function roundUpToTick(at: Price): Price {
  const tick = tickAt(at);
  return (Math.ceil(at / tick) * tick) as Price;
}

export function isOnTick(at: Price): boolean {
  return at % tickAt(at) === 0;
}

/** `price * qty`, exact. */
export function notional(each: Price, shares: Qty): Cash {
  return cash(each * shares);
}

/** The lowest whole `Price` unit that is not below `total / shares`. Shares must be above 0. */
export function averageRoundedUp(total: Cash, shares: Qty): Price {
  invariant(shares > 0, 'an average needs at least one share', shares);
  return price(Math.ceil(total / shares));
}

const DECIMAL = /^(-?)(\d{1,12})(?:\.(\d{1,18}))?$/;

/**
 * Reads a plain decimal ("187.35", "-3", "0.00015") as integer 1/10000 USD without passing through a float.
 * Digits beyond the fourth round half away from zero. Anything else (exponents, signs, blanks) gives `null`.
 */
export function parseDecimal(text: string): number | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = ''] = match;
  const padded = `${fraction}00000`;
  const units =
    Number(whole) * UNITS_PER_USD + Number(padded.slice(0, 4)) + (padded.charCodeAt(4) >= 53 ? 1 : 0);
  return sign === '-' && units !== 0 ? -units : units;
}

/** `187.35`, `41.0855`, `-12.00`: at least two decimals, at most four. For people and for order requests. */
export function formatDecimal(units: Price | Cash): string {
  const absolute = Math.abs(units);
  const whole = Math.floor(absolute / UNITS_PER_USD);
  const fraction = String(absolute % UNITS_PER_USD).padStart(4, '0');
  const trimmed = fraction.endsWith('00') ? fraction.slice(0, 2) : fraction;
  return `${units < 0 ? '-' : ''}${whole}.${trimmed}`;
}

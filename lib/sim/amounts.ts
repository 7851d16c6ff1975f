import { parseDecimal, tickAt, UNITS_PER_USD } from '../domain/money.ts';

/** Shares have at most 9 decimals at Alpaca; float sums are brought back to that grid. */
export const roundShares = (shares: number): number => Math.round(shares * 1e9) / 1e9;
export const floorShares = (shares: number): number => Math.floor(shares * 1e9 + 1e-6) / 1e9;
export const isWhole = (shares: number): boolean => Number.isInteger(shares);

const SHARES = /^\d{1,9}(?:\.(\d{1,9})0*)?$|^\.(\d{1,9})0*$/;

/** Reads a quantity: plain decimals, at most 9 of them that are not 0. `null` for anything else. */
export function parseShares(text: string): number | null {
  return SHARES.test(text) ? Number(text) : null;
}

/** Shares as Alpaca prints them: no exponent, no padding. */
export function formatShares(shares: number): string {
  if (Number.isInteger(shares)) return String(shares);
  return shares.toFixed(9).replace(/0+$/, '');
}

/** Money as Alpaca prints it in refusals: no padding. */
export function formatUsd(units: number): string {
  const rounded = Math.round(units);
  return String(rounded / UNITS_PER_USD);
}

export type PriceText = { readonly units: number; readonly onTick: boolean };

const PRICE = /^\d{1,9}(?:\.(\d{1,18}))?$/;

/**
 * Reads a limit or stop price. `onTick` says whether it fulfils the minimum increment: 2 decimals from $1.00, 4 below;
 * trailing zeros do not count. `units` is rounded to the nearest tick otherwise.
 */
export function parsePriceText(text: string): PriceText | null {
  const match = PRICE.exec(text);
  const units = match === null ? null : parseDecimal(text);
  if (match === null || units === null) return null;
  const tick = tickAt(units as Parameters<typeof tickAt>[0]);
  const decimals = (match[1] ?? '').replace(/0+$/, '').length;
  const onTick = decimals <= (tick === 100 ? 2 : 4);
  return { units: onTick ? units : Math.round(units / tick) * tick, onTick };
}

import type { Side } from '../domain/execution.ts';
import type { Ticker } from '../domain/ids.ts';
import type { Cash, Price } from '../domain/money.ts';
import { roundShares } from './amounts.ts';
import type { ExchangeOptions } from './exchange-api.ts';

/** Reg T initial margin, and maintenance margin of longs and shorts, as shares of market value. */
const INITIAL_MARGIN = 0.5;
const MAINTENANCE_LONG = 0.25;
const MAINTENANCE_SHORT = 0.3;

export type Holding = {
  /** Signed shares. */
  qty: number;
  /** Cost of what is held, 1/10000 USD; negative when short. */
  cost: number;
};

/** Cash and positions: the fold of fills. It knows no orders. */
export type Account = {
  cash: number;
  feesPaid: number;
  /** Fees since the day began. */
  feesToday: number;
  lastEquity: number;
  readonly holdings: Map<Ticker, Holding>;
};

export type Valuation = {
  readonly equity: number;
  readonly long: number;
  readonly short: number;
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
};

export function openAccount(options: ExchangeOptions): Account {
  return {
    cash: options.account.cash,
    feesPaid: 0,
    feesToday: 0,
    lastEquity: options.account.cash,
    holdings: new Map(),
  };
}

export const sharesOf = (account: Account, symbol: Ticker): number => account.holdings.get(symbol)?.qty ?? 0;

/** Books one execution; returns the signed position after it. */
export function bookFill(
  account: Account,
  symbol: Ticker,
  side: Side,
  qty: number,
  price: Price,
  fees: Cash,
): number {
  const signed = side === 'buy' ? qty : -qty;
  const held = account.holdings.get(symbol) ?? { qty: 0, cost: 0 };
  const closing = held.qty !== 0 && held.qty > 0 !== signed > 0;
  const closed = closing ? Math.min(Math.abs(held.qty), qty) : 0;
  if (closed > 0) held.cost -= (held.cost * closed) / Math.abs(held.qty);
  held.cost += Math.sign(signed) * roundShares(qty - closed) * price;
  held.qty = roundShares(held.qty + signed);
  if (held.qty === 0) account.holdings.delete(symbol);
  else account.holdings.set(symbol, held);
  account.cash -= Math.round(signed * price) + fees;
  account.feesPaid += fees;
  account.feesToday += fees;
  return held.qty;
}

/** What the account is worth at the marks given. */
export function valueAccount(account: Account, markOf: (symbol: Ticker) => number): Valuation {
  let [long, short] = [0, 0];
  for (const [symbol, held] of account.holdings) {
    const value = held.qty * markOf(symbol);
    if (value > 0) long += value;
    else short += value;
  }
  return {
    equity: Math.round(account.cash + long + short),
    long: Math.round(long),
    short: Math.round(short),
    initialMargin: Math.round((long - short) * INITIAL_MARGIN),
    maintenanceMargin: Math.round(long * MAINTENANCE_LONG - short * MAINTENANCE_SHORT),
  };
}

/**
 * What may still be opened. A cash account: its cash. Margin: `multiplier` times equity less what is held; for 2 that is
 * Alpaca's `max(equity - initial margin, 0) * 2`. How Alpaca computes it for 4 since the intraday margin rule of 2026 is
 * not published; continuous, with intraday profit and loss, is what it says in words.
 */
export function buyingPowerOf(
  account: Account,
  value: Valuation,
  multiplier: 1 | 2 | 4,
  reserved: number,
): number {
  const free = multiplier === 1 ? account.cash : multiplier * value.equity - (value.long - value.short);
  return Math.max(0, Math.round(free - reserved));
}

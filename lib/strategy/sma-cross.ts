import type { Bar } from '../domain/market.ts';
import { type Price, UNITS_PER_USD } from '../domain/money.ts';
import type { Strategy } from './contract.ts';

const PERIOD_DEFAULT = 20;
const PERIOD_MIN = 2;
/** Minutes of a full session: a longer average would never be complete. */
const PERIOD_MAX = 390;

type Closes = {
  readonly period: number;
  /** The last `period + 1` closes, oldest first. */
  readonly closes: readonly Price[];
};

/**
 * The close crosses its simple moving average from below: the previous close strictly below its own average, the
 * current one strictly above its own. `period + 1` bars are needed.
 *
 * Averages are compared as sums (`close * period` against the sum of `period` closes): all integers, so that a close
 * exactly on its average is neither above nor below it.
 */
export const smaCross: Strategy<Closes> = {
  name: 'sma-cross',

  check(options) {
    const mistakes = Object.keys(options)
      .filter((key) => key !== 'period')
      .map((key) => `sma-cross knows the option "period" only; found "${key}"`);
    const { period } = options;
    const sane = Number.isInteger(period) && Number(period) >= PERIOD_MIN && Number(period) <= PERIOD_MAX;
    if (period !== undefined && !sane)
      mistakes.push(
        `period must be a whole number from ${PERIOD_MIN} to ${PERIOD_MAX}; found ${JSON.stringify(period)}`,
      );
    return mistakes;
  },

  open: ({ period = PERIOD_DEFAULT }) => ({ period: Number(period), closes: [] }),

  onBar({ period, closes }, bar: Bar) {
    const next = [...closes, bar.close].slice(-(period + 1));
    const state = { period, closes: next };
    if (next.length < period) return { state, signal: 'none', facts: { close: usd(bar.close) } };
    const sum = sumOf(next.slice(-period));
    const facts = { close: usd(bar.close), sma: usd(sum / period) };
    const [oldest] = next;
    const previous = next.at(-2);
    if (next.length <= period || oldest === undefined || previous === undefined)
      return { state, signal: 'none', facts };
    const sumBefore = sum - bar.close + oldest;
    const crossed = previous * period < sumBefore && bar.close * period > sum;
    return { state, signal: crossed ? 'enter' : 'none', facts };
  },
};

const sumOf = (closes: readonly Price[]): number => closes.reduce((sum, close) => sum + close, 0);
const usd = (units: number): number => units / UNITS_PER_USD;

import type { Ticker } from './ids.ts';
import type { Price } from './money.ts';
import { type Micros, minutes } from './time.ts';

/** One execution on the tape. `size` in shares; `conditions` are the tape's sale-condition letters. */
export type Print = {
  readonly symbol: Ticker;
  readonly at: Micros;
  readonly price: Price;
  readonly size: number;
  readonly exchange: string;
  readonly conditions: readonly string[];
  /** As text: ids pass 2^53 on some feeds. */
  readonly id: string;
};

/** Best bid and offer; sizes in shares; a price of 0 means that side has no quote. */
export type Quote = {
  readonly symbol: Ticker;
  readonly at: Micros;
  readonly bid: Price;
  readonly bidSize: number;
  readonly ask: Price;
  readonly askSize: number;
};

/** A minute bar. `startAt` is the left edge. A minute without a qualifying print has no bar. */
export type Bar = {
  readonly symbol: Ticker;
  readonly startAt: Micros;
  readonly open: Price;
  readonly high: Price;
  readonly low: Price;
  readonly close: Price;
  readonly volume: number;
  readonly tradeCount: number;
  readonly vwap: Price;
};

/** The price a position is valued at and entries are judged by: the last eligible print, with its instant. */
export type Mark = { readonly price: Price; readonly at: Micros };

/** Clocks differ, and more so when one runs faster than real. A mark further ahead of ours than this is a mistake of the tape. */
export const MARK_AHEAD_MAX = minutes(1);

/** `trading` may trade; `halted` may not. Anything the tape says that is not a clear resume counts as halted. */
export type HaltState = 'trading' | 'halted';

export type TradingStatus = {
  readonly symbol: Ticker;
  readonly at: Micros;
  readonly state: HaltState;
  /** The tape's own code and reason, for the log. */
  readonly code: string;
  readonly reason: string;
};

export type LuldBand = {
  readonly symbol: Ticker;
  readonly at: Micros;
  readonly up: Price;
  readonly down: Price;
};

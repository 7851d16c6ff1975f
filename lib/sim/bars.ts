import type { Ticker } from '../domain/ids.ts';
import type { Bar } from '../domain/market.ts';
import type { Price } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import { PRICE, VOLUME } from './conditions.ts';

/** A bar in the making. Volume counts from the first print, prices from the first print that may set them. */
export type BarBuilder = {
  startAt: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  tradeCount: number;
  pricedVolume: number;
  priceVolume: number;
};

export function createBarBuilder(): BarBuilder {
  return {
    startAt: Number.NEGATIVE_INFINITY,
    open: 0,
    high: 0,
    low: 0,
    close: 0,
    volume: 0,
    tradeCount: 0,
    pricedVolume: 0,
    priceVolume: 0,
  };
}

export function restartBar(bar: BarBuilder, startAt: number): void {
  bar.startAt = startAt;
  bar.open = 0;
  bar.volume = 0;
  bar.tradeCount = 0;
  bar.pricedVolume = 0;
  bar.priceVolume = 0;
}

/** `counts` comes from `printCounts`. */
export function addToBar(bar: BarBuilder, price: number, size: number, counts: number): void {
  if ((counts & VOLUME) !== 0) {
    bar.volume += size;
    bar.tradeCount++;
  }
  if ((counts & PRICE) === 0) return;
  if (bar.open === 0) {
    bar.open = price;
    bar.high = price;
    bar.low = price;
  } else if (price > bar.high) bar.high = price;
  else if (price < bar.low) bar.low = price;
  bar.close = price;
  bar.pricedVolume += size;
  bar.priceVolume += price * size;
}

/** The bar, or `null` when nothing in it may set a price: then the tape has no bar either. */
export function finishBar(bar: BarBuilder, symbol: Ticker): Bar | null {
  if (bar.open === 0 || bar.volume === 0) return null;
  return {
    symbol,
    startAt: bar.startAt as Micros,
    open: bar.open as Price,
    high: bar.high as Price,
    low: bar.low as Price,
    close: bar.close as Price,
    volume: bar.volume,
    tradeCount: bar.tradeCount,
    vwap: Math.round(bar.pricedVolume > 0 ? bar.priceVolume / bar.pricedVolume : bar.close) as Price,
  };
}

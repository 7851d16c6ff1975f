import type { Ticker } from '../../domain/ids.ts';
import type { Bar, Print, Quote } from '../../domain/market.ts';
import type { Price } from '../../domain/money.ts';
import { MICROS_PER_SECOND, type Micros, micros } from '../../domain/time.ts';
import type { MarketEvent } from '../../sim/exchange-api.ts';
import { type DataHub, TEST_FEED, TEST_SYMBOL } from './data-socket.ts';
import type { Driver } from './driver.ts';

/**
 * The feed that Alpaca keeps for trying out a client: one made-up symbol, at any hour. A print and a quote each second,
 * a bar each minute; what they say follows from the instant alone.
 */
export type TestFeed = { stop(): void };

/** After a long pause only the newest seconds are told. */
const CATCH_UP_SECONDS = 120;
const LOOK_MIN_MS = 20;

export function startTestFeed(options: {
  readonly hub: DataHub;
  readonly driver: Driver;
  readonly speed: number;
}): TestFeed {
  const { hub, driver, speed } = options;
  let told = secondOf(driver.now());
  const timer = setInterval(
    () => {
      const now = secondOf(driver.now());
      const first = Math.max(told + 1, now - CATCH_UP_SECONDS);
      told = Math.max(told, now);
      if (hub.wantedOn(TEST_FEED).size === 0) return;
      for (let second = first; second <= now; second += 1)
        for (const event of testEvents(second)) hub.publishOn(TEST_FEED, event);
      hub.flush();
    },
    Math.max(LOOK_MIN_MS, 1_000 / speed),
  );
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

const secondOf = (at: Micros): number => Math.floor(at / MICROS_PER_SECOND);

/** What happens at a second since 1970: a bar of the minute that ended there, then a quote, then a print. */
function testEvents(second: number): readonly MarketEvent[] {
  const bar: readonly MarketEvent[] = second % 60 === 0 ? [{ kind: 'bar', bar: testBar(second - 60) }] : [];
  return [...bar, { kind: 'quote', quote: testQuote(second) }, { kind: 'print', print: testPrint(second) }];
}

const SYMBOL = TEST_SYMBOL as Ticker;

/** A slow wave around 130 dollars, on whole cents. */
const cents = (second: number): number => 13_000 + Math.round(200 * Math.sin(second / 300));
const price = (inCents: number): Price => (inCents * 100) as Price;

const testPrint = (second: number): Print => ({
  symbol: SYMBOL,
  at: micros(second * MICROS_PER_SECOND),
  price: price(cents(second)),
  size: 1 + (second % 100),
  exchange: 'V',
  conditions: ['@'],
  id: String(second),
});

const testQuote = (second: number): Quote => ({
  symbol: SYMBOL,
  at: micros(second * MICROS_PER_SECOND),
  bid: price(cents(second) - 1),
  bidSize: 100,
  ask: price(cents(second) + 1),
  askSize: 200,
});

/** The bar that the minute's own prints add up to. */
function testBar(start: number): Bar {
  const prints = Array.from({ length: 60 }, (_, index) => testPrint(start + index));
  const prices = prints.map((print) => print.price);
  const volume = prints.reduce((total, print) => total + print.size, 0);
  const turnover = prints.reduce((total, print) => total + print.size * print.price, 0);
  return {
    symbol: SYMBOL,
    startAt: micros(start * MICROS_PER_SECOND),
    open: prices[0] as Price,
    high: Math.max(...prices) as Price,
    low: Math.min(...prices) as Price,
    close: prices.at(-1) as Price,
    volume,
    tradeCount: prints.length,
    vwap: Math.round(turnover / volume) as Price,
  };
}

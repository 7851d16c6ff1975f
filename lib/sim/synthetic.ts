import type { Ticker } from '../domain/ids.ts';
import { invariant } from '../domain/invariant.ts';
import type { Price } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import type { Tape } from './exchange-api.ts';
import { createFactor } from './market-factor.ts';
import { createRandom } from './random.ts';
import { createSymbolMarket, type SymbolMarket } from './synthetic-symbol.ts';
import { siftDown } from './tape.ts';
import { inventListing, listingOf, marketSymbols } from './universe.ts';

export type SyntheticOptions = {
  readonly seed: number | string;
  /** Which symbols; well-known names have their own price level, spread and temper. */
  readonly symbols?: readonly Ticker[];
  /** Or how many; 10 when neither is given. */
  readonly count?: number;
  readonly sessions: readonly Session[];
  /** Prints of an average symbol in a full session, 1 or more; 8,000 when absent. Lively names print up to 1.7 times as often. */
  readonly printsPerDay?: number;
  /** Whether quotes are part of the tape; true when absent. */
  readonly withQuotes?: boolean;
};

const PRINTS_PER_DAY = 8_000;
const SYMBOLS = 10;

/**
 * A seeded market: one common factor, and for each symbol its own noise, bid-ask bounce, order flow that comes in runs,
 * and a jump now and then; activity, volatility and spread follow the time of day. Generated a minute at a time, so a
 * day of 5,000 symbols takes no memory to speak of. The same options give the same market, item for item, and a symbol
 * does the same whichever others are there.
 */
export function syntheticTape(options: SyntheticOptions): Tape {
  const { sessions } = options;
  const symbols = options.symbols ?? marketSymbols(options.count ?? SYMBOLS);
  const printsPerDay = options.printsPerDay ?? PRINTS_PER_DAY;
  invariant(printsPerDay >= 1, 'printsPerDay is 1 or more', printsPerDay);
  const random = createRandom(`market/${options.seed}`);
  const factors = sessions.map((session) => createFactor(session, random.fork(`factor/${session.day}`)));
  const markets = symbols.map((symbol) =>
    createSymbolMarket({
      listing: listingOf(symbol) ?? inventListing(symbol),
      random: random.fork(`symbol/${symbol}`),
      sessions,
      factors,
      printsPerDay,
      withQuotes: options.withQuotes ?? true,
    }),
  );
  const heap = markets.filter((market) => market.next());
  for (let index = heap.length >> 1; index >= 0; index--) siftDown(heap, index, isBefore);
  const closes = new Map<Ticker, Price>(markets.map((market) => [market.symbol, market.previousClose]));
  return {
    symbols,
    complete: true,
    peek: () => heap[0]?.item ?? null,
    take() {
      const market = heap[0];
      if (market === undefined) return null;
      const { item } = market;
      if (!market.next()) {
        const last = heap.pop();
        if (last !== undefined && last !== market) heap[0] = last;
      }
      siftDown(heap, 0, isBefore);
      return item;
    },
    previousClose: (symbol) => closes.get(symbol) ?? null,
  };
}

const isBefore = (a: SymbolMarket, b: SymbolMarket): boolean =>
  a.at < b.at || (a.at === b.at && a.symbol < b.symbol);

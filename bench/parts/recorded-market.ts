import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import { syntheticTape } from '../../lib/sim/synthetic.ts';
import { planOf, tickers } from './lane-starts.ts';

/** One session of the seeded market, drawn once and held in memory, so that drawing it is in nobody's time. */
export function recordMarket(symbolCount: number, printsPerDay: number): readonly TapeItem[] {
  const tape = syntheticTape({ seed: 7, symbols: tickers(symbolCount), sessions: [planOf(0)], printsPerDay });
  const items: TapeItem[] = [];
  for (let item = tape.take(); item !== null; item = tape.take()) items.push(item);
  return items;
}

export function replay(symbolCount: number, items: readonly TapeItem[]): Tape {
  let next = 0;
  return {
    symbols: tickers(symbolCount),
    complete: true,
    peek: () => items[next] ?? null,
    take: () => items[next++] ?? null,
    previousClose: () => null,
  };
}

import type { Ticker } from '../domain/ids.ts';
import type { EntryGate } from '../domain/lane-types.ts';
import type { Micros } from '../domain/time.ts';

/**
 * Whether each lane may enter, as far as the feeds are concerned.
 *
 * A trade feed that came back is not enough: what happened meanwhile is only known after a complete look at the broker that
 * began after it was live, and only for the symbols that look agrees on.
 */
export type EntryGates = {
  tradeFeed(isLive: boolean, at: Micros): void;
  /** `missing`: symbols that the server refused to subscribe, for which nothing will come. */
  dataFeed(isLive: boolean, missing?: readonly string[]): void;
  /** Whether more market data arrive than can be taken: marks are late then, and exits need the time. */
  overloaded(isShut: boolean): void;
  /** A complete look that began at `begunAt` agreed on these symbols. */
  agreed(symbols: readonly Ticker[], begunAt: Micros): void;
  of(symbol: Ticker): EntryGate;
  /** Tells every lane its gate that takes itself to stand before another one. */
  tellAll(believed: (symbol: Ticker) => EntryGate): void;
  /** When both feeds are live and every symbol is agreed. */
  allOpen(): boolean;
};

const OPEN: EntryGate = { kind: 'open' };
const NO_TRADES: EntryGate = { kind: 'shut', code: 'tradeFeedDown' };
const NO_DATA: EntryGate = { kind: 'shut', code: 'dataFeedDown' };
const OVERLOADED: EntryGate = { kind: 'shut', code: 'overloaded' };

/** A lane out of the journal has a gate of its own that says the same. */
const constantOf = (gate: EntryGate): EntryGate =>
  [OPEN, NO_TRADES, NO_DATA, OVERLOADED].find((each) => codeOf(each) === codeOf(gate)) ?? gate;
const codeOf = (gate: EntryGate): string => (gate.kind === 'open' ? 'open' : gate.code);

export function createEntryGates(
  symbols: readonly Ticker[],
  tell: (symbol: Ticker, gate: EntryGate) => void,
): EntryGates {
  let tradesLiveSince: Micros | null = null;
  let dataLive = false;
  let isOverloaded = false;
  let unheard: ReadonlySet<string> = new Set();
  const unsure = new Set<Ticker>(symbols);
  const told = new Map<Ticker, EntryGate>();

  function of(symbol: Ticker): EntryGate {
    if (tradesLiveSince === null || unsure.has(symbol)) return NO_TRADES;
    if (!dataLive || unheard.has(symbol)) return NO_DATA;
    return isOverloaded ? OVERLOADED : OPEN;
  }

  function update(): void {
    for (const symbol of symbols) {
      const gate = of(symbol);
      if (told.get(symbol) === gate) continue;
      told.set(symbol, gate);
      tell(symbol, gate);
    }
  }

  return {
    tradeFeed(isLive, at) {
      if (!isLive) {
        tradesLiveSince = null;
        for (const symbol of symbols) unsure.add(symbol);
      } else tradesLiveSince ??= at;
      update();
    },
    dataFeed(isLive, missing = []) {
      dataLive = isLive;
      unheard = new Set(missing);
      update();
    },
    overloaded(isShut) {
      isOverloaded = isShut;
      update();
    },
    agreed(agreed, begunAt) {
      if (tradesLiveSince === null || begunAt < tradesLiveSince) return;
      for (const symbol of agreed) unsure.delete(symbol);
      update();
    },
    of,
    tellAll(believed) {
      for (const symbol of symbols) told.set(symbol, constantOf(believed(symbol)));
      update();
    },
    allOpen: () => symbols.every((symbol) => of(symbol) === OPEN),
  };
}

import type { Ticker } from '../domain/ids.ts';
import type { TradingMode } from '../domain/lane-types.ts';

/**
 * Why a lane may not trade freely. Reasons add up and are lifted one by one; the lane's mode is the strictest that is
 * left.
 */
export type ModeReason =
  | 'kill' // the operator's kill switch, latching
  | 'dailyLoss' // latching
  | 'flatten' // the operator wants out
  | 'shutdown' // the daemon is stopping
  | 'foreign' // shares or orders of others
  | 'discrepancy' // our books and the broker's do not agree
  | 'crashLoop' // the lane was lost too often
  | 'notTradable' // the broker does not trade the symbol
  | 'pause'; // the operator

export type ModeSource = { readonly reason: ModeReason; readonly mode: TradingMode; readonly by: string };

export type LaneModes = {
  /** Gives a lane a reason, or all lanes when `symbol` is `null`. Lanes whose mode changes by it are told. */
  set(symbol: Ticker | null, source: ModeSource): void;
  lift(symbol: Ticker | null, reason: ModeReason, by: string): void;
  of(symbol: Ticker): TradingMode;
  reasons(symbol: Ticker): readonly ModeSource[];
  has(symbol: Ticker | null, reason: ModeReason): boolean;
  /** Tells every lane its mode that takes itself to be in another one: a restored lane remembers an older one. */
  tellAll(by: string, believed: (symbol: Ticker) => TradingMode): void;
};

/** Whoever is to get out gets out, of shares of his own, whatever others have in the symbol. */
const STRICTNESS: Readonly<Record<TradingMode, number>> = {
  active: 0,
  paused: 1,
  exitOnly: 2,
  halted: 3,
  flattening: 4,
};

/** `tell` is called once per lane whose mode changed. */
export function createLaneModes(
  symbols: readonly Ticker[],
  tell: (symbol: Ticker, mode: TradingMode, by: string) => void,
): LaneModes {
  const account = new Map<ModeReason, ModeSource>();
  const own = new Map<Ticker, Map<ModeReason, ModeSource>>(symbols.map((symbol) => [symbol, new Map()]));
  const told = new Map<Ticker, TradingMode>(symbols.map((symbol) => [symbol, 'active']));

  const reasons = (symbol: Ticker): readonly ModeSource[] => [
    ...account.values(),
    ...(own.get(symbol)?.values() ?? []),
  ];

  const modeOf = (symbol: Ticker): TradingMode =>
    reasons(symbol).reduce<TradingMode>(
      (strictest, { mode }) => (STRICTNESS[mode] > STRICTNESS[strictest] ? mode : strictest),
      'active',
    );

  function update(symbol: Ticker | null, by: string): void {
    for (const each of symbol === null ? symbols : [symbol]) {
      const mode = modeOf(each);
      if (told.get(each) === mode) continue;
      told.set(each, mode);
      tell(each, mode, by);
    }
  }

  const shelf = (symbol: Ticker | null): Map<ModeReason, ModeSource> =>
    symbol === null ? account : (own.get(symbol) ?? new Map());

  return {
    set(symbol, source) {
      shelf(symbol).set(source.reason, source);
      update(symbol, source.by);
    },
    lift(symbol, reason, by) {
      if (shelf(symbol).delete(reason)) update(symbol, by);
    },
    of: modeOf,
    reasons,
    has: (symbol, reason) => shelf(symbol).has(reason),
    tellAll(by, believed) {
      for (const symbol of symbols) told.set(symbol, believed(symbol));
      update(null, by);
    },
  };
}

import type { Ticker } from '../domain/ids.ts';
import type { SimAsset } from './exchange-api.ts';
import { createRandom } from './random.ts';
import { listingOf } from './universe.ts';

export type Assets = {
  readonly all: readonly SimAsset[];
  /** By symbol or by id. */
  find(symbolOrId: string): SimAsset | null;
};

/** The tape's symbols as assets. Ids depend on the symbol alone, so that they are the same in every run. */
export function createAssets(symbols: readonly Ticker[]): Assets {
  const all = symbols.map((symbol): SimAsset => {
    const listing = listingOf(symbol);
    return {
      id: createRandom(`asset/${symbol}`).uuid(),
      symbol,
      name: listing?.name ?? `${symbol} Common Stock`,
      exchange: listing?.exchange ?? 'NASDAQ',
      tradable: true,
      shortable: true,
      marginable: true,
      fractionable: true,
    };
  });
  const byKey = new Map<string, SimAsset>();
  for (const asset of all) {
    byKey.set(asset.symbol, asset);
    byKey.set(asset.id, asset);
  }
  return { all, find: (symbolOrId) => byKey.get(symbolOrId) ?? null };
}

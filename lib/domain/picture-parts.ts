import type { Ticker } from './ids.ts';
import type { BrokerPicture } from './reconcile-types.ts';

/**
 * A picture of the account as one picture for each symbol. Whoever asks for every symbol of thousands must not go through
 * every order of all of them each time.
 */
export function partsOf<P extends BrokerPicture>(picture: P): (symbol: Ticker) => P {
  const openOrders = bySymbol(picture.openOrders);
  const ordersSince = bySymbol(picture.ordersSince);
  const positions = bySymbol(picture.positions);
  const fills = picture.fills === null ? null : bySymbol(picture.fills);
  return (symbol) => ({
    ...picture,
    openOrders: openOrders.get(symbol) ?? [],
    ordersSince: ordersSince.get(symbol) ?? [],
    positions: positions.get(symbol) ?? [],
    fills: fills === null ? null : (fills.get(symbol) ?? []),
  });
}

function bySymbol<T extends { readonly symbol: Ticker }>(
  items: readonly T[],
): ReadonlyMap<Ticker, readonly T[]> {
  const parts = new Map<Ticker, T[]>();
  for (const item of items) {
    const part = parts.get(item.symbol);
    if (part === undefined) parts.set(item.symbol, [item]);
    else part.push(item);
  }
  return parts;
}

import type { Ticker } from '../../lib/domain/ids.ts';
import { before, type Duration } from '../../lib/domain/time.ts';
import type { Exchange, SimPosition } from '../../lib/sim/exchange-api.ts';
import { notFound, ok } from '../../lib/sim/refusals.ts';

/** An exchange whose positions are told as they were `lag` ago, as REST views are that trail the fills. */
export function lagging(exchange: Exchange, lag: Duration): Exchange {
  if (lag === 0) return exchange;

  function positions(): readonly SimPosition[] {
    const told = new Map(exchange.positions().map((position) => [position.symbol, position]));
    for (const [symbol, moved] of movedSince(exchange, lag)) {
      const now = told.get(symbol);
      const qty = (now?.qty ?? 0) - moved;
      const shape = now ?? formerPosition(exchange, symbol);
      if (qty === 0) told.delete(symbol);
      else if (shape !== null) told.set(symbol, { ...shape, qty, available: qty });
    }
    return [...told.values()];
  }

  return {
    ...exchange,
    positions,
    position: (symbol) => {
      const found = positions().find((position) => position.symbol === symbol);
      return found === undefined ? notFound('position does not exist') : ok(found);
    },
  };
}

/** Shares that moved within the last `lag`, by symbol. */
function movedSince(exchange: Exchange, lag: Duration): ReadonlyMap<Ticker, number> {
  const moved = new Map<Ticker, number>();
  for (const { symbol, side, qty, at } of exchange.fills())
    if (at > before(exchange.now(), lag))
      moved.set(symbol, (moved.get(symbol) ?? 0) + (side === 'buy' ? qty : -qty));
  return moved;
}

/** A position that is closed already, as far as the last price tells of it. */
function formerPosition(exchange: Exchange, symbol: Ticker): SimPosition | null {
  const asset = exchange.asset(symbol);
  const last = exchange.latestPrint(symbol)?.price;
  if (!asset.ok || last === undefined) return null;
  return {
    symbol,
    assetId: asset.value.id,
    exchange: asset.value.exchange,
    qty: 0,
    available: 0,
    cost: 0,
    averagePrice: last,
    currentPrice: last,
    lastDayPrice: last,
  };
}

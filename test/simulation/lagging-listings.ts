import type { BrokerOrderId } from '../../lib/domain/ids.ts';
import { before, type Duration, type Micros } from '../../lib/domain/time.ts';
import type { Answer, Exchange, SimOrder } from '../../lib/sim/exchange-api.ts';
import { notFound, ok } from '../../lib/sim/refusals.ts';

type Seen = { readonly at: Micros; readonly order: SimOrder };

/**
 * An exchange whose order listings and look-ups tell what was so `lag` ago, while the stream is ahead of them. An order
 * younger than that is not there yet.
 */
export function withLaggingListings(exchange: Exchange, lag: Duration, onAbsent: () => void): Exchange {
  // What the stream has not told yet no listing tells either.
  const behind = Math.max(lag, exchange.options.latencyOut) as Duration;
  if (lag === 0) return exchange;
  const histories = new Map<BrokerOrderId, Seen[]>();
  const byClientId = new Map<string, BrokerOrderId>();
  exchange.onTradeUpdate(({ at, order }) => {
    const history = histories.get(order.id);
    if (history === undefined) histories.set(order.id, [{ at, order }]);
    else history.push({ at, order });
    byClientId.set(order.clientOrderId, order.id);
  });

  function shown(id: BrokerOrderId): SimOrder | null {
    const until = before(exchange.now(), behind);
    const found = (histories.get(id) ?? []).findLast(({ at }) => at <= until)?.order ?? null;
    if (found === null) onAbsent();
    return found;
  }

  const answer = (id: BrokerOrderId | undefined): Answer<SimOrder> => {
    const order = id === undefined ? null : shown(id);
    return order === null ? notFound('order not found') : ok(order);
  };

  return {
    ...exchange,
    order: answer,
    orderByClientOrderId: (id) => answer(byClientId.get(id)),
    orders(query) {
      const all: SimOrder[] = [];
      for (const id of histories.keys()) {
        const order = shown(id);
        if (order === null || (query.after !== null && order.submittedAt <= query.after)) continue;
        if (query.status === 'open' && ENDED.has(order.status)) continue;
        all.push(order);
      }
      return ok(all);
    },
  };
}

const ENDED: ReadonlySet<SimOrder['status']> = new Set([
  'filled',
  'canceled',
  'expired',
  'rejected',
  'replaced',
  'done_for_day',
]);

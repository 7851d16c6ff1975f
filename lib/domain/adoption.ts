import { isEnd } from './execution.ts';
import { type BrokerPicture, type LaneBelief, NO_SUSPICION, reconcile, type SeenOrder } from './reconcile.ts';

/** Why a symbol's shares and orders were not taken over; stable codes. */
export type AdoptionRefusal =
  | 'unknownSymbol'
  | 'stopping'
  | 'sessionClosed'
  | 'busy' // an adoption of this symbol is under way
  | 'laneNotSettled' // the lane has an order of its own, or news it has not heard
  | 'nothingToAdopt'
  | 'notConfirmed' // reconciliation has not seen it often enough
  | 'shortShares'
  | 'fractions'
  | 'brokerUnread'
  | 'ordersRemain' // orders of others that did not end after their cancel
  | 'positionUnclear'; // the position did not become what the canceled orders' fills make it

export type AdoptionPlan =
  | { readonly kind: 'refused'; readonly code: AdoptionRefusal; readonly text: string }
  | {
      readonly kind: 'adopt';
      /** Open orders that are not the lane's: they go first, for a sell among them holds the shares. */
      readonly cancel: readonly SeenOrder[];
      /** The position in the picture. */
      readonly position: number;
    };

/**
 * What taking a symbol over means: its lane takes the broker's position for its own. Whole shares, long, and only while the
 * lane itself has nothing under way, so that no share can be counted twice.
 */
export function planAdoption(belief: LaneBelief, picture: BrokerPicture): AdoptionPlan {
  const { symbol, shares, orders } = belief;
  const live = orders.find(({ state }) => state !== 'done');
  if (live !== undefined)
    return refused(
      'laneNotSettled',
      `a lane that takes shares over has no order of its own: ${live.clientOrderId} is ${live.state}`,
    );
  const findings = reconcile([belief], picture, NO_SUSPICION, 1).symbols.find(
    (each) => each.symbol === symbol,
  )?.findings;
  if (findings?.some(({ kind }) => kind === 'behind' || kind === 'replaced') === true)
    return refused('laneNotSettled', 'a lane that takes shares over has heard all news of its own orders');
  const position = picture.positions.find((each) => each.symbol === symbol)?.shares ?? 0;
  if (position < 0) return refused('shortShares', `only long shares are taken over: ${position}`);
  if (!Number.isInteger(position))
    return refused('fractions', `only whole shares are taken over: ${position}`);
  const known = new Set(orders.map(({ clientOrderId }) => clientOrderId));
  const cancel = uniqueOf([...picture.openOrders, ...picture.ordersSince]).filter(
    (order) => order.symbol === symbol && !isEnd(order.status) && !known.has(order.clientOrderId),
  );
  if (cancel.length === 0 && position === shares)
    return refused(
      'nothingToAdopt',
      `shares or orders of others are there to be taken over: none of ${symbol}`,
    );
  return { kind: 'adopt', cancel, position };
}

export const refused = (code: AdoptionRefusal, text: string): Extract<AdoptionPlan, { kind: 'refused' }> => ({
  kind: 'refused',
  code,
  text,
});

/** Of two states of one order the one that ended: the listings were read one after the other. */
function uniqueOf(orders: readonly SeenOrder[]): readonly SeenOrder[] {
  const byId = new Map<string, SeenOrder>();
  for (const order of orders) {
    const known = byId.get(order.brokerOrderId);
    if (known === undefined || isEnd(order.status)) byId.set(order.brokerOrderId, order);
  }
  return [...byId.values()];
}

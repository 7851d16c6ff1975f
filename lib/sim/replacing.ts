import type { BrokerOrderId } from '../domain/ids.ts';
import { sharesOf } from './account.ts';
import { isWhole, parseShares } from './amounts.ts';
import { record, register } from './entry.ts';
import type { Answer, ReplaceRequest, SimAsset, SimOrder, TimeInForce } from './exchange-api.ts';
import { costMistake, heldBy, openingCost, reservedBy } from './order-checks.ts';
import { readPrice } from './order-prices.ts';
import { isOver, type OrderRecord, snapshot } from './order-record.ts';
import { insufficientQty } from './refusal-details.ts';
import { badShape, isRefused, notFound, ok, type Refused, unprocessable } from './refusals.ts';
import { arriveReplace } from './router.ts';
import { routeOf } from './session-clock.ts';
import { bookOf, later, report, setStatus, type Venue } from './venue.ts';

type Terms = Pick<
  SimOrder,
  'qty' | 'timeInForce' | 'limitPrice' | 'stopPrice' | 'trailPrice' | 'trailPercent'
>;

/**
 * Requests a replace: answers with the new order, under a new id. The old one stays in the book, `pending_replace`,
 * until the request arrives there; if it fills first, the new one is rejected. The new quantity is the total, fills
 * included, and the new order carries the fills of the old on.
 */
export function replace(
  venue: Venue,
  id: BrokerOrderId,
  changes: ReplaceRequest,
  asset: SimAsset | null,
): Answer<SimOrder> {
  const order = venue.orders.get(id);
  if (order === undefined || asset === null) return notFound('order not found');
  const state = stateMistake(order);
  if (state !== null) return state;
  const terms = readTerms(venue, order, changes);
  if (isRefused(terms)) return terms;
  const clientOrderId = changes.clientOrderId;
  if (clientOrderId !== null && clientOrderId.length > 128)
    return badShape('client_order_id must be no more than 128 characters');
  if (clientOrderId !== null && venue.byClientId.has(clientOrderId))
    return badShape('client_order_id must be unique');
  const route = routeOf(venue.options.sessions, venue.now, terms.timeInForce, order.extendedHours);
  if (isRefused(route)) return route;
  const capacity = capacityMistake(venue, order, terms);
  if (capacity !== null) return capacity;

  const form = { ...order, ...terms, asset, clientOrderId, takeProfit: null, stopLoss: null };
  const successor = register(venue, record(venue, form, route, { replaces: order.id }), false);
  order.successor = successor;
  order.statusBefore = order.status;
  setStatus(venue, order, 'pending_replace');
  report(venue, 'pending_replace', order);
  later(venue, venue.options.latencyIn, () => arriveReplace(venue, order, successor));
  return ok(snapshot(successor));
}

function stateMistake(order: OrderRecord): Refused | null {
  switch (order.status) {
    case 'accepted':
    case 'pending_new':
    case 'held':
      return unprocessable(`cannot replace order in ${order.status} status`);
    case 'pending_cancel':
      return unprocessable('order pending cancel');
    case 'pending_replace':
      return unprocessable('order chain not fully replaced');
    case 'replaced':
      return unprocessable('order already replaced');
  }
  if (isOver(order)) return badShape('unable to replace order, order is not open');
  if (order.notional !== null) return unprocessable('notional orders cannot be replaced');
  return null;
}

function readTerms(venue: Venue, order: OrderRecord, changes: ReplaceRequest): Terms | Refused {
  const rules = { subPenny: venue.options.subPenny, fractionalTrading: false };
  const qty = changes.qty === null ? order.qty : parseShares(changes.qty);
  if (qty === null) return badShape('qty must be a number');
  if (qty !== order.qty) {
    if (order.orderClass !== '' || order.parent !== null)
      return unprocessable('qty cannot be changed for advanced orders');
    if (!isWhole(qty) || (order.qty !== null && !isWhole(order.qty))) return badShape('qty must be integer');
    if (qty <= order.filledQty) return unprocessable('qty must be > filled_qty');
  }
  const limit = readPrice('limit', changes.limitPrice, rules);
  if (isRefused(limit)) return limit;
  const stop = readPrice('stop', changes.stopPrice, rules);
  if (isRefused(stop)) return stop;
  if (limit !== null && order.limitPrice === null)
    return badShape(`${order.type} orders require no limit price`);
  if (stop !== null && (order.stopPrice === null || order.type === 'trailing_stop'))
    return badShape(`${order.type} orders require no stop price`);
  const trail = readPrice('trail', changes.trail, { ...rules, subPenny: 'tolerant' });
  if (isRefused(trail)) return trail;
  if (trail !== null && order.type !== 'trailing_stop')
    return badShape(`${order.type} orders require no trail`);
  const timeInForce = changes.timeInForce ?? order.timeInForce;
  if (timeInForce !== order.timeInForce && timeInForce !== 'day' && timeInForce !== 'gtc')
    return unprocessable('invalid time_in_force');
  const terms: Terms = {
    qty,
    timeInForce: timeInForce satisfies TimeInForce,
    limitPrice: limit ?? order.limitPrice,
    stopPrice: stop ?? order.stopPrice,
    trailPrice: order.trailPrice === null ? null : (trail ?? order.trailPrice),
    trailPercent: order.trailPercent === null ? null : trail === null ? order.trailPercent : trail / 10_000,
  };
  const same = (Object.keys(terms) as (keyof Terms)[]).every((key) => terms[key] === order[key]);
  return same && changes.clientOrderId === null ? unprocessable('order parameters are not changed') : terms;
}

/** While the replace is on its way the larger of the two orders counts against shares and buying power. */
function capacityMistake(venue: Venue, order: OrderRecord, terms: Terms): Refused | null {
  const book = bookOf(venue, order.symbol);
  const shares = (terms.qty ?? 0) - order.filledQty;
  if (order.positionIntent.endsWith('_to_close')) {
    if (venue.options.oversell === 'allow') return null;
    const existing = Math.abs(sharesOf(venue.account, order.symbol));
    const others = heldBy(book, order.side, order);
    const available = Math.max(0, existing - others.shares);
    if (shares <= available) return null;
    const orders = others.orders.map((each) => each.id);
    const held = others.shares;
    return insufficientQty({ symbol: order.symbol, requested: shares, existing, held, available, orders });
  }
  const cost = openingCost(book, order.side, { ...terms, notional: null }, shares);
  return costMistake(venue, cost, reservedBy(venue, order));
}

import type { BrokerOrderId } from '../domain/ids.ts';
import type { Price } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import type { Answer, OrderRequest, SimAsset, SimOrder, SimOrderStatus } from './exchange-api.ts';
import { checkOrder } from './order-checks.ts';
import { readOrderForm } from './order-form.ts';
import type { OrderForm } from './order-form-type.ts';
import { isOver, type OrderRecord, snapshot } from './order-record.ts';
import { badShape, forbidden, isRefused, notFound, ok, type Refused, unprocessable } from './refusals.ts';
import { arriveCancel, scheduleArrival } from './router.ts';
import { takeScript } from './scripts.ts';
import { clockAt, type Route, routeOf } from './session-clock.ts';
import { bookOf, report, setStatus, type Venue } from './venue.ts';

/** Takes or refuses a new order. The answer never shows a fill; the first status is `pending_new`, or `accepted` when queued. */
export function submit(
  venue: Venue,
  request: OrderRequest,
  asset: SimAsset | null,
  heldIsReleased = false,
): Answer<SimOrder> {
  if (venue.configurations.suspendTrade) return forbidden('new orders are rejected by user request');
  const rules = {
    subPenny: venue.options.subPenny,
    fractionalTrading: venue.configurations.fractionalTrading,
  };
  const form = readOrderForm(request, asset, rules);
  if (isRefused(form)) return form;
  if (form.clientOrderId !== null && venue.byClientId.has(form.clientOrderId))
    return badShape('client_order_id must be unique');
  const route = routeOf(venue.options.sessions, venue.now, form.timeInForce, form.extendedHours);
  if (isRefused(route)) return route;
  const book = bookOf(venue, form.asset.symbol);
  const intent = checkOrder(venue, book, form, heldIsReleased);
  if (isRefused(intent)) return intent;

  const queued = route.startAt > venue.now;
  const order = register(venue, record(venue, { ...form, positionIntent: intent }, route));
  order.status = queued ? 'accepted' : 'pending_new';
  order.script = takeScript(venue, form);
  addLegs(venue, order, form, route);
  report(venue, queued ? 'accepted' : 'pending_new', order);
  scheduleArrival(venue, order, route.startAt);
  return ok(snapshot(order));
}

type Entry = Omit<OrderForm, 'positionIntent'> & Pick<SimOrder, 'positionIntent'>;

export function record(
  venue: Venue,
  form: Entry,
  route: Pick<Route, 'expiresAt'>,
  over: Partial<OrderRecord> = {},
): OrderRecord {
  const id = venue.chance.ids.uuid() as BrokerOrderId;
  return {
    id,
    clientOrderId: form.clientOrderId ?? venue.chance.ids.uuid(),
    symbol: form.asset.symbol,
    assetId: form.asset.id,
    side: form.side,
    type: form.type,
    timeInForce: form.timeInForce,
    orderClass: form.orderClass,
    qty: form.qty,
    notional: form.notional,
    limitPrice: form.limitPrice,
    stopPrice: form.stopPrice,
    trailPrice: form.trailPrice,
    trailPercent: form.trailPercent,
    highWaterMark: null,
    extendedHours: form.extendedHours,
    positionIntent: form.positionIntent,
    status: 'pending_new',
    filledQty: 0,
    filledNotional: 0,
    createdAt: venue.now,
    submittedAt: venue.now,
    updatedAt: venue.now,
    expiresAt: route.expiresAt,
    filledAt: null,
    cancelRequestedAt: null,
    canceledAt: null,
    expiredAt: null,
    failedAt: null,
    replacedAt: null,
    replacedBy: null,
    replaces: null,
    sequence: venue.bySequence.length,
    legs: [],
    parent: null,
    statusBefore: 'new',
    successor: null,
    script: null,
    queueAhead: 0,
    taker: false,
    bookPrice: 0,
    ...over,
  };
}

/** Makes an order known by its ids; only open orders hold shares and buying power. */
export function register(venue: Venue, order: OrderRecord, isOpen = true): OrderRecord {
  venue.orders.set(order.id, order);
  venue.byClientId.set(order.clientOrderId, order);
  venue.bySequence.push(order);
  if (isOpen) {
    venue.open.add(order);
    bookOf(venue, order.symbol).open.add(order);
  }
  return order;
}

/** The exits of a bracket, oto or oco: `held` until their parent fills, or until the twin lets go of the shares. */
function addLegs(venue: Venue, parent: OrderRecord, form: OrderForm, route: Route): void {
  const add = (type: SimOrder['type'], limitPrice: Price | null, stopPrice: Price | null): void => {
    const isTwin = parent.orderClass === 'oco';
    const side = isTwin ? parent.side : parent.side === 'buy' ? 'sell' : 'buy';
    const leg: Entry = {
      ...form,
      side,
      type,
      limitPrice,
      stopPrice,
      clientOrderId: null,
      positionIntent: side === 'sell' ? 'sell_to_close' : 'buy_to_close',
    };
    const order = register(venue, record(venue, leg, route, { parent, status: 'held' }));
    parent.legs.push(order);
    if (isTwin) scheduleArrival(venue, order, route.startAt);
  };
  if (parent.orderClass !== 'oco' && form.takeProfit !== null) add('limit', form.takeProfit, null);
  if (form.stopLoss !== null)
    add(form.stopLoss.limit === null ? 'stop' : 'stop_limit', form.stopLoss.limit, form.stopLoss.stop);
}

/** Requests a cancel. Only the update says what became of it. */
export function cancel(venue: Venue, id: BrokerOrderId): Answer<null> {
  const order = venue.orders.get(id);
  if (order === undefined) return notFound('order not found');
  const refusal = cancelRefusal(order);
  if (refusal !== null) return refusal;
  if (order.status === 'canceled') return ok(null);
  order.statusBefore = order.status;
  order.cancelRequestedAt = venue.now;
  setStatus(venue, order, 'pending_cancel');
  report(venue, 'pending_cancel', order);
  const clock = clockAt(venue.options.sessions, venue.now);
  const waits = venue.options.cancelsWaitForOpen === true && !clock.isOpen;
  const at = Math.max(waits ? clock.nextOpenAt : 0, venue.now + venue.options.latencyIn) as Micros;
  venue.queue.schedule(at, () => arriveCancel(venue, order));
  return ok(null);
}

/** A cancel of what is already canceled is answered 204, as observed at Alpaca. */
function cancelRefusal(order: OrderRecord): Refused | null {
  const { status } = order;
  if (status === 'pending_cancel') return unprocessable('order pending cancel');
  if (status === 'pending_replace') return unprocessable('order pending replace');
  return isOver(order) && status !== 'canceled'
    ? unprocessable(`order is already in "${status satisfies SimOrderStatus}" state`)
    : null;
}

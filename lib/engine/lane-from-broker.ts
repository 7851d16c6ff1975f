import { isEnd } from '../domain/execution.ts';
import { parseClientOrderId, type Ticker } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import { type Found, findOrder, type Lane, openLane, restoreLane } from '../domain/lane.ts';
import type { LaneParams } from '../domain/lane-types.ts';
import { cash, qty, ZERO_CASH } from '../domain/money.ts';
import { averageEntry, FLAT, type Position, realizedOf, sharesOf } from '../domain/position.ts';
import { reportOf } from '../domain/reconcile.ts';
import type { SessionPlan } from '../domain/session.ts';
import { carriedBy } from '../domain/succession.ts';
import { after, type Micros, type SessionDay } from '../domain/time.ts';
import type { BrokerOrder } from '../ports/broker.ts';
import type { Picture } from './reconciler.ts';

/**
 * A lane that the journal knows nothing of, from our own orders of the day at the broker: shares, live orders, and the day's
 * counts and profit, so that the limits hold as if nothing had been lost.
 *
 * Positions are not asked: they lag, and hold the shares of others as well. Orders of ours prove shares ours; should the
 * broker hold fewer, reconciliation finds it.
 */
export function laneFromBroker(params: LaneParams, plan: SessionPlan, picture: Picture, at: Micros): Lane {
  const orders = ownOrders(params.symbol, plan.day, picture);
  if (orders.length === 0) return openLane(params);
  const day = orders.reduce((fold, order) => takeOrder(fold, order, orders, picture, params), NEW_FOLD);
  const { trip, heldSince } = withAdopted(day, orders, picture);
  const averagePx = averageEntry(trip);
  const found: Found = {
    plan,
    lastSequence: Math.max(
      ...orders.map(({ clientOrderId }) => parseClientOrderId(clientOrderId)?.sequence ?? 0),
    ),
    day: {
      entries: day.entries,
      roundTrips: day.roundTrips,
      lossesInRow: day.lossesInRow,
      coolUntil: day.coolUntil,
      realized: cash(day.realized + realizedOf(trip)),
    },
    shares:
      sharesOf(trip) > 0 && averagePx !== null
        ? { qty: qty(sharesOf(trip)), averagePx, heldSince: heldSince < at ? heldSince : at }
        : null,
    orders: orders.map((order) => ({
      intent: intentOf(order, at),
      report: reportOf(order, picture.takenAt),
    })),
  };
  return restoreLane(params, found, at);
}

/** Whether the broker has an order of ours of this day that the lane knows nothing of: then its journal is not whole. */
export function missesOrders(lane: Lane, day: SessionDay, picture: Picture): boolean {
  return ownOrders(lane.params.symbol, day, picture).some(
    ({ clientOrderId }) => findOrder(lane, clientOrderId) === null,
  );
}

/** By our ids, and what lives on of one that somebody replaced; by submission, each in its latest state. */
function ownOrders(symbol: Ticker, day: SessionDay, picture: Picture): readonly BrokerOrder[] {
  const latest = new Map<string, BrokerOrder>();
  for (const order of [...picture.openOrders, ...picture.ordersSince]) {
    const known = latest.get(order.brokerOrderId);
    if (order.symbol !== symbol) continue;
    if (known === undefined || order.cumQty > known.cumQty || isEnd(order.status))
      latest.set(order.brokerOrderId, order);
  }
  const own = new Map<string, BrokerOrder>();
  const inOrder = [...latest.values()].sort((a, b) => a.submittedAt - b.submittedAt);
  for (const order of inOrder)
    if (
      parseClientOrderId(order.clientOrderId)?.day === day ||
      (order.replaces !== null && own.has(order.replaces))
    )
      own.set(order.brokerOrderId, order);
  return [...own.values()];
}

type DayFold = {
  readonly trip: Position;
  readonly heldSince: Micros;
  readonly entries: number;
  readonly roundTrips: number;
  readonly lossesInRow: number;
  readonly coolUntil: Micros | null;
  readonly realized: number;
};

const NEW_FOLD: DayFold = {
  trip: FLAT,
  heldSince: 0 as Micros,
  entries: 0,
  roundTrips: 0,
  lossesInRow: 0,
  coolUntil: null,
  realized: ZERO_CASH,
};

function takeOrder(
  fold: DayFold,
  order: BrokerOrder,
  orders: readonly BrokerOrder[],
  picture: Picture,
  params: LaneParams,
): DayFold {
  const { qty: shares, notional } = ownFills(order, orders, picture);
  // An entry counts when it is over, and a successor is none of its own.
  const isEntry = order.side === 'buy' && order.replaces === null && isEnd(order.status);
  const entries = fold.entries + (isEntry ? 1 : 0);
  if (shares === 0) return { ...fold, entries };
  if (order.side === 'buy') {
    const { bought, boughtFor } = fold.trip;
    const trip = {
      ...fold.trip,
      bought: qty(bought + shares),
      boughtFor: cash(boughtFor + notional),
    };
    return {
      ...fold,
      entries,
      trip,
      heldSince: sharesOf(fold.trip) > 0 ? fold.heldSince : order.submittedAt,
    };
  }
  // Sold beyond what our own entries bought: shares that were adopted. Nobody tells any more what they had cost.
  const ours = Math.min(shares, sharesOf(fold.trip));
  const trip: Position = {
    ...fold.trip,
    sold: qty(fold.trip.sold + ours),
    soldFor: cash(fold.trip.soldFor + Math.round((notional / shares) * ours)),
  };
  return sharesOf(trip) > 0 || ours === 0 ? { ...fold, trip } : closeTrip(fold, trip, order, params);
}

function closeTrip(fold: DayFold, trip: Position, order: BrokerOrder, params: LaneParams): DayFold {
  const pnl = trip.soldFor - trip.boughtFor;
  const losses = pnl < 0 ? fold.lossesInRow + 1 : 0;
  const cools = losses >= params.lossesMax;
  return {
    ...fold,
    trip: FLAT,
    roundTrips: fold.roundTrips + 1,
    realized: fold.realized + pnl,
    lossesInRow: cools ? 0 : losses,
    coolUntil: cools ? after(order.updatedAt, params.coolOff) : fold.coolUntil,
  };
}

/**
 * A live sell of ours proves that its shares are ours, also where no order of ours bought them: they were adopted. What the
 * broker says they cost is what they had been taken over at.
 */
function withAdopted(fold: DayFold, orders: readonly BrokerOrder[], picture: Picture): DayFold {
  const { trip } = fold;
  const live = orders.filter(
    ({ side, status, replaces }) => side === 'sell' && !isEnd(status) && replaces === null,
  );
  const missing = live.reduce((sum, order) => sum + order.qty - order.cumQty, 0) - sharesOf(trip);
  const [first] = live;
  if (first === undefined || missing <= 0) return fold;
  const seen = picture.positions.find(({ symbol }) => symbol === first.symbol);
  const px = seen?.averagePx ?? first.limit ?? 0;
  return {
    ...fold,
    heldSince: sharesOf(trip) > 0 ? fold.heldSince : first.submittedAt,
    trip: {
      ...trip,
      bought: qty(trip.bought + missing),
      boughtFor: cash(trip.boughtFor + px * missing),
    },
  };
}

/** What the order itself filled: a successor's total may hold what its predecessor filled. */
function ownFills(
  order: BrokerOrder,
  orders: readonly BrokerOrder[],
  { fills }: Picture,
): { readonly qty: number; readonly notional: number } {
  const old = orders.find(({ brokerOrderId }) => brokerOrderId === order.replaces);
  if (old === undefined) return { qty: order.cumQty, notional: order.cumNotional };
  const executed = (fills ?? [])
    .filter(({ brokerOrderId }) => brokerOrderId === order.brokerOrderId)
    .reduce((sum, fill) => sum + fill.qty, 0);
  // In doubt nothing was carried: too many shares are refused by the broker, too few would be left behind.
  const carried = carriedBy(old, order, fills === null ? null : executed) ?? { qty: 0, notional: 0 };
  return { qty: order.cumQty - carried.qty, notional: order.cumNotional - carried.notional };
}

function intentOf(order: BrokerOrder, at: Micros): OrderIntent {
  const { clientOrderId, symbol, side, limit } = order;
  return {
    clientOrderId,
    symbol,
    side,
    qty: order.qty,
    price: limit === null ? { type: 'market' } : { type: 'limit', limit },
    purpose: side === 'buy' ? 'entry' : limit === null ? 'bailOut' : 'exit',
    decidedAt: order.submittedAt < at ? order.submittedAt : at,
    mark: null,
    expiresAt: null,
  };
}

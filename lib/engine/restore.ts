import { isEnd } from '../domain/execution.ts';
import { parseClientOrderId, type Ticker } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import { type Found, type Lane, openLane, reduceLane, restoreLane } from '../domain/lane.ts';
import type { LaneEvent, LaneParams } from '../domain/lane-types.ts';
import { qty } from '../domain/money.ts';
import { applyTrade, averageEntry, FLAT, type Position, sharesOf } from '../domain/position.ts';
import type { SessionPlan } from '../domain/session.ts';
import type { Micros } from '../domain/time.ts';
import type { BrokerOrder } from '../ports/broker.ts';
import type { StoredRecord } from '../ports/journal.ts';
import type { LaneStep } from '../ports/lane-protocol.ts';
import type { Picture } from './reconciler.ts';

/**
 * Lanes from the journal of a day.
 *
 * The journal holds, per lane, a snapshot of its state whenever the engine began with it, and every event it was fed since,
 * numbered. An order request carries the event that led to it, because it is written before it leaves and the event's own
 * record only after: a kill in between leaves the request alone behind.
 */
export type FoldedDay = {
  readonly lanes: ReadonlyMap<Ticker, Lane>;
  /** Records that do not read as what they claim to be, and numbers missing in a row of events. */
  readonly damages: readonly string[];
};

type Segment = { lane: Lane; readonly events: Map<number, LaneEvent> };

export function foldDay(
  records: readonly StoredRecord[],
  onStep: (symbol: Ticker, step: LaneStep, after: Lane) => void,
): FoldedDay {
  const segments = new Map<Ticker, Segment>();
  const damages: string[] = [];

  function close(symbol: Ticker, segment: Segment): Lane {
    let { lane } = segment;
    let expected = 1;
    for (const [number, event] of [...segment.events].sort(([a], [b]) => a - b)) {
      if (number !== expected) damages.push(`${symbol}: steps ${expected} to ${number - 1} are missing`);
      expected = number + 1;
      const [next, commands] = reduceLane(lane, event);
      lane = next;
      onStep(symbol, { event, commands }, lane);
    }
    return lane;
  }

  for (const { id, kind, symbol, body } of records) {
    if (symbol === null) continue;
    const snapshot = kind === 'session' ? snapshotIn(body) : null;
    const segment = segments.get(symbol);
    if (snapshot !== null) {
      if (segment !== undefined) close(symbol, segment);
      segments.set(symbol, { lane: snapshot, events: new Map() });
    } else if (kind === 'input' || kind === 'request') {
      const step = stepIn(body);
      if (step === null) damages.push(`record ${id} of ${symbol} is no step`);
      else segment?.events.set(step.number, step.event);
    }
  }
  const lanes = new Map([...segments].map(([symbol, segment]) => [symbol, close(symbol, segment)]));
  return { lanes, damages };
}

function snapshotIn(body: unknown): Lane | null {
  if (!isObject(body) || body.what !== 'lane' || !isObject(body.lane)) return null;
  const { lane } = body;
  return isObject(lane.params) && isObject(lane.stage) && Array.isArray(lane.past)
    ? (lane as unknown as Lane)
    : null;
}

function stepIn(body: unknown): { readonly number: number; readonly event: LaneEvent } | null {
  if (!isObject(body) || typeof body.step !== 'number' || !isObject(body.event)) return null;
  const { event } = body;
  return typeof event.kind === 'string' && typeof event.at === 'number'
    ? { number: body.step, event: event as unknown as LaneEvent }
    : null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A lane that the journal knows nothing of, from our own orders of the day at the broker. */
export function laneFromBroker(params: LaneParams, plan: SessionPlan, picture: Picture, at: Micros): Lane {
  const orders = [...picture.openOrders, ...picture.ordersSince].filter(
    (order, index, all) =>
      order.symbol === params.symbol &&
      parseClientOrderId(order.clientOrderId)?.day === plan.day &&
      all.findIndex(({ brokerOrderId }) => brokerOrderId === order.brokerOrderId) === index,
  );
  if (orders.length === 0) return openLane(params);
  const position = foldPosition(orders);
  const averagePx = averageEntry(position);
  // The broker is asked, not believed: what it does not hold cannot be sold.
  const held = picture.positions.find(({ symbol }) => symbol === params.symbol)?.shares ?? 0;
  const shares = Math.min(sharesOf(position), Math.floor(held));
  const found: Found = {
    plan,
    lastSequence: Math.max(
      ...orders.map(({ clientOrderId }) => parseClientOrderId(clientOrderId)?.sequence ?? 0),
    ),
    entries: orders.filter(({ side }) => side === 'buy').length,
    shares:
      shares > 0 && averagePx !== null
        ? { qty: qty(shares), averagePx, heldSince: lastBuyAt(orders, at) }
        : null,
    orders: orders
      .filter(({ status }) => !isEnd(status))
      .map((order) => ({
        intent: intentOf(order, at),
        cumQty: order.cumQty,
        cumNotional: order.cumNotional,
      })),
  };
  return restoreLane(params, found, at);
}

function foldPosition(orders: readonly BrokerOrder[]): Position {
  return [...orders]
    .sort((a, b) => a.updatedAt - b.updatedAt)
    .reduce<Position>((position, { side, cumQty, cumNotional }) => {
      const next = applyTrade(position, side, { qty: cumQty, notional: cumNotional });
      return sharesOf(next) === 0 ? FLAT : next;
    }, FLAT);
}

function lastBuyAt(orders: readonly BrokerOrder[], at: Micros): Micros {
  const last = orders.findLast(({ side, cumQty }) => side === 'buy' && cumQty > 0);
  return last === undefined || last.submittedAt > at ? at : last.submittedAt;
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

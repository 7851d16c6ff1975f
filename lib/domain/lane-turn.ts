import { formatClientOrderId } from './ids.ts';
import type { OrderIntent } from './intent.ts';
import { invariant } from './invariant.ts';
import { type Lane, sharesHeld, stageOrder, symbolOf, unsettledOrders } from './lane-state.ts';
import type { LaneCommand } from './lane-types.ts';
import type { Mark } from './market.ts';
import { type Order, reduceOrder } from './order.ts';
import { after, type Micros } from './time.ts';

/** One event being worked off: its instant, the mark of that instant, and the commands so far. */
export type Turn = { readonly at: Micros; readonly mark: Mark | null; readonly out: LaneCommand[] };

export type CancelPurpose = Extract<LaneCommand, { kind: 'cancel' }>['purpose'];
type Wish = Pick<OrderIntent, 'side' | 'qty' | 'price' | 'purpose' | 'expiresAt'>;

export function alarm(turn: Turn, code: string, detail: string): void {
  turn.out.push({ kind: 'alarm', code, detail });
}

/** Gives a wish its id and sends it. The one place where a lane makes an order. */
export function submit(lane: Lane, turn: Turn, wish: Wish): readonly [Lane, OrderIntent] {
  const { plan, lastKey } = lane;
  invariant(plan !== null, 'nothing is sent outside a session');
  invariant(unsettledOrders(lane).length === 0, 'a lane has one order at a time');
  if (wish.side === 'sell')
    invariant(wish.qty <= sharesHeld(lane), 'a sell never exceeds the shares held', wish.qty);
  const { sequence, attempt } =
    lastKey.resend && wish.side === 'sell'
      ? { sequence: lastKey.sequence, attempt: lastKey.attempt + 1 }
      : { sequence: lastKey.sequence + 1, attempt: 0 };
  const symbol = symbolOf(lane);
  const intent: OrderIntent = {
    clientOrderId: formatClientOrderId({ day: plan.day, symbol, sequence, attempt }),
    symbol,
    ...wish,
    decidedAt: turn.at,
    mark: turn.mark,
  };
  turn.out.push({ kind: 'submit', intent });
  return [{ ...lane, lastKey: { sequence, attempt, resend: false } }, intent];
}

/** Asks for a cancel, or again once `cancelRetry` has passed without an answer; otherwise leaves the order alone. */
export function requestCancel(lane: Lane, turn: Turn, order: Order, purpose: CancelPurpose): Order {
  const due =
    order.kind === 'inFlight' ||
    order.kind === 'working' ||
    (order.kind === 'canceling' && turn.at >= after(order.requestedAt, lane.params.cancelRetry));
  if (!due) return order;
  turn.out.push({ kind: 'cancel', clientOrderId: order.intent.clientOrderId, purpose });
  return reduceOrder(order, { kind: 'cancelRequested', at: turn.at });
}

/** The lane with one order's new state, wherever that order is kept. */
export function withOrder(lane: Lane, order: Order): Lane {
  const id = order.intent.clientOrderId;
  if ('order' in lane.stage && stageOrder(lane)?.intent.clientOrderId === id)
    return { ...lane, stage: { ...lane.stage, order } };
  const isOther = (old: Order): boolean => old.intent.clientOrderId !== id;
  const kept = order.kind === 'done' ? lane.past : lane.strays;
  if (kept.every(isOther))
    return withEarlier(
      { ...lane, past: lane.past.filter(isOther), strays: lane.strays.filter(isOther) },
      order,
    );
  const renewed = kept.map((old) => (isOther(old) ? old : order));
  return order.kind === 'done' ? { ...lane, past: renewed } : { ...lane, strays: renewed };
}

/** The lane with one more order that is not the stage's. */
export const withEarlier = (lane: Lane, order: Order): Lane =>
  order.kind === 'done'
    ? { ...lane, past: [...lane.past, order] }
    : { ...lane, strays: [...lane.strays, order] };

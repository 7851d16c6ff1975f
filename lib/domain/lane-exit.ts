import type { OrderIntent } from './intent.ts';
import { invariant } from './invariant.ts';
import { type Lane, type Stage, sharesHeld, type Urgency, unsettledOrders } from './lane-state.ts';
import { submit, type Turn } from './lane-turn.ts';
import type { LaneParams } from './lane-types.ts';
import type { Mark } from './market.ts';
import { type Price, price, qty, roundUpToTick } from './money.ts';
import { openOrder } from './order.ts';
import { averageEntry, type Position } from './position.ts';
import { after, before, type Duration, type Micros, seconds } from './time.ts';

const RANK: Readonly<Record<Urgency, number>> = { exit: 0, bailOut: 1, flatten: 2 };

export const isMoreUrgent = (a: Urgency, b: Urgency | null): boolean => b === null || RANK[a] > RANK[b];

/** The instant that frozen timers are at: a halt stops patience and holding time. */
export const timerInstant = ({ trading }: Lane, at: Micros): Micros =>
  trading.kind === 'halted' && trading.since < at ? trading.since : at;

/** A market sell that takes longer than this in an open market is an alarm. */
export const FILL_WITHIN = seconds(15);

/** When the holding time is over, if no halt stretches it; `null` while nothing is held. */
export const holdUntil = ({ holding, params }: Lane): Micros | null =>
  holding === null ? null : after(holding.holdFrom, params.holdMax);

/** How the lane should be getting out of its shares at this instant. */
export function urgencyAt(lane: Lane, at: Micros): Urgency {
  const { plan, mode, holding } = lane;
  if (mode === 'flattening') return 'flatten';
  // Shares of an earlier session should not exist: they go at the market as soon as it opens.
  if (plan !== null && (at >= plan.flattenAt || (holding !== null && holding.openedAt < plan.openAt)))
    return 'flatten';
  const until = holdUntil(lane);
  return until !== null && timerInstant(lane, at) >= until ? 'bailOut' : 'exit';
}

/**
 * `max(average entry rounded up to the tick + markup, last trade)`, on the tick; sells round up, so that rounding never
 * gives a cent away. Without a mark the average alone decides.
 */
function exitLimit(position: Position, params: LaneParams, mark: Mark | null): Price {
  const average = averageEntry(position);
  invariant(average !== null, 'an exit price needs shares that were bought');
  const wanted = price(roundUpToTick(average) + params.exitMarkup);
  // Shares given to us for nothing still need a price the broker takes.
  return roundUpToTick(price(Math.max(wanted, mark?.price ?? 0, 1)));
}

/**
 * Before the close no sell leaves any more: one that arrives after it is not refused but queued for the next open. Source:
 * Alpaca, "Placing Orders": market orders outside regular hours.
 */
const LAST_SELL = seconds(1);

/** Whether a sell may leave now: the market is open, no halt, and no order of ours could still change the shares. */
export function maySell(lane: Lane, at: Micros): boolean {
  const { plan, trading } = lane;
  return (
    plan !== null &&
    at >= plan.openAt &&
    at < before(plan.closeAt, LAST_SELL) &&
    trading.kind === 'trading' &&
    unsettledOrders(lane).length === 0
  );
}

/** Sells what the lane holds: a resting limit, or at the market when time is up. */
export function sell(lane: Lane, turn: Turn): Lane {
  const purpose = urgencyAt(lane, turn.at);
  const [next, intent] = submit(lane, turn, {
    side: 'sell',
    qty: qty(sharesToSell(lane)),
    price:
      purpose === 'exit'
        ? { type: 'limit', limit: exitLimit(lane.position, lane.params, turn.mark) }
        : priceNow(lane, turn.mark),
    purpose,
    expiresAt: null,
  });
  const order = openOrder(intent);
  const stage: Stage =
    purpose === 'exit'
      ? { kind: 'exiting', order }
      : { kind: 'liquidating', order, alarmAt: after(turn.at, FILL_WITHIN) };
  return { ...next, holding: next.holding && { ...next.holding, sellable: null }, stage };
}

/** How far below the last trade a limit sell goes that has to fill at once. */
const DISCOUNT = 0.01;

/**
 * At the market. A resting bid of others, wherever it stands, makes that a wash trade; a limit above the bid is none, and
 * below the market it fills as well. Each refusal takes it half the way back to the market, in case the bid is near.
 */
function priceNow({ holding }: Lane, mark: Mark | null): OrderIntent['price'] {
  const opposed = holding?.opposed ?? 0;
  if (opposed === 0 || mark === null) return { type: 'market' };
  const below = (mark.price * DISCOUNT) / 2 ** Math.min(opposed - 1, 30);
  return { type: 'limit', limit: roundUpToTick(price(Math.max(1, Math.floor(mark.price - below)))) };
}

/** A refusal that said how many shares are free is repaired by selling these; the rest is tried after them. */
function sharesToSell(lane: Lane): number {
  const held = sharesHeld(lane);
  const sellable = lane.holding?.sellable ?? 0;
  return sellable > 0 ? Math.min(sellable, held) : held;
}

/** The pause after the `failures`-th sell in a row that came to nothing: doubling, up to `exitRetryMax`. */
export function retryPause(params: LaneParams, failures: number): Duration {
  // 2^30 of any pause is past every session: the cap keeps the product an integer.
  const doubled = params.exitRetryFirst * 2 ** Math.min(failures - 1, 30);
  return Math.min(doubled, params.exitRetryMax) as Duration;
}

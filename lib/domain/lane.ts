import type { ExecutionReport } from './execution.ts';
import type { OrderIntent } from './intent.ts';
import { invariant, unreachable } from './invariant.ts';
import {
  newHolding,
  releaseShares,
  stageFor,
  takeReport,
  takeShares,
  takeSuccessor,
  takeVerdict,
} from './lane-book.ts';
import { considerEntry } from './lane-entry.ts';
import { FILL_WITHIN } from './lane-exit.ts';
import { type DayCount, type Lane, type Stage, sharesHeld, symbolOf } from './lane-state.ts';
import { act, turningPoints } from './lane-step.ts';
import { type Turn, withEarlier } from './lane-turn.ts';
import type { LaneCommand, LaneEvent, LaneParams } from './lane-types.ts';
import type { HaltState } from './market.ts';
import { cash, type Price, type Qty, ZERO_CASH } from './money.ts';
import { applyReport, isLive, openOrder } from './order.ts';
import { applyTrade, FLAT } from './position.ts';
import type { SessionPlan } from './session.ts';
import { after, between, type Micros } from './time.ts';

export {
  findOrder,
  type Lane,
  liveOrders,
  ordersOf,
  sharesHeld,
  stageOrder,
  unsettledOrders,
} from './lane-state.ts';

/**
 * What reconciliation found at a start without a usable journal. `lastSequence` is the highest sequence of the day
 * among the broker's orders of ours: client order ids are never used twice.
 */
export type Found = {
  readonly plan: SessionPlan;
  readonly lastSequence: number;
  readonly day: Omit<DayCount, 'closeAlarmed'>;
  /** Shares proven ours, fills of the live order included. */
  readonly shares: { readonly qty: Qty; readonly averagePx: Price; readonly heldSince: Micros } | null;
  /** Our orders of the day, each with the broker's word on it. More than one that is alive: all are canceled. */
  readonly orders: readonly { readonly intent: OrderIntent; readonly report: ExecutionReport }[];
};

const NEW_DAY: DayCount = {
  entries: 0,
  lossesInRow: 0,
  coolUntil: null,
  realized: ZERO_CASH,
  roundTrips: 0,
  closeAlarmed: false,
};

/** A lane before anything happened. Its gate is shut (`tradeFeedDown`) until a `gateChanged` event opens it. */
export function openLane(params: LaneParams): Lane {
  return {
    params,
    plan: null,
    mode: 'active',
    gate: { kind: 'shut', code: 'tradeFeedDown' },
    trading: { kind: 'trading', freshFrom: null },
    stage: { kind: 'flat' },
    position: FLAT,
    holding: null,
    past: [],
    strays: [],
    lastKey: { sequence: 0, attempt: 0, resend: false },
    day: NEW_DAY,
    at: 0 as Micros,
  };
}

/** A lane from what was found at the broker. The first event makes it act on it. */
export function restoreLane(params: LaneParams, found: Found, at: Micros): Lane {
  const { plan, shares, day, lastSequence } = found;
  const base: Lane = {
    ...openLane(params),
    plan,
    at,
    day: { ...NEW_DAY, ...day },
    lastKey: { sequence: lastSequence, attempt: 0, resend: false },
  };
  const held: Lane =
    shares === null
      ? base
      : {
          ...base,
          position: applyTrade(FLAT, 'buy', {
            qty: shares.qty,
            notional: cash(shares.averagePx * shares.qty),
          }),
          holding: newHolding(shares.heldSince, null),
          stage: { kind: 'exposed', retryAt: at, tried: null },
        };
  const orders = found.orders.map(
    ({ intent, report }) => applyReport(openOrder(intent), report, report.occurredAt).order,
  );
  const [only, ...more] = orders.filter(isLive);
  if (only === undefined || more.length > 0) return orders.reduce(withEarlier, held);
  const others = orders.filter((order) => order !== only).reduce(withEarlier, held);
  return { ...others, stage: stageFor(only, only.intent.decidedAt) };
}

/** The lane after one event, and what it wants done. Pure: the same lane and event always give the same. */
export function reduceLane(lane: Lane, event: LaneEvent): readonly [Lane, readonly LaneCommand[]] {
  const at = Math.max(event.at, lane.at) as Micros;
  const turn: Turn = { at, mark: event.mark, out: [] };
  const acted = act(take({ ...lane, at }, event, turn), turn);
  const next = event.kind === 'barClosed' ? considerEntry(acted, event, turn) : acted;
  checkStage(next);
  return [next, turn.out];
}

/** The earliest instant at which time alone changes what should be done. */
export function nextWakeAt(lane: Lane): Micros | null {
  const ahead = turningPoints(lane).filter((point) => point > lane.at);
  return ahead.length === 0 ? null : (Math.min(...ahead) as Micros);
}

/** What the event itself changes; `act` decides what follows from it. */
function take(lane: Lane, event: LaneEvent, turn: Turn): Lane {
  switch (event.kind) {
    case 'sessionOpened':
      return takeSession(lane, event.plan);
    case 'reported':
      return takeReport(lane, event.report, turn);
    case 'submitSettled':
      return takeVerdict(lane, event, turn);
    case 'succeeded':
      return takeSuccessor(lane, event, turn);
    case 'haltChanged':
      return takeHalt(lane, event.halt, turn.at);
    case 'gateChanged':
      return { ...lane, gate: event.gate };
    case 'modeChanged':
      return { ...lane, mode: event.mode };
    case 'adopted':
      return takeShares(lane, event, turn.at);
    case 'released':
      return releaseShares(lane, event, turn);
    case 'paramsChanged':
      invariant(event.params.symbol === lane.params.symbol, 'a lane keeps its symbol', event.params.symbol);
      return { ...lane, params: event.params };
    case 'barClosed':
    case 'woke':
      return lane;
    default:
      return unreachable(event);
  }
}

/** The same day again only brings a better plan; a new day counts from zero and forgets orders that are over. */
function takeSession(lane: Lane, plan: SessionPlan): Lane {
  if (lane.plan?.day === plan.day) return { ...lane, plan };
  return {
    ...lane,
    plan,
    past: [],
    lastKey: { sequence: 0, attempt: 0, resend: false },
    day: NEW_DAY,
  };
}

/** Patience and holding time stand still during a halt: their starts move by its length. */
function takeHalt(lane: Lane, halt: HaltState, at: Micros): Lane {
  const { trading, stage, holding } = lane;
  if (halt === trading.kind) return lane;
  if (trading.kind === 'trading') return { ...lane, trading: { kind: 'halted', since: at } };
  const moved = (from: Micros): Micros =>
    from >= trading.since ? at : after(from, between(trading.since, at));
  return {
    ...lane,
    trading: { kind: 'trading', freshFrom: at },
    holding: holding && { ...holding, holdFrom: moved(holding.holdFrom) },
    stage: resumed(stage, moved, at),
  };
}

function resumed(stage: Stage, moved: (from: Micros) => Micros, at: Micros): Stage {
  if (stage.kind === 'entering') return { ...stage, patienceFrom: moved(stage.patienceFrom) };
  return stage.kind === 'liquidating' && stage.alarmAt !== null
    ? { ...stage, alarmAt: after(at, FILL_WITHIN) }
    : stage;
}

function checkStage(lane: Lane): void {
  const { stage } = lane;
  const shares = sharesHeld(lane);
  invariant(
    lane.strays.every(({ kind }) => kind !== 'done'),
    'an order that is over is no stray',
    symbolOf(lane),
  );
  switch (stage.kind) {
    case 'flat':
      invariant(shares <= 0 && lane.holding === null, 'a flat lane holds nothing', shares);
      return;
    case 'exposed':
      invariant(shares > 0 && lane.holding !== null, 'an exposed lane holds shares', shares);
      return;
    case 'entering':
      invariant(stage.order.intent.side === 'buy', 'an entry buys', stage.order.intent);
      return;
    default:
      invariant(stage.order.intent.side === 'sell', 'an exit sells', stage.order.intent);
      invariant(
        !isLive(stage.order) || stage.kind !== 'clearing' || stage.order.kind === 'canceling',
        'a clearing lane has asked for its cancel',
        stage.order.kind,
      );
  }
}

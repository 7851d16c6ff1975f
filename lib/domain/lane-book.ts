import type { ExecutionReport } from './execution.ts';
import { bookedQty, carriedLedger } from './fills.ts';
import { isOurs } from './ids.ts';
import type { OrderIntent } from './intent.ts';
import { FILL_WITHIN, isMoreUrgent } from './lane-exit.ts';
import { findOrder, type Holding, type Lane, sharesHeld, stageOrder, symbolOf } from './lane-state.ts';
import { alarm, type Turn, withEarlier, withOrder } from './lane-turn.ts';
import type { ExitKind, LaneEvent, RoundTrip, SubmitVerdict } from './lane-types.ts';
import { cash, type Price } from './money.ts';
import { applyReport, applyVerdict, isLive, type Order, reduceOrder } from './order.ts';
import { applyTrade, FLAT, type Trade } from './position.ts';
import { after, type Micros } from './time.ts';

type Event<K extends LaneEvent['kind']> = Extract<LaneEvent, { kind: K }>;
type Rejected = Extract<SubmitVerdict, { kind: 'rejected' }>;

/** Books one report on one of the lane's orders, past ones included. */
export function takeReport(lane: Lane, report: ExecutionReport, turn: Turn): Lane {
  const { clientOrderId } = report;
  const order = findOrder(lane, clientOrderId);
  if (order === null) {
    // Somebody else's order on our symbol is nothing of ours, whatever filled.
    const code = isOurs(clientOrderId) ? 'unknownOwnOrder' : 'foreignReport';
    alarm(turn, code, `reports must be about orders of this lane: ${clientOrderId} ${report.status}`);
    return lane;
  }
  if (report.symbol !== symbolOf(lane) || report.side !== order.intent.side) {
    alarm(
      turn,
      'foreignReport',
      `a report must match its order: ${clientOrderId} ${report.symbol} ${report.side}`,
    );
    return lane;
  }
  const reported = applyReport(order, report, turn.at);
  if (order.kind === 'done' && reported.order.kind !== 'done')
    alarm(turn, 'doneOrderReopened', `an ended order must stay ended: ${clientOrderId} ${report.status}`);
  const booked = bookTrade(withOrder(lane, reported.order), order, reported.trade, report.occurredAt, turn);
  if (!reported.overfill) return booked;
  alarm(
    turn,
    'overfill',
    `fills must not exceed the order quantity ${order.intent.qty}: ${clientOrderId} cum ${report.cumQty}`,
  );
  return exitOnly(booked);
}

export function takeVerdict(
  lane: Lane,
  { clientOrderId, verdict }: Event<'submitSettled'>,
  turn: Turn,
): Lane {
  const order = findOrder(lane, clientOrderId);
  if (order === null) {
    alarm(turn, 'unknownOwnOrder', `verdicts must be about orders of this lane: ${clientOrderId}`);
    return lane;
  }
  if (verdict.kind === 'rejected' || (verdict.kind === 'denied' && order.intent.side === 'sell'))
    alarm(turn, `${order.intent.side}${verdict.kind === 'denied' ? 'Denied' : 'Rejected'}`, verdict.text);
  const settled = withOrder(lane, applyVerdict(order, verdict, turn.at));
  return verdict.kind === 'rejected' && order.intent.side === 'sell' && settled.holding !== null
    ? { ...settled, holding: refusedHolding(settled.holding, verdict) }
    : settled;
}

const refusedHolding = (holding: Holding, { code, available }: Rejected): Holding => ({
  ...holding,
  sellable: available,
  opposed: holding.opposed + (code === 'washTrade' ? 1 : 0),
});

/**
 * Somebody replaced our order by hand. The successor takes the old one's place in the stage; when the lane has moved on
 * meanwhile it takes a free stage, and otherwise waits among the strays to be canceled.
 */
export function takeSuccessor(
  lane: Lane,
  { clientOrderId, successor, carried }: Event<'succeeded'>,
  turn: Turn,
): Lane {
  const old = findOrder(lane, clientOrderId);
  if (old === null || findOrder(lane, successor.clientOrderId) !== null) return lane;
  alarm(turn, 'replacedByHand', `orders of this lane are not to be touched: ${clientOrderId}`);
  const ledger = carriedLedger(carried.qty, carried.notional);
  const order: Order = { kind: 'working', intent: successor, ledger };
  const ended = isLive(old)
    ? reduceOrder(old, { kind: 'seenEnded', ending: 'replaced', cumQty: bookedQty(old.ledger), at: turn.at })
    : old;
  if ('order' in lane.stage && stageOrder(lane) === old)
    return { ...withEarlier(lane, ended), stage: { ...lane.stage, order } };
  const settled = withOrder(lane, ended);
  return settled.stage.kind === 'flat' || settled.stage.kind === 'exposed'
    ? { ...settled, stage: stageFor(order, turn.at) }
    : withEarlier(settled, order);
}

/** The stage that an order found alive belongs to; `since`: when it was sent, or found. */
export function stageFor(order: Order, since: Micros): Lane['stage'] {
  if (order.intent.side === 'buy') return { kind: 'entering', order, patienceFrom: since };
  return order.intent.price.type === 'limit'
    ? { kind: 'exiting', order }
    : { kind: 'liquidating', order, alarmAt: after(since, FILL_WITHIN) };
}

export function takeShares(lane: Lane, { qty, averagePx, heldSince }: Event<'adopted'>, at: Micros): Lane {
  const position = applyTrade(lane.position, 'buy', { qty, notional: cash(averagePx * qty) });
  const openedAt = heldSince < at ? heldSince : at;
  return { ...lane, position, holding: lane.holding ?? newHolding(openedAt, null) };
}

export function releaseShares(lane: Lane, { qty, averagePx }: Event<'released'>, turn: Turn): Lane {
  const gone = Math.min(qty, Math.max(0, sharesHeld(lane)));
  alarm(turn, 'sharesReleased', `shares of this lane are not to be touched: ${gone} gone`);
  const trade = { qty: gone, notional: averagePx * gone } as Trade;
  return { ...lane, position: applyTrade(lane.position, 'sell', trade) };
}

/** Nothing is held any more: reports the round trip and counts it. */
export function closeTrip(lane: Lane, turn: Turn): Lane {
  const { position, holding, day, params } = lane;
  const pnl = position.soldFor - position.boughtFor;
  const closed: Lane = { ...lane, stage: { kind: 'flat' }, position: FLAT, holding: null };
  if (holding === null) return { ...closed, day: { ...day, realized: cash(day.realized + pnl) } };
  const trip: RoundTrip = {
    symbol: symbolOf(lane),
    openedAt: holding.openedAt,
    closedAt: turn.at,
    qty: position.bought,
    cost: position.boughtFor,
    proceeds: position.soldFor,
    exitKind: holding.exit?.kind ?? 'flatten',
    entryMark: holding.entryMark,
    exitMark: holding.exit?.mark ?? null,
  };
  turn.out.push({ kind: 'roundTripClosed', trip });
  const losses = pnl < 0 ? day.lossesInRow + 1 : 0;
  const cools = !(losses < params.lossesMax);
  return {
    ...closed,
    day: {
      ...day,
      realized: cash(day.realized + pnl),
      roundTrips: day.roundTrips + 1,
      lossesInRow: cools ? 0 : losses,
      coolUntil: cools ? after(turn.at, params.coolOff) : day.coolUntil,
    },
  };
}

export const newHolding = (openedAt: Micros, entryMark: Price | null): Holding => ({
  openedAt,
  holdFrom: openedAt,
  entryMark,
  exit: null,
  failures: 0,
  sellable: null,
  opposed: 0,
});

function bookTrade(lane: Lane, order: Order, trade: Trade, occurredAt: Micros, turn: Turn): Lane {
  if (trade.qty === 0 && trade.notional === 0) return lane;
  const { intent } = order;
  if (trade.qty === 0 && isOfEarlierTrip(lane, order)) {
    const change = intent.side === 'sell' ? trade.notional : -trade.notional;
    return { ...lane, day: { ...lane.day, realized: cash(lane.day.realized + change) } };
  }
  const traded = { ...lane, position: applyTrade(lane.position, intent.side, trade) };
  if (trade.qty === 0) return traded;
  if (intent.side === 'buy') {
    // A fill that only polling found happened earlier than now, but never before the decision.
    const openedAt = Math.min(turn.at, Math.max(occurredAt, intent.decidedAt)) as Micros;
    return { ...traded, holding: lane.holding ?? newHolding(openedAt, intent.mark?.price ?? null) };
  }
  if (sharesHeld(traded) < 0) {
    const { clientOrderId } = intent;
    alarm(
      turn,
      'oversold',
      `sells must not exceed the shares held: ${sharesHeld(traded)} after ${clientOrderId}`,
    );
    return exitOnly({ ...traded, holding: lane.holding && withExit(lane.holding, intent) });
  }
  return { ...traded, holding: lane.holding && withExit(lane.holding, intent) };
}

/** Price corrections of a round trip that was already reported only move the day's sum. */
function isOfEarlierTrip({ holding }: Lane, order: Order): boolean {
  return order.kind === 'done' && (holding === null || order.endedAt < holding.openedAt);
}

function withExit(holding: Holding, { purpose, mark }: OrderIntent): Holding {
  const urgency = purpose === 'entry' ? 'exit' : purpose;
  const known = holding.exit?.kind ?? null;
  const replaces = isMoreUrgent(urgency, known === 'limit' ? 'exit' : known);
  const kind: ExitKind = urgency === 'exit' ? 'limit' : urgency;
  return {
    ...holding,
    failures: 0,
    exit: replaces ? { kind, mark: mark?.price ?? null } : holding.exit,
  };
}

/** The lane distrusts its own books: it sells what it has and opens nothing until somebody looked. */
function exitOnly(lane: Lane): Lane {
  return lane.mode === 'active' || lane.mode === 'paused' ? { ...lane, mode: 'exitOnly' } : lane;
}

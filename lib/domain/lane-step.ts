import { bookedQty } from './fills.ts';
import { closeTrip } from './lane-book.ts';
import { holdUntil, isMoreUrgent, maySell, retryPause, sell, timerInstant, urgencyAt } from './lane-exit.ts';
import { currentOrders, type Lane, type Stage, sharesHeld } from './lane-state.ts';
import { alarm, type CancelPurpose, requestCancel, type Turn } from './lane-turn.ts';
import { type InOrder, isLive, leavesQty, type Order } from './order.ts';
import { isFlat } from './position.ts';
import { after, formatInstant, type Micros } from './time.ts';

type In<S extends Stage['kind']> = Extract<Stage, { kind: S }>;

/**
 * What should happen now, from position, order, stage and instant alone. Called after every event: a lost edge costs
 * nothing, because the level is still there at the next one.
 */
export function act(lane: Lane, turn: Turn): Lane {
  const settled = alarmAtClose(settleStage(leaveStage(lane, turn), turn), turn);
  const clean = cancelStrays(settled, turn);
  const { stage } = clean;
  switch (stage.kind) {
    case 'flat':
      return clean;
    case 'entering':
      return actEntering(clean, stage, turn);
    case 'exiting':
      return actExiting(clean, stage, turn);
    case 'clearing':
      return {
        ...clean,
        stage: { ...stage, order: requestCancel(clean, turn, stage.order, sellCancel(clean, turn.at)) },
      };
    case 'liquidating':
      return actLiquidating(clean, stage, turn);
    case 'exposed':
      return mayRetry(clean, stage, turn.at) && maySell(clean, turn.at) ? sell(clean, turn) : clean;
  }
}

/** The instants, past ones included, at which `act` may want something that it does not want before. */
export function turningPoints(lane: Lane): readonly Micros[] {
  const { stage, plan, params } = lane;
  const points: Micros[] = [];
  if (plan !== null && sharesHeld(lane) !== 0 && !lane.day.closeAlarmed) points.push(plan.closeAt);
  if ('order' in stage && isAwaitingSuccessor(stage.order))
    points.push(after(stage.order.endedAt, params.cancelRetry));
  for (const order of currentOrders(lane))
    if (order.kind === 'canceling') points.push(after(order.requestedAt, params.cancelRetry));
  if (stage.kind === 'liquidating' && stage.alarmAt !== null && lane.trading.kind === 'trading')
    points.push(stage.alarmAt);
  const waits = stage.kind === 'entering' || stage.kind === 'exiting' || stage.kind === 'exposed';
  if (!waits || plan === null) return points;
  points.push(plan.flattenAt, ...frozenPoints(lane));
  if (stage.kind === 'exposed') points.push(plan.openAt, stage.retryAt);
  return points;
}

/** Deadlines of timers that stand still during a halt. */
function frozenPoints(lane: Lane): readonly Micros[] {
  if (lane.trading.kind === 'halted') return [];
  const hold = holdUntil(lane);
  const points = hold === null ? [] : [hold];
  return lane.stage.kind === 'entering'
    ? [...points, after(lane.stage.patienceFrom, lane.params.entryPatience)]
    : points;
}

/** Leaves a stage whose order is done: the order joins the past ones, and whatever is held is exposed for now. */
function leaveStage(lane: Lane, turn: Turn): Lane {
  const { stage } = lane;
  if (!('order' in stage) || stage.order.kind !== 'done') return lane;
  const { order } = stage;
  if (isAwaitingSuccessor(order)) {
    if (turn.at < after(order.endedAt, lane.params.cancelRetry)) return lane;
    const { clientOrderId } = order.intent;
    alarm(turn, 'successorMissing', `a replaced order must have a successor: ${clientOrderId} has none yet`);
  }
  const freed: Lane = {
    ...lane,
    past: [...lane.past, order],
    lastKey: { ...lane.lastKey, resend: order.ending === 'absent' && order.intent.side === 'sell' },
    day: { ...lane.day, entries: lane.day.entries + (countsAsEntry(order) ? 1 : 0) },
  };
  const came = order.ending === 'filled' || stage.kind === 'entering' || stage.kind === 'clearing';
  return came ? exposedNow(freed, turn.at) : exposedAfterFailure(freed, order, turn.at);
}

/** Lets the shares decide between `flat` and `exposed`. */
function settleStage(lane: Lane, turn: Turn): Lane {
  const { stage } = lane;
  if (stage.kind !== 'flat' && stage.kind !== 'exposed') return lane;
  const shares = sharesHeld(lane);
  if (shares === 0 && !isFlat(lane.position)) return closeTrip(lane, turn);
  if (shares <= 0) return { ...lane, stage: { kind: 'flat' }, holding: null };
  return stage.kind === 'exposed' ? lane : exposedNow(lane, turn.at);
}

const exposedNow = (lane: Lane, at: Micros): Lane => ({
  ...lane,
  stage: { kind: 'exposed', retryAt: at, tried: null },
});

/** A sell that ended on its own with shares left: refused, expired, canceled by hand. The next one waits. */
function exposedAfterFailure(lane: Lane, { intent, ending }: InOrder<'done'>, at: Micros): Lane {
  const { holding, params } = lane;
  const failures = (holding?.failures ?? 0) + 1;
  const tried = intent.purpose === 'entry' ? null : intent.purpose;
  // Nobody refused what never arrived: the time it took to prove that counts as pause.
  const failedAt = ending === 'absent' ? intent.decidedAt : at;
  return {
    ...lane,
    holding: holding && { ...holding, failures },
    stage: { kind: 'exposed', retryAt: after(failedAt, retryPause(params, failures)), tried },
  };
}

/** An entry counts once it left the house, whatever became of it. */
const countsAsEntry = ({ intent, ending }: InOrder<'done'>): boolean =>
  intent.purpose === 'entry' && ending !== 'denied' && ending !== 'lapsed' && ending !== 'absent';

/** Replaced by somebody's hand: what is left of it lives on under an id that we have yet to learn. */
const isAwaitingSuccessor = (order: Order): order is InOrder<'done'> =>
  order.kind === 'done' && order.ending === 'replaced' && bookedQty(order.ledger) < order.intent.qty;

function alarmAtClose(lane: Lane, turn: Turn): Lane {
  const { plan, day } = lane;
  const shares = sharesHeld(lane);
  if (plan === null || turn.at < plan.closeAt || shares === 0 || day.closeAlarmed) return lane;
  const { trading } = lane;
  const halted = trading.kind === 'halted' ? `, trading is halted since ${formatInstant(trading.since)}` : '';
  alarm(turn, 'notFlatAtClose', `a lane is flat at the close: holds ${shares}${halted}`);
  return { ...lane, day: { ...day, closeAlarmed: true } };
}

function cancelStrays(lane: Lane, turn: Turn): Lane {
  if (!lane.strays.some(isLive)) return lane;
  return { ...lane, strays: lane.strays.map((order) => requestCancel(lane, turn, order, 'safety')) };
}

function actEntering(lane: Lane, stage: In<'entering'>, turn: Turn): Lane {
  const reason = entryStop(lane, stage, turn.at);
  // A cancel once asked for is seen through, even when its reason is gone.
  if (reason === null && stage.order.kind !== 'canceling') return lane;
  const order = requestCancel(lane, turn, stage.order, reason ?? 'entryStop');
  return { ...lane, stage: { ...stage, order } };
}

function entryStop(lane: Lane, stage: In<'entering'>, at: Micros): CancelPurpose | null {
  const urgency = urgencyAt(lane, at);
  if (urgency !== 'exit') return urgency;
  if (lane.mode !== 'active') return 'entryStop';
  return timerInstant(lane, at) >= after(stage.patienceFrom, lane.params.entryPatience) ? 'patience' : null;
}

function actExiting(lane: Lane, { order }: In<'exiting'>, turn: Turn): Lane {
  const unwanted = urgencyAt(lane, turn.at) !== 'exit' || leavesQty(order) > sharesHeld(lane);
  if (!unwanted || !isLive(order)) return lane;
  const canceling = requestCancel(lane, turn, order, sellCancel(lane, turn.at));
  return { ...lane, stage: { kind: 'clearing', order: canceling } };
}

/**
 * A market sell is left alone, unless late fills of an earlier sell left fewer shares than it may take. A limit in its place
 * that has not filled was left behind by the market: it is priced anew.
 */
function actLiquidating(lane: Lane, found: In<'liquidating'>, turn: Turn): Lane {
  const stage = alarmUnfilled(lane, found, turn);
  const { order, alarmAt } = stage;
  const leftBehind =
    alarmAt === null && order.intent.price.type === 'limit' && lane.trading.kind === 'trading';
  if (order.kind !== 'canceling' && !leftBehind && leavesQty(order) <= sharesHeld(lane))
    return { ...lane, stage };
  return { ...lane, stage: { ...stage, order: requestCancel(lane, turn, order, 'safety') } };
}

function alarmUnfilled(lane: Lane, stage: In<'liquidating'>, turn: Turn): In<'liquidating'> {
  if (lane.trading.kind === 'halted' || stage.alarmAt === null || turn.at < stage.alarmAt) return stage;
  const { clientOrderId } = stage.order.intent;
  alarm(turn, 'marketSellOpen', `a market sell fills at once: ${clientOrderId} has not`);
  return { ...stage, alarmAt: null };
}

function sellCancel(lane: Lane, at: Micros): CancelPurpose {
  const urgency = urgencyAt(lane, at);
  return urgency === 'exit' ? 'safety' : urgency;
}

/** A paced retry is due, or time has made the case more urgent than the kind of sell that failed. */
const mayRetry = (lane: Lane, { retryAt, tried }: In<'exposed'>, at: Micros): boolean =>
  at >= retryAt || isMoreUrgent(urgencyAt(lane, at), tried);

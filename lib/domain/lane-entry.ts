import type { Lane } from './lane-state.ts';
import { sharesHeld, unsettledOrders } from './lane-state.ts';
import { submit, type Turn } from './lane-turn.ts';
import type { EntryRefusal, LaneEvent } from './lane-types.ts';
import { MARK_AHEAD_MAX } from './market.ts';
import { type Cash, formatDecimal, type Price, qty, roundDownToTick } from './money.ts';
import { openOrder } from './order.ts';
import {
  after,
  between,
  type Duration,
  formatInstant,
  MICROS_PER_SECOND,
  type Micros,
  minutes,
} from './time.ts';

type BarClosed = Extract<LaneEvent, { kind: 'barClosed' }>;
type Refusal = { readonly code: EntryRefusal; readonly detail: string };

/**
 * A bar is news until the next one is due. A crossing of an older one is history: it came through a clogged line, or
 * was fetched, and feeds the average only.
 */
const NEWS_LASTS = minutes(2);

/** What the lane makes of a bar on which the strategy says "enter": an order or a reason. */
export function considerEntry(lane: Lane, event: BarClosed, turn: Turn): Lane {
  if (event.signal === 'none') return lane;
  const limit = turn.mark === null ? null : entryLimit(turn.mark.price);
  const refusal =
    refusedBySession(lane, event, turn.at) ??
    refusedByLane(lane, event, turn.at) ??
    refusedByPrice(lane, turn);
  if (refusal !== null || limit === null) {
    if (refusal !== null) turn.out.push({ kind: 'entryRefused', ...refusal });
    return lane;
  }
  const [next, intent] = submit(lane, turn, {
    side: 'buy',
    qty: qty(sharesFor(lane.params.lot, limit)),
    price: { type: 'limit', limit },
    purpose: 'entry',
    expiresAt: after(turn.at, lane.params.entryQueueMax),
  });
  return { ...next, stage: { kind: 'entering', order: openOrder(intent), patienceFrom: turn.at } };
}

/** The last trade on the tick. Sub-penny prints exist, and a buy rounds down: never above what was just paid. */
export const entryLimit = (last: Price): Price => roundDownToTick(last);

/** `floor(lot / limit)`. */
export const sharesFor = (lot: Cash, limit: Price): number => (limit > 0 ? Math.floor(lot / limit) : 0);

function refusedBySession({ plan }: Lane, { bar, origin }: BarClosed, at: Micros): Refusal | null {
  if (plan === null || at < plan.openAt)
    return {
      code: 'beforeOpen',
      detail: `entries need an open session: ${plan === null ? 'none known' : `opens ${formatInstant(plan.openAt)}`}`,
    };
  if (origin === 'backfilled' || at >= after(bar.startAt, NEWS_LASTS))
    return {
      code: 'backfilled',
      detail: `a bar that came late feeds the average only: ${origin}, ${inSeconds(between(bar.startAt, at))} s after its start`,
    };
  if (at >= plan.entryCutoffAt)
    return { code: 'afterCutoff', detail: `no entry after the cutoff: ${formatInstant(plan.entryCutoffAt)}` };
  return null;
}

function refusedByLane(lane: Lane, { bar }: BarClosed, at: Micros): Refusal | null {
  const { mode, gate, trading, day, params } = lane;
  if (mode === 'paused') return { code: 'paused', detail: 'the lane is paused by the operator' };
  if (mode !== 'active') return { code: 'exitOnly', detail: `entries need an active lane: ${mode}` };
  if (lane.stage.kind !== 'flat' || sharesHeld(lane) !== 0 || unsettledOrders(lane).length > 0)
    return { code: 'busy', detail: `an order or a position is there: ${lane.stage.kind}` };
  if (gate.kind === 'shut') return { code: gate.code, detail: `entries are shut: ${gate.code}` };
  if (trading.kind === 'halted')
    return { code: 'halted', detail: `trading is halted since ${formatInstant(trading.since)}` };
  if (trading.freshFrom !== null && bar.startAt < trading.freshFrom)
    return {
      code: 'stale',
      detail: `after a halt a whole bar must have passed: resumed ${formatInstant(trading.freshFrom)}`,
    };
  if (!(day.entries < params.entriesMax))
    return { code: 'entriesMax', detail: `entries of the session are used up: ${day.entries}` };
  if (day.coolUntil !== null && at < day.coolUntil)
    return { code: 'coolingOff', detail: `cooling off after losses until ${formatInstant(day.coolUntil)}` };
  return null;
}

function refusedByPrice({ params }: Lane, { at, mark }: Turn): Refusal | null {
  if (mark === null || entryLimit(mark.price) === 0)
    return { code: 'noMark', detail: 'no last trade is known' };
  if (at > after(mark.at, params.lastTradeMaxAge))
    return {
      code: 'staleMark',
      detail: `the last trade may be ${inSeconds(params.lastTradeMaxAge)} s old: ${inSeconds(between(mark.at, at))} s`,
    };
  if (mark.at > after(at, MARK_AHEAD_MAX))
    return { code: 'staleMark', detail: `the last trade is in the past: ${formatInstant(mark.at)}` };
  if (sharesFor(params.lot, entryLimit(mark.price)) === 0)
    return {
      code: 'zeroShares',
      detail: `the lot must buy a share: lot ${formatDecimal(params.lot)}, price ${formatDecimal(mark.price)}`,
    };
  return null;
}

const inSeconds = (length: Duration): string => (length / MICROS_PER_SECOND).toFixed(1);

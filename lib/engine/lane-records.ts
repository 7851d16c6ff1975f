import type { Lane } from '../domain/lane.ts';
import type { LaneEvent } from '../domain/lane-types.ts';
import type { Bar } from '../domain/market.ts';
import type { Order } from '../domain/order.ts';
import type { StrategySetting } from '../ports/lane-protocol.ts';
import type { Seating } from './supervisor.ts';

/**
 * What the journal says of a lane, and how it is read back:
 *
 * - `session` with `what: 'lane'`: somebody begins with the lane. Its state, its strategy and the bars that strategy is
 *   warmed up on; steps are numbered from 1 after it. Version 1 had the state alone; up to version 2 `past` held orders that
 *   were not over as well.
 * - `input`: an event with the number of its step, or, with `what: 'updatedBar'`, a bar that was corrected after it had been
 *   decided on; no lane sees that one.
 * - `decision`: the commands of a step that has any.
 * - `request`: an order request or cancel with the step that led to it, written before the request leaves.
 */
export type LaneBegin = Seating & {
  /** `null`: the record is too old to say. */
  readonly strategy: StrategySetting | null;
};

export const laneRecord = ({ owner, lane, bars }: Seating, strategy: StrategySetting) => ({
  v: 3,
  what: 'lane',
  owner,
  strategy,
  bars,
  lane,
});

/** The body of a `session` record about one lane; `null` when it is none. */
export function laneBeginIn(body: unknown): LaneBegin | null {
  if (!isObject(body) || body.what !== 'lane' || !isObject(body.lane)) return null;
  const { lane, owner, strategy, bars } = body;
  if (!isObject(lane.params) || !isObject(lane.stage) || !Array.isArray(lane.past)) return null;
  return {
    lane: withStrays(lane as unknown as Lane),
    owner: owner === 'custodian' ? 'custodian' : 'thread',
    strategy: isObject(strategy) && typeof strategy.name === 'string' ? (strategy as StrategySetting) : null,
    bars: Array.isArray(bars) ? (bars as readonly Bar[]) : [],
  };
}

function withStrays(lane: Lane): Lane {
  if (Array.isArray(lane.strays)) return lane;
  const isOver = ({ kind }: Order): boolean => kind === 'done';
  return { ...lane, past: lane.past.filter(isOver), strays: lane.past.filter((order) => !isOver(order)) };
}

/** The step in the body of an `input` or `request` record; `null` when it is damaged. */
export function stepIn(body: unknown): { readonly number: number; readonly event: LaneEvent } | null {
  if (!isObject(body) || typeof body.step !== 'number' || !isObject(body.event)) return null;
  const { event } = body;
  return typeof event.kind === 'string' && typeof event.at === 'number'
    ? { number: body.step, event: event as unknown as LaneEvent }
    : null;
}

export const updatedBarRecord = (bar: Bar) => ({ what: 'updatedBar', bar });
export const isUpdatedBar = (body: unknown): boolean => isObject(body) && body.what === 'updatedBar';

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

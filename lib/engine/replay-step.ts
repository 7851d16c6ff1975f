import type { Lane } from '../domain/lane.ts';
import type { LaneCommand, LaneEvent } from '../domain/lane-types.ts';
import type { Mark } from '../domain/market.ts';
import type { Micros } from '../domain/time.ts';
import type { LaneInputMessage, LaneStep, StrategySetting } from '../ports/lane-protocol.ts';
import type { Strategy } from '../strategy/contract.ts';
import { firstDifference } from './first-difference.ts';
import type { LaneBegin } from './lane-records.ts';
import type { createLaneRunner } from './lane-runner.ts';
import type { RecordedStep } from './recorded-steps.ts';

/** The first decision of a lane that is not the recorded one. */
export type Difference = {
  readonly kind:
    | 'signal' // the strategy says something else about the bar
    | 'commands' // the lane wants something else done
    | 'bar' // the lane-runner does not take the bar: it is not newer than the last one, or not of the session
    | 'threw' // our own code throws
    | 'request' // a request is recorded that the recorded decision does not ask for
    | 'state' // somebody began with the lane in another state than its steps had left it in
    | 'wake'; // between two recorded events, the lane acts by itself
  /** Journal ids: of the event (or the begin), and of its commands. */
  readonly record: number;
  readonly decision: number | null;
  readonly at: Micros;
  readonly event: LaneEvent | null;
  readonly recorded: readonly LaneCommand[];
  readonly replayed: readonly LaneCommand[];
  readonly before: Lane;
  /** Where they differ first: in the commands, the lane or the text of the exception. */
  readonly path: string;
};

/** A lane-runner that is fed recorded events, and told the mark that was read with each. */
export type ReplayRunner = {
  feed(event: LaneEvent): LaneStep | 'dropped' | Error;
  lane(): Lane;
  wakeAt(): Micros | null;
};

export function createReplayRunner(
  { lane, bars, strategy }: LaneBegin & { readonly strategy: StrategySetting },
  code: Strategy,
  createRunner: typeof createLaneRunner,
): ReplayRunner {
  let mark: Mark | null = null;
  const { params } = lane;
  const runner = createRunner({ symbol: params.symbol, params, strategy, lane, bars }, code, {
    read: () => mark,
  });
  return {
    feed(event) {
      mark = event.mark;
      try {
        const [step] = runner.feed(inputOf(event));
        return step ?? 'dropped';
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    },
    lane: runner.lane,
    wakeAt: runner.wakeAt,
  };
}

function inputOf({ mark: _, ...event }: LaneEvent): LaneInputMessage {
  if (event.kind !== 'barClosed') return event;
  const { at, bar, origin } = event;
  return { kind: 'bars', at, bars: [bar], origin };
}

/** `null`: the step is the recorded one. */
export function compareStep(
  step: RecordedStep,
  played: LaneStep | 'dropped' | Error,
  before: Lane,
): Difference | null {
  const { event, record, decision } = step;
  const recorded = decision?.commands ?? [];
  const differs = (kind: Difference['kind'], replayed: readonly LaneCommand[], path: string): Difference => ({
    kind,
    record,
    decision: decision?.record ?? null,
    at: event.at,
    event,
    recorded,
    replayed,
    before,
    path,
  });
  if (played instanceof Error) return differs('threw', [], played.message);
  if (played === 'dropped') return differs('bar', [], 'bar.startAt');
  const { commands } = played;
  if (event.kind === 'barClosed' && played.event.kind === 'barClosed' && event.signal !== played.event.signal)
    return differs('signal', commands, 'signal');
  // What the kill left of a step says nothing of what is missing; the requests in it must still be right.
  const isWhole = decision !== null || !step.isTorn;
  const path = isWhole ? firstDifference(recorded, commands) : null;
  if (path !== null) return differs('commands', commands, path);
  for (const request of step.requests) {
    const isAsked = commands.some((command) => firstDifference(command, request.command) === null);
    if (!isAsked || firstDifference(request.event, event) !== null)
      return { ...differs('request', commands, 'request'), record: request.record };
  }
  return null;
}

import { type Lane, openLane } from '../domain/lane.ts';
import type { LaneEvent, LaneParams } from '../domain/lane-types.ts';
import type { SessionPlan } from '../domain/session.ts';
import type { StrategySetting } from '../ports/lane-protocol.ts';
import type { Strategy } from '../strategy/contract.ts';
import { neverEnter } from '../strategy/never-enter.ts';
import type { LaneBegin } from './lane-records.ts';
import type { createLaneRunner } from './lane-runner.ts';
import type { RecordedStep } from './recorded-steps.ts';
import { compareStep, createReplayRunner, type Difference, type ReplayRunner } from './replay-step.ts';

/** Other settings than those the day was traded with. */
export type Change = {
  readonly params: (params: LaneParams) => LaneParams;
  readonly plan: (plan: SessionPlan) => SessionPlan;
  readonly strategy: (setting: StrategySetting) => StrategySetting;
};

/**
 * What one lane would have decided with other settings.
 *
 * Decisions are compared up to the first that differs. From there on the lane would have sent other orders, and the reports
 * in the journal are not about those: only what needs no reports is compared further, the strategy's signals.
 */
export type LaneChange = {
  readonly steps: number;
  readonly equal: number;
  readonly difference: Difference | null;
  readonly signals: SignalCount;
};

/** Entry signals on live bars while the lane had its strategy. */
export type SignalCount = {
  readonly recorded: number;
  readonly replayed: number;
  /** Recorded and not replayed, and the other way round. */
  readonly gone: number;
  readonly added: number;
};

type Begin = LaneBegin & { readonly strategy: StrategySetting };

export function createAlteredLane(
  change: Change,
  strategyOf: (setting: StrategySetting) => Strategy,
  createRunner: typeof createLaneRunner,
) {
  let runner: ReplayRunner | null = null;
  /** A lane that may send nothing still asks its strategy about every bar. */
  let asking: ReplayRunner | null = null;
  let difference: Difference | null = null;
  let steps = 0;
  let equal = 0;
  const signals = { recorded: 0, replayed: 0, gone: 0, added: 0 };

  const planOf = (plan: SessionPlan | null): SessionPlan | null => plan && change.plan(plan);

  function begin(found: Begin): void {
    const params = change.params(found.lane.params);
    const strategy = change.strategy(found.strategy);
    // Before the first difference our own state goes on: its timers are those of the other settings.
    const from = runner?.lane() ?? found.lane;
    const lane: Lane = { ...from, params, plan: planOf(found.lane.plan) };
    const quiet: Lane = { ...openLane(params), plan: lane.plan, mode: 'halted' };
    const code = found.owner === 'custodian' ? neverEnter : strategyOf(strategy);
    if (difference === null) runner = createReplayRunner({ ...found, strategy, lane }, code, createRunner);
    asking =
      found.owner === 'custodian'
        ? null
        : createReplayRunner({ ...found, strategy, lane: quiet }, code, createRunner);
  }

  function alter(event: LaneEvent): LaneEvent {
    if (event.kind === 'sessionOpened') return { ...event, plan: change.plan(event.plan) };
    if (event.kind === 'paramsChanged') return { ...event, params: change.params(event.params) };
    return event;
  }

  function ask(event: LaneEvent): void {
    if (asking === null || (event.kind !== 'barClosed' && event.kind !== 'sessionOpened')) return;
    const played = asking.feed(event);
    if (event.kind !== 'barClosed' || event.origin !== 'live') return;
    const was = event.signal === 'enter';
    const is =
      typeof played === 'object' && 'event' in played && played.event.kind === 'barClosed'
        ? played.event.signal === 'enter'
        : false;
    signals.recorded += was ? 1 : 0;
    signals.replayed += is ? 1 : 0;
    signals.gone += was && !is ? 1 : 0;
    signals.added += is && !was ? 1 : 0;
  }

  /** Other settings may want the lane woken when nobody was: then it acts between two recorded events. */
  function wakeBefore(step: RecordedStep, mine: ReplayRunner, exact: ReplayRunner): Difference | null {
    for (let at = mine.wakeAt(); at !== null && at < step.event.at; at = mine.wakeAt()) {
      const theirs = exact.wakeAt();
      if (theirs !== null && theirs <= at) return null;
      const before = mine.lane();
      const event: LaneEvent = { kind: 'woke', at, mark: step.event.mark };
      const played = mine.feed(event);
      const between: RecordedStep = { ...step, event, decision: null, requests: [], isTorn: false };
      const found = compareStep(between, played, before);
      if (found !== null) return { ...found, kind: 'wake' };
    }
    return null;
  }

  return {
    begin,
    /** `exact`: the lane as recorded, before this step; `null` when that is not known. */
    step(recorded: RecordedStep, exact: ReplayRunner | null): void {
      const step = { ...recorded, event: alter(recorded.event) };
      ask(step.event);
      if (difference !== null || runner === null || exact === null) return;
      steps += 1;
      difference = wakeBefore(step, runner, exact);
      if (difference !== null) return;
      const before = runner.lane();
      // Requests repeat event and commands of the recorded settings.
      difference = compareStep({ ...step, requests: [] }, runner.feed(step.event), before);
      if (difference === null) equal += 1;
    },
    /** Records are missing: up to the next begin nothing is known. */
    lose(): void {
      runner = null;
      asking = null;
    },
    result: (): LaneChange => ({ steps, equal, difference, signals }),
  };
}

import type { LaneParams } from '../domain/lane-types.ts';
import type { RiskLimits } from '../domain/risk.ts';
import { type Duration, millis, minutes, seconds } from '../domain/time.ts';
import type { StrategySetting } from '../ports/lane-protocol.ts';
import type { FeeSchedule } from '../sim/exchange-api.ts';
import type { OverloadSettings } from './overload.ts';

/**
 * Everything the engine trades and works by. Durations are exchange time; the ones marked *wall* guard our own machine
 * and not the market: whoever runs the clock faster than real multiplies them by its speed.
 */
export type EngineSettings = {
  /** One lane per symbol; symbols are unique. */
  readonly lanes: readonly LaneParams[];
  readonly strategy: StrategySetting;
  readonly session: SessionSettings;
  readonly gateway: GatewaySettings;
  readonly tracker: TrackerSettings;
  readonly feed: FeedSettings;
  readonly supervisor: SupervisorSettings;
  readonly reconcile: ReconcileSettings;
  readonly overload: OverloadSettings;
  readonly risk: RiskSettings;
  /** `null`: the rates in force on the session's day. */
  readonly fees: FeeSchedule | null;
};

export type SessionSettings = {
  readonly flattenBeforeClose: Duration;
  /** How long before the open a session begins: lanes get its plan, the calendar is read again. */
  readonly openLead: Duration;
  /** How long after the close late reports are waited for before the session's report is made. */
  readonly closeLag: Duration;
  /** Pause before the calendar or the account is asked for again; doubles up to `retryMax`. */
  readonly retryFirst: Duration;
  readonly retryMax: Duration;
  /** How long `start` goes on trying to reach the broker before it gives up. */
  readonly startPatience: Duration;
  readonly driftCheckEvery: Duration;
  /** *Wall.* Difference to the broker's clock that is worth a warning. */
  readonly driftMax: Duration;
};

export type GatewaySettings = {
  /** Requests the account may make per minute. */
  readonly requestsPerMinute: number;
  /** Share of them that only exits, cancels and flatten may use, 0 to below 1. */
  readonly exitReserve: number;
  /** Entries and queries waiting, each. */
  readonly waitingMax: number;
  /** Entries and queries on the wire, each. */
  readonly onWireMax: number;
  /** Pause after a 429 that does not say how long. */
  readonly pauseUnsaid: Duration;
  /** *Wall.* How long an exit waits for its journal record before it leaves without. */
  readonly journalPatience: Duration;
  /** What one rung of the flatten ladder takes besides its request: cancel confirmed, then filled. */
  readonly rungTime: Duration;
  /** What must be left before the close when the last flatten order has gone. */
  readonly flattenMargin: Duration;
};

export type TrackerSettings = {
  /** First pause of a look-up or poll; doubles up to `pollMax`. */
  readonly pollFirst: Duration;
  readonly pollMax: Duration;
  /** How long an order may stay pending, canceling or closing without a word before it is polled. */
  readonly silenceMax: Duration;
  /** `absent` is believed after `absencesMin` answers over at least `absentAfter`. */
  readonly absencesMin: number;
  readonly absentAfter: Duration;
  /** All working orders are read in one listing this often, and this often while the trade feed is down. */
  readonly sweepEvery: Duration;
  readonly sweepEveryBlind: Duration;
};

export type FeedSettings = {
  /** Pause before missing bars are asked for again; doubles up to `retryMax`. */
  readonly retryFirst: Duration;
  readonly retryMax: Duration;
  /** A live bar that reaches the lane this long after its minute ended is a backfilled one. */
  readonly liveFor: Duration;
  /**
   * A bar that has not come this long after its minute's end is asked for; an answer without it, asked for no earlier,
   * proves that the minute had no trade.
   */
  readonly lateMax: Duration;
};

export type SupervisorSettings = {
  /** *Wall.* */
  readonly pingEvery: Duration;
  /**
   * *Wall.* A lane that owes an answer this long has stalled. Longer than what finds a thread that hangs (`stallMs` of
   * the lane threads): in a full thread a lane rightly waits for its neighbors.
   */
  readonly stallAfter: Duration;
  /** *Wall.* Pause before a lost lane is started again; doubles with each loss within `lossWindow`. */
  readonly restartPause: Duration;
  /** After `lossesMax` losses within `lossWindow` the lane stays with the custodian. */
  readonly lossesMax: number;
  readonly lossWindow: Duration;
  /** Inputs kept until the lane has answered them, or until its new thread is there; more cost it its thread. */
  readonly unackedMax: number;
  /** Whether steps that are known are taken before the lane's thread has taken them; otherwise all wait for it. */
  readonly stepAhead: boolean;
};

export type ReconcileSettings = {
  readonly every: Duration;
  /** Outside sessions, while no lane holds a share or has an order open. */
  readonly everyIdle: Duration;
  /** Pause before a listing that failed is asked for again. */
  readonly retryAfter: Duration;
  /** Pause after a failed look, and before a disagreement is looked at again. */
  readonly recheckAfter: Duration;
  /** REST lags the stream: a disagreement counts when this many looks in a row have shown it. */
  readonly passes: number;
};

export type RiskSettings = {
  readonly limits: RiskLimits;
  /** How often the loss of the day is looked at besides every fill. */
  readonly checkEvery: Duration;
};

export const DEFAULT_ENGINE_SETTINGS: Omit<EngineSettings, 'lanes' | 'strategy' | 'risk'> = {
  session: {
    flattenBeforeClose: minutes(5),
    openLead: minutes(10),
    closeLag: seconds(15),
    retryFirst: seconds(2),
    retryMax: minutes(1),
    startPatience: minutes(1),
    driftCheckEvery: minutes(5),
    driftMax: seconds(1),
  },
  gateway: {
    requestsPerMinute: 200,
    exitReserve: 0.2,
    waitingMax: 1_000,
    onWireMax: 16,
    pauseUnsaid: seconds(5),
    journalPatience: millis(250),
    rungTime: seconds(2),
    flattenMargin: seconds(30),
  },
  tracker: {
    pollFirst: millis(500),
    pollMax: seconds(15),
    silenceMax: seconds(2),
    absencesMin: 3,
    absentAfter: seconds(10),
    sweepEvery: seconds(10),
    sweepEveryBlind: seconds(2),
  },
  feed: { retryFirst: seconds(1), retryMax: seconds(30), liveFor: seconds(15), lateMax: seconds(10) },
  supervisor: {
    pingEvery: seconds(1),
    stallAfter: seconds(3),
    restartPause: seconds(1),
    lossesMax: 3,
    lossWindow: minutes(10),
    unackedMax: 10_000,
    stepAhead: true,
  },
  reconcile: {
    every: seconds(30),
    everyIdle: minutes(5),
    retryAfter: seconds(1),
    recheckAfter: seconds(6),
    passes: 3,
  },
  overload: { shutAfter: millis(250), calmAfter: seconds(2) },
  fees: null,
};

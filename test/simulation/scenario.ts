import type { Ticker } from '../../lib/domain/ids.ts';
import type { Session } from '../../lib/domain/session.ts';
import type { Duration, Micros } from '../../lib/domain/time.ts';
import type { FillRule } from '../../lib/sim/exchange-api.ts';
import type { FaultPlan, Spread, Stream } from '../../lib/sim/fault-types.ts';

/**
 * One simulated run as plain data: everything that is not drawn while it runs. Whoever has the scenario can run it again,
 * leave parts of it out, and print it.
 */
export type Scenario = {
  /** Drives market, exchange, network and faults. */
  readonly seed: number;
  readonly symbols: readonly Ticker[];
  readonly sessions: readonly Session[];
  readonly startAt: Micros;
  /** Prints of an average symbol in a full session. */
  readonly printsPerDay: number;
  /** Share of the minutes whose bar comes a second time, corrected. */
  readonly correctedBars: number;
  readonly exchange: ExchangeTraits;
  readonly wire: WireTraits;
  readonly trading: TradingTraits;
  /** From `append` to the record on disk. */
  readonly journalDelay: Duration;
  /** How far the daemon's clock is ahead of the exchange's when a process starts. */
  readonly skew: Duration;
  readonly rates: FaultPlan['rates'];
  /** Share of the fills whose frames come seconds late, behind the frames of what happened after them. */
  readonly lateFills: number;
  readonly restDelay: Spread;
  readonly frameDelay: Spread;
  readonly connectionLife: Spread;
  /** When the faults of each session stop; what follows must come to rest. */
  readonly calmFrom: readonly Micros[];
  readonly happenings: readonly Happening[];
  /** One after the other: the next one is armed when the process after the one before has started. */
  readonly kills: readonly Kill[];
};

export type ExchangeTraits = {
  readonly latencyIn: number;
  readonly latencyOut: number;
  readonly partialFillShare: number;
  readonly queueAhead: number;
  readonly barDelay: number;
  readonly positionsLag: number;
  readonly dayOrderEnd: 'expired' | 'canceled';
  readonly fillRules: readonly FillRule[];
};

export type WireTraits = {
  /** One way from the daemon to the exchange, and what chance adds to it at the most. */
  readonly outward: Duration;
  readonly jitter: Duration;
  readonly back: Duration;
  /** How long a request without an answer is waited for. */
  readonly timeout: Duration;
  /** How far order listings and look-ups trail the exchange. */
  readonly listingsLag: Duration;
  /** One way between engine and lane. */
  readonly crossing: Duration;
};

export type TradingTraits = {
  readonly period: number;
  readonly lotUsd: number;
  readonly holdMax: Duration;
  readonly entryPatience: Duration;
  readonly requestsPerMinute: number;
  readonly markupUsd: number;
};

/** What happens to the daemon, the market or the account at its own instant. `symbol: null` means all of them. */
export type Happening = {
  readonly at: Micros;
} /** Breaks the connection, and lets nobody in until then. */ & (
  | { readonly kind: 'cut'; readonly stream: Stream; readonly until: Micros }
  /** `until: null`: never resumes. */
  | { readonly kind: 'halt'; readonly symbol: Ticker; readonly until: Micros | null }
  | { readonly kind: 'rateStorm' }
  /** Every request fails. */
  | { readonly kind: 'brokerDown'; readonly until: Micros; readonly how: 'silence' | 'reset' | 'badGateway' }
  | { readonly kind: 'diskFull'; readonly until: Micros }
  | { readonly kind: 'diskSlow'; readonly until: Micros; readonly delay: Duration }
  | { readonly kind: 'laneDies'; readonly symbol: Ticker; readonly code: string }
  | { readonly kind: 'laneHangs'; readonly symbol: Ticker }
  | { readonly kind: 'pause'; readonly symbol: Ticker | null }
  | { readonly kind: 'resume'; readonly symbol: Ticker | null; readonly clearLatches: boolean }
  | { readonly kind: 'flatten'; readonly symbol: Ticker | null }
  | { readonly kind: 'kill' }
  /** By another hand on the same account. */
  | { readonly kind: 'foreignShares'; readonly symbol: Ticker; readonly qty: number }
  | { readonly kind: 'foreignOrder'; readonly symbol: Ticker; readonly qty: number }
  | { readonly kind: 'adopt'; readonly symbol: Ticker }
  | { readonly kind: 'cancelByHand'; readonly symbol: Ticker }
  | { readonly kind: 'replaceByHand'; readonly symbol: Ticker }
  | {
      readonly kind: 'endByVenue';
      readonly symbol: Ticker;
      readonly how: 'expired' | 'done_for_day' | 'canceled' | 'rejected' | 'suspended';
    }
);

export type HappeningKind = Happening['kind'];

/** The process is gone at its n-th request, answer, report or journal record, right before or right after it. */
export type Kill = {
  readonly on: 'request' | 'answer' | 'report' | 'record' | 'second';
  /** Counted from the start of the process. */
  readonly nth: number;
  readonly side: 'before' | 'after';
  readonly downFor: Duration;
};

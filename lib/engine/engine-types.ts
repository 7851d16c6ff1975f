import type { Ticker } from '../domain/ids.ts';
import type { EntryGate, TradingMode } from '../domain/lane-types.ts';
import type { Mark } from '../domain/market.ts';
import type { Cash } from '../domain/money.ts';
import type { Session, SessionPlan } from '../domain/session.ts';
import type { Duration, Micros } from '../domain/time.ts';
import type { Broker, BrokerAccount } from '../ports/broker.ts';
import type { Clock, Stopwatch } from '../ports/clock.ts';
import type { FeedStatus, OpenDataFeed, OpenTradeFeed } from '../ports/feeds.ts';
import type { Journal } from '../ports/journal.ts';
import type { LaneHost, LaneHostEvents } from '../ports/lane-host.ts';
import type { Log } from '../ports/log.ts';
import type { Adoption } from './adoption.ts';
import type { LaneAnswer } from './ask-lane.ts';
import type { FeedStats } from './feed-hub.ts';
import type { FlattenProgress } from './flatten-watch.ts';
import type { GatewayStatus } from './gateway.ts';
import type { OperatorAnswer, OperatorOrder } from './kill-switch.ts';
import type { TrackerStats } from './order-tracker.ts';
import type { Discrepancy } from './reconciler.ts';
import type { SessionReport } from './report.ts';
import type { EngineSettings } from './settings.ts';
import type { LaneOwner } from './supervisor.ts';
import type { RateSeen } from './token-bucket.ts';

export type EngineDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly journal: Journal;
  readonly log: Log;
  readonly laneHost: (events: LaneHostEvents) => LaneHost;
  readonly openDataFeed: OpenDataFeed;
  readonly openTradeFeed: OpenTradeFeed;
  readonly settings: EngineSettings;
  readonly events: EngineEvents;
  /** What stages of orders are measured with; absent in virtual time. */
  readonly stopwatch?: Stopwatch;
  /** Which build of the program this is, for the journal. */
  readonly build?: string;
  /** Requests that the account has made right before; they count against the budget. */
  readonly requestsMade?: number;
};

export type EngineEvents = {
  /** A session is over, its report made; the next one is waited for. */
  onSessionEnded(report: SessionReport): void;
  /** Something changed that a screen may want to show: at most once per lane decision. */
  onProgress?(symbol: Ticker): void;
  /** The broker's clock is that far ahead of ours, behind when negative: whoever owns the clock sets it right. */
  onDrift?(drift: Duration): void;
  /** A promise of our own was broken while a lane's step was acted on: the state of the books is not known any more. */
  onBroken?(error: unknown): void;
};

export type Engine = {
  /** Resolves when every lane is live, or when it is certain that this cannot be. */
  start(): Promise<StartOutcome>;
  status(): EngineStatus;
  /** A lane as its own thread sees it. Never rejects; a lane that does not answer is a refusal. */
  askLane(symbol: Ticker): Promise<LaneAnswer>;
  pause(order: OperatorOrder): OperatorAnswer;
  resume(order: OperatorOrder & { readonly clearLatches: boolean }): OperatorAnswer;
  flatten(order: OperatorOrder): OperatorAnswer;
  kill(order: Omit<OperatorOrder, 'symbol'>): OperatorAnswer;
  /** Takes a symbol's shares and orders of others over. Never rejects; a refusal says what is in the way. */
  adopt: Adoption;
  /**
   * Ends trading: entries are canceled; `flatten` gets out of everything, `hold` leaves exits resting. Returns when that is
   * done or at `deadline`, whichever is first, and says what is still open. The journal stays open for the caller to close.
   */
  stop(policy: StopPolicy, deadline: Micros): Promise<EndReport>;
  /** What an answer's rate-limit headers said. */
  observeRate(seen: RateSeen): void;
};

export type StopPolicy = 'flatten' | 'hold';
export type EndReport = SessionReport & { readonly policy: StopPolicy; readonly inTime: boolean };

export type StartFailure = 'unauthorized' | 'notConnected' | 'accountBlocked';
export type StartOutcome =
  | { readonly kind: 'ready'; readonly session: SessionPlan | null; readonly next: Session | null }
  | { readonly kind: 'failed'; readonly code: StartFailure; readonly text: string };

export type LaneStatus = {
  readonly symbol: Ticker;
  readonly owner: LaneOwner;
  readonly threadId: number | null;
  readonly mode: TradingMode;
  readonly because: readonly string[];
  readonly gate: EntryGate;
  readonly stage: string;
  readonly halted: boolean;
  readonly shares: number;
  readonly mark: Mark | null;
  readonly entries: number;
  readonly roundTrips: number;
  readonly realized: Cash;
  readonly losses: number;
};

export type EngineStatus = {
  readonly state: 'starting' | 'waiting' | 'trading' | 'stopping' | 'stopped';
  readonly at: Micros;
  readonly session: SessionPlan | null;
  readonly next: Session | null;
  readonly dataFeed: FeedStatus;
  readonly tradeFeed: FeedStatus;
  readonly account: BrokerAccount | null;
  readonly gateway: GatewayStatus;
  /** Lanes on their way out; `null` while none was ordered out, or all are. */
  readonly flattening: FlattenProgress | null;
  readonly orders: TrackerStats;
  readonly feed: FeedStats;
  /** Since when more market data arrive than can be taken; `null` while they do not. */
  readonly overloadedSince: Micros | null;
  readonly latch: string | null;
  readonly journalBroken: boolean;
  /** Records that this run could not write. */
  readonly journalLost: number;
  /** Realized and marked, gross of fees; `null` when a held symbol has no mark. */
  readonly dayPnl: Cash | null;
  readonly roundTrips: number;
  readonly discrepancies: readonly Discrepancy[];
  readonly lanes: readonly LaneStatus[];
};

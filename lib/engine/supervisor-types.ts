import type { Ticker } from '../domain/ids.ts';
import type { Lane } from '../domain/lane.ts';
import type { Bar } from '../domain/market.ts';
import type { Clock } from '../ports/clock.ts';
import type { LaneHost, LaneHostEvents } from '../ports/lane-host.ts';
import type { LaneInputMessage, LaneStep, MarkSource, StrategySetting } from '../ports/lane-protocol.ts';
import type { Log } from '../ports/log.ts';
import type { StageTimes } from './order-path.ts';
import type { LaneOwner } from './seat.ts';
import type { SupervisorSettings } from './settings.ts';

export type Supervisor = {
  /** Starts all lanes; resolves when each is in its thread or with the custodian. */
  start(lanes: readonly Lane[]): Promise<void>;
  deliver(symbol: Ticker, input: LaneInputMessage): void;
  lane(symbol: Ticker): Lane;
  lanes(): readonly Lane[];
  ownerOf(symbol: Ticker): LaneOwner;
  losses(symbol: Ticker): number;
  /** No thread owes an answer: what the lanes were told last, they have acted on. */
  isAnswered(): boolean;
  /** Another day's journal begins: every lane's seating is told again for it. */
  openSession(): void;
  /** The journal missed steps: every lane's seating is told again, as it is now. */
  reseat(): void;
  stop(): Promise<void>;
};

export type { LaneOwner };

/** Somebody begins with a lane, in this state and after these bars. Its steps are numbered from 1 again. */
export type Seating = {
  readonly owner: 'thread' | 'custodian';
  readonly lane: Lane;
  readonly bars: readonly Bar[];
};

/** Who came to a step first, and its number since somebody began with the lane. */
export type Taken = { readonly number: number; readonly by: StageTimes['by'] };

export type SupervisorEvents = {
  onSeated(symbol: Ticker, seating: Seating): void;
  /** One step of a lane, already folded into its shadow. Commands are to be acted on in order. */
  onStep(symbol: Ticker, step: LaneStep, taken: Taken, after: Lane): void;
  /** All steps of one answer were acted on: what is not urgent may be done now. */
  onSettled(symbol: Ticker, lane: Lane): void;
  onRetired(symbol: Ticker): void;
  /** Acting on a step threw. The error is thrown on to whoever brought the input. */
  onBroken(error: unknown): void;
};

export type SupervisorDeps = {
  readonly clock: Clock;
  readonly openHost: (events: LaneHostEvents) => LaneHost;
  readonly log: Log;
  readonly settings: SupervisorSettings;
  readonly strategy: StrategySetting;
  readonly marks: MarkSource;
  /** The session's bars the lane has been given. */
  readonly bars: (symbol: Ticker) => readonly Bar[];
  readonly events: SupervisorEvents;
};

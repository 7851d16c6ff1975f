import type { Ticker } from '../domain/ids.ts';
import type { Lane } from '../domain/lane.ts';
import type { Mark } from '../domain/market.ts';
import type { LaneInputMessage, LaneStart, LaneStep, LaneUplink } from './lane-protocol.ts';

/** Why a lane is no longer there. `code` is stable: `threw`, `diverged`, `exited`, `outOfMemory`, `stalled`, `aborted`. */
export type LaneLoss = { readonly code: string; readonly text: string };

export type LaneHostEvents = {
  onUplink(uplink: LaneUplink): void;
  /** The lane's thread is gone or was ended because it stalled. Sent once per lane that lived there. */
  onLost(symbol: Ticker, loss: LaneLoss): void;
};

/** Where lanes live: worker threads in the daemon, plain objects in tests and in the custodian. */
export type LaneHost = {
  /** Starts lanes, a few threads at a time; resolves when every one has said `ready`, rejects when one cannot start. */
  start(lanes: readonly LaneStart[]): Promise<void>;
  /** Never waits. Returns the message's `seq`; a lane that is not there swallows it. */
  post(symbol: Ticker, input: LaneInputMessage): number;
  /** The same for a step that was taken for the lane; nobody waits for its answer, so it may travel a little later. */
  repeat(symbol: Ticker, step: LaneStep): number;
  /** Asks for an `alive` uplink; returns its `seq`. Who answers late is told by the supervisor, not by the host. */
  ping(symbol: Ticker): number;
  /** The newest mark wins; lanes read it when they decide. */
  setMark(symbol: Ticker, mark: Mark): void;
  control(symbol: Ticker): LaneControl;
  /** Which thread a lane lives in, for the log: `null` in process. */
  threadOf(symbol: Ticker): number | null;
  /** Ends one lane politely, or its thread when it does not answer in time. */
  stop(symbol: Ticker): Promise<void>;
  /** Ends everything. */
  close(): Promise<void>;
};

/**
 * The control plane of one lane (Comlink in threads): questions, never on the hot path. Whatever changes a lane is an input
 * like any other, because the main thread's shadow of the lane has to see it in its turn.
 */
export type LaneControl = {
  /** Rejects when the lane is not there, or ends meanwhile. A lane that hangs does not answer: whoever asks sets the limit. */
  status(): Promise<LaneView>;
};

/** A lane as its own thread sees it. */
export type LaneView = {
  readonly symbol: Ticker;
  readonly lane: Lane;
  /** Session bars that the strategy has seen, warm-up included, and its numbers on the last one. */
  readonly barsSeen: number;
  readonly facts: Readonly<Record<string, number>>;
  readonly threadId: number;
  readonly heapUsedBytes: number;
};

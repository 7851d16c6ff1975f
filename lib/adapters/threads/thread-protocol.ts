import type { MessagePort } from 'node:worker_threads';
import type { Ticker } from '../../domain/ids.ts';
import type { LaneLoss } from '../../ports/lane-host.ts';
import type { LaneDownlink, LaneStart, LaneUplink } from '../../ports/lane-protocol.ts';

/**
 * What passes between the host and a lane thread besides the lanes' own messages. Each lane has two ports to itself:
 * one for inputs and decisions, one for Comlink. The thread has a third for its own affairs, off the hot path.
 */

/** The argument of the Piscina task that lives as long as its thread has lanes. */
export type LaneThreadTask = {
  readonly port: MessagePort;
  readonly marks: SharedArrayBuffer;
  /** One Int32 that the thread counts up, by the clock and with each input it has worked on: one that hangs stops. */
  readonly pulse: SharedArrayBuffer;
  readonly pulseEveryMs: number;
};

/** One lane's place in a thread. */
export type LaneSeat = {
  readonly start: LaneStart;
  readonly markSlot: number;
  readonly port: MessagePort;
  readonly control: MessagePort;
};

export type ThreadDownlink = { readonly kind: 'seat'; readonly seat: LaneSeat } | { readonly kind: 'end' };
export type ThreadUplink = { readonly kind: 'hello'; readonly threadId: number };

/** On a lane's port, downwards: messages in order; what could wait comes together with what could not. */
export type SeatDownlink = readonly LaneDownlink[];

/**
 * On a lane's port, upwards. `lost` travels there too, so that it cannot overtake what the lane decided before: whoever takes
 * the lane over has seen everything it asked for.
 */
export type SeatUplink =
  | LaneUplink
  | { readonly kind: 'lost'; readonly symbol: Ticker; readonly loss: LaneLoss };

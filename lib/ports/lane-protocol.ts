import type { Ticker } from '../domain/ids.ts';
import type { Lane } from '../domain/lane.ts';
import type { LaneCommand, LaneEvent, LaneParams } from '../domain/lane-types.ts';
import type { Bar } from '../domain/market.ts';
import type { Micros } from '../domain/time.ts';

/** Which strategy, and its own settings, as the configuration gives them. */
export type StrategySetting = { readonly name: string; readonly [option: string]: unknown };

/** A lane event before the runner has asked the strategy and read the mark. */
export type LaneInput =
  | Exclude<LaneEvent, { kind: 'barClosed' }>
  /** `bars` in time order; all but live ones only feed the average. */
  | {
      readonly kind: 'bars';
      readonly at: Micros;
      readonly bars: readonly Bar[];
      readonly origin: 'live' | 'backfilled';
    };

/** What a lane starts from: fresh, or the state it is given back after a crash or a restart. */
export type LaneStart = {
  readonly symbol: Ticker;
  readonly params: LaneParams;
  readonly strategy: StrategySetting;
  readonly lane: Lane;
  /** This session's bars so far: the strategy is warmed up on them. */
  readonly bars: readonly Bar[];
};

/** Main to lane. `seq` rises by one per message on a port, so that a gap or a replay shows. */
export type LaneDownlink = { readonly seq: number } & (
  | { readonly kind: 'input'; readonly input: LaneInputMessage }
  /** Taken already, with the lane's own machine: the lane takes it too, and must come to the same. */
  | { readonly kind: 'step'; readonly step: LaneStep }
  | { readonly kind: 'ping' }
  | { readonly kind: 'stop' }
);
/** Inputs travel without a mark: the lane reads it from the shared slot the moment it decides. */
export type LaneInputMessage = LaneInput extends infer I
  ? I extends LaneInput
    ? Omit<I, 'mark'>
    : never
  : never;

/** Lane to main. `ack` is the `seq` of the downlink it answers. */
export type LaneUplink =
  | { readonly kind: 'ready'; readonly symbol: Ticker }
  /** Inputs in the order they were reduced, with what came of each; steps that it was told are not told again. */
  | {
      readonly kind: 'decided';
      readonly symbol: Ticker;
      readonly ack: number;
      readonly steps: readonly LaneStep[];
    }
  | { readonly kind: 'alive'; readonly symbol: Ticker; readonly ack: number }
  | { readonly kind: 'gone'; readonly symbol: Ticker; readonly ack: number };

export type LaneStep = { readonly event: LaneEvent; readonly commands: readonly LaneCommand[] };

/** The lane's view of the last trade: a shared slot in threads, a plain object in process. */
export type MarkSource = { read(symbol: Ticker): import('../domain/market.ts').Mark | null };

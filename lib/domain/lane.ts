import type { LaneCommand, LaneEvent, LaneParams } from './lane-types.ts';
import type { Micros } from './time.ts';

/** Placeholder until the reducer lands. */
export type Lane = { readonly params: LaneParams };
export declare function openLane(params: LaneParams): Lane;
export declare function reduceLane(lane: Lane, event: LaneEvent): readonly [Lane, readonly LaneCommand[]];
export declare function nextWakeAt(lane: Lane): Micros | null;

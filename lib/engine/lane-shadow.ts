import type { Ticker } from '../domain/ids.ts';
import { type Lane, reduceLane } from '../domain/lane.ts';
import type { LaneInputMessage, LaneStep } from '../ports/lane-protocol.ts';

/**
 * The main thread's copy of a lane: the fold of the steps the lane reported, and the inputs it has not answered yet. Both
 * together are what a successor needs to go on where the lane was lost.
 */
export type LaneShadow = {
  readonly symbol: Ticker;
  lane(): Lane;
  /** Folds one step and returns its number since somebody began with the lane. */
  fold(step: LaneStep): number;
  sent(seq: number, input: LaneInputMessage): void;
  /** The lane answered everything up to `seq`. */
  acked(seq: number): void;
  /** Inputs without an answer, oldest first; they are forgotten with this call. */
  takeUnacked(): readonly LaneInputMessage[];
  /** The same, and they are kept. */
  unacked(): readonly LaneInputMessage[];
  unackedCount(): number;
  /** Somebody else begins with the lane: step numbers do too. */
  restartCount(): void;
};

export function createLaneShadow(symbol: Ticker, from: Lane): LaneShadow {
  let lane = from;
  let steps = 0;
  let unacked: { readonly seq: number; readonly input: LaneInputMessage }[] = [];
  return {
    symbol,
    lane: () => lane,
    fold(step) {
      [lane] = reduceLane(lane, step.event);
      steps += 1;
      return steps;
    },
    sent(seq, input) {
      unacked.push({ seq, input });
    },
    acked(seq) {
      let answered = 0;
      while (answered < unacked.length && (unacked[answered]?.seq ?? seq) <= seq) answered += 1;
      if (answered > 0) unacked = unacked.slice(answered);
    },
    takeUnacked() {
      const inputs = unacked.map(({ input }) => input);
      unacked = [];
      return inputs;
    },
    unacked: () => unacked.map(({ input }) => input),
    unackedCount: () => unacked.length,
    restartCount() {
      steps = 0;
    },
  };
}

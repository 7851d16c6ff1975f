import type { Ticker } from '../domain/ids.ts';
import { type Lane, reduceLane } from '../domain/lane.ts';
import type { LaneEvent } from '../domain/lane-types.ts';
import type { LaneInputMessage, LaneStep } from '../ports/lane-protocol.ts';

/**
 * The main thread's copy of a lane: the fold of its steps, and what it has not answered yet. Both together are what a
 * successor needs to go on where the lane was lost.
 *
 * A lane is pure, so while it owes no decision its next one is known here already. Then the step is taken ahead: folded and
 * acted on at once, and told to the lane, which has to come to the same.
 */
export type LaneShadow = {
  readonly symbol: Ticker;
  lane(): Lane;
  /** Folds one step and returns its number since somebody began with the lane. */
  fold(step: LaneStep): number;
  /** An input whose outcome only the lane knows. */
  sent(seq: number, input: LaneInputMessage): void;
  /** A step that was taken ahead. */
  told(seq: number): void;
  /** What the event would make of the lane; `null` while the lane owes a decision, or when its machine throws. */
  ahead(event: LaneEvent): LaneStep | null;
  /** The lane answered everything up to `seq`. */
  acked(seq: number): void;
  /** Inputs that only the lane could have decided, oldest first; everything unanswered is forgotten with this call. */
  takeUnacked(): readonly LaneInputMessage[];
  /** The same, and they are kept. */
  unacked(): readonly LaneInputMessage[];
  /** Inputs and steps without an answer. */
  unackedCount(): number;
  /** Somebody else begins with the lane: step numbers do too. */
  restartCount(): void;
};

export function createLaneShadow(symbol: Ticker, from: Lane): LaneShadow {
  let lane = from;
  let steps = 0;
  /** `input: null`: a step that is in the fold already. */
  let unacked: { readonly seq: number; readonly input: LaneInputMessage | null }[] = [];
  let undecided = 0;
  /** The outcome of the last look ahead, so that taking the step does not reduce it again. */
  let foreseen: { readonly step: LaneStep; readonly lane: Lane } | null = null;
  return {
    symbol,
    lane: () => lane,
    fold(step) {
      lane = foreseen?.step === step ? foreseen.lane : reduceLane(lane, step.event)[0];
      foreseen = null;
      steps += 1;
      return steps;
    },
    sent(seq, input) {
      unacked.push({ seq, input });
      undecided += 1;
    },
    told(seq) {
      unacked.push({ seq, input: null });
    },
    ahead(event) {
      if (undecided > 0) return null;
      try {
        const [next, commands] = reduceLane(lane, event);
        foreseen = { step: { event, commands }, lane: next };
        return foreseen.step;
      } catch {
        // The lane is asked: what it throws on costs its thread, and is told.
        return null;
      }
    },
    acked(seq) {
      let answered = 0;
      for (; answered < unacked.length; answered += 1) {
        const oldest = unacked[answered];
        if (oldest === undefined || oldest.seq > seq) break;
        if (oldest.input !== null) undecided -= 1;
      }
      if (answered > 0) unacked = unacked.slice(answered);
    },
    takeUnacked() {
      const inputs = inputsIn(unacked);
      unacked = [];
      undecided = 0;
      return inputs;
    },
    unacked: () => inputsIn(unacked),
    unackedCount: () => unacked.length,
    restartCount() {
      steps = 0;
    },
  };
}

const inputsIn = (unacked: readonly { readonly input: LaneInputMessage | null }[]): LaneInputMessage[] =>
  unacked.flatMap(({ input }) => (input === null ? [] : [input]));

import type { LaneInputMessage, LaneStart, LaneStep, MarkSource } from '../ports/lane-protocol.ts';
import type { Log } from '../ports/log.ts';
import { neverEnter } from '../strategy/never-enter.ts';
import { createLaneRunner } from './lane-runner.ts';

/**
 * Keeps a lane that has no thread: the same runner, in the main thread, with a strategy that never enters. What it is given
 * while it works on an input waits for its turn, because an order can be refused within the step that sends it.
 *
 * An input on which the lane's own code throws is dropped and told: it has cost one thread already, and must not cost the
 * daemon, whose other lanes hold shares.
 */
export type Custodian = {
  feed(input: LaneInputMessage): void;
  /** In the middle of its inputs: what is known of the lane is about to change. */
  isWorking(): boolean;
};

export function createCustodian(
  start: LaneStart,
  marks: MarkSource,
  log: Log,
  decided: (steps: readonly LaneStep[]) => void,
): Custodian {
  const runner = createLaneRunner(start, neverEnter, marks);
  const inbox: LaneInputMessage[] = [];
  let working = false;

  function take(input: LaneInputMessage): void {
    let steps: readonly LaneStep[];
    try {
      steps = runner.feed(input);
    } catch (error) {
      log.error('custodian.threw', {
        symbol: start.symbol,
        input: input.kind,
        text: error instanceof Error ? error.message : String(error),
        consequence: 'the input is dropped; look at this symbol',
      });
      return;
    }
    decided(steps);
  }

  return {
    feed(input) {
      inbox.push(input);
      if (working) return;
      working = true;
      for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) take(next);
      working = false;
    },
    isWorking: () => working,
  };
}

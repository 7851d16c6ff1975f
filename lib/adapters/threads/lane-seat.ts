import { threadId } from 'node:worker_threads';
import { type Endpoint, expose } from 'comlink';
import { createLaneRunner, Diverged, type LaneRunner } from '../../engine/lane-runner.ts';
import type { LaneControl, LaneView } from '../../ports/lane-host.ts';
import type { LaneInputMessage, LaneStep, MarkSource } from '../../ports/lane-protocol.ts';
import { describeError } from './lane-loss.ts';
import { loadStrategy } from './strategy-loader.ts';
import type { LaneSeat, SeatDownlink, SeatUplink } from './thread-protocol.ts';

/**
 * One lane in its thread: a runner between two ports. What the lane throws ends this lane alone; the ports are closed
 * by the main thread when it has read the last message. `beat` is called after each input: a sign of life.
 */
export async function takeSeat(seat: LaneSeat, marks: MarkSource, beat: () => void): Promise<void> {
  const { start, port, control } = seat;
  const { symbol } = start;
  const say = (uplink: SeatUplink): void => port.postMessage(uplink);
  const lose = (error: unknown): void =>
    say({ kind: 'lost', symbol, loss: { code: codeOf(error), text: describeError(error) } });

  let runner: LaneRunner;
  try {
    runner = createLaneRunner(start, await loadStrategy(start.strategy), marks);
  } catch (error) {
    lose(error);
    return;
  }

  let acked = 0;
  /** Not yet told: what came together is answered together. */
  let steps: LaneStep[] | null = null;
  const tell = (): void => {
    if (steps === null) return;
    say({ kind: 'decided', symbol, ack: acked, steps });
    steps = null;
    beat();
  };
  /** `false`: it threw, and this lane has ended. */
  const guarded = (act: () => void): boolean => {
    try {
      act();
      return true;
    } catch (error) {
      tell();
      leave();
      lose(error);
      return false;
    }
  };
  const feed = (input: LaneInputMessage): boolean =>
    guarded(() => {
      const made = runner.feed(input);
      steps = steps === null ? [...made] : [...steps, ...made];
    });
  const repeat = (step: LaneStep): boolean =>
    guarded(() => {
      runner.repeat(step);
      steps ??= [];
    });
  const onMessages = (messages: SeatDownlink): void => {
    for (const message of messages) {
      if (message.kind === 'input' || message.kind === 'step') {
        if (!(message.kind === 'input' ? feed(message.input) : repeat(message.step))) return;
        acked = message.seq;
        continue;
      }
      tell();
      acked = message.seq;
      if (message.kind === 'ping') say({ kind: 'alive', symbol, ack: acked });
      else {
        leave();
        say({ kind: 'gone', symbol, ack: acked });
        return;
      }
    }
    tell();
  };
  function leave(): void {
    port.off('message', onMessages);
  }

  const laneControl: LaneControl = { status: async () => viewOf(runner) };
  expose(laneControl, control as unknown as Endpoint);
  say({ kind: 'ready', symbol });
  port.on('message', onMessages);
}

const codeOf = (error: unknown): string => (error instanceof Diverged ? 'diverged' : 'threw');

function viewOf(runner: LaneRunner): LaneView {
  const lane = runner.lane();
  return {
    symbol: lane.params.symbol,
    lane,
    barsSeen: runner.barsSeen(),
    facts: runner.facts(),
    threadId,
    heapUsedBytes: process.memoryUsage().heapUsed,
  };
}

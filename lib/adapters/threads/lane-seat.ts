import { createRequire } from 'node:module';
import { threadId } from 'node:worker_threads';
import type { Endpoint } from 'comlink';
import { createLaneRunner, type LaneRunner } from '../../engine/lane-runner.ts';
import type { LaneControl, LaneView } from '../../ports/lane-host.ts';
import type { LaneInputMessage, LaneStep, MarkSource } from '../../ports/lane-protocol.ts';
import { describeError } from './lane-loss.ts';
import { loadStrategy } from './strategy-loader.ts';
import type { LaneSeat, SeatDownlink, SeatUplink } from './thread-protocol.ts';

/** By `require`, because an import of a CommonJS file is parsed for its names first: 10 ms in every thread. */
const { expose } = createRequire(import.meta.url)('comlink') as typeof import('comlink');

/**
 * One lane in its thread: a runner between two ports. What the lane throws ends this lane alone; the ports are closed
 * by the main thread when it has read the last message. `beat` is called after each input: a sign of life.
 */
export async function takeSeat(seat: LaneSeat, marks: MarkSource, beat: () => void): Promise<void> {
  const { start, port, control } = seat;
  const { symbol } = start;
  const say = (uplink: SeatUplink): void => port.postMessage(uplink);
  const lose = (error: unknown): void =>
    say({ kind: 'lost', symbol, loss: { code: 'threw', text: describeError(error) } });

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
    say({ kind: 'decided', symbol, ack: acked, steps, wakeAt: runner.wakeAt() });
    steps = null;
    beat();
  };
  const feed = (input: LaneInputMessage): boolean => {
    try {
      const made = runner.feed(input);
      steps = steps === null ? [...made] : [...steps, ...made];
      return true;
    } catch (error) {
      tell();
      leave();
      lose(error);
      return false;
    }
  };
  const onMessages = (messages: SeatDownlink): void => {
    for (const message of messages) {
      if (message.kind === 'input') {
        if (!feed(message.input)) return;
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
  let seated = true;
  function leave(): void {
    seated = false;
    port.off('message', onMessages);
  }

  /** Control decisions are lane events like any other, and reported like any other. */
  const act = async (input: LaneInputMessage): Promise<void> => {
    if (seated && feed(input)) tell();
    if (!seated) throw new Error(`lane ${symbol} has ended`);
  };
  const laneControl: LaneControl = {
    status: async () => viewOf(runner),
    pause: (at, by) => act({ kind: 'modeChanged', at, mode: 'paused', by }),
    resume: (at, by) => act({ kind: 'modeChanged', at, mode: 'active', by }),
    // New settings bring no instant of their own: they hold from the last one this lane has seen.
    setParams: (params) => act({ kind: 'paramsChanged', at: runner.lane().at, params }),
  };
  expose(laneControl, control as unknown as Endpoint);
  say({ kind: 'ready', symbol });
  port.on('message', onMessages);
}

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

import { createRequire } from 'node:module';
import { threadId } from 'node:worker_threads';
import type { Endpoint } from 'comlink';
import { createLaneRunner, type LaneRunner } from '../../engine/lane-runner.ts';
import type { LaneControl, LaneView } from '../../ports/lane-host.ts';
import type { LaneDownlink, LaneInputMessage, MarkSource } from '../../ports/lane-protocol.ts';
import { describeError } from './lane-loss.ts';
import { loadStrategy } from './strategy-loader.ts';
import type { LaneSeat, SeatUplink } from './thread-protocol.ts';

/** By `require`, because an import of a CommonJS file is parsed for its names first: 10 ms in every thread. */
const { expose } = createRequire(import.meta.url)('comlink') as typeof import('comlink');

/**
 * One lane in its thread: a runner between two ports. What the lane throws ends this lane alone; the ports are closed
 * by the main thread when it has read the last message.
 */
export async function takeSeat(seat: LaneSeat, marks: MarkSource): Promise<void> {
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
  const feed = (input: LaneInputMessage): void => {
    try {
      const steps = runner.feed(input);
      say({ kind: 'decided', symbol, ack: acked, steps, wakeAt: runner.wakeAt() });
    } catch (error) {
      leave();
      lose(error);
    }
  };
  const onMessage = (message: LaneDownlink): void => {
    acked = message.seq;
    if (message.kind === 'input') feed(message.input);
    else if (message.kind === 'ping') say({ kind: 'alive', symbol, ack: acked });
    else {
      leave();
      say({ kind: 'gone', symbol, ack: acked });
    }
  };
  let seated = true;
  function leave(): void {
    seated = false;
    port.off('message', onMessage);
  }

  /** Control decisions are lane events like any other, and reported like any other. */
  const act = async (input: LaneInputMessage): Promise<void> => {
    if (seated) feed(input);
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
  port.on('message', onMessage);
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

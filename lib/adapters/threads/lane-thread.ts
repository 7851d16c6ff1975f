import { threadId } from 'node:worker_threads';
import type { Ticker } from '../../domain/ids.ts';
import { takeSeat } from './lane-seat.ts';
import { openMarkReader } from './shared-marks.ts';
import type { LaneThreadTask, ThreadDownlink, ThreadUplink } from './thread-protocol.ts';

/**
 * A thread that lanes live in, from `hello` to `end`. It holds no socket, no file and no clock; the one timer counts
 * the pulse that tells the main thread that this event loop still turns.
 */
export async function runLaneThread(task: LaneThreadTask): Promise<void> {
  const { port } = task;
  const pulse = new Int32Array(task.pulse);
  const beat = setInterval(() => Atomics.add(pulse, 0, 1), task.pulseEveryMs);
  const slots = new Map<Ticker, number>();
  const marks = openMarkReader(task.marks, slots);
  await new Promise<void>((end) => {
    port.on('message', (message: ThreadDownlink) => {
      if (message.kind === 'end') {
        end();
        return;
      }
      slots.set(message.seat.start.symbol, message.seat.markSlot);
      void takeSeat(message.seat, marks);
    });
    port.postMessage({ kind: 'hello', threadId } satisfies ThreadUplink);
  });
  clearInterval(beat);
  port.close();
}

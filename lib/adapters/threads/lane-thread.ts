import { threadId } from 'node:worker_threads';
import type { Ticker } from '../../domain/ids.ts';
import { takeSeat } from './lane-seat.ts';
import { openMarkReader } from './shared-marks.ts';
import type { LaneThreadTask, ThreadDownlink, ThreadUplink } from './thread-protocol.ts';

/**
 * A thread that lanes live in, from `hello` to `end`. It holds no socket, no file and no clock; the one timer counts
 * the pulse that tells the main thread that this event loop still turns. An input worked on counts as well: at a bar's
 * close a full thread has its hands full for a while, and no timer runs between the messages that wait.
 */
export async function runLaneThread(task: LaneThreadTask): Promise<void> {
  const { port } = task;
  const pulse = new Int32Array(task.pulse);
  const beat = (): void => void Atomics.add(pulse, 0, 1);
  const pacemaker = setInterval(beat, task.pulseEveryMs);
  const slots = new Map<Ticker, number>();
  const marks = openMarkReader(task.marks, slots);
  await new Promise<void>((end) => {
    port.on('message', (message: ThreadDownlink) => {
      if (message.kind === 'end') {
        end();
        return;
      }
      slots.set(message.seat.start.symbol, message.seat.markSlot);
      void takeSeat(message.seat, marks, beat);
    });
    port.postMessage({ kind: 'hello', threadId } satisfies ThreadUplink);
  });
  clearInterval(pacemaker);
  port.close();
}

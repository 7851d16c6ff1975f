import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** The least a worker can be and still be heard: CommonJS, no file, no module but the one to speak with. */
const EMPTY = `const { parentPort } = require('node:worker_threads');
parentPort.on('message', () => {});
parentPort.postMessage('ready');`;

/** So many empty workers, so many at a time and with a turn between, as the lane host starts its threads. */
export async function startEmptyWorkers(count: number, atOnce: number): Promise<() => Promise<void>> {
  const workers: Worker[] = [];
  const starting = new Set<Promise<unknown>>();
  for (let n = 0; n < count; n++) {
    if (starting.size >= atOnce) await Promise.race(starting);
    await nextTurn();
    const worker = new Worker(EMPTY, { eval: true });
    workers.push(worker);
    const ready: Promise<unknown> = once(worker, 'message').finally(() => starting.delete(ready));
    starting.add(ready);
  }
  await Promise.all(starting);
  return async () => {
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
}

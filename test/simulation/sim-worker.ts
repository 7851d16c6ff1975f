import { parentPort } from 'node:worker_threads';
import { runSeed } from './run-seed.ts';

/** Runs the seeds it is given, one after the other, and answers each with its result. */
export type Order = { readonly seed: number; readonly checkRepeat: boolean };

parentPort?.on('message', ({ seed, checkRepeat }: Order) => {
  void runSeed(seed, checkRepeat).then((result) => parentPort?.postMessage(result));
});

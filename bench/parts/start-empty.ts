/** Floor of the start benchmark, a process of its own: `start-empty COUNT AT-ONCE` starts empty workers and says what they take. */
import { startEmptyWorkers } from './empty-workers.ts';

export type EmptyWorkers = { readonly rssMb: number };

const [count, atOnce] = process.argv.slice(2);
await startEmptyWorkers(Number(count), Number(atOnce));
process.send?.({ rssMb: process.memoryUsage.rss() / 2 ** 20 } satisfies EmptyWorkers, () => process.exit());

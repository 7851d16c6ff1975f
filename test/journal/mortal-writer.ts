import { existsSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** The journal's writer, but the first one that takes a record dies of it. */
const { path } = workerData as { readonly path: string };
const marker = `${path}.died`;

if (existsSync(marker)) await import('../../workers/journal.ts');
else {
  parentPort?.postMessage({ kind: 'opened', chained: 0, recovered: 0, number: 0, head: null });
  parentPort?.on('message', () => {
    writeFileSync(marker, '');
    throw new Error('the writer broke');
  });
}

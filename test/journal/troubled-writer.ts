import { existsSync, readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** The journal's writer, but it cannot open the file as long as a note beside it says why. */
const { path } = workerData as { readonly path: string };
const note = `${path}.trouble`;
const code = existsSync(note) ? readFileSync(note, 'utf8') : null;

if (code === null) await import('../../workers/journal.ts');
else if (code === 'throw') throw new Error('no thread for it');
else parentPort?.postMessage({ kind: 'failedToOpen', code, text: code });

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { toJournalError } from '../lib/adapters/journal/journal-error.ts';
import type { JournalDownlink, JournalUplink } from '../lib/adapters/journal/protocol.ts';
import { startWriter } from '../lib/adapters/journal/writer.ts';
import { invariant } from '../lib/domain/invariant.ts';

/** The journal's thread: the only place that writes the file, so that no lane ever waits for a disk. */
const port = parentPort;
invariant(port !== null, 'the journal writer runs as a worker thread');

const send = (message: JournalUplink): void => port.postMessage(message);

try {
  const { path } = workerData as { readonly path: string };
  const handle = startWriter({
    path,
    send,
    next: () => receiveMessageOnPort(port)?.message as JournalDownlink | undefined,
    end: () => port.close(),
  });
  port.on('message', handle);
} catch (cause) {
  const { code, message } = toJournalError(cause);
  send({ kind: 'failedToOpen', code, text: message });
}

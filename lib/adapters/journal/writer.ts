import { existsSync } from 'node:fs';
import { toJournalError } from './journal-error.ts';
import { BATCH_MAX, type JournalDownlink, type JournalUplink } from './protocol.ts';
import type { NumberedRow, Row } from './row.ts';
import { readSpool } from './spool.ts';
import { moved, openStore, type Store, takeHold } from './store.ts';

export type WriterEnd = {
  readonly path: string;
  readonly send: (message: JournalUplink) => void;
  /** The next message that has arrived already, without waiting; `undefined` when there is none. */
  readonly next: () => JournalDownlink | undefined;
  readonly end: () => void;
};

/**
 * The writing end of the journal: commits whatever has arrived, then answers. After an error the file is closed, and
 * opened again for the next batch: when the disk has recovered, so has the journal.
 *
 * Says `opened`, and returns what is to be called with each message that wakes the writer; throws when the journal cannot
 * be opened.
 */
export function startWriter({ path, send, next, end }: WriterEnd): (message: JournalDownlink) => void {
  const hold = takeHold(path);
  let store: Store | null = null;
  try {
    store = openStore(path);
    const recovered = takeSpool(path, store);
    send({ kind: 'opened', chained: store.chained, recovered, number: store.number(), head: store.head() });
  } catch (cause) {
    store?.close();
    hold.release();
    throw cause;
  }

  const open = (): Store => {
    if (store === null && !existsSync(path)) throw moved(path);
    store ??= openStore(path);
    return store;
  };
  const abandon = (): void => {
    try {
      store?.close();
    } catch {
      // It was broken already: that is why it is abandoned.
    }
    store = null;
  };

  const commit = (rows: readonly NumberedRow[]): void => {
    if (rows.length === 0) return;
    try {
      appendNew(open(), rows);
      send({ kind: 'committed', count: rows.length });
    } catch (cause) {
      abandon();
      const { code, message } = toJournalError(cause);
      send({ kind: 'refused', count: rows.length, code, text: message });
    }
  };

  const answer = (request: Extract<JournalDownlink, { kind: 'read' | 'head' }>): void => {
    const { id } = request;
    try {
      if (request.kind === 'head') send({ kind: 'newest', id, head: open().head() });
      else send({ kind: 'rows', id, rows: open().read(request.day, request.after, request.limit) });
    } catch (cause) {
      abandon();
      const { code, message } = toJournalError(cause);
      send({ kind: 'unread', id, code, text: message });
    }
  };

  const close = (): void => {
    abandon();
    hold.release();
    send({ kind: 'closed' });
    end();
  };

  return (first) => {
    let rows: NumberedRow[] = [];
    for (let message: JournalDownlink | undefined = first; message !== undefined; message = next()) {
      if (message.kind === 'append') {
        rows.push(...message.rows);
        if (rows.length < BATCH_MAX) continue;
      }
      commit(rows);
      rows = [];
      if (message.kind === 'read' || message.kind === 'head') answer(message);
      if (message.kind === 'close') {
        close();
        return;
      }
    }
    commit(rows);
  };
}

/** What a killed process had promised and not committed any more. */
function takeSpool(path: string, store: Store): number {
  const rows = readSpool(path, store.knows);
  return appendNew(store, rows);
}

/** A row whose number was committed is in the file already: its answer was lost with a thread or a process. */
function appendNew(store: Store, rows: readonly NumberedRow[]): number {
  const done = store.number();
  const fresh = rows.filter(([number]) => number > done);
  if (fresh.length > 0) store.append(fresh.map(rowOf), fresh.at(-1)?.[0]);
  return fresh.length;
}

const rowOf = ([, ...row]: NumberedRow): Row => row;

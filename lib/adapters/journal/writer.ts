import { toJournalError } from './journal-error.ts';
import type { JournalDownlink, JournalUplink } from './protocol.ts';
import { openStore, type Row, type Store, takeHold } from './store.ts';

/** Most rows that one commit takes: bounds how long the first of them waits for its answer. */
const BATCH_MAX = 2_000;

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
 * Returns what is to be called with each message that wakes the writer; throws when the journal cannot be opened.
 */
export function startWriter({ path, send, next, end }: WriterEnd): (message: JournalDownlink) => void {
  const hold = takeHold(path);
  let store: Store | null = openStore(path);

  const open = (): Store => {
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

  const commit = (rows: readonly Row[]): void => {
    if (rows.length === 0) return;
    try {
      open().append(rows);
      send({ kind: 'committed', count: rows.length });
    } catch (cause) {
      abandon();
      const { code, message } = toJournalError(cause);
      send({ kind: 'refused', count: rows.length, code, text: message });
    }
  };

  const read = (request: Extract<JournalDownlink, { kind: 'read' }>): void => {
    const { id, day, after, limit } = request;
    try {
      send({ kind: 'rows', id, rows: open().read(day, after, limit) });
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
    let rows: Row[] = [];
    for (let message: JournalDownlink | undefined = first; message !== undefined; message = next()) {
      if (message.kind === 'append') {
        rows.push(message.row);
        if (rows.length < BATCH_MAX) continue;
      }
      commit(rows);
      rows = [];
      if (message.kind === 'read') read(message);
      if (message.kind === 'close') {
        close();
        return;
      }
    }
    commit(rows);
  };
}

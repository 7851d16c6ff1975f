import { existsSync } from 'node:fs';
import type { SessionDay } from '../../domain/time.ts';
import type { StoredRecord } from '../../ports/journal.ts';
import { fromRow } from './from-row.ts';
import { openToRead } from './inspect.ts';
import { JournalError, toJournalError } from './journal-error.ts';
import { type StoredRow, textOf } from './row.ts';
import { checkOurs } from './schema.ts';

/**
 * A journal as of one instant, read page by page: of a daemon that runs, that was stopped, or that was killed. It takes no
 * lock that a writer minds, writes nothing, and reads the files of older builds too.
 */
export type JournalReader = {
  /** The days that have records, in order, with how many. */
  days(): readonly { readonly day: SessionDay; readonly records: number }[];
  /** Records of a day with an id above `after`, in append order, at most `limit`. */
  page(day: SessionDay, after: number, limit: number): readonly StoredRecord[];
  close(): void;
};

/** Throws a `JournalError` when there is no such file, or none of ours. */
export function openJournalReader(path: string): JournalReader {
  if (!existsSync(path)) throw new JournalError('journal.absent', `the journal must exist: ${path}`);
  try {
    const database = openToRead(path);
    try {
      // Everything is seen as of this transaction, whatever is appended meanwhile.
      database.exec('BEGIN');
      if (checkOurs(database) === 0)
        throw new JournalError('journal.absent', `the journal must have been written to: ${path}`);
      const days = database.prepare(DAYS).raw();
      const page = database.prepare(PAGE).raw();
      return {
        days: () =>
          guarded(() => days.all() as readonly (readonly [Uint8Array, number])[]).map(([day, records]) => ({
            day: textOf(day) as SessionDay,
            records,
          })),
        page: (day, after, limit) =>
          guarded(() => page.all(day, after, limit) as readonly PageRow[]).map((row) =>
            fromRow(storedRow(row)),
          ),
        close: () => void database.close(),
      };
    } catch (cause) {
      database.close();
      throw cause;
    }
  } catch (cause) {
    throw toJournalError(cause);
  }
}

/** Text as bytes: the driver ends the process over text that is not UTF-8. */
const DAYS = 'SELECT CAST(day AS BLOB), count(*) FROM record GROUP BY day ORDER BY day';
const PAGE = `
  SELECT id, CAST(day AS BLOB), at, CAST(kind AS BLOB), CAST(symbol AS BLOB), CAST(body AS BLOB)
  FROM record WHERE day = ? AND id > ? ORDER BY id LIMIT ?`;
type PageRow = readonly [
  id: number,
  day: Uint8Array,
  at: number,
  kind: Uint8Array,
  symbol: Uint8Array | null,
  body: Uint8Array,
];

const storedRow = ([id, day, at, kind, symbol, body]: PageRow): StoredRow => [
  id,
  textOf(day),
  at,
  textOf(kind),
  symbol === null ? null : textOf(symbol),
  textOf(body),
];

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw toJournalError(cause);
  }
}

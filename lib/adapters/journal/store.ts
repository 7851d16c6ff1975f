import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { type JournalHead, RECORD_VERSION } from '../../ports/journal.ts';
import { GENESIS, hashRecord } from './chain.ts';
import { JournalError } from './journal-error.ts';
import { COLUMNS, type RawRow, type Row, rowOf, type StoredRow } from './row.ts';
import { INSERT, prepareTables } from './schema.ts';

/** The journal's tables, synchronously. One writer at a time; any number of readers. */
export type Store = {
  /**
   * All rows or none, and with them `number`, the highest that they were appended under; 0 when they have none. Throws what
   * the driver throws; afterwards the store should be closed and opened anew.
   */
  append(rows: readonly Row[], number?: number): void;
  /** The highest number that was committed, by this process or an earlier one; 0 while there is none. */
  number(): number;
  /** Whether the file has this very record. */
  knows(head: JournalHead): boolean;
  /** Rows of a day with an id above `after`, in order, at most `limit`. Throws when one is of a newer version. */
  read(day: string, after: number, limit: number): readonly StoredRow[];
  head(): JournalHead | null;
  /** Records of an older scalpd that were chained when the file was opened. */
  readonly chained: number;
  close(): void;
};

const BUSY_MILLIS = 2_000;

/** How far the rows of the spool are in the journal; changes with the rows, in one transaction. */
const SPOOLED =
  'CREATE TABLE IF NOT EXISTS spooled (only_row INTEGER PRIMARY KEY CHECK (only_row = 0), number INTEGER NOT NULL) STRICT';
const NOTE_NUMBER =
  'INSERT INTO spooled VALUES (0, ?) ON CONFLICT (only_row) DO UPDATE SET number = excluded.number';

/** Opens the file, making it and its folder where they are missing. */
export function openStore(path: string): Store {
  mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path, { timeout: BUSY_MILLIS });
  let chained: number;
  try {
    // A kill of the process loses nothing that was committed; only a power failure may, and then the broker's own
    // order list is the record.
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = NORMAL');
    chained = prepareTables(database);
    database.exec(SPOOLED);
  } catch (cause) {
    database.close();
    throw cause;
  }
  const insert = database.prepare(INSERT);
  const select = database
    .prepare(`SELECT ${COLUMNS} FROM record WHERE day = ? AND id > ? ORDER BY id LIMIT ?`)
    .raw();
  const newest = database.prepare('SELECT id, hash FROM record ORDER BY id DESC LIMIT 1').raw();
  const same = database.prepare('SELECT count(*) FROM record WHERE id = ? AND hash = ?').raw();
  const note = database.prepare(NOTE_NUMBER);
  const { ino } = statSync(path);

  // Read once: nobody else writes. Should somebody, our next id is taken, the batch is refused, and the file read anew.
  const [last] = newest.all() as readonly (readonly [id: number, hash: string])[];
  let head: JournalHead | null = last === undefined ? null : { id: last[0], hash: last[1] };
  let committed = Number(database.prepare('SELECT number FROM spooled').raw().all().flat()[0] ?? 0);

  return {
    append(rows, number = 0) {
      // SQLite would go on writing to a file that nobody can open any more.
      if (statSync(path, { throwIfNoEntry: false })?.ino !== ino) throw moved(path);
      database.exec('BEGIN IMMEDIATE');
      try {
        let { id, hash } = head ?? { id: 0, hash: GENESIS };
        for (const row of rows) {
          id += 1;
          hash = hashRecord(hash, id, RECORD_VERSION, row);
          insert.run(id, ...row, hash);
        }
        if (number > committed) note.run(number);
        database.exec('COMMIT');
        if (id > 0) head = { id, hash };
        committed = Math.max(committed, number);
      } catch (cause) {
        // A full disk has rolled back by itself already.
        if (database.inTransaction) database.exec('ROLLBACK');
        throw cause;
      }
    },
    read: (day, after, limit) => (select.all(day, after, limit) as readonly RawRow[]).map(storedRow),
    head: () => head,
    number: () => committed,
    knows: ({ id, hash }) => Number(same.all(id, hash).flat()[0]) === 1,
    chained,
    close: () => void database.close(),
  };
}

function storedRow(raw: RawRow): StoredRow {
  const [id, , , , , , v] = raw;
  if (v > RECORD_VERSION)
    throw new JournalError(
      'journal.newer',
      `records must not be newer than this scalpd (version ${RECORD_VERSION}); record ${id} has version ${v}`,
    );
  return rowOf(raw);
}

/** It is not made anew: another file would lack what this one tells. */
export const moved = (path: string): JournalError =>
  new JournalError(
    'journal.moved',
    `the journal file must stay in its place; put it back, or stop scalpd and start it without: ${path}`,
  );

/** Held as long as the daemon lives: two of them would each believe that they know every order. */
export type Hold = { release(): void };

/**
 * Takes the journal for this process, by an exclusive lock on an empty database beside it. The system drops the lock
 * with the process, however it ends; readers of the journal itself are not kept out.
 */
export function takeHold(path: string): Hold {
  mkdirSync(dirname(path), { recursive: true });
  const lock = new Database(`${path}.lock`, { timeout: 200 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('SQLITE_BUSY'))
      throw new JournalError(
        'journal.inUse',
        `only one scalpd may write a journal; another one is writing ${path}`,
      );
    throw cause;
  }
  return {
    release() {
      lock.exec('ROLLBACK');
      lock.close();
    },
  };
}

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { JournalError } from './journal-error.ts';

/** A record as it is stored: day, instant in microseconds, kind, symbol, body as JSON. */
export type Row = readonly [day: string, at: number, kind: string, symbol: string | null, body: string];
export type StoredRow = readonly [id: number, ...row: Row];

/** The journal's tables, synchronously. One writer at a time; any number of readers. */
export type Store = {
  /** All rows or none. Throws what the driver throws; afterwards the store should be closed and opened anew. */
  append(rows: readonly Row[]): void;
  /** Rows of a day with an id above `after`, in order, at most `limit`. */
  read(day: string, after: number, limit: number): readonly StoredRow[];
  close(): void;
};

/** Rises with every change of the tables; an older file is brought up to date, a newer one is refused. */
export const SCHEMA_VERSION = 1;
/** "scal": tells our files from other programs' (PRAGMA application_id). */
const APPLICATION_ID = 0x7363616c;
const BUSY_MILLIS = 2_000;

const SCHEMA = `
  CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    day TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    symbol TEXT,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX record_by_day ON record (day, id);
  CREATE TRIGGER record_is_never_changed BEFORE UPDATE ON record
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  CREATE TRIGGER record_is_never_deleted BEFORE DELETE ON record
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  CREATE TRIGGER record_is_never_replaced BEFORE INSERT ON record
    WHEN EXISTS (SELECT 1 FROM record WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Opens the file, making it and its folder where they are missing. */
export function openStore(path: string): Store {
  mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path, { timeout: BUSY_MILLIS });
  try {
    // A kill of the process loses nothing that was committed; only a power failure may, and then the broker's own
    // order list is the record.
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = NORMAL');
    prepareTables(database);
  } catch (cause) {
    database.close();
    throw cause;
  }
  const insert = database.prepare('INSERT INTO record (day, at, kind, symbol, body) VALUES (?, ?, ?, ?, ?)');
  const select = database
    .prepare(
      'SELECT id, day, at, kind, symbol, body FROM record WHERE day = ? AND id > ? ORDER BY id LIMIT ?',
    )
    .raw();
  const { ino } = statSync(path);

  return {
    append(rows) {
      // SQLite would go on writing to a file that nobody can open any more.
      if (statSync(path, { throwIfNoEntry: false })?.ino !== ino)
        throw new JournalError('journal.moved', `the journal file must stay in its place: ${path}`);
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const row of rows) insert.run(...row);
        database.exec('COMMIT');
      } catch (cause) {
        // A full disk has rolled back by itself already.
        if (database.inTransaction) database.exec('ROLLBACK');
        throw cause;
      }
    },
    read: (day, after, limit) => select.all(day, after, limit) as readonly StoredRow[],
    close: () => void database.close(),
  };
}

function prepareTables(database: Database.Database): void {
  const version = readPragma(database, 'user_version');
  const application = readPragma(database, 'application_id');
  const tables = Number(database.prepare('SELECT count(*) FROM sqlite_schema').raw().all().flat()[0]);
  if (tables > 0 && application !== APPLICATION_ID)
    throw new JournalError(
      'journal.foreign',
      'the journal must be a file of scalpd; found a database of another program',
    );
  if (version > SCHEMA_VERSION)
    throw new JournalError(
      'journal.newer',
      `the journal must not be newer than this scalpd (version ${SCHEMA_VERSION}); found version ${version}`,
    );
  if (tables > 0) return;
  database.exec('BEGIN IMMEDIATE');
  database.exec(SCHEMA);
  database.exec('COMMIT');
}

function readPragma(database: Database.Database, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).raw().all().flat()[0]);
}

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

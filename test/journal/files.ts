import { join } from 'node:path';
import Database from 'libsql';
import { type Inspection, inspectJournal } from '../../lib/adapters/journal/inspect.ts';
import { JournalError } from '../../lib/adapters/journal/journal-error.ts';
import type { Row } from '../../lib/adapters/journal/row.ts';
import { APPLICATION_ID } from '../../lib/adapters/journal/schema.ts';
import { openStore } from '../../lib/adapters/journal/store.ts';
import type { SessionDay } from '../../lib/domain/time.ts';
import { scratch } from '../support/scratch.ts';

/** Journal files to look at, and what may be done to them. */

export const DAY = '2026-10-05' as SessionDay;
export const row = (n: number, over: Partial<Record<0 | 1 | 2 | 3 | 4, unknown>> = {}): Row =>
  Object.assign([DAY, 1_790_000_000_000_000 + n, 'input', 'SPY', `{"n":${n}}`], over) as unknown as Row;
export const rows = (count: number): readonly Row[] => Array.from({ length: count }, (_, n) => row(n + 1));

export function written(records: readonly Row[]): string {
  const path = join(scratch(), 'j.db');
  const store = openStore(path);
  store.append(records);
  store.close();
  return path;
}

/** What somebody with the file and SQLite can do: the triggers fall first. */
export function tamper(path: string, ...statements: readonly string[]): void {
  const database = new Database(path);
  database.exec('PRAGMA synchronous = OFF; BEGIN');
  for (const name of ['changed', 'deleted', 'replaced'])
    database.exec(`DROP TRIGGER IF EXISTS record_is_never_${name}`);
  for (const statement of statements) database.exec(statement);
  database.exec('COMMIT');
  database.close();
}

export const look = (path: string, witness: number | null = null): Inspection =>
  inspectJournal(path, DAY, witness);

export function codeOf(task: () => unknown): string {
  try {
    task();
  } catch (cause) {
    return cause instanceof JournalError ? cause.code : String(cause);
  }
  return 'no error';
}

/** A file as the first version wrote it. */
export function versionOne(count: number): string {
  const path = join(scratch(), 'old.db');
  const database = new Database(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`
    CREATE TABLE record (
      id INTEGER PRIMARY KEY, day TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, symbol TEXT, body TEXT NOT NULL
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
    PRAGMA user_version = 1;
  `);
  const insert = database.prepare('INSERT INTO record (day, at, kind, symbol, body) VALUES (?, ?, ?, ?, ?)');
  database.exec('BEGIN');
  for (let n = 0; n < count; n += 1) insert.run(...row(n));
  database.exec('COMMIT');
  database.close();
  return path;
}

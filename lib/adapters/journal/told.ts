import type Database from 'libsql';
import type { SessionDay } from '../../domain/time.ts';
import type { JournalHead, StoredRecord } from '../../ports/journal.ts';
import { fromRow } from './from-row.ts';
import { openToRead } from './inspect.ts';
import { toJournalError } from './journal-error.ts';
import { openJournalReader } from './read-day.ts';
import { readNumber } from './schema.ts';
import { readSpool } from './spool.ts';

const PAGE = 2_000;

/**
 * What a journal tells that nobody can write: its records of the day, and behind them those that a killed process had
 * promised and that wait beside it. Writes nothing. Throws a `JournalError`.
 */
export function readTold(path: string, day: SessionDay): readonly StoredRecord[] {
  const records: StoredRecord[] = [];
  const reader = openJournalReader(path);
  try {
    for (let more = true; more; ) {
      const page = reader.page(day, records.at(-1)?.id ?? 0, PAGE);
      records.push(...page);
      more = page.length === PAGE;
    }
  } finally {
    reader.close();
  }
  return readOnly(path, (database) => {
    const committed = committedIn(database);
    const waiting = spoolBeside(path, database).filter(([number]) => number > committed);
    let id = headOf(database)?.id ?? 0;
    for (const [, ...row] of waiting) {
      id += 1;
      if (row[0] === day) records.push(fromRow([id, ...row]));
    }
    return records;
  });
}

/** The newest record in the file itself; `null` when there is none. Throws a `JournalError`. */
export const readHead = (path: string): JournalHead | null => readOnly(path, headOf);

function readOnly<T>(path: string, read: (database: Database.Database) => T): T {
  try {
    const database = openToRead(path);
    try {
      return read(database);
    } finally {
      database.close();
    }
  } catch (cause) {
    throw toJournalError(cause);
  }
}

function headOf(database: Database.Database): JournalHead | null {
  if (!hasHashes(database)) return null;
  const rows = database.prepare('SELECT id, hash FROM record ORDER BY id DESC LIMIT 1').raw().all();
  const [last] = rows as readonly (readonly [id: number, hash: string])[];
  return last === undefined ? null : { id: last[0], hash: last[1] };
}

/** An older scalpd kept neither hashes nor a spool. */
const hasHashes = (database: Database.Database): boolean =>
  readNumber(database, "SELECT count(*) FROM pragma_table_info('record') WHERE name = 'hash'") > 0;

const committedIn = (database: Database.Database): number =>
  readNumber(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'spooled'") === 0
    ? 0
    : readNumber(database, 'SELECT coalesce(max(number), 0) FROM spooled');

function spoolBeside(path: string, database: Database.Database): ReturnType<typeof readSpool> {
  let stray = false;
  const rows = readSpool(path, ({ id, hash }) => {
    stray =
      !hasHashes(database) ||
      Number(
        database
          .prepare('SELECT count(*) FROM record WHERE id = ? AND hash = ?')
          .raw()
          .all(id, hash)
          .flat()[0],
      ) === 0;
    // It is put aside by whoever may write.
    return true;
  });
  return stray ? [] : rows;
}

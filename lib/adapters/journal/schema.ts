import type Database from 'libsql';
import { RECORD_VERSION } from '../../ports/journal.ts';
import { GENESIS, hashRecord } from './chain.ts';
import { JournalError } from './journal-error.ts';
import type { Row } from './row.ts';

/** Rises with every change of the tables; an older file is brought up to date, a newer one is refused. */
export const SCHEMA_VERSION = 2;
/** "scal": tells our files from other programs' (PRAGMA application_id). */
export const APPLICATION_ID = 0x7363616c;

const SEALS = {
  record_is_never_changed: 'BEFORE UPDATE ON record',
  record_is_never_deleted: 'BEFORE DELETE ON record',
  record_is_never_replaced: 'BEFORE INSERT ON record WHEN EXISTS (SELECT 1 FROM record WHERE id = NEW.id)',
} as const;

const TABLES = `
  CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    day TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    symbol TEXT,
    body TEXT NOT NULL,
    v INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX record_by_day ON record (day, id);
  ${Object.entries(SEALS)
    .map(
      ([name, when]) =>
        `CREATE TRIGGER ${name} ${when} BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;`,
    )
    .join('\n  ')}
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Records copied in one go while an old file is chained. */
const PAGE = 1_000;

/**
 * Makes the tables where they are missing, and brings those of an older scalpd up to date, all or nothing. Returns how many
 * records were chained after the fact: of those the chain only proves that nothing was changed since.
 */
export function prepareTables(database: Database.Database): number {
  const version = checkOurs(database);
  if (version === SCHEMA_VERSION) return 0;
  database.exec('BEGIN IMMEDIATE');
  try {
    const chained = version === 1 ? chainRecords(database) : 0;
    if (version === 0) database.exec(TABLES);
    database.exec('COMMIT');
    return chained;
  } catch (cause) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw cause;
  }
}

/** The file's schema version, 0 for an empty file. Throws for a file that is not ours, or newer than we are. */
export function checkOurs(database: Database.Database): number {
  const version = readNumber(database, 'PRAGMA user_version');
  const application = readNumber(database, 'PRAGMA application_id');
  const tables = readNumber(database, 'SELECT count(*) FROM sqlite_schema');
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
  return tables === 0 ? 0 : version;
}

/** Whether the triggers stand that refuse to change a record. */
export function isSealed(database: Database.Database): boolean {
  const names = Object.keys(SEALS).map((name) => `'${name}'`);
  const found = `SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name IN (${names.join(', ')})`;
  return readNumber(database, found) === names.length;
}

/** Version 1 knew neither hashes nor record versions. A record at the end tells what was done. */
function chainRecords(database: Database.Database): number {
  database.exec('ALTER TABLE record RENAME TO record_1; DROP INDEX record_by_day');
  for (const name of Object.keys(SEALS)) database.exec(`DROP TRIGGER IF EXISTS ${name}`);
  database.exec(TABLES);
  const old = database
    .prepare('SELECT id, day, at, kind, symbol, body FROM record_1 WHERE id > ? ORDER BY id LIMIT ?')
    .raw();
  const insert = database.prepare(INSERT);
  let head = { id: 0, hash: GENESIS };
  let last: Row | null = null;
  let count = 0;
  for (;;) {
    const page = old.all(head.id, PAGE) as readonly (readonly [id: number, ...row: Row])[];
    for (const [id, ...row] of page) {
      head = { id, hash: hashRecord(head.hash, id, RECORD_VERSION, row) };
      insert.run(id, ...row, head.hash);
      last = row;
      count += 1;
    }
    if (page.length < PAGE) break;
  }
  database.exec('DROP TABLE record_1');
  if (last === null) return 0;
  const [day, at] = last;
  const note: Row = [day, at, 'session', null, JSON.stringify({ what: 'chained', records: count })];
  const id = head.id + 1;
  insert.run(id, ...note, hashRecord(head.hash, id, RECORD_VERSION, note));
  return count;
}

export const INSERT = `INSERT INTO record (id, day, at, kind, symbol, body, hash, v) VALUES (?, ?, ?, ?, ?, ?, ?, ${RECORD_VERSION})`;

export const readNumber = (database: Database.Database, query: string): number =>
  Number(database.prepare(query).raw().all().flat()[0]);

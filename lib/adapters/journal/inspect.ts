import { existsSync, statSync } from 'node:fs';
import Database from 'libsql';
import type { SessionDay } from '../../domain/time.ts';
import { type JournalHead, RECORD_VERSION, type StoredRecord } from '../../ports/journal.ts';
import { GENESIS, hashRecord } from './chain.ts';
import { fromRow } from './from-row.ts';
import { JournalError, type JournalErrorCode, toJournalError } from './journal-error.ts';
import { COLUMNS, type RawRow, rowOf, type StoredRow, textOf } from './row.ts';
import { checkOurs, isSealed, SCHEMA_VERSION } from './schema.ts';

/** Where the chain does not hold, as the record says of itself. */
export type ChainBreak = {
  readonly id: number;
  readonly at: number;
  readonly kind: string;
  readonly symbol: string | null;
  readonly text: string;
};

export type Inspection = {
  /** Records in the file, of all days. */
  readonly records: number;
  readonly head: JournalHead | null;
  /** The first place where the chain does not hold, and how many there are. */
  readonly brokenAt: ChainBreak | null;
  readonly breaks: number;
  /** The day's records in the order of their ids. */
  readonly day: readonly StoredRecord[];
  /** The hash of the record that was asked about; `null` when the file has no such record. */
  readonly witness: string | null;
  /** Whether the triggers stand that refuse to change a record. */
  readonly sealed: boolean;
  /** What SQLite says about the file: `ok`, or what is wrong with its pages or its index. */
  readonly file: string;
};

/**
 * Reads the whole journal and checks its chain, without writing anything: beside a running daemon as well as on a file that
 * somebody altered. Throws a `JournalError` when there is nothing to check.
 */
export function inspectJournal(path: string, day: SessionDay, witnessId: number | null = null): Inspection {
  if (!existsSync(path)) throw new JournalError('journal.absent', `the journal must exist: ${path}`);
  try {
    const database = openToRead(path);
    try {
      // One transaction: all of it is seen as of one instant, whatever the daemon writes meanwhile.
      database.exec('BEGIN');
      return inspect(database, day, witnessId);
    } finally {
      database.close();
    }
  } catch (cause) {
    throw toJournalError(cause);
  }
}

function inspect(database: Database.Database, day: SessionDay, witnessId: number | null): Inspection {
  const version = checkOurs(database);
  if (version < SCHEMA_VERSION)
    throw new JournalError(
      'journal.unchained',
      `a journal is chained when this scalpd first writes it; found version ${version} of an older one`,
    );
  const rows = database.prepare(`SELECT ${COLUMNS} FROM record NOT INDEXED ORDER BY id`).raw().iterate();
  const ofDay: StoredRecord[] = [];
  let head: JournalHead = { id: 0, hash: GENESIS };
  let brokenAt: ChainBreak | null = null;
  let breaks = 0;
  let records = 0;
  let witness: string | null = null;
  for (const raw of rows as Iterable<RawRow>) {
    const row = rowOf(raw);
    const link = check(head, raw, row);
    if (link.text !== null) {
      const [id, , at, kind, symbol] = row;
      brokenAt ??= { id, at, kind, symbol, text: link.text };
      breaks += 1;
    }
    head = link.head;
    records += 1;
    if (head.id === witnessId) witness = head.hash;
    if (row[1] === day) ofDay.push(fromRow(row));
  }
  const [file = 'ok'] = database.prepare('PRAGMA integrity_check(1)').raw().all().flat();
  return {
    records,
    head: records === 0 ? null : head,
    brokenAt,
    breaks,
    day: ofDay,
    witness,
    sealed: isSealed(database),
    file: String(file),
  };
}

/** A record against the stored hash before it: one alteration is one break, whatever follows. */
function check(
  before: JournalHead,
  raw: RawRow,
  row: StoredRow,
): { readonly head: JournalHead; readonly text: string | null } {
  const [id, ...content] = row;
  const version = raw[6];
  const stored = textOf(raw[7]);
  const head = { id, hash: stored };
  if (id !== before.id + 1)
    return { head, text: `ids must follow each other: ${missing(before.id + 1, id - 1)} before it` };
  if (version > RECORD_VERSION)
    return { head, text: `records must not be newer than this scalpd; found version ${version}` };
  if (!isUtf8(raw)) return { head, text: 'the record must be the one that was written: it is no text' };
  const hash = hashRecord(before.hash, id, version, content);
  return {
    head,
    text: hash === stored ? null : `the record must be the one that was written: its hash is ${hash}`,
  };
}

const missing = (from: number, to: number): string =>
  from === to ? `${from} is missing` : to < from ? 'one stands twice' : `${from} to ${to} are missing`;

/** Bytes that decode to something else than they encode would hash as the replacement that stands for them. */
function isUtf8(raw: RawRow): boolean {
  return raw.every((value) => {
    if (!(value instanceof Uint8Array)) return true;
    const text = textOf(value);
    return !text.includes('\uFFFD') || Buffer.from(text, 'utf8').equals(Buffer.from(value));
  });
}

/** What SQLite says when it cannot make the file by which it shares. */
const UNSHARED: ReadonlySet<JournalErrorCode> = new Set([
  'journal.readOnly',
  'journal.full',
  'journal.io',
  'journal.cannotOpen',
]);

/** Never writes, not even a checkpoint on closing. */
export function openToRead(path: string): Database.Database {
  const name = encodeURI(path).replaceAll('?', '%3f').replaceAll('#', '%23');
  const database = new Database(`file:${name}?mode=ro`, { timeout: 2_000 });
  try {
    database.prepare('PRAGMA user_version').raw().all();
    return database;
  } catch (cause) {
    database.close();
    // Where nothing can be written SQLite cannot share the file with a writer; there is none, then, either.
    if (!UNSHARED.has(toJournalError(cause).code) || hasLog(path)) throw cause;
    return new Database(`file:${name}?mode=ro&immutable=1`);
  }
}

const hasLog = (path: string): boolean => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;

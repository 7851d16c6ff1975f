import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { openJournal } from '../../lib/adapters/journal/journal.ts';
import { createCertifier } from '../../lib/app/certifier.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { DAY, sessionOf, startDay } from '../engine/simulated-day.ts';
import { type LoggedLine, loggingTo } from '../engine/support.ts';
import { scratch } from '../support/scratch.ts';

/** A real journal file with the records of a simulated day, and its certificate. */
export type Place = { readonly journalPath: string; readonly reportsDir: string };

export function newPlace(): Place {
  const folder = scratch();
  return { journalPath: join(folder, 'j.db'), reportsDir: join(folder, 'reports') };
}

export async function certifiedDay(lines: LoggedLine[] = []): Promise<Place> {
  const day = await startDay({ seed: 5, session: sessionOf('09:30', '10:30') });
  await day.finish();
  const place = newPlace();
  await fill(place, day.journal.records, lines);
  const database = new Database(place.journalPath);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  return place;
}

export function copyOf(original: Place): Place {
  const place = newPlace();
  copyFileSync(original.journalPath, place.journalPath);
  cpSync(original.reportsDir, place.reportsDir, { recursive: true });
  return place;
}

export async function fill(
  place: Place,
  records: readonly StoredRecord[],
  lines: LoggedLine[],
): Promise<void> {
  const journal = await openJournal({ path: place.journalPath });
  await Promise.all(records.map(({ id, ...record }) => journal.append(record)));
  await createCertifier(journal, loggingTo(lines), place.reportsDir).certify(DAY);
  await journal.close();
}

export function alterRecords({ journalPath }: Place, ...statements: readonly string[]): void {
  const database = new Database(journalPath);
  for (const name of ['changed', 'deleted', 'replaced'])
    database.exec(`DROP TRIGGER IF EXISTS record_is_never_${name}`);
  for (const statement of statements) database.exec(statement);
  database.close();
}

export function recordsIn({ journalPath }: Place): readonly StoredRecord[] {
  const database = new Database(journalPath);
  const rows = database.prepare('SELECT id, day, at, kind, symbol, body FROM record ORDER BY id').all() as {
    body: string;
  }[];
  database.close();
  return rows.map((row) => ({ ...row, body: JSON.parse(row.body) as unknown })) as unknown as StoredRecord[];
}

export function recordWith(place: Place, wanted: (record: StoredRecord) => boolean): StoredRecord {
  const found = recordsIn(place).find(wanted);
  if (found === undefined) throw new Error('the day has such a record');
  return found;
}

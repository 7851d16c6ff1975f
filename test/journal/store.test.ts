import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import Database from 'libsql';
import { toJournalError } from '../../lib/adapters/journal/journal-error.ts';
import type { Row } from '../../lib/adapters/journal/row.ts';
import { SCHEMA_VERSION } from '../../lib/adapters/journal/schema.ts';
import { openStore, takeHold } from '../../lib/adapters/journal/store.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const row = (n: number): Row => ['2026-10-05', 1_790_000_000_000_000 + n, 'input', 'SPY', `{"n":${n}}`];
const newPath = (): string => join(scratch(), 'deep', 'journal.db');

function codeOf(task: () => unknown): string {
  try {
    task();
  } catch (cause) {
    return toJournalError(cause).code;
  }
  return 'no error';
}

describe('journal tables', () => {
  after(removeScratch);

  it('keep rows in append order, day by day, with instants to the microsecond', () => {
    const store = openStore(newPath());
    store.append([row(1), ['2026-10-06', 7, 'session', null, 'null'], row(2)]);
    store.append([row(3)]);
    expect(store.read('2026-10-05', 0, 10)).to.deep.equal([
      [1, ...row(1)],
      [3, ...row(2)],
      [4, ...row(3)],
    ]);
    expect(store.read('2026-10-05', 1, 1)).to.deep.equal([[3, ...row(2)]]);
    expect(store.read('2026-10-06', 0, 10)).to.deep.equal([[2, '2026-10-06', 7, 'session', null, 'null']]);
    store.close();
  });

  it('refuse to change or delete a record, whoever asks', () => {
    const path = newPath();
    const store = openStore(path);
    store.append([row(1)]);
    const other = new Database(path);
    for (const sql of [
      "UPDATE record SET body = '{}'",
      'DELETE FROM record',
      'REPLACE INTO record SELECT * FROM record',
    ])
      expect(() => other.exec(sql), sql).to.throw();
    other.close();
    expect(store.read('2026-10-05', 0, 10)).to.have.length(1);
    store.close();
  });

  it('take all rows of a batch or none', () => {
    const store = openStore(newPath());
    const bad = ['2026-10-05', 1.5, 'input', null, '{}'] as const;
    expect(() => store.append([row(1), bad])).to.throw();
    store.append([row(2)]);
    expect(store.read('2026-10-05', 0, 10).map(([, , at]) => at)).to.deep.equal([row(2)[1]]);
    store.close();
  });

  it('are refused when a newer scalpd wrote them, when they are not ours, when they are no database', () => {
    const newer = newPath();
    openStore(newer).close();
    const database = new Database(newer);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    database.close();
    expect(codeOf(() => openStore(newer))).to.equal('journal.newer');

    const foreign = join(scratch(), 'foreign.db');
    const theirs = new Database(foreign);
    theirs.exec('CREATE TABLE cats (name TEXT)');
    theirs.close();
    expect(codeOf(() => openStore(foreign))).to.equal('journal.foreign');

    const text = join(scratch(), 'text.db');
    writeFileSync(text, 'symbol,lot\n'.repeat(1_000));
    expect(codeOf(() => openStore(text))).to.equal('journal.corrupt');

    const folder = join(scratch(), 'folder.db');
    mkdirSync(folder);
    expect(codeOf(() => openStore(folder))).to.equal('journal.cannotOpen');
  });

  it('notice that their file was taken away', () => {
    const path = newPath();
    const store = openStore(path);
    store.append([row(1)]);
    unlinkSync(path);
    expect(codeOf(() => store.append([row(2)]))).to.equal('journal.moved');
    store.close();
  });

  it('are held by one daemon, and free again when it lets go', () => {
    const path = newPath();
    const hold = takeHold(path);
    expect(codeOf(() => takeHold(path))).to.equal('journal.inUse');
    const reader = openStore(path);
    expect(reader.read('2026-10-05', 0, 1)).to.deep.equal([]);
    reader.close();
    hold.release();
    takeHold(path).release();
  });
});

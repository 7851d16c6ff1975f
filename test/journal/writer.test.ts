import { join } from 'node:path';
import { expect } from 'chai';
import Database from 'libsql';
import { inspectJournal } from '../../lib/adapters/journal/inspect.ts';
import type { JournalDownlink, JournalUplink } from '../../lib/adapters/journal/protocol.ts';
import type { Row } from '../../lib/adapters/journal/row.ts';
import { startWriter } from '../../lib/adapters/journal/writer.ts';
import type { SessionDay } from '../../lib/domain/time.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const row = (n: number): Row => ['2026-10-05', n, 'input', null, `"${'x'.repeat(500)}"`];
let appended = 0;
const append = (n: number): JournalDownlink => ({ kind: 'append', rows: [[++appended, ...row(n)]] });

/** The writer without its thread: what has arrived is handed over in one go. */
function writerOn(path: string): { deliver(...messages: JournalDownlink[]): readonly JournalUplink[] } {
  let sent: JournalUplink[] = [];
  let inbox: JournalDownlink[] = [];
  const handle = startWriter({
    path,
    send: (message) => sent.push(message),
    next: () => inbox.shift(),
    end: () => undefined,
  });
  return {
    deliver(first, ...rest) {
      sent = [];
      inbox = [...rest];
      if (first !== undefined) handle(first);
      return sent;
    },
  };
}

describe('journal writer', () => {
  after(removeScratch);

  it('commits what has arrived at once, and answers in order', () => {
    const writer = writerOn(join(scratch(), 'j.db'));
    const read: JournalDownlink = { kind: 'read', id: 9, day: '2026-10-05', after: 0, limit: 10 };
    const answers = writer.deliver(append(1), append(2), read, append(3), { kind: 'close' });
    expect(answers.map(({ kind }) => kind)).to.deep.equal(['committed', 'rows', 'committed', 'closed']);
    expect(answers[0]).to.deep.equal({ kind: 'committed', count: 2 });
    expect(answers[1]).to.have.property('rows').with.length(2);
  });

  // What SQLite is told here is what the file system says on such a disk: SQLITE_FULL, SQLITE_READONLY.
  const disks = {
    'journal.full': ['PRAGMA max_page_count = 8', 'PRAGMA max_page_count = 1000000'],
    'journal.readOnly': ['PRAGMA query_only = ON', 'PRAGMA query_only = OFF'],
  } as const;
  for (const [code, [bad, good]] of Object.entries(disks))
    it(`refuses what the disk does not take, and goes on when it does again: ${code}`, () => {
      const path = join(scratch(), 'j.db');
      const disk = { says: good as string };
      const exec = Database.prototype.exec;
      Database.prototype.exec = function (sql: string) {
        if (sql === 'BEGIN IMMEDIATE') exec.call(this, disk.says);
        return exec.call(this, sql);
      };
      try {
        const writer = writerOn(path);
        expect(writer.deliver(append(1))).to.deep.equal([{ kind: 'committed', count: 1 }]);
        disk.says = bad;
        const many = Array.from({ length: 200 }, (_, n) => append(n + 2));
        const [refused] = writer.deliver(...many);
        expect(refused).to.include({ kind: 'refused', count: 200, code });
        disk.says = good;
        expect(writer.deliver(...many)).to.deep.equal([{ kind: 'committed', count: 200 }]);
        const [rows] = writer.deliver({ kind: 'read', id: 1, day: '2026-10-05', after: 0, limit: 1_000 });
        expect(rows).to.have.property('rows').with.length(201);
        writer.deliver({ kind: 'close' });
        const { records, brokenAt } = inspectJournal(path, '2026-10-05' as SessionDay);
        expect({ records, brokenAt }).to.deep.equal({ records: 201, brokenAt: null });
      } finally {
        Database.prototype.exec = exec;
      }
    });
});

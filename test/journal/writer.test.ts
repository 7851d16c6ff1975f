import { join } from 'node:path';
import { expect } from 'chai';
import Database from 'libsql';
import type { JournalDownlink, JournalUplink } from '../../lib/adapters/journal/protocol.ts';
import type { Row } from '../../lib/adapters/journal/store.ts';
import { startWriter } from '../../lib/adapters/journal/writer.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const row = (n: number): Row => ['2026-10-05', n, 'input', null, `"${'x'.repeat(500)}"`];
const append = (n: number): JournalDownlink => ({ kind: 'append', row: row(n) });

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

  it('refuses what does not fit on the disk, and goes on when there is room again', () => {
    const path = join(scratch(), 'j.db');
    // The bound that SQLite is given here is the file system's answer to a full disk: SQLITE_FULL.
    const limits = { pages: 8 };
    const exec = Database.prototype.exec;
    Database.prototype.exec = function (sql: string) {
      if (sql === 'BEGIN IMMEDIATE') exec.call(this, `PRAGMA max_page_count = ${limits.pages}`);
      return exec.call(this, sql);
    };
    try {
      const writer = writerOn(path);
      expect(writer.deliver(append(1))).to.deep.equal([{ kind: 'committed', count: 1 }]);
      const many = Array.from({ length: 200 }, (_, n) => append(n + 2));
      const [refused] = writer.deliver(...many);
      expect(refused).to.include({ kind: 'refused', count: 200, code: 'journal.full' });
      limits.pages = 1_000_000;
      expect(writer.deliver(...many)).to.deep.equal([{ kind: 'committed', count: 200 }]);
      const [rows] = writer.deliver({ kind: 'read', id: 1, day: '2026-10-05', after: 0, limit: 1_000 });
      expect(rows).to.have.property('rows').with.length(201);
      writer.deliver({ kind: 'close' });
    } finally {
      Database.prototype.exec = exec;
    }
  });
});

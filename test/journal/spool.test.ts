import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import Database from 'libsql';
import { inspectJournal } from '../../lib/adapters/journal/inspect.ts';
import { openJournal } from '../../lib/adapters/journal/journal.ts';
import { JournalError } from '../../lib/adapters/journal/journal-error.ts';
import { createOutbox } from '../../lib/adapters/journal/outbox.ts';
import { BATCH_MAX, type JournalDownlink } from '../../lib/adapters/journal/protocol.ts';
import type { NumberedRow } from '../../lib/adapters/journal/row.ts';
import { openSpool, readSpool, type Spool, spoolPath } from '../../lib/adapters/journal/spool.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { micros } from '../../lib/domain/time.ts';
import type { JournalKind, JournalRecord } from '../../lib/ports/journal.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { DAY, row } from './files.ts';

const record = (n: number, kind: JournalKind = 'input'): JournalRecord => ({
  day: DAY,
  at: micros(n),
  kind,
  symbol: 'SPY' as Ticker,
  body: { n, text: 'a\ttab, a\nbreak, é' },
});
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (cause: unknown) => (cause instanceof JournalError ? cause.code : String(cause)),
  );
const numbersIn = async (path: string): Promise<readonly number[]> => {
  const journal = await openJournal({ path });
  const found = (await journal.read(DAY)).map(({ body }) => (body as { n: number }).n);
  await journal.close();
  return found;
};

describe('journal spool', () => {
  after(removeScratch);

  it('has a request, and everything before it, when the process is killed in the very turn of its append', async () => {
    const path = join(scratch(), 'j.db');
    for (const run of [0, 1, 2]) {
      const child = spawnSync(
        process.execPath,
        [new URL('./killed-at-once.js', import.meta.url).pathname, path, String(run * 10)],
        { stdio: ['ignore', 'inherit', 'inherit'] },
      );
      expect(child.signal).to.equal('SIGKILL');
    }
    const journal = await openJournal({ path });
    expect(journal.recovered).to.equal(5);
    // Each run appended 0 to 6; 4 was its last request.
    const wanted = [0, 10, 20].flatMap((from) => [0, 1, 2, 3, 4].map((n) => from + n));
    expect((await journal.read(DAY)).map(({ body }) => (body as { n: number }).n)).to.deep.equal(wanted);
    await journal.close();
    expect(existsSync(spoolPath(path))).to.equal(false);
    expect(await numbersIn(path)).to.deep.equal(wanted);
    expect(inspectJournal(path, DAY)).to.include({ records: wanted.length, brokenAt: null });
  });

  it('cut at any byte, holds the first rows whole, and they are appended once', async () => {
    const path = join(scratch(), 'j.db');
    const spool = openSpool(path, null);
    const rows = Array.from({ length: 8 }, (_, n): NumberedRow => [n + 1, ...row(n, { 4: `{"n":"é${n}"}` })]);
    expect(spool.write(rows.slice(0, 3)) && spool.write(rows.slice(3))).to.equal(true);
    spool.close(false);
    const whole = readFileSync(spoolPath(path));
    fc.assert(
      fc.property(fc.nat(whole.length), (bytes) => {
        writeFileSync(spoolPath(path), whole.subarray(0, bytes));
        const found = readSpool(path, () => true);
        expect(found).to.deep.equal(rows.slice(0, found.length));
        const breaks = whole.subarray(0, bytes).filter((byte) => byte === 10).length;
        expect(found.length).to.equal(Math.max(0, breaks - 1));
      }),
      { examples: [[whole.length], [whole.length - 1], [0]] },
    );
    writeFileSync(spoolPath(path), whole);
    const first = await openJournal({ path });
    expect(first.recovered).to.equal(8);
    await first.close();
    writeFileSync(spoolPath(path), whole);
    const second = await openJournal({ path });
    expect(second.recovered).to.equal(0);
    await second.append(record(9));
    expect(await second.read(DAY)).to.have.length(9);
    await second.close();
  });

  it('is put aside when it belongs to another journal', async () => {
    const path = join(scratch(), 'j.db');
    openSpool(path, { id: 7, hash: 'a'.repeat(64) }).close(false);
    const journal = await openJournal({ path });
    expect(journal.recovered).to.equal(0);
    await journal.close();
    expect(existsSync(`${spoolPath(path)}.stray`)).to.equal(true);
  });

  it('a request that the database refuses was promised all the same: it is written when it can be, before what follows', async () => {
    const path = join(scratch(), 'j.db');
    const journal = await openJournal({ path });
    await journal.append(record(1));
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const [input, request] = [journal.append(record(2)), journal.append(record(3, 'request'))];
    const codes = await Promise.all([codeOf(input), codeOf(request)]);
    expect(codes).to.deep.equal(['journal.busy', 'no error']);
    other.exec('ROLLBACK');
    other.close();
    await journal.append(record(4));
    expect((await journal.read(DAY)).map(({ at }) => at)).to.deep.equal([1, 3, 4]);
    await journal.close();
    expect(inspectJournal(path, DAY).brokenAt).to.equal(null);
  });

  it('a request that was refused up to the end is found by the next start', async () => {
    const path = join(scratch(), 'j.db');
    const journal = await openJournal({ path });
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    expect(await codeOf(journal.append(record(1, 'request')))).to.equal('no error');
    await journal.close();
    other.exec('ROLLBACK');
    other.close();
    const again = await openJournal({ path });
    expect(again.recovered).to.equal(1);
    expect(await again.read(DAY)).to.have.length(1);
    await again.close();
  });

  it('where it takes nothing, a request waits for the writer like any other record', async () => {
    const sent: JournalDownlink[] = [];
    const noSpool: Spool = {
      write: () => false,
      cut: () => undefined,
      size: () => 0,
      close: () => undefined,
    };
    const box = createOutbox({
      post: (message) => sent.push(message) > 0,
      noWriter: () => new JournalError('journal.writerLost', ''),
      retryMillis: 1,
      number: 0,
      spool: noSpool,
    });
    const answers = [box.append(row(1), true), box.append(row(2), true)].map(codeOf);
    let tried = false;
    box.whenTried(() => {
      tried = true;
    });
    expect(sent, 'the first goes at once, the second when that one is answered').to.have.length(1);
    box.refused(1, new JournalError('journal.full', ''));
    expect(sent).to.have.length(2);
    box.refused(1, new JournalError('journal.full', ''));
    expect(await Promise.all(answers)).to.deep.equal(['journal.full', 'journal.full']);
    expect([tried, box.size()]).to.deep.equal([true, 0]);
    box.close();
  });

  it('where it takes nothing, a request goes with the next batch, however many records keep coming', async () => {
    const sent: number[] = [];
    const box = createOutbox({
      post: (message) => message.kind === 'append' && sent.push(message.rows.length) > 0,
      noWriter: () => new JournalError('journal.writerLost', ''),
      retryMillis: 3_600_000,
      number: 0,
      spool: { write: () => false, cut: () => undefined, size: () => 0, close: () => undefined },
    });
    const answers = [box.append(row(1), true)].map(codeOf);
    answers.push(codeOf(box.append(row(2), true)), codeOf(box.append(row(3), false)));
    box.committed(1);
    expect(sent).to.deep.equal([1, 2]);
    box.committed(2);
    expect(await Promise.all(answers)).to.deep.equal(['no error', 'no error', 'no error']);
    box.close();
  });

  it('and full batches do not wait for a lull', async () => {
    const sent: number[] = [];
    const box = createOutbox({
      post: (message) => message.kind === 'append' && sent.push(message.rows.length) > 0,
      noWriter: () => new JournalError('journal.writerLost', ''),
      retryMillis: 3_600_000,
      number: 0,
      spool: { write: () => true, cut: () => undefined, size: () => 0, close: () => undefined },
    });
    const answers = Array.from({ length: 2 * BATCH_MAX + 1 }, (_, n) => box.append(row(n), false));
    box.whenTried(() => undefined);
    // The newest record has just asked for a lull.
    answers.push(box.append(row(0), false));
    box.committed(BATCH_MAX);
    expect(sent).to.deep.equal([BATCH_MAX, BATCH_MAX]);
    box.committed(BATCH_MAX);
    expect(sent, 'the rest is no full batch').to.have.length(2);
    box.whenTried(() => undefined);
    box.committed(2);
    await Promise.all(answers);
    box.close();
  });

  it('of a batch that was refused, what was promised goes first, and one batch is under way at a time', async () => {
    const sent: (readonly number[])[] = [];
    const spool = openSpool(join(scratch(), 'j.db'), null);
    const box = createOutbox({
      post: (message) => message.kind === 'append' && sent.push(message.rows.map(([number]) => number)) > 0,
      noWriter: () => new JournalError('journal.writerLost', ''),
      retryMillis: 3_600_000,
      number: 40,
      spool,
    });
    const first = [box.append(row(1), false), box.append(row(2), true)].map(codeOf);
    box.whenTried(() => undefined);
    const second = [box.append(row(3), false), box.append(row(4), true)].map(codeOf);
    box.refused(2, new JournalError('journal.full', ''));
    box.committed(3);
    expect(await Promise.all([...first, ...second])).to.deep.equal([
      'journal.full',
      'no error',
      'no error',
      'no error',
    ]);
    expect(sent).to.deep.equal([
      [41, 42],
      [42, 43, 44],
    ]);
    box.close();
  });
});

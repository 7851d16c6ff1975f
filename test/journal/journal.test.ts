import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import fc from 'fast-check';
import Database from 'libsql';
import { inspectJournal } from '../../lib/adapters/journal/inspect.ts';
import { type OpenJournal, openJournal } from '../../lib/adapters/journal/journal.ts';
import { JournalError } from '../../lib/adapters/journal/journal-error.ts';
import { memoryJournal } from '../../lib/adapters/journal/memory.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { micros, type SessionDay } from '../../lib/domain/time.ts';
import type { Journal, JournalRecord } from '../../lib/ports/journal.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const DAY = '2026-10-05' as SessionDay;
const record = (body: unknown, day = DAY): JournalRecord => ({
  day,
  at: micros(1_790_000_000_123_456),
  kind: 'input',
  symbol: 'SPY' as Ticker,
  body,
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (cause) {
    return cause instanceof JournalError ? cause.code : String(cause);
  }
  return 'no error';
}

const kinds: Readonly<Record<string, () => Promise<Journal>>> = {
  'SQLite journal': () => openJournal({ path: join(scratch(), 'j.db') }),
  'journal in memory': async () => memoryJournal(),
};

for (const [name, open] of Object.entries(kinds)) {
  describe(name, () => {
    after(removeScratch);

    it('gives back the records of a day in append order, as they were when appended', async () => {
      const journal = await open();
      const body = { n: 1, list: ['a', null] };
      const first = journal.append(record(body));
      body.n = 99;
      await Promise.all([first, journal.append(record('other day', '2026-10-06' as SessionDay))]);
      await journal.append({ ...record(null), symbol: null, kind: 'operator' });
      const read = await journal.read(DAY);
      expect(read).to.deep.equal([
        { ...record({ n: 1, list: ['a', null] }), id: 1 },
        { ...record(null), symbol: null, kind: 'operator', id: 3 },
      ]);
      await journal.close();
      expect(await codeOf(journal.append(record(1)))).to.equal('journal.closed');
    });

    it('knows its head, appends that were made before the question included', async () => {
      const journal = await open();
      expect(await journal.head()).to.equal(null);
      await journal.append(record(1));
      const first = await journal.head();
      const second = journal.append(record(2));
      const head = await journal.head();
      await second;
      expect([first?.id, head?.id]).to.deep.equal([1, 2]);
      expect(head?.hash)
        .to.match(/^[0-9a-f]{64}$/)
        .and.not.to.equal(first?.hash);
      await journal.close();
    });

    it('returns any plain body unchanged', async () => {
      const journal = await open();
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.jsonValue({ noUnicodeString: false }), { maxLength: 5 }),
          async (bodies) => {
            const before = (await journal.read(DAY)).length;
            const plain = bodies.map((body) => JSON.parse(JSON.stringify(body)) as unknown);
            await Promise.all(plain.map((body) => journal.append(record(body))));
            const read = (await journal.read(DAY)).slice(before);
            expect(read.map(({ body }) => body)).to.deep.equal(plain);
          },
        ),
        { numRuns: 30 },
      );
      await journal.close();
    });
  });
}

describe('SQLite journal', () => {
  const opened: OpenJournal[] = [];
  const open = async (path: string, backlogMax?: number): Promise<OpenJournal> => {
    const journal = await openJournal(backlogMax === undefined ? { path } : { path, backlogMax });
    opened.push(journal);
    return journal;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((journal) => journal.close()));
    removeScratch();
  });

  it('keeps what was written when it is opened again, and reads a long day in full', async () => {
    const path = join(scratch(), 'j.db');
    const first = await open(path);
    await Promise.all(Array.from({ length: 5_000 }, (_, n) => first.append(record(n))));
    await first.close();
    const second = await open(path);
    const bodies = (await second.read(DAY)).map(({ body }) => body);
    expect(bodies).to.deep.equal(Array.from({ length: 5_000 }, (_, n) => n));
  });

  it('is refused to a second daemon, and given to it when the first has closed', async () => {
    const path = join(scratch(), 'j.db');
    const first = await open(path);
    expect(await codeOf(openJournal({ path }))).to.equal('journal.inUse');
    await first.append(record(1));
    await first.close();
    const second = await open(path);
    expect(await second.read(DAY)).to.have.length(1);
  });

  it('rejects while another program holds the file, and works again afterwards', async () => {
    const path = join(scratch(), 'j.db');
    const journal = await open(path);
    await journal.append(record('before'));
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    expect(await codeOf(journal.append(record('during')))).to.equal('journal.busy');
    other.exec('ROLLBACK');
    other.close();
    await journal.append(record('after'));
    expect((await journal.read(DAY)).map(({ body }) => body)).to.deep.equal(['before', 'after']);
  });

  it('refuses more than its backlog, without a wait', async () => {
    const journal = await open(join(scratch(), 'j.db'), 10);
    const appends = Array.from({ length: 15 }, (_, n) => codeOf(journal.append(record(n))));
    expect(journal.backlog()).to.equal(10);
    const codes = await Promise.all(appends);
    expect(codes.filter((code) => code === 'journal.backlog')).to.have.length(5);
    expect(await journal.read(DAY)).to.have.length(10);
  });

  it('refuses what is no plain data, and takes the next record', async () => {
    const journal = await open(join(scratch(), 'j.db'));
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(await codeOf(journal.append(record(circle)))).to.equal('journal.unserializable');
    expect(await codeOf(journal.append({ ...record(1), at: micros(1.5) }))).to.equal(
      'journal.unserializable',
    );
    await journal.append(record(undefined));
    expect((await journal.read(DAY)).map(({ body }) => body)).to.deep.equal([null]);
  });

  it('answers every append before it closes', async () => {
    const path = join(scratch(), 'j.db');
    const journal = await open(path);
    const appends = Array.from({ length: 100 }, (_, n) => journal.append(record(n)));
    await journal.close();
    await Promise.all(appends);
    expect(await (await open(path)).read(DAY)).to.have.length(100);
  });

  it('rejects what was in flight when its writer dies, and goes on with a new one', async () => {
    const path = join(scratch(), 'j.db');
    const writer = new URL('./mortal-writer.js', import.meta.url);
    const lost: string[] = [];
    const journal = await openJournal({
      path,
      writer,
      restartMillis: 0,
      onWriterLost: (text) => lost.push(text),
    });
    opened.push(journal);
    const [first, second] = await Promise.all([
      codeOf(journal.append(record(1))),
      codeOf(journal.append(record(2))),
    ]);
    expect([first, second]).to.deep.equal(['journal.writerLost', 'journal.writerLost']);
    expect(lost).to.deep.equal(['the writer broke']);
    expect(journal.backlog()).to.equal(0);
    await journal.append(record(3));
    expect((await journal.read(DAY)).map(({ body }) => body)).to.deep.equal([3]);
  });

  it('does not start writers faster than it is told', async () => {
    const path = join(scratch(), 'j.db');
    const writer = new URL('./mortal-writer.js', import.meta.url);
    const journal = await openJournal({ path, writer, restartMillis: 3_600_000 });
    opened.push(journal);
    expect(await codeOf(journal.append(record(1)))).to.equal('journal.writerLost');
    expect(await codeOf(journal.append(record(2)))).to.equal('journal.writerLost');
    expect(await codeOf(journal.read(DAY))).to.equal('journal.writerLost');
  });

  it('says why a file cannot be a journal', async () => {
    const path = join(scratch(), 'j.db');
    writeFileSync(path, 'not a database '.repeat(100));
    expect(await codeOf(openJournal({ path }))).to.equal('journal.corrupt');
  });

  it('has every record that was acknowledged before the process was killed', async () => {
    const path = join(scratch(), 'j.db');
    for (const killAfter of [1, 40, 400]) {
      const child = spawn(
        process.execPath,
        [new URL('./append-forever.js', import.meta.url).pathname, path],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let acked = -1;
      for await (const line of createInterface({ input: child.stdout })) {
        acked = Number(line);
        if (acked >= killAfter) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      expect(acked).to.be.at.least(killAfter);
      const journal = await open(path);
      const bodies = (await journal.read(DAY)).map(({ body }) => (body as { n: number }).n);
      const ofThisRun = bodies.slice(bodies.lastIndexOf(0));
      expect(ofThisRun.length).to.be.above(acked);
      expect(ofThisRun).to.deep.equal(ofThisRun.map((_, n) => n));
      const { brokenAt, records, head } = inspectJournal(path, DAY);
      expect({ brokenAt, records, head }).to.deep.equal({
        brokenAt: null,
        records: bodies.length,
        head: await journal.head(),
      });
      await journal.close();
    }
  });
});

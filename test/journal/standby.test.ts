import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { inspectJournal } from '../../lib/adapters/journal/inspect.ts';
import { openJournal } from '../../lib/adapters/journal/journal.ts';
import { JournalError } from '../../lib/adapters/journal/journal-error.ts';
import { openJournalOrWait, type StandbyJournal } from '../../lib/adapters/journal/standby.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { micros } from '../../lib/domain/time.ts';
import type { JournalKind, JournalRecord } from '../../lib/ports/journal.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { DAY, tamper, versionOne } from './files.ts';

const record = (body: unknown, kind: JournalKind = 'input'): JournalRecord => ({
  day: DAY,
  at: micros(1_790_000_000_123_456),
  kind,
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

async function writtenJournal(): Promise<string> {
  const path = join(scratch(), 'j.db');
  const journal = await openJournal({ path });
  await journal.append(record(1));
  await journal.close();
  return path;
}

/** Opens it, and tells when it can be written after all. */
async function waiting(path: string, over: { readonly writer?: URL } = {}) {
  let opened = (): void => undefined;
  const whenOpened = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const journal = await openJournalOrWait({ path, restartMillis: 5, onOpened: () => opened(), ...over });
  return { journal, whenOpened };
}

const bodies = async (journal: StandbyJournal): Promise<readonly unknown[]> =>
  (await journal.read(DAY)).map(({ body }) => body);

describe('a journal that cannot be written at the start', () => {
  after(removeScratch);

  // Each is what makes the opening fail under any user, and what cures it.
  const troubles: Readonly<
    Record<string, { readonly writer?: URL; make(path: string): void; cure(path: string): void }>
  > = {
    'a lock that cannot be taken': {
      make: (path) => {
        rmSync(`${path}.lock`, { force: true });
        mkdirSync(`${path}.lock`);
      },
      cure: (path) => rmSync(`${path}.lock`, { recursive: true }),
    },
    'a full disk': {
      writer: new URL('./troubled-writer.js', import.meta.url),
      make: (path) => writeFileSync(`${path}.trouble`, 'journal.full'),
      cure: (path) => rmSync(`${path}.trouble`),
    },
    'a thread that cannot live': {
      writer: new URL('./troubled-writer.js', import.meta.url),
      make: (path) => writeFileSync(`${path}.trouble`, 'throw'),
      cure: (path) => rmSync(`${path}.trouble`),
    },
  };
  for (const [name, { writer, make, cure }] of Object.entries(troubles))
    it(`${name}: it is read, refuses records, and takes them as soon as it can`, async () => {
      const path = await writtenJournal();
      make(path);
      const { journal, whenOpened } = await waiting(path, writer === undefined ? {} : { writer });
      expect(journal.waitingFor).to.be.instanceOf(JournalError);
      expect(await bodies(journal)).to.deep.equal([1]);
      expect((await journal.head())?.id).to.equal(1);
      expect(await codeOf(journal.append(record(2, 'request')))).to.equal(journal.waitingFor?.code);
      cure(path);
      await whenOpened;
      await journal.append(record(3));
      expect(await bodies(journal)).to.deep.equal([1, 3]);
      await journal.close();
      expect(inspectJournal(path, DAY)).to.include({ records: 2, brokenAt: null });
    });

  it('tells what a killed process had promised, and the journal has it when it can be written', async () => {
    const path = await writtenJournal();
    // Promised and not committed: the process ends in the same turn.
    const killed = new Worker(new URL('./promises-and-ends.js', import.meta.url), { workerData: { path } });
    await once(killed, 'exit');
    const writer = new URL('./troubled-writer.js', import.meta.url);
    writeFileSync(`${path}.trouble`, 'journal.full');
    const { journal, whenOpened } = await waiting(path, { writer });
    expect(await bodies(journal)).to.deep.equal([1, 'promised']);
    rmSync(`${path}.trouble`);
    await whenOpened;
    expect(journal.recovered).to.equal(1);
    expect(await bodies(journal)).to.deep.equal([1, 'promised']);
    await journal.close();
  });

  it('closes while it waits, and leaves nothing behind', async () => {
    const path = await writtenJournal();
    mkdirSync(`${path}.spool`);
    expect(await codeOf(openJournalOrWait({ path })), 'what was promised cannot be read').to.equal(
      'journal.cannotOpen',
    );
    rmSync(`${path}.spool`, { recursive: true });
    writeFileSync(`${path}.trouble`, 'journal.io');
    const { journal } = await waiting(path, { writer: new URL('./troubled-writer.js', import.meta.url) });
    await journal.close();
    const next = await openJournal({ path });
    await next.close();
  });

  it('a file that is not there, that is damaged, of others, or in use, is refused', async () => {
    const path = join(scratch(), 'j.db');
    mkdirSync(`${path}.lock`);
    expect(await codeOf(openJournalOrWait({ path })), 'never written').to.equal('journal.cannotOpen');
    const damaged = await writtenJournal();
    writeFileSync(damaged, Buffer.alloc(8_192, 7));
    expect(await codeOf(openJournalOrWait({ path: damaged }))).to.equal('journal.corrupt');
    const newer = await writtenJournal();
    tamper(newer, 'PRAGMA user_version = 99');
    expect(await codeOf(openJournalOrWait({ path: newer }))).to.equal('journal.newer');
    const foreign = await writtenJournal();
    tamper(foreign, 'PRAGMA application_id = 1');
    expect(await codeOf(openJournalOrWait({ path: foreign }))).to.equal('journal.foreign');
    const used = await writtenJournal();
    const user = await openJournal({ path: used });
    expect(await codeOf(openJournalOrWait({ path: used }))).to.equal('journal.inUse');
    await user.close();
  });

  it('holds the lock while it waits: no second daemon begins to write', async () => {
    const path = await writtenJournal();
    writeFileSync(`${path}.trouble`, 'journal.full');
    const writer = new URL('./troubled-writer.js', import.meta.url);
    const journal = await openJournalOrWait({ path, writer });
    expect(await codeOf(openJournal({ path }))).to.equal('journal.inUse');
    await journal.close();
  });

  it('reads the file of an older scalpd too', async () => {
    const path = versionOne(3);
    writeFileSync(`${path}.trouble`, 'journal.readOnly');
    const { journal, whenOpened } = await waiting(path, {
      writer: new URL('./troubled-writer.js', import.meta.url),
    });
    expect(await bodies(journal)).to.have.length(3);
    expect(await journal.head()).to.equal(null);
    rmSync(`${path}.trouble`);
    await whenOpened;
    expect(journal.chained).to.equal(3);
    await journal.close();
  });
});

describe('a journal file that is moved away while it is written', () => {
  after(removeScratch);

  it('is not made anew: records are refused until it is back, and then it goes on', async () => {
    const path = await writtenJournal();
    const journal = await openJournal({ path });
    await journal.append(record(2));
    const away = `${path}.away`;
    renameSync(path, away);
    for (const n of [3, 4]) expect(await codeOf(journal.append(record(n)))).to.equal('journal.moved');
    renameSync(away, path);
    await journal.append(record(5));
    expect((await journal.read(DAY)).map(({ body }) => body)).to.deep.equal([1, 2, 5]);
    await journal.close();
    expect(inspectJournal(path, DAY)).to.include({ records: 3, brokenAt: null });
  });
});

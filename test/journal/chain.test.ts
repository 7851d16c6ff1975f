import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import Database from 'libsql';
import { hashRecord } from '../../lib/adapters/journal/chain.ts';
import type { Inspection } from '../../lib/adapters/journal/inspect.ts';
import { openStore } from '../../lib/adapters/journal/store.ts';
import { RECORD_VERSION } from '../../lib/ports/journal.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { codeOf, DAY, look, row, rows, tamper, versionOne, written } from './files.ts';

describe('journal chain', () => {
  after(removeScratch);

  it('chains every record to the one before, over batches and restarts', () => {
    const path = written(rows(3));
    const again = openStore(path);
    again.append(rows(2));
    const head = again.head();
    again.close();
    let hash = '0'.repeat(64);
    for (const [n, each] of [...rows(3), ...rows(2)].entries())
      hash = hashRecord(hash, n + 1, RECORD_VERSION, each);
    expect(head).to.deep.equal({ id: 5, hash });
    expect(look(path, 3)).to.deep.include({
      records: 5,
      head,
      brokenAt: null,
      breaks: 0,
      file: 'ok',
      sealed: true,
    });
    expect(look(path).day.map(({ body }) => body)).to.deep.equal([1, 2, 3, 1, 2].map((n) => ({ n })));
  });

  it('has no head while it is empty', () => {
    const path = written([]);
    expect(look(path)).to.deep.include({ records: 0, head: null, brokenAt: null, file: 'ok' });
  });

  const alterations: readonly (readonly [string, readonly string[], number])[] = [
    ['another day', ["UPDATE record SET day = '2026-10-06' WHERE id = 4"], 4],
    ['another instant', ['UPDATE record SET at = at + 1 WHERE id = 4'], 4],
    ['another kind', ["UPDATE record SET kind = 'report' WHERE id = 4"], 4],
    ['another symbol', ["UPDATE record SET symbol = 'QQQ' WHERE id = 4"], 4],
    ['no symbol', ['UPDATE record SET symbol = NULL WHERE id = 4'], 4],
    ['another body', ['UPDATE record SET body = \'{"n":5}\' WHERE id = 4'], 4],
    ['another version', ['UPDATE record SET v = 0 WHERE id = 4'], 4],
    ['another hash', [`UPDATE record SET hash = '${'0'.repeat(64)}' WHERE id = 4`], 4],
    ['another id', ['UPDATE record SET id = 400 WHERE id = 8'], 400],
    ['a removed record', ['DELETE FROM record WHERE id = 4'], 5],
    ['a removed beginning', ['DELETE FROM record WHERE id < 3'], 3],
    [
      'a removed record, the later ones moved up',
      ['DELETE FROM record WHERE id = 4', 'UPDATE record SET id = id - 1 WHERE id > 4'],
      4,
    ],
    [
      'two records in each other’s place',
      [
        'UPDATE record SET id = 99 WHERE id = 3',
        'UPDATE record SET id = 3 WHERE id = 4',
        'UPDATE record SET id = 4 WHERE id = 99',
      ],
      3,
    ],
    [
      'a record in between',
      [
        'UPDATE record SET id = id + 100 WHERE id > 4',
        'UPDATE record SET id = id - 99 WHERE id > 4',
        'INSERT INTO record SELECT 5, day, at, kind, symbol, body, v, hash FROM record WHERE id = 4',
      ],
      5,
    ],
    [
      'a record after the last',
      ['INSERT INTO record SELECT 9, day, at, kind, symbol, \'{"n":9}\', v, hash FROM record WHERE id = 8'],
      9,
    ],
  ];
  for (const [name, statements, at] of alterations)
    it(`breaks at the record that is not as it was written: ${name}`, () => {
      const path = written(rows(8));
      tamper(path, ...statements);
      const { brokenAt, sealed } = look(path);
      expect(brokenAt?.id).to.equal(at);
      expect(brokenAt).to.include.all.keys('at', 'kind', 'symbol', 'text');
      expect(sealed).to.equal(false);
    });

  it('a shorter tail leaves an intact chain: the witness is what knows', () => {
    const path = written(rows(8));
    const { head } = look(path);
    tamper(path, 'DELETE FROM record WHERE id > 5');
    expect(look(path, head?.id ?? 0)).to.deep.include({ records: 5, brokenAt: null, witness: null });
  });

  it('a chain that was computed anew from an altered record on holds, and the witness does not', () => {
    const path = written(rows(8));
    const { head } = look(path);
    const forged = written(rows(8).map((each, n) => (n === 4 ? row(77) : each)));
    const { brokenAt, witness } = look(forged, head?.id ?? 0);
    expect(brokenAt).to.equal(null);
    expect(witness)
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.to.equal(head?.hash);
    expect(look(path, head?.id ?? 0).witness).to.equal(head?.hash);
  });

  it('finds any single changed byte in any column of any record', () => {
    const texts = ['day', 'kind', 'symbol', 'body', 'hash'] as const;
    const record = fc.tuple(
      fc.constantFrom('2026-10-05', '2026-10-06', ''),
      fc.maxSafeNat(),
      fc.constantFrom('input', 'report'),
      fc.option(fc.string({ unit: 'grapheme' })),
      fc.jsonValue({ noUnicodeString: false }).map((body) => JSON.stringify(body)),
    );
    const change = fc.record({
      column: fc.constantFrom(...texts, 'at', 'v', 'id'),
      record: fc.nat(),
      byte: fc.nat(),
      flip: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 6 }),
        change,
        (records, { column, flip, ...at }) => {
          const path = written(records);
          const id = (at.record % records.length) + 1;
          const database = new Database(path);
          const [value] = database
            .prepare(`SELECT hex(CAST(${column} AS BLOB)) FROM record WHERE id = ?`)
            .raw()
            .all(id)
            .flat();
          const [number] = database
            .prepare(`SELECT CAST(${column} AS TEXT) FROM record WHERE id = ?`)
            .raw()
            .all(id)
            .flat();
          database.close();
          if ((texts as readonly string[]).includes(column)) {
            const bytes = Buffer.from(String(value ?? ''), 'hex');
            fc.pre(bytes.length > 0);
            const place = at.byte % bytes.length;
            bytes[place] = (bytes[place] ?? 0) ^ flip;
            tamper(
              path,
              `UPDATE record SET ${column} = CAST(x'${bytes.toString('hex')}' AS TEXT) WHERE id = ${id}`,
            );
          } else {
            const changed = BigInt.asIntN(
              64,
              BigInt(String(number)) ^ (BigInt(flip) << BigInt(8 * (at.byte % 8))),
            );
            fc.pre(column !== 'id' || changed < 1n || changed > BigInt(records.length));
            tamper(path, `UPDATE record SET ${column} = ${changed} WHERE id = ${id}`);
          }
          expect(look(path).brokenAt, `${column} of ${id}`).not.to.equal(null);
          rmSync(dirname(path), { recursive: true });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds any bit that turns in the file, wherever it matters, and survives reading it', () => {
    const path = written(
      Array.from({ length: 30 }, (_, n) => row(n, { 4: `{"text":"${'é'.repeat(n * 5)}"}` })),
    );
    const database = new Database(path);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const good = readFileSync(path);
    const before = look(path);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(7), (at, bit) => {
        const copy = join(scratch(), 'j.db');
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        writeFileSync(copy, bytes);
        let seen: Inspection | null = null;
        const code = codeOf(() => {
          seen = look(copy);
        });
        const found = seen as Inspection | null;
        rmSync(dirname(copy), { recursive: true });
        if (found === null) expect(code).to.match(/^journal\./);
        else if (found.brokenAt === null && found.file === 'ok') expect(found.day).to.deep.equal(before.day);
      }),
      { numRuns: 150 },
    );
  });

  it('is read beside a writer, as of one instant, and nothing is written', () => {
    const path = join(scratch(), 'j.db');
    const store = openStore(path);
    store.append(rows(4));
    const sizes = (): readonly number[] => ['', '-wal'].map((end) => statSync(path + end).size);
    const before = sizes();
    expect(look(path)).to.deep.include({ records: 4, brokenAt: null, head: store.head() });
    expect(sizes()).to.deep.equal(before);
    store.append(rows(4));
    expect(look(path)).to.deep.include({ records: 8, brokenAt: null, head: store.head() });
    store.close();
  });

  it('is read from a folder in which nothing may be written', function () {
    if (process.getuid?.() === 0) this.skip();
    const path = written(rows(3));
    const database = new Database(path);
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
    chmodSync(dirname(path), 0o555);
    try {
      expect(look(path)).to.deep.include({ records: 3, brokenAt: null });
    } finally {
      chmodSync(dirname(path), 0o755);
    }
  });

  it('says what it cannot check', () => {
    expect(codeOf(() => look(join(scratch(), 'none.db')))).to.equal('journal.absent');
    const text = join(scratch(), 'text.db');
    writeFileSync(text, 'symbol,lot\n'.repeat(1_000));
    expect(codeOf(() => look(text))).to.equal('journal.corrupt');
    expect(codeOf(() => look(versionOne(3)))).to.equal('journal.unchained');
    expect(existsSync(join(dirname(text), 'none.db'))).to.equal(false);
  });

  it('a record of a newer version is refused by readers, and text that is no UTF-8 does not end the process', () => {
    const newer = written(rows(2));
    tamper(newer, `UPDATE record SET v = ${RECORD_VERSION + 1} WHERE id = 2`);
    const store = openStore(newer);
    expect(codeOf(() => store.read(DAY, 0, 10))).to.equal('journal.newer');
    store.close();
    expect(look(newer).brokenAt?.text).to.include('newer');

    const garbled = written(rows(2));
    tamper(garbled, "UPDATE record SET body = CAST(x'7bff7d' AS TEXT) WHERE id = 2");
    const damaged = openStore(garbled);
    expect(damaged.read(DAY, 0, 10)).to.have.length(2);
    damaged.close();
    expect(look(garbled).brokenAt?.id).to.equal(2);
  });
});

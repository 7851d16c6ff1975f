import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeTapeLine } from '../../lib/adapters/alpaca/codec-tape.ts';
import { PrintTable, QuoteTable } from '../../lib/adapters/tape/columns.ts';
import { loadTape, type TapeWish } from '../../lib/adapters/tape/load-tape.ts';
import { loadTapeFile } from '../../lib/adapters/tape/tape-file.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Price } from '../../lib/domain/money.ts';
import { type Micros, micros } from '../../lib/domain/time.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';

const SHARED = resolve('../shared/data/tape');

const line = (fields: object): string => JSON.stringify(fields);
const bar = (t: string, c = 100, S = 'ABC') =>
  line({ T: 'b', S, o: c, h: c, l: c, c, v: 100, t, n: 1, vw: c });
const print = (t: string, p = 100, S = 'ABC') => line({ T: 't', S, x: 'P', p, s: 100, c: [' '], t });
const quote = (t: string, S = 'ABC') => line({ T: 'q', S, bp: 99.99, bs: 100, ap: 100, as: 200, t });

function drain(tape: Tape): TapeItem[] {
  const items: TapeItem[] = [];
  for (let item = tape.take(); item !== null; item = tape.take()) items.push(item);
  return items;
}

describe('tape files', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tape-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  let count = 0;
  /** A folder of its own for each test. */
  async function write(files: Record<string, readonly string[]>): Promise<string> {
    count += 1;
    const inside = join(folder, String(count));
    await mkdir(inside);
    for (const [name, lines] of Object.entries(files)) {
      const text = `${lines.join('\n')}\n`;
      await writeFile(join(inside, name), name.endsWith('.gz') ? gzipSync(text) : text);
    }
    return inside;
  }
  const wish = (path: string, more: Partial<TapeWish> = {}): TapeWish => ({
    paths: [path],
    symbols: null,
    day: null,
    ...more,
  });
  async function mistakesOf(wanted: TapeWish): Promise<readonly string[]> {
    const loaded = await loadTape(wanted);
    return loaded.ok ? [] : loaded.mistakes.map((m) => `${m.line ?? '-'}: ${m.text}`);
  }

  it('reads every kind of line as the market says it', () => {
    expect(decodeTapeLine(print('2013-10-07T13:30:00.464Z', 167.41))).to.deep.equal({
      kind: 'print',
      print: {
        symbol: 'ABC',
        at: 1_381_152_600_464_000,
        price: 1_674_100,
        size: 100,
        exchange: 'P',
        conditions: [' '],
        id: '',
      },
    });
    expect(decodeTapeLine(quote('2013-10-07T09:30:00.000001-04:00'))).to.deep.equal({
      kind: 'quote',
      quote: {
        symbol: 'ABC',
        at: 1_381_152_600_000_001,
        bid: 999_900,
        bidSize: 100,
        ask: 1_000_000,
        askSize: 200,
      },
    });
    const halt = decodeTapeLine(line({ T: 's', S: 'ABC', sc: 'H', rc: 'T1', t: '2013-10-07T13:30:00Z' }));
    expect(halt).to.deep.include({ kind: 'status' });
    expect(halt.kind === 'status' && halt.status.state).to.equal('halted');
    const resumed = decodeTapeLine(line({ T: 's', S: 'ABC', sc: 'T', t: '2013-10-07T13:30:00Z' }));
    expect(resumed.kind === 'status' && resumed.status.state).to.equal('trading');
    expect(
      decodeTapeLine(line({ T: 'l', S: 'ABC', u: 110, d: 90, i: 'B', t: '2013-10-07T13:30:00Z' })).kind,
    ).to.equal('luld');
    expect(decodeTapeLine(line({ T: 'd', S: 'ABC' })).kind).to.equal('ignored');
  });

  it('columns give back what was put in', () => {
    const prints = fc.array(
      fc.record({
        at: fc.integer({ min: 0, max: 2e15 }),
        price: fc.integer({ min: 1, max: 8e9 }),
        size: fc.integer({ min: 0, max: 4e9 }),
        exchange: fc.constantFrom('P', 'D', 'Z'),
        conditions: fc.array(fc.constantFrom(' ', 'F', 'I', 'M'), { maxLength: 3 }),
        id: fc.constantFrom('', '17', '9007199254740993'),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(prints, (rows) => {
        const symbol = 'ABC' as Ticker;
        const table = new PrintTable(symbol);
        const quotes = new QuoteTable(symbol);
        for (const row of rows) {
          const at = row.at as Micros;
          table.push({ ...row, symbol, at, price: row.price as Price });
          quotes.push({
            symbol,
            at,
            bid: row.price as Price,
            bidSize: row.size,
            ask: row.price as Price,
            askSize: 1,
          });
        }
        expect(table.length).to.equal(rows.length);
        rows.forEach((row, index) => {
          expect(table.item(index)).to.deep.equal({
            ...row,
            symbol,
            id: row.id === '' ? String(index + 1) : row.id,
          });
          expect(quotes.item(index)).to.include({ at: row.at, bid: row.price, bidSize: row.size });
        });
      }),
    );
  });

  it('columns grow past their first size', () => {
    const table = new PrintTable('ABC' as Ticker);
    for (let i = 0; i < 5_000; i += 1)
      table.push({
        symbol: 'ABC' as Ticker,
        at: micros(i),
        price: (i + 1) as Price,
        size: i,
        exchange: 'P',
        conditions: [],
        id: '',
      });
    expect(table.item(0).price).to.equal(1);
    expect(table.item(4_999)).to.include({ at: 4_999, price: 5_000, size: 4_999 });
  });

  it('plays files of one day as one tape, a bar at the end of its minute', async () => {
    const path = await write({
      'ABC_2013-10-07.tbars.ndjson.gz': [bar('2013-10-07T13:30:00Z'), bar('2013-10-07T13:31:00Z')],
      'ABC_2013-10-07.trades.ndjson.gz': [print('2013-10-07T13:30:10Z'), print('2013-10-07T13:31:00Z')],
      'ABC_2013-10-07.quotes.ndjson.gz': [quote('2013-10-07T13:30:10Z')],
      'XYZ_2013-10-07.bars.ndjson': [bar('2013-10-07T13:30:00Z', 20, 'XYZ')],
    });
    const loaded = await loadTape(wish(path));
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
    expect(loaded.days).to.deep.equal(['2013-10-07']);
    expect(loaded.tape.symbols).to.deep.equal(['ABC', 'XYZ']);
    expect(loaded.tape.complete, 'XYZ has bars alone').to.equal(false);
    const told = drain(loaded.tape).map((item) => `${item.kind} ${item.at - 1_381_152_600_000_000}`);
    expect(told).to.deep.equal([
      'quote 10000000',
      'print 10000000',
      'bar 60000000',
      'bar 60000000',
      'print 60000000',
      'bar 120000000',
    ]);
  });

  it('takes the bars built from the trades where both are there, and the source bars where no trades are', async () => {
    const bars = { 'ABC_2013-10-07.bars.ndjson': [bar('2013-10-07T13:30:00Z', 1)] };
    const tbars = { 'ABC_2013-10-07.tbars.ndjson': [bar('2013-10-07T13:30:00Z', 2)] };
    const trades = { 'ABC_2013-10-07.trades.ndjson': [print('2013-10-07T13:30:10Z', 2)] };
    const closes = async (files: Record<string, readonly string[]>): Promise<readonly number[]> => {
      const loaded = await loadTape(wish(await write(files)));
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
      return drain(loaded.tape).flatMap((item) => (item.kind === 'bar' ? [item.bar.close / 10_000] : []));
    };
    expect(await closes({ ...bars, ...tbars, ...trades })).to.deep.equal([2]);
    expect(await closes({ ...bars, ...tbars })).to.deep.equal([1]);
    expect(await closes(bars)).to.deep.equal([1]);
  });

  it('reads a recording of several symbols and kinds under any name', async () => {
    const path = await write({
      'monday.ndjson': [
        quote('2013-10-07T13:30:00Z'),
        print('2013-10-07T13:30:01Z', 20, 'XYZ'),
        print('2013-10-07T13:30:00.5Z'),
      ],
    });
    const loaded = await loadTape(wish(join(path, 'monday.ndjson')));
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
    expect(loaded.tape.symbols).to.deep.equal(['ABC', 'XYZ']);
    expect(drain(loaded.tape).map((item) => item.kind)).to.deep.equal(['quote', 'print', 'print']);
  });

  it('picks a day and symbols, and knows the close of the day before', async () => {
    const path = await write({
      'ABC_2013-10-04.bars.ndjson': [bar('2013-10-04T19:59:00Z', 98), bar('2013-10-04T20:30:00Z', 99)],
      'ABC_2013-10-07.bars.ndjson': [bar('2013-10-07T13:30:00Z')],
      'XYZ_2013-10-07.bars.ndjson': [bar('2013-10-07T13:30:00Z', 20, 'XYZ')],
    });
    const loaded = await loadTape(wish(path, { day: '2013-10-07' as never, symbols: ['ABC' as Ticker] }));
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
    expect(loaded.tape.symbols).to.deep.equal(['ABC']);
    expect(loaded.tape.previousClose('ABC' as Ticker), 'the last regular minute, not the evening').to.equal(
      980_000,
    );
    expect(drain(loaded.tape)).to.have.length(1);
  });

  it('says what is wrong, with file and line', async () => {
    const path = await write({
      'ABC_2013-10-07.trades.ndjson': [
        print('2013-10-07T13:30:10Z'),
        'not json',
        '[]',
        line({ T: 'z', S: 'ABC' }),
        line({ T: 't', S: 'abc', x: 'P', p: 1, s: 1, t: '2013-10-07T13:30:10Z' }),
        line({ T: 't', S: 'ABC', x: 'P', p: 0, s: 1, t: '2013-10-07T13:30:10Z' }),
        line({ T: 't', S: 'ABC', x: 'P', p: 1, s: 1.5, t: '2013-10-07T13:30:10Z' }),
        line({ T: 't', S: 'ABC', x: 'P', p: 1, s: 1, t: 'noon' }),
        print('2013-10-07T13:30:09Z'),
        print('2013-10-08T13:30:09Z'),
        print('2013-10-07T13:30:11Z', 20, 'XYZ'),
      ],
    });
    const { mistakes } = await loadTapeFile(join(path, 'ABC_2013-10-07.trades.ndjson'));
    expect(mistakes.map((mistake) => mistake.line)).to.deep.equal([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const texts = mistakes.map((mistake) => mistake.text).join('\n');
    for (const part of [
      'a line is one JSON object. Found: "not json"',
      '"T" is one of',
      '"S" is a symbol in capitals. Found: "abc"',
      '"p" is a price in dollars, above 0. Found: 0',
      '"s" is a whole number, 0 or more. Found: 1.5',
      '"t" is an instant in RFC 3339. Found: "noon"',
      'times never go back',
      'one New York day, 2013-10-07. Found: 2013-10-08',
      "the symbol in the file's name, ABC. Found: XYZ",
    ])
      expect(texts).to.include(part);
    const bars = await write({
      'ABC_2013-10-07.bars.ndjson': [
        bar('2013-10-07T13:30:30Z'),
        line({ T: 'b', S: 'ABC', o: 2, h: 1, l: 1, c: 1, v: 1, t: '2013-10-07T13:31:00Z' }),
      ],
    });
    const wrongBars = await mistakesOf(wish(bars));
    expect(wrongBars[0]).to.match(/^1: "t" of a minute bar is a whole minute/);
    expect(wrongBars[1]).to.match(/^2: l <= o, c <= h/);
  });

  it('wrong paths, empty files, broken archives and missing symbols are mistakes, not exceptions', async () => {
    const path = await write({
      'empty.ndjson': [''],
      'ABC_2013-10-07.bars.ndjson': [bar('2013-10-07T13:30:00Z')],
    });
    await writeFile(join(path, 'broken.ndjson.gz'), gzipSync('{}').subarray(0, 12));
    await writeFile(join(path, 'notes.txt'), 'x');
    const hollow = await write({});
    expect((await mistakesOf(wish(join(path, 'nope'))))[0]).to.include('exists. Found: ENOENT');
    expect((await mistakesOf(wish(hollow)))[0]).to.include('Found: none');
    expect((await mistakesOf(wish(join(path, 'notes.txt'))))[0]).to.include('named *.ndjson');
    expect((await mistakesOf(wish(join(path, 'empty.ndjson'))))[0]).to.include('at least one line');
    expect((await mistakesOf(wish(join(path, 'broken.ndjson.gz'))))[0]).to.include('whole and gzip');
    const file = join(path, 'ABC_2013-10-07.bars.ndjson');
    expect((await mistakesOf(wish(file, { symbols: ['ABC', 'QQQ'] as Ticker[] })))[0]).to.include(
      'Found none for: QQQ',
    );
    expect((await mistakesOf(wish(file, { day: '2013-10-08' as never })))[0]).to.include(
      'on 2013-10-08. Found: the days 2013-10-07',
    );
  });

  it('reads the recorded days where they are at hand', async function () {
    if (!existsSync(SHARED)) {
      console.log('      (no ../shared/data/tape here: skipped)');
      this.skip();
    }
    const loaded = await loadTape(
      wish(SHARED, { day: '2013-10-07' as never, symbols: ['IBM', 'AIG'] as Ticker[] }),
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes.slice(0, 3)));
    expect(loaded.tape.complete).to.equal(true);
    expect(loaded.tape.previousClose('IBM' as Ticker)).to.be.above(0);
    const counts: Record<string, number> = {};
    let last = 0;
    for (let item = loaded.tape.take(); item !== null; item = loaded.tape.take()) {
      expect(item.at).to.be.at.least(last);
      last = item.at;
      counts[item.kind] = (counts[item.kind] ?? 0) + 1;
    }
    expect(counts.print).to.equal(25_351 + 24_293);
    expect(counts.quote).to.equal(20_209 + 23_306);
    expect(counts.bar).to.be.above(2 * 390);
  });
});

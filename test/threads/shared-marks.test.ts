import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  createSharedMarks,
  openMarkReader,
  openMarkWriter,
} from '../../lib/adapters/threads/shared-marks.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { price } from '../../lib/domain/money.ts';
import { micros } from '../../lib/domain/time.ts';

const SPY = 'SPY' as Ticker;
const AAPL = 'AAPL' as Ticker;

function marks(capacity: number) {
  const memory = createSharedMarks(capacity);
  const slots = new Map([
    [SPY, 0],
    [AAPL, 1],
  ]);
  return { memory, writer: openMarkWriter(memory), reader: openMarkReader(memory, slots) };
}

describe('shared marks', () => {
  it('know no mark before the first, and none of a symbol without a slot', () => {
    const { writer, reader } = marks(2);
    writer.set(0, { price: price(1), at: micros(1) });
    expect(reader.read(AAPL)).to.equal(null);
    expect(reader.read('QQQ' as Ticker)).to.equal(null);
  });

  it('give back the newest mark of each symbol, for any price and instant', () => {
    const { writer, reader } = marks(2);
    const anyMark = fc.record({
      price: fc.nat({ max: 2 ** 40 }).map(price),
      at: fc.nat({ max: 2 ** 52 }).map(micros),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 1 }), anyMark), { minLength: 1 }), (writes) => {
        const newest = new Map<number, unknown>();
        for (const [slot, mark] of writes) {
          writer.set(slot, mark);
          newest.set(slot, mark);
        }
        if (newest.has(0)) expect(reader.read(SPY)).to.deep.equal(newest.get(0));
        if (newest.has(1)) expect(reader.read(AAPL)).to.deep.equal(newest.get(1));
      }),
    );
  });

  it('outlive the wrap of the sequence number', () => {
    const { memory, writer, reader } = marks(1);
    const words = new Int32Array(memory);
    words[0] = -3; // three writes before zero
    for (let n = 1; n <= 6; n++) {
      writer.set(0, { price: price(n), at: micros(n * 1_000) });
      expect(reader.read(SPY)).to.deep.equal({ price: n, at: n * 1_000 });
    }
  });

  it('refuse a slot outside, and no room at all', () => {
    expect(() => marks(1).writer.set(1, { price: price(1), at: micros(1) })).to.throw('a slot of its own');
    expect(() => createSharedMarks(0)).to.throw('at least one symbol');
  });

  it('are never read torn or out of order by another thread', async function () {
    this.timeout(60_000);
    const { memory, writer } = marks(1);
    const url = new URL('./fixtures/mark-reader.js', import.meta.url);
    const worker = new Worker(url, { workerData: memory });
    const ended = once(worker, 'exit');
    await once(worker, 'message');
    const result = once(worker, 'message');
    // Steps that change all four words, so that a mix of old and new shows in either half of either number.
    for (let n = 1; n <= 500_000; n++) {
      const units = n * (2 ** 21 + 1);
      writer.set(0, { price: price(units), at: micros(units * 1_000) });
    }
    writer.set(0, { price: price(0), at: micros(0) });
    const [{ reads, torn, backwards }] = await result;
    await ended;
    expect({ torn, backwards }).to.deep.equal({ torn: 0, backwards: 0 });
    expect(reads).to.be.greaterThan(100);
  });
});

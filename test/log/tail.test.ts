import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type LogRecord, toJsonLine } from '../../lib/adapters/log/record.ts';
import { follow, readLast } from '../../lib/adapters/log/tail.ts';
import { micros } from '../../lib/domain/time.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const line = (n: number, symbol = 'SPY'): string =>
  `${toJsonLine({ at: micros(n), level: 'info', event: 'a.b', fields: { symbol, n } }, (text) => text)}\n`;
const lines = (from: number, to: number, symbol?: string): string =>
  Array.from({ length: to - from }, (_, i) => line(from + i, symbol)).join('');
const numbers = (records: readonly LogRecord[]): readonly unknown[] => records.map(({ fields }) => fields.n);

describe('reading the log', () => {
  after(removeScratch);

  it('gives the last lines, oldest first, back through rotated files, and skips what is no record', async () => {
    const path = join(scratch(), 'scalpd.log');
    writeFileSync(`${path}.2`, lines(0, 5));
    writeFileSync(`${path}.1`, `${lines(5, 8)}torn {"at":\n${lines(8, 10, 'KO')}`);
    writeFileSync(path, lines(10, 12));
    expect(numbers(await readLast(path, 4, () => true))).to.deep.equal([8, 9, 10, 11]);
    expect(numbers(await readLast(path, 100, () => true))).to.have.length(12);
    const spy = await readLast(path, 4, ({ fields }) => fields.symbol === 'SPY');
    expect(numbers(spy)).to.deep.equal([6, 7, 10, 11]);
    expect(await readLast(path, 0, () => true)).to.deep.equal([]);
    expect(await readLast(`${path}.none`, 5, () => true)).to.deep.equal([]);
  });

  it('follows new lines through a rotation, a truncation and torn writes, and loses none', async () => {
    const path = join(scratch(), 'scalpd.log');
    writeFileSync(path, lines(0, 3));
    const seen: unknown[] = [];
    const stop = new AbortController();
    const torn = line(7);
    const steps: (() => void)[] = [
      () => appendFileSync(path, lines(3, 5)),
      () => {
        appendFileSync(path, line(5));
        renameSync(path, `${path}.1`);
        writeFileSync(path, line(6));
      },
      () => appendFileSync(path, torn.slice(0, 20)),
      () => appendFileSync(path, torn.slice(20)),
      () => truncateSync(path, 0),
      () => appendFileSync(path, line(8)),
      () => stop.abort(),
    ];
    await follow({
      path,
      stop: stop.signal,
      onRecord: ({ fields }) => seen.push(fields.n),
      pause: async () => steps.shift()?.(),
    });
    expect(seen).to.deep.equal([3, 4, 5, 6, 7, 8]);
  });

  it('waits for a log that is not there yet', async () => {
    const path = join(scratch(), 'scalpd.log');
    const seen: unknown[] = [];
    const stop = new AbortController();
    const steps = [() => writeFileSync(path, lines(0, 2)), () => undefined, () => stop.abort()];
    await follow({
      path,
      stop: stop.signal,
      onRecord: ({ fields }) => seen.push(fields.n),
      pause: async () => void steps.shift()?.(),
    });
    expect(seen).to.deep.equal([0, 1]);
  });
});

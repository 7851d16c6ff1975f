import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { openStore } from '../../lib/adapters/journal/store.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { DAY, look, row } from './files.ts';

describe('journal after a kill', () => {
  after(removeScratch);

  it('cut at any byte of what was not yet checkpointed, holds the first records, whole and chained', () => {
    const path = join(scratch(), 'j.db');
    const store = openStore(path);
    const batches = [1, 3, 20, 2, 7, 40, 1, 1];
    const kept = new Set([0]);
    let count = 0;
    for (const size of batches) {
      store.append(
        Array.from({ length: size }, (_, n) =>
          row(count + n + 1, { 4: `{"n":${count + n + 1},"pad":"${'x'.repeat(150)}"}` }),
        ),
      );
      count += size;
      kept.add(count);
    }
    const copyTo = (target: string, walBytes: number): void => {
      copyFileSync(path, target);
      writeFileSync(`${target}-wal`, readFileSync(`${path}-wal`).subarray(0, walBytes));
    };
    const size = statSync(`${path}-wal`).size;
    expect(size).to.be.above(50_000);
    const reached = new Set<number>();
    fc.assert(
      fc.property(fc.nat(size), (bytes) => {
        const copy = join(scratch(), 'j.db');
        copyTo(copy, bytes);
        const reopened = openStore(copy);
        const found = reopened.head()?.id ?? 0;
        reached.add(found);
        // A batch is there or is not.
        expect([...kept]).to.include(found);
        expect(reopened.read(DAY, 0, 1_000).map(([id, , at]) => at - id)).to.deep.equal(
          Array.from({ length: found }, () => 1_790_000_000_000_000),
        );
        reopened.append([row(found + 1)]);
        reopened.close();
        expect(look(copy)).to.deep.include({ records: found + 1, brokenAt: null, file: 'ok', sealed: true });
        rmSync(dirname(copy), { recursive: true });
      }),
      { numRuns: 60, examples: [[0], [size], [size - 1], [32], [31]] },
    );
    store.close();
    expect(reached.size).to.be.above(4);
  });
});

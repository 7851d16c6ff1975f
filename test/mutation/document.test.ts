import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../parity/shared-files.ts';
import { ALL_REMEDIES } from './all-remedies.ts';
import { declares, readDocument, rowHead, rowsIn, testsNamedIn } from './document.ts';
import { lineOf, sourceOf } from './judge-remedy.ts';

describe('docs/RELIABILITY.md', () => {
  it('names tests that exist', () => {
    const named = testsNamedIn(readDocument());
    expect(named.length).to.be.greaterThan(ALL_REMEDIES.length);
    const missing = named.filter(({ file, title }) => {
      const path = join(ROOT, 'test', file);
      return !existsSync(path) || !declares(readFileSync(path, 'utf8'), title);
    });
    expect(missing).to.deep.equal([]);
  });

  it('knows a title that is declared from one that is not', () => {
    const source = ["it('is one', () => 1);", 'it(`is $', '{many} of them`, () => 2);'].join('');
    expect(declares(source, 'is one')).to.equal(true);
    expect(declares(source, 'is five of them')).to.equal(true);
    expect(declares(source, 'is one of')).to.equal(false);
  });

  it('has a row for every remedy, in their order', () => {
    const heads = ALL_REMEDIES.map((remedy) =>
      rowHead({ name: remedy.name, file: sourceOf(remedy), line: lineOf(remedy) }),
    );
    const rows = rowsIn(readDocument());
    expect(
      rows.map((row, index) => row.slice(0, heads[index]?.length)),
      'run `npm run mutations -- --out FILE`, then `node dist/test/mutation/write-document.js FILE`',
    ).to.deep.equal(heads);
  });
});

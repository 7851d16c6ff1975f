import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MUTATIONS } from '../traps/mutations.ts';
import { ALL_REMEDIES } from './all-remedies.ts';
import { BUILD } from './mutant.ts';

describe('remedies', () => {
  it('name one for each of the traps H1 to H16', () => {
    const traps = MUTATIONS.map(({ trap }) => trap);
    expect(traps).to.deep.equal(Array.from({ length: 16 }, (_, index) => `H${index + 1}`));
  });

  it('have names of their own', () => {
    const names = ALL_REMEDIES.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
  });

  for (const { name, file, find, tests } of ALL_REMEDIES)
    it(`stand where they are said to be: ${name}`, () => {
      expect(readFileSync(join(BUILD, file), 'utf8').split(find)).to.have.lengthOf(2);
      for (const each of tests.files)
        expect(existsSync(join(BUILD, 'test', each.replace(/ts$/, 'js'))), each).to.equal(true);
    });
});

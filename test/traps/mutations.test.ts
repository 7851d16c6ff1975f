import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MUTATIONS } from './mutations.ts';

const BUILD = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

describe('the remedies against the traps', () => {
  it('names one for each of H1 to H16', () => {
    const traps = MUTATIONS.map(({ trap }) => trap);
    expect(traps).to.deep.equal(Array.from({ length: 16 }, (_, index) => `H${index + 1}`));
  });

  for (const { trap, remedy, file, find } of MUTATIONS)
    it(`finds the remedy for ${trap} where it is said to be: ${remedy}`, () => {
      expect(readFileSync(join(BUILD, file), 'utf8').split(find)).to.have.lengthOf(2);
    });
});

import { expect } from 'chai';
import { SCENARIO_DIFFERENCES, SIGNAL_DIFFERENCES } from './differences.ts';
import { readDocument, regenerate } from './document.ts';
import { RULES } from './rules.ts';

describe('docs/PARITY.md', () => {
  it('says what the tests declare', () => {
    const document = readDocument();
    expect(document).to.equal(
      regenerate(document),
      'write it anew: node BUILD/test/parity/write-document.js',
    );
  });

  it('explains no rule that explains nothing', () => {
    const used = new Set<string>([
      ...Object.values(SCENARIO_DIFFERENCES).flatMap((each) => each.map(({ rule }) => rule)),
      ...SIGNAL_DIFFERENCES.map(({ rule }) => rule),
    ]);
    expect([...used]).to.have.members(Object.keys(RULES));
  });
});

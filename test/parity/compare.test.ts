import { expect } from 'chai';
import { compareLines } from './compare.ts';
import { formatDecision, readDecision } from './decisions.ts';

describe('comparing decisions', () => {
  it('takes out the longest common sequence and keeps the rest in order', () => {
    expect(compareLines(['a', 'b', 'c', 'd'], ['a', 'x', 'c', 'c', 'y'])).to.deep.equal({
      onlyScript: ['b', 'd'],
      onlyScalpd: ['x', 'c', 'y'],
    });
    expect(compareLines([], ['a'])).to.deep.equal({ onlyScript: [], onlyScalpd: ['a'] });
    expect(compareLines(['a', 'a'], ['a'])).to.deep.equal({ onlyScript: ['a'], onlyScalpd: [] });
  });

  for (const [recorded, line] of [
    ['2024-01-03T14:52:00.5Z buy AAA 19 limit @ 100.2 day -> 200', '14:52:00.5 buy 19 AAA @ 100.20'],
    [
      '2024-01-03T14:52:05Z sell AAA 19 limit @ 100.21000000000001 day -> 422 invalid limit_price',
      '14:52:05 sell 19 AAA @ 100.21, refused',
    ],
    ['2024-01-03T20:55:10Z sell AAA 19 market day -> 200', '20:55:10 sell 19 AAA at market'],
    [
      '2024-01-03T14:52:00.5Z buy AAA 19 limit @ 100.2 day -> 200 (client saw 504)',
      '14:52:00.5 buy 19 AAA @ 100.20, lost',
    ],
    ['2024-01-03T14:54:10Z cancel buy AAA -> 204', '14:54:10 cancel buy AAA'],
  ] as const)
    it(`reads a recorded line: ${line}`, () => {
      expect(formatDecision(readDecision(recorded))).to.equal(line);
    });
});

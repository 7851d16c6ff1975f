import { expect } from 'chai';
import type { Finding } from './finding.ts';
import { type Part, type PartResult, runPart } from './parts.ts';

/** A slice of `npm run fuzz`. */
describe('fuzz', () => {
  async function clean(part: Part, cases: number): Promise<PartResult> {
    const findings: Finding[] = [];
    const result = await runPart(
      part,
      { seed: 7, from: 0, cases },
      { onFinding: (finding) => findings.push(finding), onProgress: () => undefined },
    );
    expect(findings, `npm run fuzz -- --part ${part} --seed 7`).to.deep.equal([]);
    return result;
  }

  const reached = ({ counts }: PartResult, names: readonly string[]): void => {
    for (const name of names) expect(counts[name] ?? 0, name).to.be.above(0);
  };

  it('mutated frames of the data socket: read as what they say, or told as unreadable', async () => {
    reached(await clean('data', 3_000), ['connected', 'print', 'quote', 'bar', 'luld', 'unreadable']);
  });

  it('mutated frames of the order socket: read as what they say, or told as unreadable', async () => {
    reached(await clean('trading', 3_000), ['connected', 'report', 'unreadable']);
  });

  it('mutated frames into a living engine: no order that the rules do not allow, flat or said', async () => {
    reached(await clean('day', 2), ['data frames', 'trading frames', 'orders', 'fills', 'round trips']);
  });

  it('mutated answers: an outcome of the port that the answer proves', async () => {
    reached(await clean('answers', 800), ['submit accepted', 'submit rejected', 'submit unknown']);
  });

  it('mutated configurations: mistakes with their places, or a valid one', async () => {
    reached(await clean('configs', 600), [
      'file valid',
      'file refused',
      'overrides valid',
      'overrides refused',
    ]);
  });
});

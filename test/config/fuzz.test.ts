import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseConfig } from '../../lib/adapters/config/load.ts';
import { formatMistake } from '../../lib/adapters/config/mistake.ts';
import { projectFile } from '../../lib/app/project.ts';

const SHIPPED = readFileSync(projectFile('config/scalpd.yaml'), 'utf8');
const LINES = SHIPPED.split('\n');

/** What can befall a file under an editor: a line lost, repeated, moved, or one of its pieces overwritten. */
type Edit = {
  readonly kind: 'drop' | 'repeat' | 'swap' | 'write';
  readonly at: number;
  readonly text: string;
};

const pieces = fc.oneof(
  fc.constantFrom(
    '\t',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ': ',
    '*a',
    '&a ',
    '!!map ',
    '"',
    "'",
    '|',
    '? ',
    '%',
    '---',
    '~',
    '',
  ),
  fc.constantFrom('1e9', '-1', '0', '120', '5m', '20%', 'NaN', 'SPY', 'true', '<<: *a', '__proto__: 1'),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const edits = fc.array(
  fc.record<Edit>({
    kind: fc.constantFrom('drop', 'repeat', 'swap', 'write'),
    at: fc.nat(SHIPPED.length),
    text: pieces,
  }),
  { minLength: 1, maxLength: 5 },
);

function mutate(list: readonly Edit[]): string {
  let lines = [...LINES];
  for (const { kind, at, text } of list) {
    const index = at % lines.length;
    const line = lines[index] ?? '';
    const column = at % (line.length + 1);
    const other = lines[(index + 7) % lines.length] ?? '';
    if (kind === 'drop') lines = lines.filter((_, i) => i !== index || lines.length === 1);
    else if (kind === 'repeat') lines.splice(index, 0, line);
    else if (kind === 'swap') lines[index] = other;
    else lines[index] = line.slice(0, column) + text + line.slice(column + text.length);
  }
  return lines.join('\n');
}

describe('mutated configuration', () => {
  it('gives mistakes that can be shown, or a configuration that obeys the rules; never a throw', () => {
    const seen = { valid: 0, refused: 0 };
    fc.assert(
      fc.property(edits, (list) => {
        const load = parseConfig('a.yaml', new TextEncoder().encode(mutate(list)));
        if (!load.ok) {
          seen.refused += 1;
          expect(load.mistakes.length).to.be.above(0);
          for (const mistake of load.mistakes) {
            expect(formatMistake(mistake)).to.match(/^a\.yaml:\d+:\d+ [^\n]+$/);
          }
          return;
        }
        seen.valid += 1;
        const { symbols, exit, session, risk } = load.config;
        expect(symbols.length).to.be.above(0);
        expect(new Set(symbols.map(({ symbol }) => symbol)).size).to.equal(symbols.length);
        for (const { lot } of symbols) expect(lot).to.be.within(10_000, risk.orderNotionalMax);
        expect(exit.holdMax + session.flattenBeforeClose).to.be.below(210 * 60_000_000);
      }),
      { numRuns: 800 },
    );
    expect(seen.valid, 'valid').to.be.above(10);
    expect(seen.refused, 'refused').to.be.above(200);
  });

  it('never throws on bytes that are no file of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseConfig('a.yaml', bytes);
      }),
      { numRuns: 500 },
    );
  });
});

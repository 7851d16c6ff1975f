import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { projectFile } from '../lib/app/project.ts';
import { readSourceTree } from './support/source-tree.ts';
import {
  checkCycles,
  checkDependencies,
  checkFloors,
  checkLength,
  checkPurity,
  checkTimeZones,
  checkWireNames,
  checkWords,
  floorOf,
  importsOf,
  LINES_MAX,
  type SourceFile,
  type Violation,
} from './support/tidy-rules.ts';

const file = (path: string, text: string): SourceFile => ({ path, text });
const code = (files: readonly SourceFile[]): readonly SourceFile[] =>
  files.filter(({ path }) => /\.(ts|mjs|js)$/.test(path));

describe('tidy: the rules themselves', () => {
  const breaks = (
    check: (files: readonly SourceFile[]) => readonly Violation[],
    path: string,
    text: string,
  ): void => {
    expect(check([file(path, text)]), `${path}: ${text}`).to.have.length(1);
  };
  const keeps = (
    check: (files: readonly SourceFile[]) => readonly Violation[],
    path: string,
    text: string,
  ): void => {
    expect(check([file(path, text)]), `${path}: ${text}`).to.deep.equal([]);
  };

  it('see every kind of import, and none in comments', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "export { c } from './c.ts';",
      "import {\n  d,\n} from './d.ts';",
      "const e = await import('./e.ts');",
      "type F = import('./f.ts').F;",
      "import './g.ts';",
      "// import x from './x.ts'",
      "/* import y from './y.ts' */ const url = 'http://h'; import h from './h.ts';",
    ].join('\n');
    const found = importsOf(file('lib/engine/z.ts', text)).map(({ from }) => from);
    expect(found).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `./${name}.ts`));
  });

  it('keep the floors', () => {
    breaks(checkFloors, 'lib/domain/a.ts', "import { b } from '../engine/b.ts';");
    breaks(checkFloors, 'lib/strategy/a.ts', "import { b } from '../sim/b.ts';");
    breaks(checkFloors, 'lib/adapters/x/a.ts', "export * from '../../app/b.ts';");
    breaks(checkFloors, 'lib/engine/a.ts', "import { readFileSync } from 'node:fs';");
    breaks(checkFloors, 'lib/sim/a.ts', "import type { Pool } from 'undici';");
    breaks(checkFloors, 'lib/app/a.ts', "import { b } from '../../test/b.ts';");
    keeps(checkFloors, 'lib/engine/a.ts', "import { b } from '../domain/b.ts';\nimport './c.ts';");
    keeps(checkFloors, 'workers/a.ts', "import { b } from '../lib/adapters/b.ts';\nimport 'node:fs';");
    keeps(checkFloors, 'test/a.ts', "import { b } from '../lib/app/b.ts';");
  });

  it('find circles, however long', () => {
    const ring = [
      file('lib/domain/a.ts', "import './b.ts';"),
      file('lib/domain/b.ts', "import type { C } from './c.ts';"),
      file('lib/domain/c.ts', "export { a } from './a.ts';"),
      file('lib/domain/d.ts', "import './a.ts';"),
    ];
    expect(checkCycles(ring)).to.have.length(1);
    expect(checkCycles(ring.filter(({ path }) => !path.endsWith('c.ts')))).to.deep.equal([]);
    breaks(checkCycles, 'lib/domain/a.ts', "import './a.ts';");
  });

  it('keep clocks, chance and the process out of floors 0 to 2', () => {
    for (const text of [
      'const at = Date.now();',
      'setTimeout(f, 1);',
      'Math.random()',
      'process.exit()',
      'console.log(1)',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a source file
      'const s = `at ${Date.now()}`;',
      'const half = a / 2; const d = Date.now(); const b = c / 2;',
    ])
      breaks(checkPurity, 'lib/engine/a.ts', text);
    keeps(
      checkPurity,
      'lib/engine/a.ts',
      "/* Date */ const x = 'process killed'; // setTimeout\nconst y = `console`;",
    );
    keeps(checkPurity, 'lib/domain/a.ts', 'const pattern = /[\'"`]Date/; const updated = 1;');
    keeps(checkPurity, 'lib/adapters/time/a.ts', 'Date.now()');
  });

  it("keep the broker's names in the codec and time zones in the calendar", () => {
    breaks(checkWireNames, 'lib/engine/a.ts', 'order.client_order_id');
    breaks(checkWireNames, 'lib/adapters/alpaca/rest.ts', "query.set('time_in_force', 'day')");
    keeps(checkWireNames, 'lib/adapters/alpaca/codec-decode-orders.ts', 'body.client_order_id');
    keeps(checkWireNames, 'lib/engine/a.ts', '// the answer names held_for_orders');
    keeps(checkWireNames, 'lib/sim/a.ts', "refuse('client_order_id must be unique')");
    breaks(checkTimeZones, 'lib/sim/a.ts', "const zone = 'America/New_York';");
    breaks(checkTimeZones, 'lib/adapters/time/clock.ts', "import moment from 'moment-timezone';");
    keeps(checkTimeZones, 'lib/adapters/time/calendar.ts', "import moment from 'moment-timezone';");
  });

  it('refuse long files, leftovers, places and undeclared or unused packages', () => {
    breaks(checkLength, 'lib/a.ts', 'x\n'.repeat(LINES_MAX + 1));
    keeps(checkLength, 'lib/a.ts', 'x\n'.repeat(LINES_MAX));
    for (const text of [
      `// TO${'DO'} later`,
      `it.on${'ly'}('x')`,
      `cd /wo${'rk'}/x`,
      `https://regis${'try'}.abc.org/x`,
    ])
      breaks(checkWords, 'docs/a.md', text);
    keeps(checkWords, 'docs/a.md', 'the work is done; the registry is needed once');
    const app = [
      file('lib/app/a.ts', "import { x } from 'yaml';\nimport y from '@scope/y/z';\nimport 'node:fs';"),
    ];
    expect(checkDependencies(app, ['yaml', '@scope/y'])).to.deep.equal([]);
    expect(checkDependencies(app, ['yaml'])).to.have.length(1);
    expect(checkDependencies(app, ['yaml', '@scope/y', 'left'])).to.have.length(1);
  });
});

describe('tidy: this repository', () => {
  const files = readSourceTree();
  const none = (violations: readonly Violation[]): void => {
    expect(violations, `\n${violations.join('\n')}\n`).to.deep.equal([]);
  };

  it('is seen at all', () => {
    expect(new Set(files.map(({ path }) => floorOf(path)))).to.include.members([0, 1, 2, 3, 4, null]);
    expect(files.map(({ path }) => path)).to.include.members([
      'lib/domain/money.ts',
      'package.json',
      '.ci/run',
    ]);
  });

  it('imports from its own floor or below', () => none(checkFloors(code(files))));
  it('has no import cycle', () => none(checkCycles(code(files))));
  it('takes time and chance as arguments on floors 0 to 2', () => none(checkPurity(code(files))));
  it("spells the broker's field names in the codec alone", () => none(checkWireNames(code(files))));
  it('knows time zones in the calendar alone', () => none(checkTimeZones(code(files))));
  it(`has no file of more than ${LINES_MAX} lines`, () => none(checkLength(code(files))));
  it('holds no leftovers, and nothing of one machine or workplace', () => none(checkWords(files)));
  it('declares what it imports and imports what it declares', () => {
    const { dependencies } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    none(checkDependencies(code(files), Object.keys(dependencies)));
  });
  it('pins every dependency by its hash and by no host', () => {
    const lock = JSON.parse(readFileSync(projectFile('package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly resolved?: string }>>;
    };
    none(
      Object.entries(lock.packages).flatMap(([path, { resolved }]) => (resolved === undefined ? [] : [path])),
    );
  });
});

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../lib/adapters/config/load.ts';
import type { Drill } from '../../lib/app/drills/drill.ts';
import { type DrillResult, runDrill } from '../../lib/app/drills/run-drill.ts';
import { DRILLS } from '../../lib/app/drills/table.ts';
import { ALWAYS, MEANINGS } from '../../lib/app/drills/verdict.ts';
import { type Ending, killChildren, runScalpd } from '../e2e/support/child.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const SYMBOLS = ['SPY', 'AAPL', 'MSFT', 'NVDA', 'JPM'];
const CONFIG = `
symbols: [${SYMBOLS.map((symbol) => `{ symbol: ${symbol}, lot: 2000 }`).join(', ')}]
log: { dir: the-operators-logs }
journal: { path: the-operators/journal.db }
`;

type Told = {
  readonly seed: number;
  readonly passed: number;
  readonly results: readonly (DrillResult & { readonly repeat: string })[];
};

/** A fault that waits for a request that nobody sends. */
const HARMLESS: Drill = {
  name: 'harmless',
  life: 'nothing goes wrong',
  holds: [],
  faults: ['restServerError'],
  needs: [],
  marks: [],
  scene: 'trading',
  rules: () => [],
  script: () => [
    {
      kind: 'rest',
      match: { method: 'PUT', path: '^/nowhere$', side: null, symbol: null },
      from: null,
      times: 1,
      action: { kind: 'answer', status: 500, body: 'json', accept: false },
    },
  ],
  play: async () => undefined,
};

describe('drills', function () {
  this.timeout(240_000);
  let cwd = '';
  let temporary = '';
  /** Both are mostly waiting, so they run side by side. */
  let real: Promise<Ending>;
  let harmless: Promise<DrillResult | Error>;

  before(async () => {
    cwd = scratch();
    temporary = scratch();
    const config = join(cwd, 'drill.yaml');
    writeFileSync(config, CONFIG);
    real = drill('no-answer', 'worker-killed', '--json', '--jobs', '2', '--config', 'drill.yaml');
    const load = await loadConfig(config);
    if (!load.ok) throw new Error('the configuration of this test must be right');
    harmless = runDrill(HARMLESS, {
      config: load.config,
      baseDir: cwd,
      seed: 1,
      keep: false,
      stop: new AbortController().signal,
      onStep: () => undefined,
      attempts: 1,
    }).catch((cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))));
  });
  after(async () => {
    await killChildren();
    const result = await harmless;
    if (!(result instanceof Error) && result.folder !== null)
      rmSync(result.folder, { recursive: true, force: true });
    removeScratch();
  });
  const drill = (...args: readonly string[]): Promise<Ending> =>
    runScalpd({ cwd, args: ['drill', ...args], env: { TMPDIR: temporary } });

  it('are listed, each with what happens, what must hold and what must strike', async () => {
    const { code, out } = await drill('--list', '--json');
    expect(code).to.equal(0);
    const told = JSON.parse(out.join('\n')) as { drills: { name: string; life: string }[] };
    expect(told.drills.map(({ name }) => name)).to.deep.equal(DRILLS.map(({ name }) => name));
    expect(new Set(DRILLS.map(({ name }) => name)).size).to.equal(DRILLS.length);
    for (const { name, life, faults, needs, marks, holds } of DRILLS) {
      expect(name, name).to.match(/^[a-z]+(-[a-z]+)*$/);
      expect(life.length, name).to.be.within(20, 130);
      expect([...faults, ...needs, ...marks], `${name} shows that it struck`).not.to.deep.equal([]);
      for (const invariant of [...ALWAYS, ...holds]) expect(MEANINGS).to.have.property(invariant);
    }
    const readable = (await drill('--list')).out.join('\n');
    for (const { name, life } of DRILLS) expect(readable).to.contain(name).and.to.contain(life);
  });

  it('refuse a name that is none, and say which there are', async () => {
    const { code, err, out } = await drill('lost-fill', 'lost-fil');
    expect(code).to.equal(2);
    expect(out).to.deep.equal([]);
    for (const { name } of DRILLS) expect(err).to.contain(name);
    expect(err).to.contain('found: lost-fil');
    expect((await drill('--jobs', '0')).code).to.equal(2);
    expect((await drill('--config', 'none.yaml')).code).to.equal(2);
  });

  it('run with the settings of the operator, pass, and leave nothing behind', async () => {
    const { code, out, err, alone } = await real;
    expect(code, `${err}\n${out.join('\n')}`).to.equal(0);
    expect(err).to.equal('');
    expect(out).to.have.length(1);
    const told = JSON.parse(out.join('')) as Told;
    expect(told).to.include({ seed: 1, drills: 2, passed: 2 });
    expect(told.results.map(({ name, outcome }) => `${name} ${outcome}`)).to.deep.equal([
      'no-answer passed',
      'worker-killed passed',
    ]);
    for (const result of told.results) {
      expect(result).to.have.all.keys(
        'name',
        'outcome',
        'verdicts',
        'seconds',
        'attempts',
        'folder',
        'repeat',
      );
      expect(result.folder).to.equal(null);
      expect(result.verdicts.map(({ invariant }) => invariant)).to.include.members([...ALWAYS]);
      expect(result.verdicts.filter(({ evidence }) => evidence !== null)).to.deep.equal([]);
      expect(result.repeat).to.equal(`scalpd drill ${result.name} --seed 1 --config drill.yaml`);
    }
    expect(alone).to.equal(true);
    expect(readdirSync(temporary)).to.deep.equal([]);
    expect(readdirSync(cwd)).to.deep.equal(['drill.yaml']);
  });

  it('that struck nobody count as not hit, and keep their folder', async () => {
    const result = await harmless;
    if (result instanceof Error) throw result;
    expect(result.outcome).to.equal('notHit');
    expect(result.verdicts.filter(({ evidence }) => evidence !== null)).to.deep.equal([
      { invariant: 'struck', evidence: 'never struck: restServerError' },
    ]);
    expect(readdirSync(result.folder ?? '')).to.include.members(['logs', 'scalpd.db']);
  });
});

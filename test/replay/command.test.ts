import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type OpenJournal, openJournal } from '../../lib/adapters/journal/journal.ts';
import { runCli } from '../../lib/app/cli.ts';
import type { Io } from '../../lib/app/command.ts';
import { watchStopSignals } from '../../lib/app/signals.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { LaneCommand } from '../../lib/domain/lane-types.ts';
import { after as later, minutes } from '../../lib/domain/time.ts';
import type { DayReplay } from '../../lib/engine/replay.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { DAY, sessionOf, startDay } from '../engine/simulated-day.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const CONFIG = 'symbols: [{ symbol: SPY, lot: 2000 }]\n';
const SYMBOLS = ['BAC', 'F'] as Ticker[];

type Run = { readonly code: number; readonly out: readonly string[]; readonly err: readonly string[] };

async function run(cwd: string, ...args: string[]): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    write: (text) => out.push(text),
    isTty: false,
    env: {},
    cwd,
    readerGone: new AbortController().signal,
    stopSignals: () => watchStopSignals({ on: () => process, off: () => process }),
  };
  return { code: await runCli(args, io), out, err };
}

describe('scalpd replay', function () {
  this.timeout(60_000);
  const session = sessionOf('09:30', '10:30');
  let records: readonly StoredRecord[] = [];
  const open: OpenJournal[] = [];

  before(async () => {
    const day = await startDay({ seed: 3, session, symbols: SYMBOLS, printsPerDay: 3_000 });
    await day.runTo(later(session.openAt, minutes(35)));
    await day.restart();
    await day.finish();
    records = await day.journal.read(DAY);
  });
  afterEach(async () => {
    for (const journal of open.splice(0)) await journal.close();
    removeScratch();
  });

  /** A folder with a configuration, and the journal of a daemon that goes on running. */
  async function workplace(written = records): Promise<string> {
    const cwd = scratch();
    mkdirSync(join(cwd, 'config'));
    writeFileSync(join(cwd, 'config', 'scalpd.yaml'), CONFIG);
    const journal = await openJournal({ path: join(cwd, 'data', 'scalpd.db') });
    open.push(journal);
    await Promise.all(written.map((record) => journal.append(record)));
    return cwd;
  }

  it('beside the daemon that writes the journal: every decision is the same', async () => {
    const cwd = await workplace();
    const { code, out, err } = await run(cwd, 'replay', DAY);
    expect(err).to.deep.equal([]);
    expect(code, out.join('\n')).to.equal(0);
    expect(out[0]).to.contain(`${DAY} from data/scalpd.db: ${records.length} records written by unknown`);
    for (const symbol of SYMBOLS) expect(out.join('\n')).to.match(new RegExp(`\\n${symbol} .* -\\n`));
    expect(out.at(-1)).to.match(/^Every recorded decision is the same: \d+ steps of 2 lanes\.$/);
    // It was only read: the daemon goes on.
    const [journal] = open;
    await journal?.append({ day: DAY, at: session.closeAt, kind: 'operator', symbol: null, body: {} });
    const one = await run(cwd, 'replay', DAY, '--symbol', 'bac', '--json');
    const { lanes, same } = JSON.parse(one.out.join('')) as DayReplay & { same: boolean };
    expect(lanes.map(({ symbol }) => symbol)).to.deep.equal(['BAC']);
    expect([one.code, same]).to.deep.equal([0, true]);
  });

  it('on the files that a killed daemon left behind', async () => {
    const cwd = await workplace();
    const dead = scratch();
    for (const name of readdirSync(join(cwd, 'data')))
      copyFileSync(join(cwd, 'data', name), join(dead, name));
    const { code, out } = await run(cwd, 'replay', DAY, '--journal', join(dead, 'scalpd.db'));
    expect(code, out.join('\n')).to.equal(0);
  });

  it('shows the first decision that differs, and ends with 1', async () => {
    const index = records.findIndex(
      ({ kind, symbol, body }) =>
        kind === 'decision' && symbol === 'F' && JSON.stringify(body).includes('"purpose":"entry"'),
    );
    const changed = records.map((record, at) => {
      if (at !== index) return record;
      const { step, commands } = record.body as { step: number; commands: readonly LaneCommand[] };
      return { ...record, body: { step, commands: commands.slice(0, -1) } };
    });
    const cwd = await workplace(changed);
    const { code, out } = await run(cwd, 'replay', DAY);
    const text = out.join('\n');
    expect(code).to.equal(1);
    expect(text).to.contain(`decision ${index + 1}`);
    expect(text).to.match(
      /recorded {2}nothing\n +replayed {2}submit buy \d+ limit [\d.]+ \(entry\) scalpd-20261005-F-1-0/,
    );
    expect(text).to.contain('one lane of 2 decide');
  });

  it('shows what another setting would have changed, and what can be compared after it', async () => {
    const cwd = await workplace();
    const { code, out } = await run(cwd, 'replay', DAY, '--set', 'strategy.period=5', '--set', 'lot=1000');
    const text = out.join('\n');
    expect(code).to.equal(1);
    expect(text).to.contain('with strategy.period=5, lot=1000');
    expect(text).to.contain('the strategy says something else');
    expect(text).to.contain('signals are compared, fills are not');
    const same = await run(cwd, 'replay', DAY, '--set', 'strategy.period=20');
    expect(same.code).to.equal(0);
    expect(same.out.at(-1)).to.contain('Nothing would have been decided differently');
  });

  it('takes a strategy of your own by its path, and says when there is none', async () => {
    const cwd = await workplace();
    writeFileSync(
      join(cwd, 'never.mjs'),
      "export default { name: 'never', check: () => [], open: () => 0, onBar: (state) => ({ state, signal: 'none', facts: {} }) };",
    );
    const { out } = await run(cwd, 'replay', DAY, '--set', 'strategy.name=./never.mjs', '--json');
    const { lanes } = JSON.parse(out.join('')) as DayReplay;
    for (const { change } of lanes) expect(change?.signals).to.include({ replayed: 0, added: 0 });
    const absent = await run(cwd, 'replay', DAY, '--set', 'strategy.name=./absent.mjs');
    expect(absent.code).to.equal(2);
    expect(absent.err.join('\n')).to.match(/^command line: strategy file:.*absent\.mjs cannot be loaded/);
  });

  const wrong: Readonly<Record<string, readonly [args: readonly string[], says: string]>> = {
    'a day that is none': [['2026-13-01'], 'DAY: allowed: a day, YYYY-MM-DD; found: 2026-13-01'],
    'a day without records': [
      ['2026-10-06'],
      'data/scalpd.db has no records of 2026-10-06; it has 2026-10-05',
    ],
    'a lane that did not trade': [[DAY, '-s', 'SPY'], 'data/scalpd.db has no lane SPY on 2026-10-05'],
    'a symbol that is none': [[DAY, '-s', '12'], '--symbol: allowed: a US equity symbol'],
    'an unknown setting': [[DAY, '--set', 'exit.markupp=1'], 'did you mean markup?'],
    'a value out of range': [
      [DAY, '--set', 'strategy.period=1'],
      'period must be a whole number from 2 to 390',
    ],
    'a setting that no lane reads': [[DAY, '--set', 'feed=sip'], 'one that a lane decides by'],
    'a file that is not there': [[DAY, '--journal', 'other.db'], 'the journal must exist'],
    'a file of another program': [[DAY, '--journal', 'config/scalpd.yaml'], 'journal.corrupt'],
    'no day': [[], "missing required argument 'DAY'"],
  };
  it('refuses what it cannot replay', async () => {
    const cwd = await workplace(records.slice(0, 50));
    for (const [name, [args, says]] of Object.entries(wrong)) {
      const { code, out, err } = await run(cwd, 'replay', ...args);
      expect(err.join('\n'), name).to.contain(says);
      expect(out, name).to.deep.equal([]);
      expect(code, name).to.equal(name === 'a file of another program' ? 1 : 2);
    }
  });
});

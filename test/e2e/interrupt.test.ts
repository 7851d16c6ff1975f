import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval as every, setTimeout as instant } from 'node:timers/promises';
import { expect } from 'chai';
import { JournalError } from '../../lib/adapters/journal/journal-error.ts';
import { openJournalReader } from '../../lib/adapters/journal/read-day.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { type Child, type Ending, killChildren, startScalpd } from './support/child.ts';

/** Three and a half hours in 21 s, for days that end early. */
const SPEED = '600';
/** In 42 s, for those that must be flat in time: the last five minutes before the close last a second. */
const WHOLE_DAY_SPEED = '300';
const HALF_DAY = `
symbols: [${['SPY', 'AAPL', 'JPM', 'XOM', 'KO'].map((symbol) => `{ symbol: ${symbol}, lot: 2000 }`).join(', ')}]
exchange: { day: 2026-11-27 }
`;
/** A stop takes 28 s of wall time at the most, start included. */
const LIMIT_MILLIS = 150_000;
const SEED = Number(process.env.SCALPD_SEED ?? 7);

type Demo = { readonly child: Child; readonly cwd: string; readonly temporary: string };

function startDemo(speed: string, ...args: string[]): Demo {
  const [cwd, temporary] = [scratch(), scratch()];
  const config = join(cwd, 'half-day.yaml');
  writeFileSync(config, HALF_DAY);
  const child = startScalpd({
    cwd,
    args: ['demo', '--speed', speed, '--config', config, ...args],
    env: { TMPDIR: temporary },
  });
  return { child, cwd, temporary };
}

/** Resolves with the n-th round trip that the demo tells of. */
function tripsOf({ child }: Demo, count: number): Promise<string> {
  const trips = new Set<string>();
  return child.line((line) => line.includes('round trip:') && trips.add(line).size >= count);
}

/** Nothing is printed with `--json`: the journal tells that the lanes are there. */
async function sessionBegan({ temporary }: Demo): Promise<void> {
  for await (const _ of every(100)) {
    const [folder] = readdirSync(temporary).filter((name) => name.startsWith('scalpd-demo-'));
    const path = join(temporary, folder ?? '', 'demo.db');
    if (folder !== undefined && recordsIn(path).some(isBegin)) return;
  }
}

function recordsIn(path: string): readonly StoredRecord[] {
  try {
    const reader = openJournalReader(path);
    try {
      return reader.days().flatMap(({ day }) => reader.page(day, 0, 1_000));
    } finally {
      reader.close();
    }
  } catch (cause) {
    // It is being made.
    if (cause instanceof JournalError) return [];
    throw cause;
  }
}

const isBegin = ({ kind, body }: StoredRecord): boolean =>
  kind === 'session' && (body as { readonly what?: string }).what === 'began';

/** The promise: flat and 0, or 4 and a line for each thing that is open; in time, and nothing left behind. */
async function expectCleanEnd({ child, temporary }: Demo): Promise<Ending> {
  const ending = await child.ended;
  const shown = `exit ${ending.code} ${ending.signal}\n${ending.err}\n${ending.out.slice(-25).join('\n')}\n`;
  expect(ending.alone, shown).to.equal(true);
  expect(readdirSync(temporary), shown).to.deep.equal([]);
  expect(shown).not.to.match(/^\s+at /m);
  if (ending.code === 4) {
    expect(ending.err, shown).to.match(/not flat: [A-Z.]+: \d+ /);
  } else {
    expect(ending.code, shown).to.equal(0);
    expect(ending.err, shown).to.equal('');
  }
  return ending;
}

/** The report says what is open before the certificate says whether it is proven. */
function expectLastWord(out: readonly string[]): void {
  expect(out.some((line) => /^(flat$|open: )/.test(line))).to.equal(true);
  expect(out.some((line) => line.startsWith('certificate: '))).to.equal(true);
}

describe(`end to end: a demo that is interrupted (SCALPD_SEED=${SEED})`, function () {
  this.timeout(LIMIT_MILLIS);
  const random = createRandom(`interrupt/${SEED}`);

  /** These need the whole day, so they run beside the others: each resolves with its end, or with what went wrong. */
  let longRuns: Readonly<Record<'flatten' | 'close' | 'reader', Promise<Ending | Error>>>;
  const finish = async (name: keyof typeof longRuns): Promise<Ending> => {
    const ending = await longRuns[name];
    if (ending instanceof Error) throw ending;
    return ending;
  };

  before(() => {
    const begin = (story: (demo: Demo) => Promise<Ending>): Promise<Ending | Error> =>
      story(startDemo(WHOLE_DAY_SPEED)).catch((cause: unknown) =>
        cause instanceof Error ? cause : new Error(String(cause)),
      );
    longRuns = {
      flatten: begin(async (demo) => {
        // The progress line comes every 5 s: the last one before 12:55, and from there to somewhere around the flatten.
        await demo.child.line((line) => /^12:[0-4]\d:\d\d {2}5 lanes/.test(line));
        await instant(random.integer(1_000, 5_000));
        if (demo.child.isRunning()) demo.child.signal('SIGINT');
        return expectCleanEnd(demo);
      }),
      close: begin(async (demo) => {
        await demo.child.line((line) => line.startsWith('round trips: '));
        if (demo.child.isRunning()) demo.child.signal('SIGINT');
        return expectCleanEnd(demo);
      }),
      reader: begin(async (demo) => {
        await demo.child.line((line) => line.includes('lane started'));
        demo.child.hangUp();
        return expectCleanEnd(demo);
      }),
    };
  });
  after(async () => {
    await killChildren();
    removeScratch();
  });

  const instants: Readonly<Record<string, (demo: Demo) => Promise<unknown>>> = {
    'before the lanes start': ({ child }) => child.line((line) => line.includes('a thread each')),
    'while the lanes start': ({ child }) => child.line((line) => line.includes('lane started')),
    'with the first trades under way': (demo) => tripsOf(demo, 1),
    'in mid-session': (demo) => tripsOf(demo, 3),
  };
  for (const [when, arrives] of Object.entries(instants)) {
    const pause = random.integer(0, 500);
    it(`gets out on Ctrl-C ${when}, ${pause} ms later`, async () => {
      const demo = startDemo(SPEED);
      await arrives(demo);
      await instant(pause);
      demo.child.signal('SIGINT');
      const { out } = await expectCleanEnd(demo);
      expect(out.some((line) => line.startsWith('round trips: '))).to.equal(true);
      expectLastWord(out);
    });
  }

  it('takes SIGTERM for the same, with the report as JSON', async () => {
    const demo = startDemo(SPEED, '--json');
    await sessionBegan(demo);
    await instant(random.integer(0, 3_000));
    demo.child.signal('SIGTERM');
    const { out, code } = await expectCleanEnd(demo);
    const report = JSON.parse(out.join('\n')) as { readonly flat: boolean };
    expect(report.flat).to.equal(code === 0);
  });

  it('goes on getting out when Ctrl-C comes again', async () => {
    const { child } = await afterTrips(2);
    child.signal('SIGINT');
    // What npm passes on a moment later is the same press.
    child.signal('SIGINT');
    await instant(1_100);
    if (child.isRunning()) child.signal('SIGINT');
    const { code, err, alone } = await child.ended;
    expect(code, err).to.be.oneOf([0, 4]);
    const rest = err.replaceAll(/^scalpd: SIGINT again: still getting out$/gm, '').trim();
    expect(rest).to.match(code === 0 ? /^$/ : /^scalpd: not flat: .*$/);
    expect(alone).to.equal(true);
  });

  it('gets out on Ctrl-C around the flatten', async () => {
    const { out } = await finish('flatten');
    expectLastWord(out);
  });

  it('ends as it would have when Ctrl-C comes after the close', async () => {
    expect((await finish('close')).code).to.equal(0);
  });

  it('trades on to the end of the day when its reader goes away', async () => {
    expect((await finish('reader')).code).to.equal(0);
  });

  async function afterTrips(count: number): Promise<Demo> {
    const demo = startDemo(SPEED);
    await tripsOf(demo, count);
    return demo;
  }
});

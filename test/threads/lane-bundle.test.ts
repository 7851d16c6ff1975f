import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { projectFile } from '../../lib/app/project.ts';
import type { LaneInputMessage } from '../../lib/ports/lane-protocol.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import {
  barInput,
  commandsOf,
  fixtureUrl,
  laneStart,
  openWatchedLanes,
  SPY,
  type WatchedLanes,
} from './lanes-fixture.ts';

type Bundler = { bundleLane(root: string, folder: string, bundle: string): void };

const BUILD = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** What a lane may be made of. */
const LEAN =
  /^(workers\/lane|lib\/(domain|ports|strategy|engine)\/.*|lib\/adapters\/threads\/.*|node_modules\/comlink\/.*)\.ts$/;

describe('the bundle of a lane', function () {
  this.timeout(120_000);
  let bundle = '';
  let lanes: WatchedLanes | null = null;

  before(async () => {
    bundle = join(scratch(), 'lane.cjs');
    const script = pathToFileURL(projectFile('scripts/bootstrap-bundle.mjs')).href;
    ((await import(script)) as Bundler).bundleLane(projectFile('.'), BUILD, bundle);
  });
  afterEach(async () => {
    await lanes?.host.close();
    lanes = null;
  });
  after(removeScratch);

  it('holds nothing of log, calendar, configuration, HTTP or the SDK', () => {
    const { sources } = JSON.parse(readFileSync(`${bundle}.map`, 'utf8')) as { readonly sources: string[] };
    const paths = sources.map((source) => source.replace(/^.*?(?=(workers|lib|node_modules)\/)/, ''));
    expect(paths).to.include('lib/domain/lane.ts');
    expect(paths.filter((path) => !LEAN.test(path))).to.deep.equal([]);
  });

  it('needs no file but itself until a strategy does', () => {
    const text = readFileSync(bundle, 'utf8');
    const needed = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name ?? '');
    expect(needed).to.include('node:worker_threads');
    expect(needed.filter((name) => !builtinModules.includes(name.replace('node:', '')))).to.deep.equal([]);
    expect(needed).not.to.include.members(['node:net', 'node:http', 'node:https', 'node:tls']);
  });

  it('runs a strategy that imports the program from its files', async () => {
    lanes = openWatchedLanes({ workerUrl: pathToFileURL(bundle) });
    await lanes.host.start([laneStart(SPY, { name: fixtureUrl('reads-domain.js') })]);
    lanes.host.setMark(SPY, { price: 1_000_000 as never, at: barInput(SPY, 1).at });
    lanes.host.post(SPY, barInput(SPY, 1));
    const { uplinks } = lanes;
    await lanes.until(() => uplinks.some(({ kind }) => kind === 'decided'));
    expect(commandsOf(uplinks, SPY).map(({ kind }) => kind)).to.include('submit');
    expect(await lanes.host.control(SPY).status()).to.deep.include({ barsSeen: 1, facts: { bars: 1 } });
  });

  it('names the source of what it throws', async () => {
    lanes = openWatchedLanes({ workerUrl: pathToFileURL(bundle) });
    await lanes.host.start([laneStart(SPY)]);
    lanes.host.post(SPY, { kind: 'nonsense', at: barInput(SPY, 1).at } as unknown as LaneInputMessage);
    const { losses } = lanes;
    await lanes.until(() => losses.length > 0);
    expect(losses[0]?.loss.text).to.match(/\(at .*lib\/[a-z/-]+\.ts:\d+:\d+/);
  });
});

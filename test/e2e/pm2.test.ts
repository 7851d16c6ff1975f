import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { projectFile } from '../../lib/app/project.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { cleanEnvironment, killChildren, SCALPD_URL } from './support/child.ts';
import { eventsOf, type LogLine, readLog, untilLogged } from './support/daemon-log.ts';
import { type Exchange, expectFlat, startExchange } from './support/exchange.ts';
import { expectSoundHistory, readOrders, readPositions } from './support/order-history.ts';

const PM2 = projectFile('node_modules/pm2/bin/pm2');
const SYMBOLS = ['SPY', 'AAPL', 'MSFT', 'NVDA', 'JPM', 'XOM', 'KO', 'F'];

/** Stands where the one that installs and builds stands in a clone: here everything is built, it only hands over. */
const BOOTSTRAP = `
process.argv = [process.execPath, 'scalpd', ...process.argv.slice(3)];
await import(${JSON.stringify(SCALPD_URL.href)});
`;

type App = {
  readonly pid: number;
  readonly pm2_env: { readonly status: string; readonly restart_time: number; readonly exit_code?: number };
};

describe('end to end: under pm2', () => {
  let home = '';
  let exchange: Exchange;

  const pm2 = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, [PM2, ...args], {
      cwd: home,
      env: cleanEnvironment({ ...exchange.env, PM2_HOME: join(home, '.pm2') }),
    });
    return stdout;
  };
  async function app(): Promise<App> {
    const list = await pm2('jlist');
    const [found] = JSON.parse(list.slice(list.indexOf('['))) as readonly App[];
    if (found === undefined) throw new Error(`pm2 must know its app: ${list}`);
    return found;
  }
  const configure = (shutdown: 'flatten' | 'hold', more = ''): void => {
    const symbols = SYMBOLS.map((symbol) => `  - { symbol: ${symbol}, lot: 2000 }`).join('\n');
    writeFileSync(
      join(home, 'config', 'scalpd.yaml'),
      `symbols:\n${symbols}\nshutdown: ${shutdown}\n${more}`,
    );
  };
  const log = (): readonly LogLine[] => readLog(home);
  const untilHolding = (skip: number): Promise<LogLine> =>
    untilLogged(home, ({ event, purpose }) => event === 'order.submitted' && purpose === 'exit', skip);

  /** pm2 hears of it a moment before the file has the line. */
  const untilReady = (skip: number): Promise<LogLine> =>
    untilLogged(home, ({ event }) => event === 'daemon.ready', skip);

  beforeEach(async () => {
    home = scratch();
    for (const folder of ['scripts', 'config', 'logs']) mkdirSync(join(home, folder));
    writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(home, 'scripts', 'bootstrap.mjs'), BOOTSTRAP);
    cpSync(projectFile('ecosystem.config.js'), join(home, 'ecosystem.config.js'));
    exchange = await startExchange(scratch(), [
      '--symbols',
      SYMBOLS.join(','),
      '--speed',
      '60',
      '--start',
      '10:30',
    ]);
  });
  afterEach(async function () {
    this.timeout(120_000);
    await pm2('kill');
    await killChildren();
    removeScratch();
  });

  it('is ready when pm2 says so, hands its sockets on in a reload, and is flat after a stop', async function () {
    this.timeout(180_000);
    configure('flatten');
    await pm2('start', 'ecosystem.config.js');
    await untilReady(0);
    expect(eventsOf(log(), 'lane.started')).to.have.length(SYMBOLS.length);
    const { pid } = await app();
    await untilHolding(0);

    const first = log().length;
    await pm2('reload', 'scalpd');
    expect((await app()).pid).not.to.equal(pid);
    await untilReady(first);
    expect(eventsOf(log(), 'daemon.ready')).to.have.length(2);
    expectPoliteEnd(log(), true);
    const second = log().length;
    await untilHolding(second);

    await pm2('stop', 'scalpd');
    const { pm2_env } = await app();
    expect(pm2_env.status).to.equal('stopped');
    expectPoliteEnd(log(), true);
    for (const { state, text } of eventsOf(log(), 'feed.state'))
      expect(state, String(text)).not.to.be.oneOf(['slotTaken', 'refused', 'waiting']);
    expect(await readPositions(exchange)).to.deep.equal({});
    expectSoundHistory(await readOrders(exchange));
    // pm2's own capture tells no more than the log, and nothing that is none.
    const captured = readFileSync(join(home, 'logs', 'pm2.log'), 'utf8').trim();
    expect(captured).not.to.match(/^\s+at /m);
    expectFlat(await exchange.finish());
  });

  it('leaves the exit resting and nothing else when it is told to hold, and takes it up again', async function () {
    this.timeout(180_000);
    configure('hold');
    await pm2('start', 'ecosystem.config.js');
    await untilHolding(0);
    await pm2('stop', 'scalpd');
    expect((await app()).pm2_env.status).to.equal('stopped');
    const left = await heldByExits(exchange);
    expectPoliteEnd(log(), Object.keys(left).length === 0 ? true : null);

    configure('flatten');
    const before = log().length;
    await pm2('restart', 'scalpd');
    await untilLogged(home, ({ event }) => event === 'lane.roundTrip', before);
    await pm2('stop', 'scalpd');
    expectPoliteEnd(log(), true);
    expect(eventsOf(log(), 'reconcile.discrepancy')).to.deep.equal([]);
    expectSoundHistory(await readOrders(exchange));
    expectFlat(await exchange.finish());
  });

  it('does not come back from a mistake in its configuration', async function () {
    this.timeout(120_000);
    configure('flatten', 'lots: 3\n');
    await pm2('start', 'ecosystem.config.js');
    const { pid, pm2_env } = await app();
    // `status` is no witness: with a growing pause configured, pm2 writes "waiting restart" and never does.
    expect(pid).to.equal(0);
    expect(pm2_env).to.include({ exit_code: 2, restart_time: 0 });
    expect(readFileSync(join(home, 'logs', 'pm2.log'), 'utf8')).to.include('config/scalpd.yaml:11:1 lots: ');
    await exchange.finish();
  });
});

/** The last daemon closed both sockets itself, in time; flat if that is known. */
function expectPoliteEnd(log: readonly LogLine[], flat: boolean | null): void {
  const ended = eventsOf(log, 'engine.stopped').at(-1);
  expect(ended?.inTime).to.equal(true);
  if (flat !== null) expect(ended?.flat, JSON.stringify(ended)).to.equal(flat);
  const closed = eventsOf(log, 'feed.state').filter(({ state }) => state === 'closed');
  expect(closed.slice(-2).map(({ feed }) => feed)).to.have.members(['trade', 'data']);
}

/** Shares held by symbol, each covered by one resting sell of just that size; read again when the market moved between. */
async function heldByExits(exchange: Exchange): Promise<Readonly<Record<string, number>>> {
  for (;;) {
    const positions = await readPositions(exchange);
    const open = (await readOrders(exchange)).filter(({ until }) => until === null);
    if (JSON.stringify(await readPositions(exchange)) !== JSON.stringify(positions)) continue;
    for (const order of open) expect(order).to.include({ side: 'sell', type: 'limit' });
    const covered = open.map(({ symbol, qty, filledQty }) => [symbol, qty - filledQty] as const);
    expect(Object.fromEntries(covered)).to.deep.equal(positions);
    expect(covered).to.have.length(Object.keys(positions).length);
    return positions;
  }
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { LaneReport } from '../../lib/adapters/control/lane-report.ts';
import type { ControlHandlers, ControlRequest } from '../../lib/adapters/control/protocol.ts';
import { type ControlServer, startControlServer } from '../../lib/adapters/control/server.ts';
import type { StatusView } from '../../lib/adapters/control/status-view.ts';
import { runCli } from '../../lib/app/cli.ts';
import type { Io } from '../../lib/app/command.ts';
import { projectVersion } from '../../lib/app/project.ts';
import { watchStopSignals } from '../../lib/app/signals.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const COMMANDS = [
  'run',
  'demo',
  'exchange',
  'check',
  'status',
  'tail',
  'pause',
  'resume',
  'flatten',
  'adopt',
  'kill',
];
const CONFIG = 'symbols: [{ symbol: SPY, lot: 2000 }]\n';

const STATUS: StatusView = {
  state: 'trading',
  at: '2026-10-05T15:00:00.000000Z',
  session: null,
  nextOpensAt: null,
  dataFeed: { state: 'live', detail: '' },
  tradeFeed: { state: 'waiting', detail: 'reconnecting in 2 s' },
  overloadedSince: '2026-10-05T14:59:30.000000Z',
  buyingPowerUsd: '100000.00',
  dayPnlUsd: null,
  roundTrips: 3,
  flat: false,
  latch: 'killed by ann: news',
  journalBroken: false,
  journalLost: 0,
  secondsToFlatten: 1.5,
  lanesStuck: 1,
  flattening: {
    reason: 'kill',
    since: '2026-10-05T14:59:00.000000Z',
    lanes: 4,
    left: 1,
    forecastSeconds: 20.5,
  },
  requestsWaiting: 0,
  requestsFree: 187,
  requestsFreeForEntries: 147,
  ordersUnknown: 0,
  discrepancies: [{ symbol: 'SPY', code: 'foreignShares', evidence: 'broker 5, ours 0' }] as never,
  lanes: [
    {
      symbol: 'SPY',
      stage: 'exiting',
      mode: 'exitOnly',
      because: ['discrepancy'],
      gate: 'tradeFeedDown',
      owner: 'custodian',
      threadId: 3,
      halted: false,
      shares: 19,
      markUsd: '100.20',
      entries: 4,
      roundTrips: 3,
      realizedUsd: '1.20',
    },
  ],
};

const LANE: LaneReport = {
  symbol: 'SPY',
  threadId: 3,
  heapUsedBytes: 7_940_000,
  at: '2026-10-05T15:00:00.000000Z',
  stage: 'exiting',
  mode: 'active',
  gate: 'tradeFeedDown',
  halted: true,
  shares: 19,
  orders: [{ clientOrderId: 'scalpd-20261005-SPY-4-0', side: 'sell', qty: 19, state: 'working' }],
  entries: 4,
  roundTrips: 3,
  realizedUsd: '1.20',
  barsSeen: 42,
  facts: { close: 100.2, sma: 100.15 },
};

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
  const code = await runCli(args, io);
  return { code, out, err };
}

function workplace(config = CONFIG): string {
  const folder = scratch();
  mkdirSync(join(folder, 'config'));
  writeFileSync(join(folder, 'config', 'scalpd.yaml'), config);
  return folder;
}

describe('command line', () => {
  let server: ControlServer | null = null;
  const heard: ControlRequest[] = [];
  const daemon = async (folder: string): Promise<void> => {
    const note = (request: ControlRequest) => {
      heard.push(request);
      return { ok: true as const, value: { ordered: true } };
    };
    const handlers: ControlHandlers = {
      status: () => ({ ok: true, value: STATUS }),
      lane: ({ symbol }) =>
        symbol === 'SPY'
          ? { ok: true, value: LANE }
          : symbol === 'AAPL'
            ? { ok: false, code: 'laneSilent', text: 'AAPL does not answer' }
            : { ok: false, code: 'unknownSymbol', text: `a lane is one of SPY, AAPL; found: ${symbol}` },
      pause: note,
      flatten: note,
      kill: note,
      adopt: ({ symbol }) =>
        symbol === 'SPY'
          ? {
              ok: true,
              value: { kind: 'done', symbol, shares: 12, averagePriceUsd: '101.50', canceled: ['b1'] },
            }
          : { ok: false, code: 'nothingToAdopt', text: 'nothing is there' },
      resume: () => ({ ok: false, code: 'latched', text: 'a latch is cleared on purpose' }),
    };
    server = await startControlServer({ path: join(folder, 'data', 'scalpd.sock'), handlers });
  };
  afterEach(async () => {
    await server?.close();
    server = null;
    heard.splice(0);
    removeScratch();
  });

  it('prints its version and its help', async () => {
    expect(await run('.', '--version')).to.deep.equal({ code: 0, out: [projectVersion()], err: [] });
    const help = await run('.', '--help');
    expect(help.code).to.equal(0);
    for (const command of COMMANDS) {
      expect(help.out.join('\n')).to.include(`\n  ${command}`);
      const own = await run('.', command, '--help');
      expect(own.code, command).to.equal(0);
      expect(own.out.join('\n'), command).to.include('Usage: scalpd');
    }
  });

  const wrong: Readonly<Record<string, readonly string[]>> = {
    'no command': [],
    'an unknown command': ['sell'],
    'an unknown option': ['status', '--fast'],
    'too many arguments': ['pause', 'SPY', 'AAPL'],
    'a wait without end': ['kill', '--wait', 'forever'],
    'an adoption without a symbol': ['adopt'],
    'a count that is none': ['tail', '-n', 'many'],
  };
  for (const [what, args] of Object.entries(wrong))
    it(`answers ${what} with exit code 2 and a word about it`, async () => {
      const { code, out, err } = await run(workplace(), ...args);
      expect(code).to.equal(2);
      expect(out).to.deep.equal([]);
      expect(err.join('\n')).to.match(/./);
    });

  it('reports every mistake of the configuration with exit code 2, as JSON when asked', async () => {
    const folder = workplace('symbols: [{ symbol: spy, lot: 2000 }]\nfeed: nyse\n');
    const { code, err } = await run(folder, 'check');
    expect(code).to.equal(2);
    expect(err[0]).to.match(/^config\/scalpd.yaml:1:21 symbols\[0\].symbol: /);
    expect(err[1]).to.match(/^config\/scalpd.yaml:2:7 feed: /);
    expect(err[2]).to.include('2 mistakes');
    const json = await run(folder, 'status', '--json');
    expect(json.code).to.equal(2);
    expect(JSON.parse(json.out[0] ?? ''))
      .to.have.property('mistakes')
      .with.length(2);
    expect((await run(folder, 'check', '--config', 'nowhere.yaml')).err[0]).to.include('nowhere.yaml');
  });

  it('judges the options of the strategy by its own check', async () => {
    const { code, err } = await run(
      workplace(`${CONFIG}strategy: { name: sma-cross, period: none }\n`),
      'check',
    );
    expect(code).to.equal(2);
    expect(err[0]).to.include('strategy').and.include('period');
    expect((await run(workplace(`${CONFIG}strategy: { name: best }\n`), 'check')).code).to.equal(2);
  });

  it('says with exit code 3 that no daemon runs', async () => {
    const { code, err } = await run(workplace(), 'status');
    expect(code).to.equal(3);
    expect(err[0]).to.include('no scalpd is running here');
  });

  it('shows what the daemon does, the unusual first', async () => {
    const folder = workplace();
    await daemon(folder);
    const { code, out } = await run(folder, 'status');
    expect(code).to.equal(0);
    expect(out.slice(0, 4)).to.deep.equal([
      'LATCHED    killed by ann: news',
      'OVERLOADED since 2026-10-05T14:59:30.000000Z: more market data than can be taken, entries are shut',
      'FLATTENING kill since 2026-10-05T14:59:00.000000Z: 1 of 4 lanes left, 1.5 s to go (forecast at the start 20.5 s)',
      'DISAGREES  SPY foreignShares: broker 5, ours 0',
    ]);
    expect(out).to.include('gateway    0 requests waiting, 187 may leave now (entries: 147)');
    expect(out.at(-2)).to.match(/^symbol +stage +mode/);
    expect(out.at(-1)).to.match(
      /^SPY +exiting +exitOnly +tradeFeedDown +19 +100.20 +3 +1.20 +discrepancy, custodian$/,
    );
    const json = await run(folder, 'status', '--json');
    expect(JSON.parse(json.out.join('\n'))).to.deep.equal(STATUS);
  });

  it('shows one lane as its own thread sees it', async () => {
    const folder = workplace();
    await daemon(folder);
    const { code, out } = await run(folder, 'status', '--lane', 'spy');
    expect(code).to.equal(0);
    expect(out).to.deep.equal([
      'lane       SPY, thread 3, heap 7.9 MB',
      'state      exiting (halted), active, entries tradeFeedDown',
      'time       2026-10-05T15:00:00.000000Z (the latest it has seen)',
      'holds      19 shares; sell 19 scalpd-20261005-SPY-4-0 (working)',
      'strategy   42 bars seen; close 100.2, sma 100.15',
      'today      4 entries, 3 round trips, realized 1.20',
    ]);
    const json = await run(folder, 'status', '--lane', 'SPY', '--json');
    expect(JSON.parse(json.out.join('\n'))).to.deep.equal(LANE);
  });

  it('tells a lane that does not answer from a symbol that has none', async () => {
    const folder = workplace();
    await daemon(folder);
    expect(await run(folder, 'status', '--lane', 'AAPL')).to.deep.equal({
      code: 1,
      out: [],
      err: ['scalpd: AAPL does not answer (laneSilent)'],
    });
    const unknown = await run(folder, 'status', '--lane', 'ibm');
    expect(unknown.code).to.equal(2);
    expect(unknown.err).to.deep.equal(['scalpd: a lane is one of SPY, AAPL; found: IBM (unknownSymbol)']);
  });

  it('passes orders on, with their reason and the name of the person', async () => {
    const folder = workplace();
    await daemon(folder);
    expect((await run(folder, 'pause', 'spy', '--why', 'news')).out).to.deep.equal(['paused: SPY']);
    expect((await run(folder, 'flatten')).out).to.deep.equal(['getting out: all lanes']);
    expect((await run(folder, 'kill', '--why', 'enough')).code).to.equal(0);
    expect(heard.map(({ by, ...rest }) => (by === '' ? 'nobody' : rest))).to.deep.equal([
      { kind: 'pause', symbol: 'SPY', why: 'news' },
      { kind: 'flatten', symbol: null, why: 'not said' },
      { kind: 'kill', why: 'enough' },
    ]);
    const adopted = await run(folder, 'adopt', 'spy', '--why', 'mine');
    expect(adopted.out).to.deep.equal([
      'canceled: 1 orders of others',
      'adopted: 12 SPY at 101.50; the lane sells them',
    ]);
    const nothing = await run(folder, 'adopt', 'ibm', '--json');
    expect([nothing.code, JSON.parse(nothing.out[0] ?? '')]).to.deep.equal([
      1,
      { ok: false, code: 'nothingToAdopt', text: 'nothing is there' },
    ]);
    const refused = await run(folder, 'resume');
    expect(refused.code).to.equal(1);
    expect(refused.err).to.deep.equal(['scalpd: a latch is cleared on purpose (latched)']);
  });

  it('checks the embedded mode without a connection', async () => {
    const { code, out } = await run(workplace(), 'check', '--json');
    expect(code).to.equal(0);
    expect(JSON.parse(out[0] ?? '')).to.deep.include({ ok: true });
  });

  it('checks keys before it connects', async () => {
    const { code, err } = await run(workplace(`${CONFIG}account: { mode: paper }\n`), 'check');
    expect(code).to.equal(2);
    expect(err.join('\n')).to.include('APCA_API_KEY_ID').and.include('APCA_API_SECRET_KEY');
  });
});

describe('stop signals', () => {
  it('take a Ctrl-C that arrives twice as one press, and a later one as another', () => {
    const handlers = new Map<string | symbol, (name: NodeJS.Signals) => void>();
    let millis = 0;
    const source = {
      on: (name: string | symbol, handler: (signal: NodeJS.Signals) => void) => {
        handlers.set(name, handler);
        return process;
      },
      off: (name: string | symbol) => {
        handlers.delete(name);
        return process;
      },
    };
    const signals = watchStopSignals(source as never, () => millis);
    const again: string[] = [];
    signals.onAgain((name) => again.push(name));
    const press = (name: NodeJS.Signals): void => handlers.get(name)?.(name);
    press('SIGINT');
    millis = 5;
    press('SIGINT');
    expect(signals.first.aborted).to.equal(true);
    expect(signals.first.reason).to.equal('SIGINT');
    expect(again).to.deep.equal([]);
    millis = 3_000;
    press('SIGTERM');
    millis = 3_004;
    press('SIGTERM');
    expect(again).to.deep.equal(['SIGTERM']);
    let kills = 0;
    // One that came before anybody asked counts as well.
    press('SIGUSR2');
    signals.onKill(() => {
      kills += 1;
    });
    press('SIGUSR2');
    expect(kills).to.equal(2);
    signals.release();
    expect(handlers.size).to.equal(0);
  });
});

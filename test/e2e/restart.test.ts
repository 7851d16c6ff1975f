import { setTimeout as instant } from 'node:timers/promises';
import { expect } from 'chai';
import type { SessionReport } from '../../lib/engine/report.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { type Child, killChildren, runScalpd, startScalpd } from './support/child.ts';
import { eventOf, eventsOf, type LogLine, readLog, untilLogged } from './support/daemon-log.ts';
import { type Exchange, expectAgreement, startExchange } from './support/exchange.ts';
import { expectSoundHistory, readOrders, readPositions } from './support/order-history.ts';

const SEED = Number(process.env.SCALPD_SEED ?? 7);
const SYMBOLS = 'SPY,AAPL,MSFT,NVDA,JPM,XOM,KO,F';

describe(`end to end: a daemon that is killed (SCALPD_SEED=${SEED})`, () => {
  const random = createRandom(`restart/${SEED}`);
  let exchange: Exchange;
  let cwd = '';

  beforeEach(async () => {
    exchange = await startExchange(scratch(), ['--symbols', SYMBOLS, '--speed', '90', '--start', '10:30']);
    cwd = scratch();
  });
  afterEach(async () => {
    await killChildren();
    removeScratch();
  });

  const daemon = (...args: string[]): Child =>
    startScalpd({ cwd, args: ['run', ...exchange.symbols, '--lot', '2000', ...args], env: exchange.env });

  const submitted = (line: string, purpose: string): boolean =>
    eventOf(line) === 'order.submitted' && line.includes(`"purpose":"${purpose}"`);

  async function kill(child: Child): Promise<void> {
    child.signal('SIGKILL');
    expect((await child.ended).signal).to.equal('SIGKILL');
  }

  it('takes up what it held and what it had sent, sends nothing twice, and ends flat to the cent', async function () {
    this.timeout(180_000);
    // Killed as an exit leaves, so that it holds shares; as an entry leaves, before its answer; and at no instant at all.
    const holding = daemon();
    await holding.line((line) => submitted(line, 'exit'));
    await kill(holding);
    const heldThen = await readPositions(exchange);
    const entering = daemon();
    await entering.line((line) => submitted(line, 'entry'));
    await kill(entering);
    const anywhere = daemon();
    await anywhere.line((line) => eventOf(line) === 'daemon.ready');
    await instant(random.integer(0, 2_000));
    await kill(anywhere);

    const seen = readLog(cwd).length;
    const last = daemon('--json');
    await untilLogged(cwd, ({ event }) => event === 'lane.roundTrip', seen);
    last.signal('SIGINT');
    const { code, out, err } = await last.ended;
    expect(code, err).to.equal(0);

    const orders = await readOrders(exchange);
    expectSoundHistory(orders);
    expect(orders.filter(({ until }) => until === null)).to.deep.equal([]);
    const report = JSON.parse(out.join('\n')) as SessionReport;
    const books = await exchange.finish();
    expectAgreement(report, books);
    // A request that the kill kept in the house is known to have been meant, and to have never arrived.
    expect(books.orders).to.be.within(report.submitted - 3, report.submitted);
    expectNothingLost(readLog(cwd));
    // What the kills left in the journal is enough to decide everything again.
    const replay = await runScalpd({ cwd, args: ['replay', '2026-10-05'] });
    expect(replay.code, [...replay.out, replay.err].join('\n')).to.equal(0);
    // The certificate of the last daemon covers the killed ones, and follows from the journal alone.
    const verified = await runScalpd({ cwd, args: ['verify', '2026-10-05', '--json'] });
    expect(verified.code, [...verified.out, verified.err].join('\n')).to.equal(0);
    expect(JSON.parse(verified.out.join(''))).to.have.nested.property('certificate.flat', true);
    // The kill came with shares in hand, or they were sold in the moment between: then the trip is in the report.
    expect(Object.keys(heldThen).length + report.roundTrips).to.be.at.least(1);
  });

  it('sells at once what it held for too long while it was away', async function () {
    this.timeout(120_000);
    const holding = daemon();
    await holding.line((line) => submitted(line, 'exit'));
    await kill(holding);
    const held = Object.keys(await readPositions(exchange));
    // Two minutes of exchange time pass in 1.4 s.
    await instant(2_000);
    const seen = readLog(cwd).length;
    const late = daemon('--json');
    await untilLogged(cwd, ({ event }) => event === 'daemon.ready', seen);
    late.signal('SIGINT');
    const { code, err, out } = await late.ended;
    expect(code, err).to.equal(0);
    expectSoundHistory(await readOrders(exchange));
    const report = JSON.parse(out.join('\n')) as SessionReport;
    for (const symbol of held)
      expect(report.symbols.find((each) => each.symbol === symbol)?.roundTrips, symbol).to.be.at.least(1);
    expectAgreement(report, await exchange.finish());
  });
});

function expectNothingLost(log: readonly LogLine[]): void {
  for (const event of ['reconcile.discrepancy', 'journal.damaged', 'order.undead', 'daemon.crashed'])
    expect(eventsOf(log, event), event).to.deep.equal([]);
}

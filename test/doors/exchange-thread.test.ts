import { expect } from 'chai';
import { type ExchangeThread, startExchangeThread } from '../../lib/app/exchange-thread.ts';
import { KEYS, openFrames } from './support.ts';

const FACTS = { tapePaths: [], seed: 3, symbols: ['SPY', 'AAPL'], startAt: '10:30', printsPerDay: 2_000 };

describe('exchange in its own thread', () => {
  let thread: ExchangeThread | null = null;
  afterEach(async () => {
    await thread?.stop();
    thread = null;
  });

  const start = async (facts: Parameters<typeof startExchangeThread>[0]['facts'], lost: string[] = []) => {
    const started = await startExchangeThread(
      { facts, server: { speed: 60 }, faults: null },
      { onLog: (_level, text) => expect.fail(text), onLost: (cause) => lost.push(cause) },
    );
    if (started.ok) thread = started.thread;
    return started;
  };

  it('listens, trades over the wire, shows its books, and stops', async () => {
    const lost: string[] = [];
    await start(FACTS, lost);
    if (thread === null) throw new Error('not started');
    const { url, dataStreamUrl, symbols, sessions } = thread.listening;
    expect(symbols).to.have.members(['SPY', 'AAPL']);
    expect(sessions[0]?.day).to.equal('2026-10-05');
    const clock = await fetch(`${url}/v2/clock`, { headers: KEYS });
    expect(clock.headers.get('x-scalpd-clock-speed')).to.equal('60');
    const socket = await openFrames(`${dataStreamUrl}/v2/iex`);
    socket.send({ action: 'auth', key: 'PK', secret: 's' });
    socket.send({ action: 'subscribe', trades: ['*'] });
    for (let i = 0; i < 4; i += 1) await socket.next();
    await fetch(`${url}/v2/orders`, {
      method: 'POST',
      headers: KEYS,
      body: JSON.stringify({ symbol: 'SPY', qty: '3', side: 'buy', type: 'market', time_in_force: 'day' }),
    });
    let ledger = await thread.ledger();
    while (ledger.openOrders.length > 0) ledger = await thread.ledger();
    expect(ledger.positions).to.deep.equal([{ symbol: 'SPY', shares: 3 }]);
    expect(ledger.orders).to.equal(1);
    expect(ledger.fills).to.be.above(0);
    expect(ledger.cash).to.be.below(100_000 * 10_000);
    thread.act({ kind: 'setPosition', symbol: 'AAPL' as never, qty: 5, averagePrice: 10_000 as never });
    expect((await thread.ledger()).positions).to.have.length(2);
    await thread.stop();
    expect(await socket.closed()).to.equal(1001);
    expect(lost).to.deep.equal([]);
    let refused: unknown = null;
    await thread.ledger().catch((error: unknown) => (refused = error));
    expect(refused).to.be.instanceOf(Error);
  });

  it('says why it cannot start', async () => {
    const started = await start({ tapePaths: ['/nope'], seed: 1 });
    expect(started).to.deep.equal({
      ok: false,
      mistakes: ['/nope: a tape is a file or a folder that exists. Found: ENOENT'],
    });
  });
});

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { realWall } from '../../lib/adapters/exchange/driver.ts';
import { openDoors } from '../doors/support.ts';
import { loopbackCertificate } from './certificate.ts';

const CLIENT = fileURLToPath(new URL('v3-client.js', import.meta.url));

describe('official JavaScript client, version 3', () => {
  // biome-ignore lint/suspicious/noExplicitAny: what the other process saw, as JSON
  let seen: any;
  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tls-'));
    const tls = loopbackCertificate();
    const authority = join(folder, 'authority.pem');
    await writeFile(authority, tls.cert);
    const doors = await openDoors({ server: { wall: realWall, speed: 60, tls } });
    const child = fork(CLIENT, {
      env: {
        ...process.env,
        NODE_EXTRA_CA_CERTS: authority,
        SERVER_URL: doors.server.url,
        SECURE_URL: String(doors.server.secureUrl),
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    try {
      const [message] = await once(child, 'message');
      if (message.failed !== undefined) throw new Error(message.failed);
      seen = message.seen;
      if (child.exitCode === null) await once(child, 'exit');
    } finally {
      child.kill();
      await doors.close();
      await rm(folder, { recursive: true });
    }
  });

  it('reads account, clock, calendar and assets', () => {
    expect(seen.account).to.include({ status: 'ACTIVE', cash: '100000' });
    expect(seen.configurations.suspend_trade).to.equal(false);
    expect(seen.clock.is_open).to.equal(true);
    expect(seen.calendar.map((day: { date: string }) => day.date)).to.deep.equal([
      '2013-10-07',
      '2013-10-08',
    ]);
    expect(seen.assets).to.have.length(2);
    expect(seen.asset).to.include({ symbol: 'SPY', tradable: true });
  });

  it('reads market data, page after page', () => {
    expect(seen.bars).to.have.length(10);
    expect(seen.bars[0]).to.include({
      Timestamp: '2013-10-07T13:30:00Z',
      OpenPrice: 100,
      Volume: 6_000,
      VWAP: 100,
    });
    expect(seen.multiBars.map(([symbol, bars]: [string, unknown[]]) => [symbol, bars.length])).to.deep.equal([
      ['BAC', 10],
      ['SPY', 10],
    ]);
    expect(seen.latestTrade.Price).to.be.above(100);
    expect(seen.latestQuote.BidPrice).to.be.above(100);
    expect(seen.latestBars).to.have.members(['SPY', 'BAC']);
    expect(seen.snapshot.LatestTrade.Price).to.be.above(100);
  });

  it('trades: order, replace, cancel, fill, position, activities', () => {
    expect(seen.resting).to.include({ qty: '5', limit_price: '90', client_order_id: 'v3-1' });
    expect(seen.byClientId.id).to.equal(seen.resting.id);
    expect(seen.replaced).to.include({ replaces: seen.resting.id, limit_price: '91' });
    expect(seen.position).to.include({ symbol: 'SPY', qty: '5', side: 'long' });
    expect(seen.activities).to.have.length(1);
    expect(seen.closing).to.include({ side: 'sell', qty: '5', type: 'market' });
    expect(seen.positions).to.deep.equal([]);
    expect(seen.closed).to.equal(4);
    expect(seen.refusal.status).to.equal(422);
    expect(seen.refusal.body.message).to.match(/sub-penny/);
    expect(seen.history.equity.length).to.be.above(0);
  });

  it('hears of its orders on the order stream', () => {
    const events = seen.updates.map((update: { event: string }) => update.event);
    expect(events.slice(0, 2)).to.deep.equal(['pending_new', 'new']);
    for (const event of ['pending_replace', 'replaced', 'canceled', 'fill']) expect(events).to.include(event);
    const fill = seen.updates.find((update: { event: string }) => update.event === 'fill');
    expect(fill.order.id).to.equal(seen.bought.id);
    expect(fill).to.include({ qty: '5', position_qty: '5' });
  });

  it('hears the market on its MessagePack stream over TLS', () => {
    expect(seen.errors).to.deep.equal([]);
    expect(seen.trade).to.include({ T: 't', Symbol: 'SPY', Size: 100, Exchange: 'P' });
    expect(seen.quote).to.include({ T: 'q', Symbol: 'SPY', BidSize: 500 });
    for (const bar of seen.bars1) expect(bar).to.include({ T: 'b', Volume: 6_000, TradeCount: 60 });
    expect(seen.bars1[0].Timestamp).to.match(/^2013-10-07T14:\d\d:00/);
  });
});

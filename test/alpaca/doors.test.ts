import { expect } from 'chai';
import { openDataFeed } from '../../lib/adapters/alpaca/data-feed.ts';
import { type AlpacaBroker, openBroker } from '../../lib/adapters/alpaca/rest.ts';
import { openTradeFeed } from '../../lib/adapters/alpaca/trade-feed.ts';
import { type ExchangeServer, startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import { sessionsBetween } from '../../lib/adapters/time/calendar.ts';
import { createExchangeClock, type ExchangeClock } from '../../lib/adapters/time/exchange-clock.ts';
import type { ExecutionReport } from '../../lib/domain/execution.ts';
import {
  type BrokerOrderId,
  type ClientOrderId,
  formatClientOrderId,
  type Ticker,
} from '../../lib/domain/ids.ts';
import type { Approved, OrderIntent } from '../../lib/domain/intent.ts';
import { type Price, price, qty } from '../../lib/domain/money.ts';
import { after, formatInstant, minutes, type SessionDay } from '../../lib/domain/time.ts';
import type { Read } from '../../lib/ports/broker.ts';
import type { FeedState, MarketMessage } from '../../lib/ports/feeds.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';
import { exchangeOptions, OPEN, steadyMarket, TEN } from '../doors/support.ts';

const DAY = '2013-10-07' as SessionDay;
const SPEED = 60;
const SPY = 'SPY' as Ticker;
const BAC = 'BAC' as Ticker;

/** The client against the embedded exchange's own doors, over loopback, at sixty times the speed of the day. */
describe('client and embedded exchange', () => {
  let exchange: Exchange;
  let server: ExchangeServer;
  let broker: AlpacaBroker;
  let clock: ExchangeClock;
  let sequence: number;
  let closers: (() => Promise<void>)[];

  beforeEach(async () => {
    sequence = 0;
    const items = steadyMarket([SPY, BAC], OPEN, after(TEN, minutes(60)));
    exchange = createExchange(exchangeOptions(), tapeFromItems([SPY, BAC], [items]));
    server = await startExchangeServer({ exchange, speed: SPEED, plan: { symbolLimit: 30 } });
    broker = openBroker({
      baseUrl: server.url,
      dataUrl: server.url,
      keyId: 'PKTEST',
      secret: 'secret',
      feed: 'iex',
      now: () => clock.now(),
    });
    clock = createExchangeClock({ at: TEN, speed: SPEED });
    const first = got(await broker.clock());
    expect(first.speed).to.equal(SPEED);
    clock.anchor(first.at, first.speed ?? 1);
    closers = [];
  });

  afterEach(async () => {
    for (const close of closers) await close();
    await broker.close();
    await server.close();
    clock.close();
  });

  function got<T>(read: Read<T>): T {
    if (read.kind === 'failed') expect.fail(JSON.stringify(read.failure));
    return read.value;
  }

  const intent = (side: 'buy' | 'sell', shares: number, limit: Price | null): Approved<OrderIntent> => {
    sequence += 1;
    return {
      clientOrderId: formatClientOrderId({ day: DAY, symbol: SPY, sequence, attempt: 0 }),
      symbol: SPY,
      side,
      qty: qty(shares),
      price: limit === null ? { type: 'market' } : { type: 'limit', limit },
      purpose: side === 'buy' ? 'entry' : 'exit',
      decidedAt: clock.now(),
      mark: null,
      expiresAt: null,
    } as OrderIntent as Approved<OrderIntent>;
  };

  const tradeFeed = () => {
    const reports: ExecutionReport[] = [];
    const complaints: string[] = [];
    const states: FeedState[] = [];
    let look = (): void => {};
    const feed = openTradeFeed(
      {
        url: server.tradeStreamUrl,
        keyId: 'PKTEST',
        secret: 'secret',
        clock,
        speed: SPEED,
        random: () => 0.5,
        onFault: (error) => {
          throw error;
        },
      },
      {
        onStatus: (status) => {
          states.push(status.state);
          look();
        },
        onReport: (report) => {
          reports.push(report);
          look();
        },
        onUnreadable: (what) => complaints.push(what),
      },
    );
    closers.push(() => feed.close());
    const until = (holds: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        look = () => {
          if (holds()) resolve();
        };
        look();
      });
    feed.start();
    return { reports, complaints, until, live: () => until(() => states.includes('live')) };
  };

  it('agrees on clock, calendar, account and assets', async () => {
    const read = got(await broker.clock());
    expect(read.isOpen).to.equal(true);
    expect(Math.abs(read.at - clock.now()), 'ten minutes: it is the same clock').to.be.below(600_000_000);
    expect(formatInstant(read.nextCloseAt)).to.equal('2013-10-07T20:00:00.000000Z');
    const [from, to] = ['2013-10-01', '2013-10-31'] as SessionDay[] as [SessionDay, SessionDay];
    expect(got(await broker.calendar(from, to))).to.deep.equal(sessionsBetween(from, to));
    const account = got(await broker.account());
    expect([account.active, account.blocks.length, account.cash]).to.deep.equal([true, 0, 1_000_000_000]);
    const assets = got(await broker.assets([SPY, 'NOPE' as Ticker]));
    expect(assets.map((a) => a.tradable)).to.deep.equal([true, false]);
    expect(got(await broker.positions())).to.deep.equal([]);
  });

  it('carries an order from submit to fill, and back out again', async () => {
    const feed = tradeFeed();
    await feed.live();
    const buy = intent('buy', 50, price(1_100_000));
    const outcome = await broker.submit(buy);
    if (outcome.kind !== 'accepted') expect.fail(JSON.stringify(outcome));
    expect(outcome.report.cumQty).to.equal(0);
    await feed.until(() => feed.reports.some((r) => r.status === 'filled'));
    const fills = feed.reports.flatMap((r) => (r.fill === null ? [] : [r.fill]));
    expect(fills.reduce((sum, fill) => sum + fill.lastQty, 0)).to.equal(50);

    const found = await broker.orderByClientOrderId(buy.clientOrderId);
    if (found.kind !== 'found') expect.fail(found.kind);
    expect([found.order.status, found.order.cumQty]).to.deep.equal(['filled', 50]);
    expect(found.order.cumNotional).to.equal(fills.reduce((sum, f) => sum + f.lastQty * f.lastPx, 0));
    expect(got(await broker.positions())).to.have.length(1);
    const activities = got(await broker.fillsSince(TEN));
    expect(activities.map((a) => a.qty).reduce((a, b) => a + b, 0)).to.equal(50);
    expect(new Set(activities.map((a) => a.executionId))).to.deep.equal(
      new Set(fills.map((f) => f.executionId)),
    );

    await broker.submit(intent('sell', 50, null));
    await feed.until(() => feed.reports.some((r) => r.side === 'sell' && r.status === 'filled'));
    expect(got(await broker.positions())).to.deep.equal([]);
    expect(got(await broker.ordersSince(TEN)).map((o) => o.status)).to.deep.equal(['filled', 'filled']);
    expect(feed.complaints).to.deep.equal([]);
    expect(exchange.ledger().positions.get(SPY) ?? 0).to.equal(0);
  });

  it('cancels a resting order, and is refused a second time', async () => {
    const feed = tradeFeed();
    await feed.live();
    const outcome = await broker.submit(intent('buy', 10, price(500_000)));
    if (outcome.kind !== 'accepted') expect.fail(JSON.stringify(outcome));
    await feed.until(() => feed.reports.some((r) => r.status === 'new'));
    expect(got(await broker.openOrders())).to.have.length(1);
    expect((await broker.cancel(outcome.report.brokerOrderId)).kind).to.equal('requested');
    await feed.until(() => feed.reports.some((r) => r.status === 'canceled'));
    expect(got(await broker.openOrders())).to.deep.equal([]);
    const absent = '00000000-0000-4000-8000-000000000000' as BrokerOrderId;
    expect((await broker.cancel(absent)).kind).to.equal('absent');
    expect((await broker.orderById(absent)).kind).to.equal('absent');
    expect((await broker.orderByClientOrderId('never-used' as ClientOrderId)).kind).to.equal('absent');
  });

  it('names what the exchange refuses, and takes a used client id for unknown', async () => {
    const feed = tradeFeed();
    await feed.live();
    const refusalOf = async (order: Approved<OrderIntent>): Promise<string> => {
      const outcome = await broker.submit(order);
      return outcome.kind === 'rejected' ? outcome.refusal.code : outcome.kind;
    };
    expect(await refusalOf(intent('buy', 10, price(1_000_001)))).to.equal('subPenny');
    expect(await refusalOf(intent('buy', 100_000, price(1_100_000)))).to.equal('buyingPower');
    const buy = intent('buy', 20, price(1_100_000));
    expect(await refusalOf(buy)).to.equal('accepted');
    await feed.until(() => feed.reports.some((r) => r.status === 'filled'));
    expect(await refusalOf(buy)).to.equal('unknown');
    expect(await refusalOf(intent('sell', 20, price(2_000_000)))).to.equal('accepted');
    const held = await broker.submit(intent('sell', 20, null));
    if (held.kind !== 'rejected') expect.fail(JSON.stringify(held));
    expect([held.refusal.code, held.refusal.available]).to.deep.equal(['heldShares', 0]);
    expect(held.refusal.relatedOrders).to.have.length(1);
  });

  it('reads bars and latest prints', async () => {
    const bars = got(await broker.bars([SPY, BAC], OPEN, TEN));
    expect([...bars].map(([symbol, list]) => [symbol, list.length])).to.have.deep.members([
      ['SPY', 30],
      ['BAC', 30],
    ]);
    expect(bars.get(SPY)?.[0]).to.deep.include({
      startAt: OPEN,
      open: 1_000_000,
      close: 1_000_000,
      volume: 6_000,
    });
    const marks = got(await broker.latestPrints([SPY, 'NOPE' as Ticker]));
    expect([...marks.keys()]).to.deep.equal([SPY]);
  });

  for (const codec of ['msgpack', 'json'] as const) {
    it(`hears prints, quotes and bars over ${codec}`, async () => {
      const heard: MarketMessage[] = [];
      const complaints: string[] = [];
      await new Promise<void>((resolve) => {
        const feed = openDataFeed(
          {
            url: `${server.dataStreamUrl}/v2/iex`,
            keyId: 'PKTEST',
            secret: 'secret',
            clock,
            speed: SPEED,
            random: () => 0.5,
            codec,
            quotes: true,
            onUnreadable: (what) => complaints.push(what),
          },
          [SPY, BAC],
          {
            onStatus: () => {},
            dueSince: () => null,
            onMessage: (message) => {
              heard.push(message);
              if (heard.filter((m) => m.kind === 'bar').length >= 2) resolve();
            },
          },
        );
        closers.push(() => feed.close());
        feed.start();
      });
      expect(complaints).to.deep.equal([]);
      expect(new Set(heard.map((m) => m.kind))).to.deep.equal(new Set(['print', 'quote', 'bar']));
      const bars = heard.flatMap((m) => (m.kind === 'bar' ? [m.bar] : []));
      const known = exchange.bars(SPY, OPEN, clock.now());
      for (const bar of bars.filter((b) => b.symbol === SPY))
        expect(bar).to.deep.equal(known.find((k) => k.startAt === bar.startAt));
    });
  }
});

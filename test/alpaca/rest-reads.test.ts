import { expect } from 'chai';
import { openBroker } from '../../lib/adapters/alpaca/rest.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { formatInstant, type Micros, micros, parseInstant, type SessionDay } from '../../lib/domain/time.ts';
import { assetRequestsOf, printRequestsOf } from '../../lib/engine/inquiry.ts';
import {
  type Handler,
  html,
  json,
  KEY,
  NOW,
  openRestStand,
  type RestStand,
  SECRET,
  type Seen,
  withoutKeys,
} from './rest-stand.ts';
import { ACCOUNT, CLOCK, ORDER } from './samples.ts';

describe('REST: reads', () => {
  let rest: RestStand;

  beforeEach(async () => {
    rest = await openRestStand();
  });

  afterEach(() => rest.close());

  describe('listings', () => {
    /** A server with `count` orders, three to an instant, that pages as Alpaca does. */
    const ordersServer = (count: number): Handler => {
      const orders = Array.from({ length: count }, (_, i) => ({
        ...ORDER,
        id: `o${i}`,
        submitted_at: formatInstant(micros(NOW + Math.floor(i / 3) * 10)),
      }));
      return (response, { url }) => {
        const after = url.searchParams.get('after');
        const from = after === null ? micros(0) : (parseInstant(after) ?? micros(0));
        const rows = orders.filter((o) => (parseInstant(o.submitted_at) ?? 0) > from);
        json(200, rows.slice(0, Number(url.searchParams.get('limit'))))(response, rest.seen[0] as Seen);
      };
    };

    for (const count of [0, 1, 499, 500, 501, 1_700]) {
      it(`reads all of ${count} orders, each once`, async () => {
        rest.handler = ordersServer(count);
        const read = await rest.broker.ordersSince(micros(NOW - 1));
        expect(read.kind === 'ok' && read.value.map((o) => o.brokerOrderId)).to.deep.equal(
          Array.from({ length: count }, (_, i) => `o${i}`),
        );
        const query = rest.seen[0]?.url.searchParams;
        expect([query?.get('status'), query?.get('direction'), query?.get('limit')]).to.deep.equal([
          'all',
          'asc',
          '500',
        ]);
        const open = await rest.broker.openOrders();
        expect(open.kind === 'ok' && open.value.length).to.equal(count);
        expect(rest.seen.at(-1)?.url.searchParams.get('status')).to.equal('open');
      });
    }

    it('fails as a whole when one page fails, and when the pages never end', async () => {
      const good = ordersServer(1_700);
      rest.handler = (response, entry) =>
        rest.seen.length < 3 ? good(response, entry) : html(500)(response, entry);
      expect((await rest.broker.openOrders()).kind).to.equal('failed');
      rest.handler = json(
        200,
        Array.from({ length: 500 }, (_, i) => ({ ...ORDER, id: `same${i}` })),
      );
      const endless = await rest.broker.openOrders();
      expect(endless.kind === 'failed' && endless.failure.code).to.equal('unreadable');
    });

    it('reads fills page by page, by the id of the last one', async () => {
      const fills = Array.from({ length: 250 }, (_, i) => ({
        activity_type: 'FILL',
        id: `2026100510300000${i}::e${i}`,
        transaction_time: formatInstant(micros(NOW + i)),
        price: '20.05',
        qty: '1',
        cum_qty: '1',
        leaves_qty: '0',
        side: 'buy',
        symbol: 'ABC',
        order_id: 'a1',
      }));
      rest.handler = (response, entry) => {
        const token = entry.url.searchParams.get('page_token');
        const start = token === null ? 0 : fills.findIndex((f) => f.id === token) + 1;
        json(200, fills.slice(start, start + 100))(response, entry);
      };
      const read = await rest.broker.fillsSince(micros(NOW + 9));
      expect(read.kind === 'ok' && read.value.map((f) => f.executionId)).to.deep.equal(
        Array.from({ length: 240 }, (_, i) => `e${i + 10}`),
      );
      expect(rest.seen[0]?.url.pathname).to.equal('/v2/account/activities/FILL');
      expect(rest.seen[0]?.url.searchParams.get('after')).to.equal(formatInstant(micros(NOW + 9)));
    });

    it('reads bars of all symbols to the last token, without the running minute', async () => {
      const open = NOW - 60_000_000 * 5;
      const bar = (minute: number) => ({
        t: formatInstant(micros(open + minute * 60_000_000)),
        o: 1,
        h: 1.5,
        l: 0.9999,
        c: 1.25,
        v: 10,
        n: 1,
        vw: 1.2,
      });
      rest.handler = (response, entry) => {
        const token = entry.url.searchParams.get('page_token');
        if (token === null)
          json(200, { bars: { AAA: [bar(0), bar(1)] }, next_page_token: 'p2' })(response, entry);
        else
          json(200, { bars: { AAA: [bar(4), bar(5)], BBB: [bar(3)] }, next_page_token: null })(
            response,
            entry,
          );
      };
      const symbols = ['AAA', 'BBB', 'CCC'] as Ticker[];
      const read = await rest.broker.bars(symbols, micros(open), micros(NOW + 3_600_000_000));
      expect(read.kind === 'ok' && [...read.value].map(([s, bars]) => [s, bars.length])).to.deep.equal([
        ['AAA', 3],
        ['BBB', 1],
      ]);
      const query = rest.seen[0]?.url.searchParams;
      expect(query?.get('symbols')).to.equal('AAA,BBB,CCC');
      expect([query?.get('feed'), query?.get('timeframe'), query?.get('adjustment')]).to.deep.equal([
        'iex',
        '1Min',
        'raw',
      ]);
      expect(query?.get('start')).to.equal(formatInstant(micros(open)));
    });

    it('asks for many symbols in several queries', async () => {
      rest.handler = (response, entry) => {
        const symbols = (entry.url.searchParams.get('symbols') ?? '').split(',');
        const trades = Object.fromEntries(symbols.map((s) => [s, { t: CLOCK.timestamp, p: 12.5, s: 1 }]));
        json(200, { trades })(response, entry);
      };
      const symbols = Array.from({ length: 1_050 }, (_, i) => `LONGER${1_000 + i}` as Ticker);
      const read = await rest.broker.latestPrints(symbols);
      expect(read.kind === 'ok' && read.value.size).to.equal(1_050);
      expect(rest.seen).to.have.length(3);
      for (const { url } of rest.seen) expect(url.href.length, 'what servers take').to.be.below(8_000);
    });
  });

  describe('facts', () => {
    it('reads the clock with the speed of an embedded exchange, and the rate headers', async () => {
      rest.handler = json(200, CLOCK, {
        'X-Scalpd-Clock-Speed': '60',
        'X-Ratelimit-Limit': '200',
        'X-RateLimit-Remaining': '198',
      });
      const read = await rest.broker.clock();
      expect(read.kind === 'ok' && read.value.speed).to.equal(60);
      expect(rest.rates).to.deep.equal([{ host: 'trading', limit: 200, remaining: 198 }]);
      rest.handler = json(200, CLOCK);
      const real = await rest.broker.clock();
      expect(real.kind === 'ok' && real.value.speed).to.equal(null);
      expect(rest.rates).to.have.length(1);
    });

    it('asks for calendar days as days', async () => {
      rest.handler = json(200, [
        { date: '2026-11-25', open: '09:30', close: '16:00' },
        { date: '2026-11-27', open: '09:30', close: '13:00' },
        { date: '2026-12-01', open: '09:30', close: '16:00' },
      ]);
      const read = await rest.broker.calendar('2026-11-26' as SessionDay, '2026-11-30' as SessionDay);
      expect(read.kind === 'ok' && read.value.map((s) => [s.day, s.halfDay])).to.deep.equal([
        ['2026-11-27', true],
      ]);
      expect(rest.seen[0]?.url.search).to.equal('?start=2026-11-26&end=2026-11-30');
    });

    it('reads account and positions, and takes a failure for no empty list', async () => {
      rest.handler = json(200, ACCOUNT);
      const account = await rest.broker.account();
      expect(account.kind === 'ok' && account.value.active).to.equal(true);
      rest.handler = json(200, []);
      expect(await rest.broker.positions()).to.deep.equal({ kind: 'ok', value: [] });
      rest.handler = html(403);
      const failed = withoutKeys(await rest.broker.positions());
      expect(failed.kind === 'failed' && failed.failure.code).to.equal('unauthorized');
      rest.handler = json(400, { message: 'invalid symbol: BRK-B' });
      const refused = await rest.broker.positions();
      expect(refused.kind === 'failed' && refused.failure).to.deep.include({
        code: 'refused',
        text: 'HTTP 400: invalid symbol: BRK-B',
      });
    });

    it('reads few assets one by one and many at once; one that is not listed cannot be traded', async () => {
      const asset = (symbol: string) => ({ symbol, class: 'us_equity', status: 'active', tradable: true });
      rest.handler = (response, entry) => {
        if (entry.url.pathname === '/v2/assets') json(200, ['S0', 'S1'].map(asset))(response, entry);
        else if (entry.url.pathname === '/v2/assets/BRK.B') json(200, asset('BRK.B'))(response, entry);
        else json(404, { code: 40410000, message: 'asset not found for XYZ' })(response, entry);
      };
      const few = await rest.broker.assets(['BRK.B', 'XYZ'] as Ticker[]);
      expect(few.kind === 'ok' && few.value.map((a) => [a.symbol, a.tradable])).to.deep.equal([
        ['BRK.B', true],
        ['XYZ', false],
      ]);
      const many = await rest.broker.assets(Array.from({ length: 7 }, (_, i) => `S${i}` as Ticker));
      expect(many.kind === 'ok' && many.value.filter((a) => a.tradable).map((a) => a.symbol)).to.deep.equal([
        'S0',
        'S1',
      ]);
      expect(rest.seen).to.have.length(3);
    });

    it('takes as many requests for assets and latest prints as the engine draws from its budget', async () => {
      for (const count of [1, 5, 6, 200, 201, 450]) {
        const symbols = Array.from({ length: count }, (_, i) => `S${i}` as Ticker);
        rest.handler = (response, entry) =>
          (entry.url.pathname === '/v2/assets' ? json(200, []) : json(404, { code: 40410000 }))(
            response,
            entry,
          );
        rest.seen = [];
        expect((await rest.broker.assets(symbols)).kind).to.equal('ok');
        expect(rest.seen, `assets of ${count}`).to.have.length(assetRequestsOf(count));
        rest.handler = json(200, { trades: {} });
        rest.seen = [];
        expect((await rest.broker.latestPrints(symbols)).kind).to.equal('ok');
        expect(rest.seen, `prints of ${count}`).to.have.length(printRequestsOf(count));
      }
    });

    it('warms up with as many requests as it was told, over kept connections', async () => {
      rest.handler = json(200, CLOCK);
      let connections = 0;
      rest.server.on('connection', () => {
        connections += 1;
      });
      await rest.broker.warm(50);
      expect(rest.seen).to.have.length(50);
      expect(connections).to.be.at.most(16);
      rest.seen = [];
      rest.handler = json(429, { message: 'too many requests' });
      await rest.broker.warm(50);
      expect(rest.seen, 'who has had enough is not asked again').to.have.length(4);
    });
  });

  it('refuses plain http beyond this machine, with a clear message and no keys', () => {
    const open = (baseUrl: string) => () =>
      openBroker({
        baseUrl,
        dataUrl: 'https://data.alpaca.markets',
        keyId: KEY,
        secret: SECRET,
        feed: 'iex',
        now: (): Micros => NOW,
      });
    expect(open('http://paper-api.alpaca.markets')).to.throw('plain http and ws only to loopback');
    expect(open('http://user:hunter2@127.0.0.1')).to.throw(/^(?!.*hunter2)/);
  });
});

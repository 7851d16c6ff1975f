import { expect } from 'chai';
import { type Doors, openDoors } from './support.ts';

describe('REST door: market data', () => {
  let doors: Doors;
  before(async () => {
    doors = await openDoors({ exchange: { historyPerSymbol: 100_000 }, server: { dataPerMinute: 10_000 } });
  });
  after(() => doors.close());

  it('gives bars of one symbol as numbers, left edge in UTC', async () => {
    const { status, json } = await doors.get(
      '/v2/stocks/SPY/bars?timeframe=1Min&start=2013-10-07T13:30:00Z&end=2013-10-07T13:32:00Z&feed=iex',
    );
    expect(status).to.equal(200);
    expect(json).to.deep.equal({
      bars: [0, 1, 2].map((minute) => ({
        t: `2013-10-07T13:3${minute}:00Z`,
        o: 100 + minute / 100,
        h: 100 + minute / 100,
        l: 100 + minute / 100,
        c: 100 + minute / 100,
        v: 6_000,
        n: 60,
        vw: 100 + minute / 100,
      })),
      symbol: 'SPY',
      next_page_token: null,
    });
  });

  for (const [kind, query] of [
    ['bars', 'timeframe=1Min'],
    ['bars', 'timeframe=5Min'],
    ['trades', ''],
    ['quotes', ''],
  ] as const)
    for (const sort of ['asc', 'desc'])
      it(`pages ${kind} (${query || 'each'}, ${sort}) over all symbols without a gap or a double`, async () => {
        const range = 'start=2013-10-07T13:40:00Z&end=2013-10-07T13:52:30Z';
        const path = `/v2/stocks/${kind}?symbols=SPY,BAC&${query}&${range}&sort=${sort}`;
        const whole = (await doors.get(`${path}&limit=10000`)).json;
        expect(whole.next_page_token).to.equal(null);
        expect(Object.keys(whole[kind])).to.deep.equal(['BAC', 'SPY']);
        const limit = kind === 'bars' ? 3 : 170;
        const gathered: Record<string, unknown[]> = {};
        let pages = 0;
        for (let token: string | null = ''; token !== null; pages += 1) {
          const page: {
            json: Record<string, Record<string, unknown[]>> & { next_page_token: string | null };
          } = await doors.get(`${path}&limit=${limit}&page_token=${token}`);
          const items = Object.entries(page.json[kind] ?? {});
          expect(items.flatMap(([, list]) => list).length).to.be.at.most(limit);
          for (const [symbol, list] of items) gathered[symbol] = [...(gathered[symbol] ?? []), ...list];
          token = page.json.next_page_token;
        }
        expect(gathered).to.deep.equal(whole[kind]);
        expect(pages).to.be.above(1);
      });

  it('several prints of one instant are told apart over a page border', async () => {
    const same = await openDoors({
      items: Array.from({ length: 10 }, (_, index) => sameInstant(index)),
      exchange: { historyPerSymbol: 1_000 },
    });
    try {
      const ids: number[] = [];
      for (let token: string | null = ''; token !== null; ) {
        const { json }: { json: { trades: { i: number }[]; next_page_token: string | null } } =
          await same.get(`/v2/stocks/SPY/trades?limit=3&start=2013-10-07T13:00:00Z&page_token=${token}`);
        ids.push(...json.trades.map((trade) => trade.i));
        token = json.next_page_token;
      }
      expect(ids).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    } finally {
      await same.close();
    }
  });

  it('builds longer bars from minutes; days start at New York midnight', async () => {
    const five = (await doors.get('/v2/stocks/SPY/bars?timeframe=5Min&start=2013-10-07T13:30:00Z&limit=1'))
      .json;
    expect(five.bars[0]).to.deep.equal({
      t: '2013-10-07T13:30:00Z',
      o: 100,
      h: 100.04,
      l: 100,
      c: 100.04,
      v: 30_000,
      n: 300,
      vw: 100.02,
    });
    const day = (await doors.get('/v2/stocks/SPY/bars?timeframe=1Day&start=2013-10-07')).json.bars;
    expect(day).to.have.length(1);
    expect(day[0].t).to.equal('2013-10-07T04:00:00Z');
    expect(day[0].v).to.equal(180_000);
    const hour = (await doors.get('/v2/stocks/SPY/bars?timeframe=1Hour&start=2013-10-07')).json.bars;
    expect(hour[0].t).to.equal('2013-10-07T13:00:00Z');
  });

  it('latest values and snapshots, in single and in multi form', async () => {
    const trade = (await doors.get('/v2/stocks/SPY/trades/latest')).json;
    expect(trade).to.have.keys(['symbol', 'trade']);
    expect(trade.trade).to.include({ p: 100.3, s: 100, x: 'P', t: '2013-10-07T14:00:00Z' });
    const quotes = (await doors.get('/v2/stocks/quotes/latest?symbols=SPY,BAC,NOPE')).json;
    expect(quotes.quotes).to.have.keys(['SPY', 'BAC']);
    expect(quotes.quotes.SPY).to.include({ bp: 100.29, bs: 500, ap: 100.3, as: 500 });
    const bars = (await doors.get('/v2/stocks/bars/latest?symbols=SPY')).json;
    expect(bars.bars.SPY.t).to.equal('2013-10-07T13:59:00Z');
    const snapshots = (await doors.get('/v2/stocks/snapshots?symbols=SPY,BAC')).json;
    expect(snapshots, 'keyed by symbol at top level').to.have.keys(['SPY', 'BAC']);
    expect(snapshots.SPY).to.include.keys(['latestTrade', 'latestQuote', 'minuteBar', 'dailyBar']);
    const single = (await doors.get('/v2/stocks/SPY/snapshot')).json;
    expect(single).to.deep.equal({ symbol: 'SPY', ...snapshots.SPY });
  });

  it('an unknown symbol is absent; a malformed one fails the request, without a code', async () => {
    const unknown = (await doors.get('/v2/stocks/bars?symbols=NOPE&timeframe=1Min')).json;
    expect(unknown).to.deep.equal({ bars: {}, next_page_token: null });
    expect((await doors.get('/v2/stocks/NOPE/bars?timeframe=1Min')).json).to.deep.equal({
      bars: null,
      symbol: 'NOPE',
      next_page_token: null,
    });
    const malformed = await doors.get('/v2/stocks/bars?symbols=SPY,BRK-B&timeframe=1Min');
    expect([malformed.status, malformed.json]).to.deep.equal([400, { message: 'invalid symbol: BRK-B' }]);
  });

  it('without the entitlement recent consolidated data stays closed', async () => {
    const basic = await openDoors({ server: { plan: { feeds: ['iex'], symbolLimit: 30 } } });
    try {
      const closed = await basic.get('/v2/stocks/SPY/bars?timeframe=1Min&feed=sip');
      expect([closed.status, closed.json.message]).to.deep.equal([
        403,
        'subscription does not permit querying recent SIP data',
      ]);
      const old = await basic.get(
        '/v2/stocks/SPY/bars?timeframe=1Min&feed=sip&start=2013-10-07T13:30:00Z&end=2013-10-07T13:40:00Z',
      );
      expect(old.status).to.equal(200);
      expect((await basic.get('/v2/stocks/SPY/trades/latest?feed=sip')).status).to.equal(403);
      expect((await basic.get('/v2/stocks/SPY/trades/latest?feed=iex')).status).to.equal(200);
    } finally {
      await basic.close();
    }
  });
});

function sameInstant(index: number) {
  const now = 1_381_152_600_000_000 as never;
  return {
    kind: 'print' as const,
    at: now,
    print: {
      symbol: 'SPY' as never,
      at: now,
      price: 1_000_000 as never,
      size: 100,
      exchange: 'P',
      conditions: [],
      id: String(index + 1),
    },
  };
}

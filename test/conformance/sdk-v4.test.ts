import { Alpaca, marketData, type streaming, trading } from '@alpacahq/alpaca-trade-api';
import { expect } from 'chai';
import { realWall } from '../../lib/adapters/exchange/driver.ts';
import { type Doors, openDoors } from '../doors/support.ts';

const CREDENTIALS = { keyId: 'PKTEST', secret: 'secret' };
/** The hosts that the client has built in. */
const HOSTS = /^https:\/\/(?:paper-api|api|data)\.alpaca\.markets/;

/** The official client at version 4, as it comes: only its addresses are turned to loopback. */
describe('official JavaScript client, version 4', () => {
  let doors: Doors;
  let alpaca: Alpaca;
  before(async () => {
    doors = await openDoors({ server: { wall: realWall, speed: 60 } });
    alpaca = new Alpaca({
      ...CREDENTIALS,
      fetchApi: (url, init) => fetch(String(url).replace(HOSTS, doors.server.url), init),
    });
  });
  after(() => doors.close());

  it('reads account, configurations, clock, calendar and assets', async () => {
    const account = await alpaca.trading.account.getAccount();
    expect(account.status).to.equal('ACTIVE');
    expect(Number(account.buyingPower)).to.be.above(0);
    const settings = await alpaca.trading.accountConfigurations.getAccountConfig();
    expect(settings.suspendTrade).to.equal(false);
    const clock = await alpaca.trading.clock.legacyClock();
    expect(clock.isOpen).to.equal(true);
    expect(clock.nextClose.toISOString()).to.equal('2013-10-07T20:00:00.000Z');
    const newer = await alpaca.trading.clock.clock({ markets: 'NYSE' } as never);
    expect(newer.clocks?.[0]?.phase).to.equal('core');
    const days = await alpaca.trading.calendar.legacyCalendar({
      start: new Date('2013-10-07'),
      end: new Date('2013-10-08'),
    });
    expect(days.map((day) => day.open)).to.deep.equal(['09:30', '09:30']);
    const assets = await alpaca.trading.assets.getV2Assets({ status: 'active' } as never);
    expect(assets.map((asset) => asset.symbol)).to.include('SPY');
    const spy = await alpaca.trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'SPY' });
    expect(spy.tradable).to.equal(true);
  });

  it('reads bars, trades, quotes, latest values and snapshots, with its own paging', async () => {
    const { stocks } = alpaca.marketData;
    const start = new Date('2013-10-07T13:30:00Z');
    const end = new Date('2013-10-07T13:44:00Z');
    const all: number[] = [];
    let pageToken: string | undefined;
    do {
      const page = await stocks.stockBars({
        symbols: 'SPY,BAC',
        timeframe: '1Min',
        start,
        end,
        limit: 4,
        feed: 'iex',
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      for (const bars of Object.values(page.bars)) for (const bar of bars) all.push(bar.c);
      pageToken = page.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    expect(all).to.have.length(30);
    const one = await stocks.stockBarSingle({ symbol: 'SPY', timeframe: '1Min', start, end });
    expect(one.bars).to.have.length(15);
    expect(one.bars[0]?.t.toISOString()).to.equal('2013-10-07T13:30:00.000Z');
    expect((await stocks.stockTrades({ symbols: 'SPY', limit: 5 })).trades.SPY).to.have.length(5);
    expect((await stocks.stockQuotes({ symbols: 'SPY', limit: 5 })).quotes.SPY).to.have.length(5);
    expect((await stocks.stockLatestTrades({ symbols: 'SPY,BAC' })).trades.SPY?.p).to.be.above(100);
    expect((await stocks.stockLatestQuoteSingle({ symbol: 'SPY' })).quote.bp).to.be.above(100);
    expect((await stocks.stockLatestBars({ symbols: 'SPY' })).bars.SPY?.v).to.equal(6_000);
    expect((await stocks.stockSnapshots({ symbols: 'SPY' })).SPY?.latestTrade?.p).to.be.above(100);
  });

  it('trades: order, duplicate refused, replace, cancel, fill, position, activities, both streams', async () => {
    const updates: streaming.TradeUpdate[] = [];
    const trades = alpaca.trading.stream({ url: doors.server.tradeStreamUrl });
    trades.onTradeUpdate((update) => updates.push(update));
    trades.connect();
    expect(await trades.waitForAuthentication(5_000)).to.equal(true);
    trades.subscribeTradeUpdates();
    const market = alpaca.marketData.stockStream({ url: `${doors.server.dataStreamUrl}/v2/iex` });
    const seen = { bars: 0, trades: 0, quotes: 0 };
    const barStarts: string[] = [];
    market.onBar((bar) => {
      seen.bars += 1;
      barStarts.push(bar.timestamp.toISOString());
    });
    market.onTrade(() => (seen.trades += 1));
    market.onQuote(() => (seen.quotes += 1));
    market.connect();
    expect(await market.waitForAuthentication(5_000)).to.equal(true);
    market.subscribeForBars(['*']);
    market.subscribeForTrades(['SPY']);
    market.subscribeForQuotes(['SPY']);

    const resting = await alpaca.trading.orders.postOrder({
      postOrderRequest: {
        symbol: 'SPY',
        qty: '5',
        side: 'buy',
        type: 'limit',
        timeInForce: 'day',
        limitPrice: '90.00',
        clientOrderId: 'v4-1',
      },
    });
    expect(resting.status).to.be.oneOf(['accepted', 'pending_new', 'new']);
    const byClient = await alpaca.trading.orders.getOrderByClientOrderId({ clientOrderId: 'v4-1' });
    expect(byClient.id).to.equal(resting.id);
    const duplicate = await alpaca.trading.orders
      .postOrder({
        postOrderRequest: {
          symbol: 'SPY',
          qty: '5',
          side: 'buy',
          type: 'limit',
          timeInForce: 'day',
          limitPrice: '90.00',
          clientOrderId: 'v4-1',
        },
      })
      .catch((error: unknown) => error);
    expect(duplicate).to.include({ name: 'ValidationError', status: 422 });
    await until(() => updates.some((update) => update.event === 'new'));
    const next = await alpaca.trading.orders.patchOrderByOrderId({
      orderId: String(resting.id),
      patchOrderRequest: { limitPrice: '91.00' },
    });
    expect(next.id).not.to.equal(resting.id);
    await until(() => updates.some((update) => update.event === 'replaced'));
    await until(() => updates.some((update) => update.event === 'new' && update.order.id === next.id));
    await alpaca.trading.orders.deleteOrderByOrderID({ orderId: String(next.id) });
    await until(() => updates.some((update) => update.event === 'canceled'));

    const bought = await alpaca.trading.orders.postOrder({
      postOrderRequest: { symbol: 'SPY', qty: '5', side: 'buy', type: 'market', timeInForce: 'day' },
    });
    await until(() => updates.some((update) => update.event === 'fill'));
    const fill = updates.find((update) => update.event === 'fill');
    expect(fill?.order.id).to.equal(bought.id);
    expect(fill?.timestamp).to.be.instanceOf(Date);
    const position = await alpaca.trading.positions.getOpenPosition({ symbolOrAssetId: 'SPY' });
    expect(position.qty).to.equal('5');
    expect(await alpaca.trading.positions.getAllOpenPositions()).to.have.length(1);
    const fills = await alpaca.trading.accountActivities.getAccountActivitiesByActivityType({
      activityType: 'FILL',
    } as never);
    expect(fills).to.have.length(1);
    const history = await alpaca.trading.portfolioHistory.getAccountPortfolioHistory({
      period: '1D',
    } as never);
    expect(history.equity?.length).to.be.above(0);
    const closed = await alpaca.trading.positions.deleteAllOpenPositions({ cancelOrders: true });
    expect(closed[0]?.status).to.equal(200);
    await until(() => updates.filter((update) => update.event === 'fill').length === 2);
    expect(await alpaca.trading.positions.getAllOpenPositions()).to.have.length(0);
    expect(await alpaca.trading.orders.getAllOrders({ status: 'closed' })).to.have.length(4);

    await until(() => seen.bars >= 2 && seen.trades > 60 && seen.quotes > 60);
    expect(barStarts[0]).to.match(/^2013-10-07T14:\d\d:00\.000Z$/);
    market.disconnect();
    trades.disconnect();
  });

  it('works through plain configurations with a base path too', async () => {
    const basePath = doors.server.url;
    const orders = new trading.OrdersApi(new trading.Configuration({ basePath, ...CREDENTIALS }));
    expect(await orders.getAllOrders({ status: 'all', limit: 2 })).to.have.length(2);
    const stocks = new marketData.StockApi(new marketData.Configuration({ basePath, ...CREDENTIALS }));
    const { trade } = await stocks.stockLatestTradeSingle({ symbol: 'BAC' });
    expect(trade.s).to.equal(100);
  });

  it('gets the errors it knows', async () => {
    const missing = await alpaca.trading.positions
      .getOpenPosition({ symbolOrAssetId: 'SPY' })
      .catch((error: unknown) => error);
    expect(missing).to.include({ name: 'NotFoundError', status: 404 });
    expect(missing).to.have.property('requestId').that.is.a('string');
    const refused = await alpaca.trading.orders
      .postOrder({
        postOrderRequest: {
          symbol: 'SPY',
          qty: '999999',
          side: 'buy',
          type: 'limit',
          timeInForce: 'day',
          limitPrice: '100',
        },
      })
      .catch((error: unknown) => error);
    expect(refused).to.include({ name: 'PermissionError', status: 403 });
    const body = await (refused as { response: Response }).response.json();
    expect(body).to.include.keys(['buying_power', 'cost_basis']);
  });

  it('is told off on a stream without keys that fit', async () => {
    const strict = await openDoors({ server: { keys: { key: 'OTHER', secret: 'x' } } });
    try {
      const stream = alpaca.trading.stream({ url: strict.server.tradeStreamUrl });
      stream.connect();
      expect(await stream.waitForAuthentication(5_000)).to.equal(false);
      stream.disconnect();
    } finally {
      await strict.close();
    }
  });
});

/** Waits for something that comes by itself; the runner's own limit ends it when it does not. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

import { createRequire } from 'node:module';

/**
 * The official client at version 3, unmodified, in a process of its own: its market-data stream insists on TLS, and Node
 * takes extra authorities from the environment at its start only. Says what it saw to its parent.
 */
// biome-ignore lint/suspicious/noExplicitAny: the package's own types do not cover what it does
const Alpaca: any = createRequire(import.meta.url)('alpaca-v3');
const { SERVER_URL: baseUrl = '', SECURE_URL: dataStreamUrl = '' } = process.env;

const alpaca = new Alpaca({
  keyId: 'PKTEST',
  secretKey: 'secret',
  paper: true,
  baseUrl,
  dataBaseUrl: baseUrl,
  dataStreamUrl,
  feed: 'iex',
});

// biome-ignore lint/suspicious/noExplicitAny: whatever the client hands out
type Any = any;

async function gather(source: AsyncIterable<Any>): Promise<Any[]> {
  const items: Any[] = [];
  for await (const item of source) items.push(item);
  return items;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

async function run(): Promise<Record<string, Any>> {
  const range = {
    timeframe: '1Min',
    start: '2013-10-07T13:30:00Z',
    end: '2013-10-07T13:39:00Z',
    feed: 'iex',
  };
  const reads = {
    account: await alpaca.getAccount(),
    configurations: await alpaca.getAccountConfigurations(),
    clock: await alpaca.getClock(),
    calendar: await alpaca.getCalendar({ start: new Date('2013-10-07'), end: new Date('2013-10-08') }),
    assets: await alpaca.getAssets({ status: 'active' }),
    asset: await alpaca.getAsset('SPY'),
    bars: await gather(alpaca.getBarsV2('SPY', { ...range, pageLimit: 3 })),
    multiBars: [...(await alpaca.getMultiBarsV2(['SPY', 'BAC'], { ...range, pageLimit: 7 })).entries()],
    latestTrade: await alpaca.getLatestTrade('SPY'),
    latestQuote: await alpaca.getLatestQuote('SPY'),
    latestBars: [...(await alpaca.getLatestBars(['SPY', 'BAC'])).keys()],
    snapshot: await alpaca.getSnapshot('SPY'),
  };

  const updates: Any[] = [];
  alpaca.trade_ws.onConnect(() => alpaca.trade_ws.subscribe(['trade_updates']));
  alpaca.trade_ws.onOrderUpdate((update: Any) => updates.push(update));
  alpaca.trade_ws.connect();
  const streamed: { bars: Any[]; trades: Any[]; quotes: Any[]; errors: Any[] } = {
    bars: [],
    trades: [],
    quotes: [],
    errors: [],
  };
  const stream = alpaca.data_stream_v2;
  stream.onConnect(() => {
    stream.subscribeForBars(['SPY', 'BAC']);
    stream.subscribeForTrades(['SPY']);
    stream.subscribeForQuotes(['SPY']);
  });
  stream.onStockBar((bar: Any) => streamed.bars.push(bar));
  stream.onStockTrade((trade: Any) => streamed.trades.push(trade));
  stream.onStockQuote((quote: Any) => streamed.quotes.push(quote));
  stream.onError((error: Any) => streamed.errors.push(String(error)));
  stream.connect();
  await until(() => streamed.trades.length > 0);

  const order = { symbol: 'SPY', qty: 5, side: 'buy', type: 'limit', time_in_force: 'day', limit_price: 90 };
  const resting = await alpaca.createOrder({ ...order, client_order_id: 'v3-1' });
  const byClientId = await alpaca.getOrderByClientId('v3-1');
  await until(() => updates.some((update) => update.event === 'new'));
  const replaced = await alpaca.replaceOrder(resting.id, { limit_price: '91' });
  await until(() => updates.some((update) => update.event === 'new' && update.order.id === replaced.id));
  await alpaca.cancelOrder(replaced.id);
  await until(() => updates.some((update) => update.event === 'canceled'));
  const bought = await alpaca.createOrder({ ...order, limit_price: 200 });
  await until(() => updates.some((update) => update.event === 'fill'));
  const position = await alpaca.getPosition('SPY');
  const activities = await alpaca.getAccountActivities({ activityTypes: 'FILL' });
  const closing = await alpaca.closePosition('SPY');
  await until(() => updates.filter((update) => update.event === 'fill').length === 2);
  const positions = await alpaca.getPositions();
  const closed = await alpaca.getOrders({ status: 'closed', limit: 10 });
  const refusal = await alpaca.createOrder({ ...order, limit_price: 90.123 }).catch((error: Any) => ({
    status: error.response?.status,
    body: error.response?.data,
  }));
  const history = await alpaca.getPortfolioHistory({ period: '1D', timeframe: '5Min' });
  await until(() => streamed.bars.length >= 2);
  stream.disconnect();
  alpaca.trade_ws.disconnect();
  return {
    ...reads,
    updates,
    bars1: streamed.bars.slice(0, 2),
    trade: streamed.trades[0],
    quote: streamed.quotes[0],
    errors: streamed.errors,
    resting,
    byClientId,
    replaced,
    bought,
    position,
    activities,
    closing,
    positions,
    closed: closed.length,
    refusal,
    history,
  };
}

run().then(
  (seen) => process.send?.({ seen }, () => process.disconnect?.()),
  (error: unknown) => {
    process.send?.({ failed: error instanceof Error ? error.stack : String(error) }, () => process.exit(1));
  },
);

import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Doors, KEYS, openDoors } from './support.ts';

const GOOD_ORDER = {
  symbol: 'SPY',
  qty: '1',
  side: 'buy',
  type: 'limit',
  time_in_force: 'day',
  limit_price: '90',
};

/** Values that no field expects. */
const WRONG_TYPES: readonly unknown[] = [true, [], {}, [1], { a: 1 }, [[]]];
/** Amounts that are text, and wrong. */
const WRONG_AMOUNTS: readonly unknown[] = [
  'abc',
  '-1',
  '0',
  'NaN',
  'Infinity',
  '-Infinity',
  '1e5',
  '0x10',
  '1,000',
  ' 1',
  '1 ',
  '+1',
  '١٢',
  '1.2.3',
  '9'.repeat(40),
  `0.${'0'.repeat(60)}1`,
  -1,
  0,
  1e300,
  1e-7,
];

type Case = readonly [method: string, path: string, body?: unknown];

const orderCases: readonly Case[] = [
  ...['symbol', 'side', 'type', 'time_in_force', 'client_order_id', 'order_class', 'position_intent'].flatMap(
    (name) =>
      [...WRONG_TYPES, 7].map((value): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, [name]: value }]),
  ),
  ...['qty', 'limit_price'].flatMap((name) =>
    [...WRONG_TYPES, ...WRONG_AMOUNTS].map(
      (value): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, [name]: value }],
    ),
  ),
  ...['stop_price', 'trail_price', 'trail_percent', 'notional'].flatMap((name) =>
    WRONG_TYPES.map((value): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, [name]: value }]),
  ),
  ...['take_profit', 'stop_loss'].flatMap((name) =>
    [true, [], 'x', 7, { limit_price: {} }].map(
      (value): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, order_class: 'bracket', [name]: value }],
    ),
  ),
  ...['yes', 1, [], {}].map(
    (value): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, extended_hours: value }],
  ),
  ...['', 'hold', 'BUY', 'long'].map((side): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, side }]),
  ...['', 'iceberg', 'LIMIT'].map((type): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, type }]),
  ...['', 'forever', 'DAY'].map((tif): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, time_in_force: tif }]),
  ...['', 'spy', 'NOPE', '$$$', 'S'.repeat(500), '../../etc', 'SPY;DROP', '\u0000'].map(
    (symbol): Case => ['POST', '/v2/orders', { ...GOOD_ORDER, symbol }],
  ),
  ['POST', '/v2/orders', { ...GOOD_ORDER, client_order_id: 'x'.repeat(129) }],
  ['POST', '/v2/orders', { ...GOOD_ORDER, order_class: 'mleg' }],
  ['POST', '/v2/orders', { ...GOOD_ORDER, position_intent: 'sell_to_open' }],
  ['POST', '/v2/orders', {}],
  ['POST', '/v2/orders', []],
  ['POST', '/v2/orders', 'null'],
  ['POST', '/v2/orders', '"text"'],
  ['POST', '/v2/orders', '7'],
  ['POST', '/v2/orders', '{'],
  ['POST', '/v2/orders', '{"symbol":"SPY",}'],
  ['POST', '/v2/orders', "{'symbol':'SPY'}"],
  ['POST', '/v2/orders', 'symbol=SPY&qty=1'],
  ['POST', '/v2/orders', '\u0000\u0001\u0002'],
  ['POST', '/v2/orders', `${'['.repeat(20_000)}`],
  ['POST', '/v2/orders', '{"qty": 1e999}'],
  ['POST', '/v2/orders'],
];

const ID = '00000000-0000-4000-8000-000000000000';

const otherCases: readonly Case[] = [
  ['PATCH', `/v2/orders/${ID}`, { qty: '1' }],
  ['PATCH', `/v2/orders/${ID}`, { qty: [] }],
  ['PATCH', `/v2/orders/${ID}`, 'x'],
  ['PATCH', `/v2/orders/${ID}`],
  ['DELETE', '/v2/orders/not-a-uuid'],
  ['GET', '/v2/orders/%00'],
  ['GET', '/v2/orders/%E0%A4%A'],
  ['GET', `/v2/orders/${'x'.repeat(3_000)}`],
  ['GET', '/v2/orders:by_client_order_id'],
  ['GET', '/v2/orders:by_client_order_id?client_order_id='],
  ['GET', '/v2/orders:by_client_order_id?client_order_id=%F0%9F%92%A5'],
  ['GET', '/v2/orders:by_nothing?client_order_id=1'],
  ...[
    'status=done',
    'direction=up',
    'side=hold',
    'limit=0',
    'limit=501',
    'limit=-1',
    'limit=abc',
    'limit=1e2',
  ].map((query): Case => ['GET', `/v2/orders?${query}`]),
  ...[
    'yesterday',
    '2013-13-01',
    '2013-02-30',
    '2013-10-07T25:00:00Z',
    '2013-10-07T10:61:00Z',
    '99999999999999',
  ].flatMap((date): readonly Case[] => [
    ['GET', `/v2/orders?after=${date}`],
    ['GET', `/v2/orders?until=${date}`],
    ['GET', `/v2/account/activities?after=${date}`],
    ['GET', `/v2/stocks/SPY/bars?timeframe=1Min&start=${date}`],
    ['GET', `/v2/stocks/SPY/trades?end=${date}`],
  ]),
  ...['2013-13-01', 'monday', '1', '2013-02-29'].flatMap((date): readonly Case[] => [
    ['GET', `/v2/calendar?start=${date}`],
    ['GET', `/v2/calendar?end=${date}`],
    ['GET', `/v3/calendar/NYSE?start=${date}`],
    ['GET', `/v2/account/activities?date=${date}`],
  ]),
  ['GET', '/v2/calendar?date_type=MOON'],
  ['GET', '/v2/account/activities?page_size=0'],
  ['GET', '/v2/account/activities?page_size=101'],
  ['GET', '/v2/account/activities?direction=sideways'],
  ['GET', '/v2/account/activities/FILL?activity_types=DIV'],
  ['GET', '/v2/account/portfolio/history?period=1Y'],
  ['GET', '/v2/account/portfolio/history?timeframe=7Min'],
  ['GET', '/v2/account/portfolio/history?period=1A&timeframe=1Min'],
  ['GET', '/v2/account/portfolio/history?start=2013-10-01&end=2013-10-07&period=1D'],
  ['PATCH', '/v2/account/configurations', { suspend_trade: 'yes' }],
  ['PATCH', '/v2/account/configurations', { max_margin_multiplier: '3' }],
  ['PATCH', '/v2/account/configurations', { trade_confirm_email: 'some' }],
  ['PATCH', '/v2/account/configurations', { max_options_trading_level: 9 }],
  ['PATCH', '/v2/account/configurations', []],
  ['PATCH', '/v2/account/configurations'],
  ['GET', '/v2/assets/NOPE'],
  ['GET', '/v2/assets/%20'],
  ['GET', '/v2/positions/NOPE'],
  ['GET', '/v2/positions/SPY'],
  ['DELETE', '/v2/positions/SPY'],
  ['DELETE', '/v2/positions/NOPE'],
  ...['qty=abc', 'qty=-1', 'qty=1e3', 'percentage=101', 'percentage=x', 'qty=1&percentage=50'].map(
    (query): Case => ['DELETE', `/v2/positions/SPY?${query}`],
  ),
  ...['', '1min', '60Min', '0Min', '24Hour', '2Day', '5Month', 'Min', '1Min;', '1e1Min', '-1Min'].map(
    (timeframe): Case => ['GET', `/v2/stocks/SPY/bars?timeframe=${timeframe}`],
  ),
  ...[
    'limit=0',
    'limit=10001',
    'limit=x',
    'sort=up',
    'page_token=!!!',
    'page_token=AAAA',
    'feed=moon',
    'currency=EUR',
  ].map((query): Case => ['GET', `/v2/stocks/SPY/bars?timeframe=1Min&${query}`]),
  ['GET', '/v2/stocks/SPY/bars?timeframe=1Min&start=2013-10-08&end=2013-10-07'],
  ...[
    'bars?timeframe=1Min',
    'trades',
    'quotes',
    'bars/latest',
    'trades/latest',
    'quotes/latest',
    'snapshots',
  ].flatMap((path): readonly Case[] => {
    const join = path.includes('?') ? '&' : '?';
    return [
      ['GET', `/v2/stocks/${path}`],
      ['GET', `/v2/stocks/${path}${join}symbols=`],
      ['GET', `/v2/stocks/${path}${join}symbols=,,,`],
      ['GET', `/v2/stocks/${path}${join}symbols=BRK-B`],
      ['GET', `/v2/stocks/${path}${join}symbols=SPY,${'X'.repeat(30)}`],
    ];
  }),
  ...['spy', 'BRK-B', 'SPY,BAC', '%00', 'S'.repeat(90)].map(
    (symbol): Case => ['GET', `/v2/stocks/${symbol}/bars?timeframe=1Min`],
  ),
  ['GET', '/v2/stocks/NOPE/trades/latest'],
  ['GET', '/v2/stocks/NOPE/snapshot'],
  ...[
    '/',
    '/v1/account',
    '/v2',
    '/v2/',
    '/v2/nothing',
    '/v2/account/nothing',
    '/v2/stocks',
    '/v2/stocks/SPY/splits',
  ].map((path): Case => ['GET', path]),
  ...(['PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS'] as const).map((method): Case => [method, '/v2/clock']),
  ...(['PUT', 'POST', 'DELETE'] as const).map((method): Case => [method, '/v2/account']),
  ['PUT', '/v2/orders', GOOD_ORDER],
  ['PATCH', '/v2/orders', GOOD_ORDER],
  ['POST', '/v2/positions/SPY', {}],
  ['POST', '/v2/stocks/bars?symbols=SPY', {}],
  ['TRACE', '/v2/account'],
  ['PROPFIND', '/v2/account'],
];

describe('wrong requests', () => {
  let doors: Doors;
  before(async () => {
    doors = await openDoors({
      server: {
        tradingPerMinute: 1_000_000,
        dataPerMinute: 1_000_000,
        onError: (error) => {
          throw error;
        },
      },
    });
  });
  after(() => doors.close());

  /** Every refusal: a status of the 400s, and Alpaca's envelope: a code with its status in front, or none on data routes. */
  async function refuses([method, path, body]: Case): Promise<void> {
    const label = `${method} ${path.slice(0, 120)} ${JSON.stringify(body)?.slice(0, 120)}`;
    const answer =
      method === 'TRACE'
        ? await rawRequest(doors, `${method} ${path}`)
        : await doors.call(method, path, body);
    expect(answer.status, `${label} ${answer.text}`).to.be.within(400, 499);
    expect(answer.json, label).to.be.an('object');
    expect(answer.json.message, label)
      .to.be.a('string')
      .and.not.match(/\bat .*:\d+:\d+|node:|\.ts\b|\.js\b/);
    if (answer.json.code !== undefined) expect(String(answer.json.code), label).to.match(/^4\d{7}$/);
    else expect(path, `${label}: a code is missing`).to.match(/^\/v2\/stocks/);
  }

  it(`${orderCases.length} orders that are none`, async () => {
    for (const one of orderCases) await refuses(one);
  });

  it(`${otherCases.length} other requests that make no sense`, async () => {
    for (const one of otherCases) await refuses(one);
  });

  it('a body that is too large is 413, and the next request is served', async () => {
    const answer = await doors.call('POST', '/v2/orders', `{"symbol":"${'x'.repeat(400_000)}"}`);
    expect([answer.status, answer.json.code]).to.deep.equal([413, 41310000]);
    expect((await doors.get('/v2/account')).status).to.equal(200);
  });

  it('what is not HTTP gets an answer and a closed line', async () => {
    for (const text of [
      'nonsense\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    ]) {
      const answer = await rawText(doors, text);
      expect(answer).to.match(/^HTTP\/1\.1 4\d\d /);
      expect(answer).to.include('"code":40010000');
    }
  });

  it('any text as a body, any text as a path: an answer, and the server lives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE'),
        fc.constantFrom(
          '/v2/orders',
          '/v2/orders/',
          '/v2/positions/',
          '/v2/stocks/',
          '/v2/account/activities?',
          '/v2/stocks/bars?',
        ),
        fc.string({ maxLength: 30 }),
        fc.string({ maxLength: 60 }),
        async (method, prefix, tail, body) => {
          const path = `${prefix}${encodeURI(tail).replace(/[#\\]/g, '_')}`;
          const answer = await doors.call(method, path, method === 'GET' ? undefined : body);
          expect(answer.status).to.be.within(200, 499);
        },
      ),
      { numRuns: 150 },
    );
    expect((await doors.get('/v2/clock')).status).to.equal(200);
  });

  it('orders with random fields are judged, never crashed on', async () => {
    const value = fc.oneof(
      fc.constantFrom(
        'SPY',
        'buy',
        'sell',
        'limit',
        'market',
        'stop',
        'day',
        'gtc',
        'ioc',
        'bracket',
        'oto',
        '1',
        '100.01',
      ),
      fc.string({ maxLength: 8 }),
      fc.double(),
      fc.constantFrom(null, true, {}, []),
    );
    const fields = fc.record(
      Object.fromEntries(
        [
          ...Object.keys(GOOD_ORDER),
          'stop_price',
          'trail_price',
          'trail_percent',
          'notional',
          'order_class',
          'extended_hours',
        ].map((name) => [name, value]),
      ),
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fields, async (changes) => {
        const answer = await doors.call('POST', '/v2/orders', { ...GOOD_ORDER, ...changes });
        expect(answer.status).to.be.oneOf([200, 400, 403, 422]);
      }),
      { numRuns: 200 },
    );
  });
});

async function rawRequest(doors: Doors, line: string) {
  const headers = Object.entries(KEYS).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = await rawText(
    doors,
    `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers.join('')}\r\n`,
  );
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return { status: Number(text.slice(9, 12)), text: body, json: JSON.parse(body) };
}

function rawText(doors: Doors, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(doors.server.url);
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

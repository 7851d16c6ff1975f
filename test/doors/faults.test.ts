import { expect } from 'chai';
import {
  type FaultPlan,
  type FrameMatch,
  NO_FAULTS,
  type RestMatch,
  type ScriptedFault,
} from '../../lib/sim/fault-types.ts';
import { createFaults, type Faults } from '../../lib/sim/faults.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { type Doors, type Frames, KEYS, openDoors, openFrames, TEN } from './support.ts';

const BUY = {
  symbol: 'SPY',
  qty: '10',
  side: 'buy',
  type: 'limit',
  time_in_force: 'day',
  limit_price: '101',
};
const ORDERS: RestMatch = { method: 'POST', path: '^/v2/orders$', side: null, symbol: null };
const ANY: RestMatch = { method: null, path: null, side: null, symbol: null };
const ALL_FRAMES: FrameMatch = { event: null, side: null, symbol: null };

type FrameAction = Extract<ScriptedFault, { readonly kind: 'updates' | 'data' }>['action'];

describe('faults at the doors', () => {
  let doors: Doors;
  let faults: Faults;
  async function open(script: readonly ScriptedFault[], plan: Partial<FaultPlan> = {}): Promise<void> {
    faults = createFaults({ ...NO_FAULTS, ...plan, script }, createRandom(1));
    doors = await openDoors({ server: { faults } });
  }
  afterEach(() => doors.close());

  const rest = (
    action: Extract<ScriptedFault, { kind: 'rest' }>['action'],
    match = ORDERS,
  ): ScriptedFault => ({ kind: 'rest', match, from: null, times: 1, action });
  const openOrders = async (): Promise<number> => (await doors.get('/v2/orders?status=all')).json.length;

  it('answers 500 or a page in place of the exchange, with or without letting the order through', async () => {
    await open([
      rest({ kind: 'answer', status: 500, body: 'json', accept: false }),
      rest({ kind: 'answer', status: 504, body: 'html', accept: true }),
    ]);
    const first = await doors.call('POST', '/v2/orders', BUY);
    expect([first.status, first.json]).to.deep.equal([
      500,
      { code: 50010000, message: 'internal server error' },
    ]);
    expect(await openOrders()).to.equal(0);
    const second = await doors.call('POST', '/v2/orders', BUY);
    expect(second.status).to.equal(504);
    expect(second.headers.get('content-type')).to.match(/html/);
    expect(await openOrders(), 'accepted all the same').to.equal(1);
    expect((await doors.call('POST', '/v2/orders', BUY)).status, 'used up').to.equal(200);
  });

  it('429 says when the budget is back', async () => {
    await open([rest({ kind: 'answer', status: 429, body: 'json', accept: false }, ANY)]);
    const { status, headers } = await doors.get('/v2/account');
    expect(status).to.equal(429);
    expect(headers.get('x-ratelimit-remaining')).to.equal('0');
    expect(Number(headers.get('x-ratelimit-reset'))).to.be.above(TEN / 1e6);
  });

  it('a body that breaks off comes with a good status', async () => {
    await open([rest({ kind: 'answer', status: 200, body: 'garbage', accept: true })]);
    const { status, json } = await doors.call('POST', '/v2/orders', BUY);
    expect([status, json]).to.deep.equal([200, undefined]);
    expect(await openOrders()).to.equal(1);
  });

  it('resets the connection before or after the order took effect', async () => {
    await open([rest({ kind: 'reset', accept: false }), rest({ kind: 'reset', accept: true })]);
    for (const booked of [0, 1]) {
      let failure: unknown = null;
      await doors.call('POST', '/v2/orders', BUY).catch((error: unknown) => (failure = error));
      expect(failure).to.be.instanceOf(TypeError);
      expect(await openOrders()).to.equal(booked);
    }
  });

  it('never answers a request that took effect', async () => {
    await open([rest({ kind: 'silence', accept: true })]);
    const abort = new AbortController();
    const lost = fetch(`${doors.server.url}/v2/orders`, {
      method: 'POST',
      body: JSON.stringify({ ...BUY, client_order_id: 'lost' }),
      headers: KEYS,
      signal: abort.signal,
    }).then(
      () => 'answered',
      () => 'aborted',
    );
    let found = 404;
    while (found === 404)
      found = (await doors.get('/v2/orders:by_client_order_id?client_order_id=lost')).status;
    expect(found).to.equal(200);
    abort.abort();
    expect(await lost).to.equal('aborted');
  });

  it('treats a delayed request late, in exchange time', async () => {
    await open([rest({ kind: 'delay', delay: 3_000_000 }, { ...ANY, path: '/v2/clock' })]);
    const late = doors.get('/v2/clock');
    await doors.get('/v2/account');
    while (faults.hits.get('restDelay') === 0) await doors.get('/v2/account');
    doors.advance(5);
    expect((await late).json.timestamp).to.equal('2013-10-07T10:00:03-04:00');
  });

  it('strikes only the orders it was meant for', async () => {
    await open([
      rest(
        { kind: 'answer', status: 500, body: 'json', accept: false },
        { ...ORDERS, side: 'sell', symbol: 'SPY' },
      ),
    ]);
    expect((await doors.call('POST', '/v2/orders', BUY)).status).to.equal(200);
    doors.advance(5);
    const sell = { ...BUY, side: 'sell', limit_price: '200' };
    expect((await doors.call('POST', '/v2/orders', sell)).status).to.equal(500);
    expect((await doors.call('POST', '/v2/orders', sell)).status).to.equal(200);
  });

  const updates = (event: string, action: FrameAction): ScriptedFault => ({
    kind: 'updates',
    match: { ...ALL_FRAMES, event },
    from: null,
    times: 1,
    action,
  });

  async function listening(): Promise<Frames> {
    const socket = await doors.trade();
    socket.send({ action: 'auth', key: 'PK', secret: 's' });
    socket.send({ action: 'listen', data: { streams: ['trade_updates'] } });
    await socket.next();
    await socket.next();
    return socket;
  }

  it('loses, repeats, delays and disfigures order updates', async () => {
    await open([
      updates('pending_new', { kind: 'drop' }),
      updates('new', { kind: 'delay', delay: 10_000_000 }),
      updates('fill', { kind: 'duplicate', extra: 1 }),
    ]);
    const socket = await listening();
    await doors.call('POST', '/v2/orders', BUY);
    doors.advance(5);
    const [first, second] = [await socket.next(), await socket.next()];
    expect(first.data.event).to.equal('fill');
    expect(second, 'the same execution again').to.deep.equal(first);
    doors.advance(10);
    expect((await socket.next()).data.event, 'overtaken by the fill').to.equal('new');
    expect(faults.hits.get('updateDrop')).to.equal(1);
    faults.add(updates('pending_new', { kind: 'unknownEvent' }));
    faults.add(updates('new', { kind: 'garbage' }));
    await doors.call('POST', '/v2/orders', BUY);
    doors.advance(5);
    const strange = await socket.next();
    expect(strange.data.event).not.to.be.oneOf(['pending_new', 'new', 'fill']);
    expect(strange.data.order.symbol).to.equal('SPY');
    const torn = await socket.nextFrame();
    expect(() => JSON.parse(torn.bytes.toString())).to.throw();
    expect((await socket.next()).data.event).to.equal('fill');
  });

  async function subscribed(): Promise<Frames> {
    const socket = await doors.data();
    socket.send({ action: 'auth', key: 'PK', secret: 's' });
    socket.send({ action: 'subscribe', trades: ['SPY'] });
    for (let i = 0; i < 3; i += 1) await socket.next();
    return socket;
  }

  it('the same for market data, message by message', async () => {
    const data = (action: FrameAction): ScriptedFault => ({
      kind: 'data',
      match: { ...ALL_FRAMES, event: 't', symbol: 'SPY' },
      from: null,
      times: 1,
      action,
    });
    await open([
      data({ kind: 'drop' }),
      data({ kind: 'duplicate', extra: 2 }),
      data({ kind: 'unknownEvent' }),
    ]);
    const socket = await subscribed();
    doors.advance(1);
    doors.advance(1);
    const copies = await socket.next();
    expect(copies).to.have.length(3);
    expect(copies[0]).to.deep.equal(copies[2]);
    expect(copies[0].t).to.equal('2013-10-07T14:00:02Z');
    doors.advance(1);
    expect((await socket.next())[0].T).not.to.equal('t');
  });

  const connect = (
    target: 'data' | 'trading',
    kind: Extract<ScriptedFault, { kind: 'connect' }>['action']['kind'],
    after = 0,
  ): ScriptedFault => ({ kind: 'connect', target, from: null, times: 1, action: { kind, after } });

  it('refuses connections, and lets the next one in', async () => {
    await open([connect('data', 'connectRefuse'), connect('trading', 'connectSlotTaken')]);
    for (const path of ['/v2/iex', '/stream']) {
      const url = `${doors.server.dataStreamUrl}${path}`;
      const failure = await openFrames(url).catch((error: Error) => error);
      expect(failure).to.be.instanceOf(Error);
    }
    await subscribed();
    await listening();
  });

  it('a taken slot is 406 on a socket that stays open', async () => {
    await open([connect('data', 'connectSlotTaken')]);
    const socket = await doors.data();
    await socket.next();
    socket.send({ action: 'auth', key: 'PK', secret: 's' });
    expect((await socket.next())[0].code).to.equal(406);
    expect(socket.closeCode).to.equal(null);
  });

  it('a silent socket says nothing; a mute one stops talking but answers pings', async () => {
    await open([connect('data', 'connectSilent'), connect('data', 'connectMute', 2_500_000)]);
    const silent = await doors.data();
    silent.send({ action: 'auth', key: 'PK', secret: 's' });
    const socket = await subscribed();
    doors.advance(1);
    expect(await socket.next()).to.have.length(1);
    doors.advance(5);
    const pong = new Promise((resolve) => socket.ws.once('pong', resolve));
    socket.ws.ping();
    await pong;
    const last = socket.received.at(-1);
    expect(JSON.parse(String(last?.bytes)).at(-1).t < '2013-10-07T14:00:03Z').to.equal(true);
    expect(silent.received).to.have.length(0);
  });

  it('closes a connection in the middle of its life', async () => {
    await open([
      connect('data', 'connectClose', 2_000_000),
      connect('trading', 'connectSlowClient', 1_000_000),
    ]);
    const [data, trade] = [await subscribed(), await listening()];
    doors.advance(3);
    await data.closed();
    await trade.closed();
  });

  it('faults at their own instant: a cut line, a spent budget, a halt', async () => {
    const soon = (seconds: number) => (TEN + seconds * 1e6) as never;
    await open([
      { kind: 'drop', target: 'data', at: soon(10) },
      { kind: 'rateStorm', at: soon(20) },
      {
        kind: 'act',
        at: soon(30),
        action: { kind: 'halt', symbol: 'SPY' as never, code: 'H', reason: 'LUDP' },
      },
    ]);
    const data = await subscribed();
    doors.advance(9);
    expect(data.closeCode).to.equal(null);
    doors.advance(2);
    expect(await data.closed(), 'no close frame').to.equal(1006);
    expect((await doors.get('/v2/account')).status).to.equal(200);
    doors.advance(10);
    expect((await doors.get('/v2/account')).status).to.equal(429);
    const again = await doors.data();
    again.send({ action: 'auth', key: 'PK', secret: 's' });
    again.send({ action: 'subscribe', statuses: ['SPY'] });
    for (let i = 0; i < 3; i += 1) await again.next();
    doors.advance(12);
    expect((await again.next())[0]).to.include({ T: 's', sc: 'H', t: '2013-10-07T14:00:30Z' });
    doors.advance(30);
    expect((await doors.get('/v2/account')).status, 'back with the next minute').to.equal(200);
  });

  it('chance strikes at the rates of the plan, the same for the same seed', async () => {
    const statuses = async (): Promise<string> => {
      await open([], { rates: { restServerError: 0.3, restAcceptedGatewayTimeout: 0.2 } });
      const seen: number[] = [];
      for (let i = 0; i < 60; i += 1) seen.push((await doors.get('/v2/clock')).status);
      return seen.join(' ');
    };
    const first = await statuses();
    await doors.close();
    expect(await statuses()).to.equal(first);
    expect(first).to.include('500').and.include('504').and.include('200');
  });
});

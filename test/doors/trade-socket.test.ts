import { expect } from 'chai';
import { pack, unpack } from 'msgpackr';
import { type Doors, type DoorsOptions, type Frames, openDoors } from './support.ts';

const FLAT = { action: 'auth', key: 'PK', secret: 's' };
const NESTED = { action: 'authenticate', data: { key_id: 'PK', secret_key: 's' } };
const AUTHORIZED = { stream: 'authorization', data: { status: 'authorized', action: 'authenticate' } };
const LISTEN = { action: 'listen', data: { streams: ['trade_updates'] } };
const BUY = {
  symbol: 'SPY',
  qty: '10',
  side: 'buy',
  type: 'limit',
  time_in_force: 'day',
  limit_price: '101',
};

describe('trade_updates socket', () => {
  let doors: Doors;
  const open = async (options: DoorsOptions = {}): Promise<void> => {
    doors = await openDoors(options);
  };
  afterEach(() => doors.close());

  async function listening(): Promise<Frames> {
    const socket = await doors.trade();
    socket.send(NESTED);
    expect(await socket.next()).to.deep.equal(AUTHORIZED);
    socket.send(LISTEN);
    expect(await socket.next()).to.deep.equal({ stream: 'listening', data: { streams: ['trade_updates'] } });
    return socket;
  }

  it('says nothing before it is spoken to; the first frame is the answer to the auth', async () => {
    await open();
    for (const auth of [FLAT, NESTED]) {
      const socket = await doors.trade();
      socket.send(auth);
      const frame = await socket.nextFrame();
      expect(JSON.parse(frame.bytes.toString())).to.deep.equal(AUTHORIZED);
      expect(frame.isBinary, 'the paper host sends JSON in binary frames').to.equal(true);
      expect(socket.received).to.have.length(1);
    }
  });

  it('reports an order from its acknowledgement to its fill, one frame each', async () => {
    await open();
    const socket = await listening();
    const { json: order } = await doors.call('POST', '/v2/orders', { ...BUY, client_order_id: 'c-1' });
    doors.advance(2);
    const updates = await until(socket, 'fill');
    expect(updates.map((update) => update.event)).to.deep.equal(['pending_new', 'new', 'fill']);
    const [pending, fresh, fill] = updates;
    expect(pending).to.have.property('execution_id', null);
    expect(pending).not.to.have.property('timestamp');
    expect(fresh).to.have.property('timestamp');
    expect(fill).to.include({ price: '100.3', qty: '10', position_qty: '10' });
    expect(fill?.execution_id).to.be.a('string');
    expect(fill?.event_id).to.match(/^[0-9A-Z]{26}$/);
    for (const update of updates) {
      expect(update.order).to.include({ id: order.id, client_order_id: 'c-1', symbol: 'SPY' });
      expect(update.order).to.have.property('cancel_requested_at', null);
    }
    expect(fill?.order).to.include({ status: 'filled', filled_qty: '10', filled_avg_price: '100.3' });
    const polled = (await doors.get(`/v2/orders/${order.id}`)).json;
    expect(polled).not.to.have.property('cancel_requested_at');
    const { cancel_requested_at: _, ...streamed } = fill?.order ?? {};
    expect(streamed).to.deep.equal(polled);
  });

  it('a cancel is an event of its own, after the 204', async () => {
    await open();
    const socket = await listening();
    const { json: order } = await doors.call('POST', '/v2/orders', { ...BUY, limit_price: '90' });
    doors.advance(1);
    await until(socket, 'new');
    expect((await doors.call('DELETE', `/v2/orders/${order.id}`)).status).to.equal(204);
    doors.advance(1);
    const updates = await until(socket, 'canceled');
    expect(updates.at(-1)?.order).to.include({ status: 'canceled', filled_qty: '0' });
    expect(updates.at(-1)?.order.canceled_at).to.be.a('string');
  });

  it('listen before auth is unauthorized; wrong keys too', async () => {
    await open({ server: { keys: { key: 'PK', secret: 's' } } });
    const socket = await doors.trade();
    socket.send(LISTEN);
    expect(await socket.next()).to.deep.equal({
      stream: 'authorization',
      data: { status: 'unauthorized', action: 'listen' },
    });
    socket.send({ ...FLAT, secret: 'x' });
    expect(await socket.next()).to.deep.equal({
      stream: 'authorization',
      data: { status: 'unauthorized', action: 'authenticate' },
    });
    socket.send(NESTED);
    expect(await socket.next()).to.deep.equal(AUTHORIZED);
    socket.send(FLAT);
    expect(await socket.next()).to.deep.equal({
      stream: 'listening',
      data: { error: 'your connection is already authenticated' },
    });
  });

  it('listen replaces the set; streams that do not exist are missing from the answer', async () => {
    await open();
    const socket = await listening();
    socket.send({ action: 'listen', data: { streams: ['account_updates'] } });
    expect(await socket.next()).to.deep.equal({ stream: 'listening', data: { streams: [] } });
    await doors.call('POST', '/v2/orders', BUY);
    doors.advance(2);
    socket.send({ action: 'listen', data: { streams: ['trade_updates', 'nope'] } });
    expect(await socket.next(), 'nothing came in between').to.deep.equal({
      stream: 'listening',
      data: { streams: ['trade_updates'] },
    });
  });

  it('sends text frames when told to', async () => {
    await open({ server: { tradeFrames: 'text' } });
    const socket = await doors.trade();
    socket.send(FLAT);
    expect((await socket.nextFrame()).isBinary).to.equal(false);
  });

  it('speaks MessagePack when asked by content type', async () => {
    await open();
    const socket = await doors.trade({ headers: { 'Content-Type': 'application/msgpack' } });
    socket.send(pack(FLAT));
    const { bytes, isBinary } = await socket.nextFrame();
    expect(isBinary).to.equal(true);
    expect(unpack(bytes)).to.deep.equal(AUTHORIZED);
    socket.send(pack(LISTEN));
    expect(await socket.next()).to.deep.include({ stream: 'listening' });
  });

  it('says what is wrong and closes when it cannot read a message', async () => {
    await open();
    for (const message of [
      'nonsense',
      '[]',
      { action: 'listen' },
      { action: 'jump' },
      { action: 'auth', key: 1 },
    ]) {
      const socket = await doors.trade();
      socket.send(message);
      expect(await socket.next()).to.deep.equal({
        action: 'error',
        data: { error_message: 'invalid syntax' },
      });
      await socket.closed();
    }
  });

  it('closes a socket that never authenticates', async () => {
    await open({ server: { authTimeoutMs: 20 } });
    const socket = await doors.trade();
    await socket.closed();
    expect(socket.received).to.have.length(0);
  });

  it('every listening connection hears everything', async () => {
    await open();
    const sockets = [await listening(), await listening()];
    await doors.call('POST', '/v2/orders', BUY);
    doors.advance(2);
    const [a, b] = await Promise.all(sockets.map((socket) => until(socket, 'fill')));
    expect(a).to.deep.equal(b);
  });

  it('sends close frames when the server ends', async () => {
    await open();
    const trade = await listening();
    const data = await doors.data();
    await doors.server.close();
    expect(await trade.closed()).to.equal(1001);
    expect(await data.closed()).to.equal(1001);
  });
});

type Update = {
  event: string;
  execution_id?: string | null;
  event_id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever order came
  order: any;
};

async function until(socket: Frames, event: string): Promise<Update[]> {
  const updates: Update[] = [];
  while (updates.at(-1)?.event !== event) {
    const frame = await socket.next();
    expect(frame.stream).to.equal('trade_updates');
    updates.push(frame.data);
  }
  return updates;
}

import { expect } from 'chai';
import { pack } from 'msgpackr';
import { type Doors, openDoors } from '../doors/support.ts';

const MSGPACK = { headers: { 'Content-Type': 'application/msgpack' } };

/** How the official clients of other languages shake hands, frame by frame. */
describe('handshakes of other official clients', () => {
  let doors: Doors;
  beforeEach(async () => {
    doors = await openDoors();
  });
  afterEach(() => doors.close());

  it('alpaca-py: waits for the greeting, then authenticates; its subscribe comes in 32 KiB fragments', async () => {
    const socket = await doors.data('iex', MSGPACK);
    expect((await socket.next())[0]).to.deep.equal({ T: 'success', msg: 'connected' });
    socket.send(pack({ action: 'auth', key: 'PK', secret: 's' }));
    expect((await socket.next())[0]).to.deep.equal({ T: 'success', msg: 'authenticated' });
    const symbols = Array.from({ length: 12_000 }, (_, index) => `X${String(index).padStart(5, '0')}`);
    const message = pack({ action: 'subscribe', trades: ['SPY', ...symbols] });
    expect(message.length).to.be.above(2 * 32_768);
    for (let at = 0; at < message.length; at += 32_768)
      socket.ws.send(message.subarray(at, at + 32_768), { fin: at + 32_768 >= message.length, binary: true });
    expect((await socket.next())[0].trades).to.have.length(12_001);
  });

  it('alpaca-py: takes the first frame on the order stream after its auth as the answer', async () => {
    const socket = await doors.trade();
    socket.send(
      Buffer.from(JSON.stringify({ action: 'authenticate', data: { key_id: 'PK', secret_key: 's' } })),
    );
    expect((await socket.next()).data.status).to.equal('authorized');
    socket.send(Buffer.from(JSON.stringify({ action: 'listen', data: { streams: ['trade_updates'] } })));
    expect((await socket.next()).stream).to.equal('listening');
  });

  it('Go: each control message alone, T first in its map, arrays of length 1', async () => {
    const socket = await doors.data('iex', MSGPACK);
    const frames = [await socket.nextFrame()];
    socket.send(pack({ action: 'auth', key: 'PK', secret: 's' }));
    frames.push(await socket.nextFrame());
    socket.send(pack({ action: 'subscribe', trades: ['SPY'], quotes: [], bars: [] }));
    frames.push(await socket.nextFrame());
    for (const { bytes, isBinary } of frames) {
      expect(isBinary).to.equal(true);
      expect(bytes[0], 'an array of one').to.equal(0x91);
      expect((bytes[1] ?? 0) & 0xf0, 'a short map').to.equal(0x80);
      expect([...bytes.subarray(2, 4)], 'T first').to.deep.equal([0xa1, 0x54]);
    }
  });

  it('Go: after a 406 it tries again on the same socket until the slot is free', async () => {
    const holder = await doors.data();
    holder.send({ action: 'auth', key: 'PK', secret: 's' });
    for (let i = 0; i < 2; i += 1) await holder.next();
    const socket = await doors.data('iex', MSGPACK);
    await socket.next();
    const auth = pack({ action: 'auth', key: 'PK', secret: 's' });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      socket.send(auth);
      expect((await socket.next())[0].code).to.equal(406);
    }
    holder.ws.close();
    await holder.closed();
    socket.send(auth);
    expect((await socket.next())[0].msg).to.equal('authenticated');
  });

  it('version 3 and 4 of the JavaScript client: authenticate at open, before any greeting was read', async () => {
    const socket = await doors.data('iex', MSGPACK);
    socket.send(pack({ action: 'auth', key: 'PK', secret: 's' }));
    socket.send(
      pack({
        action: 'subscribe',
        trades: ['SPY'],
        quotes: [],
        bars: [],
        updatedBars: [],
        dailyBars: [],
        statuses: [],
        lulds: [],
      }),
    );
    expect((await socket.next())[0].msg).to.equal('connected');
    expect((await socket.next())[0].msg).to.equal('authenticated');
    expect((await socket.next())[0].T).to.equal('subscription');
  });

  it('Python 3.2: JSON text both ways on market data', async () => {
    const socket = await doors.data('iex');
    const greeting = await socket.nextFrame();
    expect(greeting.isBinary).to.equal(false);
    socket.send({ action: 'auth', key: 'PK', secret: 's' });
    expect((await socket.nextFrame()).isBinary).to.equal(false);
  });

  it('pings are answered, data or not', async () => {
    for (const socket of [await doors.data(), await doors.trade()]) {
      const pong = new Promise((resolve) => socket.ws.once('pong', resolve));
      socket.ws.ping();
      await pong;
    }
  });
});

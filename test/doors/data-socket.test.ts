import { once } from 'node:events';
import { expect } from 'chai';
import { pack, unpack } from 'msgpackr';
import { WebSocket } from 'ws';
import { type Doors, type DoorsOptions, type Frames, KEYS, openDoors } from './support.ts';

const AUTH = { action: 'auth', key: 'PK', secret: 's' };
const error = (code: number, msg: string) => [{ T: 'error', code, msg }];

describe('data socket', () => {
  let doors: Doors;
  const open = async (options: DoorsOptions = {}): Promise<void> => {
    doors = await openDoors(options);
  };
  afterEach(() => doors.close());

  /** Connects and authenticates, greeting and answer read. */
  async function authenticated(feed = 'iex', auth: object = AUTH): Promise<Frames> {
    const socket = await doors.data(feed);
    socket.send(auth);
    expect(await socket.next()).to.deep.equal([{ T: 'success', msg: 'connected' }]);
    expect(await socket.next()).to.deep.equal([{ T: 'success', msg: 'authenticated' }]);
    return socket;
  }

  it('greets at once, alone in an array of length 1', async () => {
    await open();
    const socket = await doors.data();
    expect(await socket.next()).to.deep.equal([{ T: 'success', msg: 'connected' }]);
  });

  it('answers a subscribe with the complete set, incrementally, corrections following trades', async () => {
    await open();
    const socket = await authenticated();
    socket.send({ action: 'subscribe', trades: ['SPY'], bars: ['*'] });
    const empty = {
      quotes: [],
      updatedBars: [],
      dailyBars: [],
      statuses: [],
      lulds: [],
    };
    expect(await socket.next()).to.deep.equal([
      {
        T: 'subscription',
        ...empty,
        trades: ['SPY'],
        bars: ['*'],
        corrections: ['SPY'],
        cancelErrors: ['SPY'],
      },
    ]);
    socket.send({ action: 'subscribe', quotes: ['BAC'], trades: ['BAC'] });
    expect(await socket.next()).to.deep.equal([
      {
        T: 'subscription',
        ...empty,
        trades: ['SPY', 'BAC'],
        quotes: ['BAC'],
        bars: ['*'],
        corrections: ['SPY', 'BAC'],
        cancelErrors: ['SPY', 'BAC'],
      },
    ]);
    socket.send({ action: 'unsubscribe', trades: ['SPY'], bars: ['*'] });
    expect((await socket.next())[0])
      .to.include({ T: 'subscription' })
      .and.deep.include({ trades: ['BAC'], bars: [] });
  });

  it('delivers prints, quotes, bars and daily bars of the wanted symbols, one frame for one step of time', async () => {
    await open();
    const socket = await authenticated();
    socket.send({
      action: 'subscribe',
      trades: ['SPY'],
      quotes: ['SPY'],
      bars: ['SPY', 'BAC'],
      dailyBars: ['SPY'],
    });
    await socket.next();
    doors.advance(1);
    expect(await socket.next()).to.deep.equal([
      {
        T: 'q',
        S: 'SPY',
        t: '2013-10-07T14:00:01Z',
        ax: 'V',
        ap: 100.3,
        as: 500,
        bx: 'V',
        bp: 100.29,
        bs: 500,
        c: ['R'],
        z: 'A',
      },
      { T: 't', S: 'SPY', t: '2013-10-07T14:00:01Z', x: 'P', p: 100.3, s: 100, c: [' '], i: 7206, z: 'A' },
    ]);
    doors.advance(59);
    const messages = (await read(socket, (all) => all.filter((m) => m.T === 'b').length === 2)).filter(
      (message) => message.T === 'b' || message.T === 'd',
    );
    const bars = messages.filter((message) => message.T === 'b');
    expect(bars.map((bar) => [bar.S, bar.t, bar.v])).to.have.deep.members([
      ['SPY', '2013-10-07T14:00:00Z', 6_000],
      ['BAC', '2013-10-07T14:00:00Z', 6_000],
    ]);
  });

  it('frames hold a whole step of time, mixed types together', async () => {
    await open();
    const socket = await authenticated();
    socket.send({ action: 'subscribe', trades: ['*'], quotes: ['*'] });
    await socket.next();
    doors.advance(1);
    const frame = await socket.next();
    expect(frame.map((m: { T: string; S: string }) => `${m.T} ${m.S}`)).to.have.members([
      'q SPY',
      't SPY',
      'q BAC',
      't BAC',
    ]);
  });

  it('statuses and halts reach who asked for them', async () => {
    await open();
    const socket = await authenticated();
    socket.send({ action: 'subscribe', statuses: ['SPY'] });
    await socket.next();
    doors.exchange.act({ kind: 'halt', symbol: 'SPY' as never, code: 'H', reason: 'T1' });
    doors.advance(1);
    expect((await socket.next())[0]).to.include({ T: 's', S: 'SPY', sc: 'H', rc: 'T1' });
  });

  it('refuses with the codes of the protocol and changes nothing', async () => {
    await open({ server: { plan: { feeds: ['iex'], symbolLimit: 2 }, keys: { key: 'PK', secret: 's' } } });
    const socket = await doors.data();
    await socket.next();
    socket.send({ action: 'subscribe', bars: ['SPY'] });
    expect(await socket.next()).to.deep.equal(error(401, 'not authenticated'));
    socket.send({ ...AUTH, secret: 'wrong' });
    expect(await socket.next()).to.deep.equal(error(402, 'auth failed'));
    socket.send('this is not JSON');
    expect(await socket.next()).to.deep.equal(error(400, 'invalid syntax'));
    socket.send(AUTH);
    expect((await socket.next())[0].msg).to.equal('authenticated');
    socket.send(AUTH);
    expect(await socket.next()).to.deep.equal(error(403, 'already authenticated'));
    socket.send({ action: 'subscribe', bars: ['SPY', 'BAC'] });
    await socket.next();
    socket.send({ action: 'subscribe', trades: ['AAPL'] });
    expect(await socket.next()).to.deep.equal(error(405, 'symbol limit exceeded'));
    socket.send({ action: 'subscribe', trades: ['SPY'] });
    expect((await socket.next())[0], 'as before the refused request').to.deep.include({
      bars: ['SPY', 'BAC'],
      trades: ['SPY'],
    });
    for (const message of [
      '[]',
      'null',
      '7',
      '{}',
      { action: 'dance' },
      { action: 'subscribe', bars: 'SPY' },
      { action: 'subscribe', bars: [7] },
      { action: 'subscribe', bars: ['b@d symbol'] },
      { action: 'auth', key: 7 },
    ]) {
      socket.send(message);
      expect(await socket.next(), JSON.stringify(message)).to.deep.equal(error(400, 'invalid syntax'));
    }
  });

  it('a feed outside the plan fails at authentication', async () => {
    await open({ server: { plan: { feeds: ['iex'] } } });
    const socket = await doors.data('sip');
    await socket.next();
    socket.send(AUTH);
    expect(await socket.next()).to.deep.equal(error(409, 'insufficient subscription'));
  });

  it('takes keys from the headers of the upgrade', async () => {
    await open();
    const socket = await doors.data('iex', { headers: KEYS });
    await socket.next();
    expect(await socket.next()).to.deep.equal([{ T: 'success', msg: 'authenticated' }]);
  });

  it('closes a socket that never authenticates, after saying 404', async () => {
    await open({ server: { authTimeoutMs: 20 } });
    const socket = await doors.data();
    await socket.next();
    expect(await socket.next()).to.deep.equal(error(404, 'auth timeout'));
    await socket.closed();
  });

  it('one session per key and feed: 406 leaves the socket open, and it may try again on it', async () => {
    await open();
    const first = await authenticated();
    const second = await doors.data();
    await second.next();
    second.send(AUTH);
    expect(await second.next()).to.deep.equal(error(406, 'connection limit exceeded'));
    await authenticated('sip');
    await authenticated('iex', { ...AUTH, key: 'PK2' });
    first.ws.close();
    await first.closed();
    second.send(AUTH);
    expect(await second.next()).to.deep.equal([{ T: 'success', msg: 'authenticated' }]);
  });

  it('a session that died without a close frame holds its slot for a while', async () => {
    await open({ server: { staleSlotMs: 60 } });
    const first = await authenticated();
    first.ws.terminate();
    await first.closed();
    const second = await doors.data();
    await second.next();
    let refusals = 0;
    for (;;) {
      second.send(AUTH);
      const [answer] = await second.next();
      if (answer.T === 'success') break;
      expect(answer.code).to.equal(406);
      refusals += 1;
    }
    expect(refusals).to.be.above(0);
  });

  it('speaks MessagePack when asked by content type: binary, timestamp extension, T first', async () => {
    await open();
    const socket = await doors.data('iex', { headers: { 'Content-Type': 'application/msgpack' } });
    const greeting = await socket.nextFrame();
    expect(greeting.isBinary).to.equal(true);
    // An array of one map whose first key is the text "T".
    expect([...greeting.bytes.subarray(0, 4)]).to.deep.equal([0x91, 0x82, 0xa1, 0x54]);
    socket.send(pack(AUTH));
    expect(await socket.next()).to.deep.equal([{ T: 'success', msg: 'authenticated' }]);
    socket.send(pack({ action: 'subscribe', trades: ['SPY'] }));
    expect((await socket.next())[0].trades).to.deep.equal(['SPY']);
    doors.advance(1);
    const { bytes } = await socket.nextFrame();
    const [trade] = unpack(bytes) as { T: string; p: number; t: Date }[];
    expect(trade?.T).to.equal('t');
    expect(trade?.p).to.equal(100.3);
    expect(trade?.t).to.be.instanceOf(Date);
    expect(bytes.includes(Buffer.from([0xd7, 0xff])), 'timestamp 64, type -1').to.equal(true);
    expect(bytes.subarray(2, 4)).to.deep.equal(Buffer.from([0xa1, 0x54]));
  });

  it('reads a subscribe that comes in fragments', async () => {
    await open();
    const socket = await authenticated();
    const text = JSON.stringify({ action: 'subscribe', trades: ['SPY'], quotes: [], bars: ['BAC'] });
    for (let i = 0; i < text.length; i += 7)
      socket.ws.send(Buffer.from(text.slice(i, i + 7)), { fin: i + 7 >= text.length, binary: true });
    expect((await socket.next())[0]).to.deep.include({ trades: ['SPY'], bars: ['BAC'] });
  });

  it('compresses for who offers it, and for nobody else', async () => {
    await open();
    const plain = await doors.data('iex', { perMessageDeflate: false });
    expect(plain.ws.extensions).to.equal('');
    const deflated = await doors.data('iex', { perMessageDeflate: true });
    expect(deflated.ws.extensions).to.include('permessage-deflate');
    deflated.send({ ...AUTH, key: 'other' });
    expect(await deflated.next()).to.deep.equal([{ T: 'success', msg: 'connected' }]);
    expect((await deflated.next())[0].msg).to.equal('authenticated');
    deflated.send({ action: 'subscribe', trades: ['*'], quotes: ['*'] });
    await deflated.next();
    doors.advance(20);
    expect(await deflated.next()).to.have.length.above(1);
  });

  it('gives up a client that does not read, with 407', async () => {
    await open({ server: { bufferedMax: 20_000 } });
    const socket = await authenticated();
    socket.send({ action: 'subscribe', trades: ['*'], quotes: ['*'] });
    await socket.next();
    socket.ws.pause();
    for (let i = 0; i < 200 && doors.exchange.nextEventAt() !== null; i += 1) {
      doors.advance(3);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.ws.resume();
    await socket.closed();
    const last = socket.received.at(-1)?.bytes.toString('utf8') ?? '';
    expect(JSON.parse(last)).to.deep.equal(error(407, 'slow client'));
  });

  it('plays its test symbol at any hour, and nothing else there', async () => {
    await open({
      exchange: { startAt: (1_381_152_600_000_000 - 43_200_000_000) as never },
      server: { speed: 50 },
    });
    const socket = await authenticated('test');
    socket.send({ action: 'subscribe', trades: ['SPY'] });
    expect(await socket.next()).to.deep.equal(error(400, 'invalid syntax'));
    socket.send({ action: 'subscribe', trades: ['FAKEPACA'], quotes: ['FAKEPACA'], bars: ['FAKEPACA'] });
    await socket.next();
    doors.advance(90);
    const messages = await read(socket, (all) => all.some((m) => m.T === 'b'));
    for (const message of messages) expect(message.S).to.equal('FAKEPACA');
  });

  it('other paths are no sockets', async () => {
    await open();
    const ws = new WebSocket(`${doors.server.dataStreamUrl}/v2/nope`);
    const [failure] = (await once(ws, 'error')) as [Error];
    expect(failure.message).to.match(/404/);
  });
});

type Message = { T: string; S: string; t: string; v: number };

async function read(socket: Frames, enough: (all: Message[]) => boolean): Promise<Message[]> {
  const all: Message[] = [];
  while (!enough(all)) all.push(...(await socket.next()));
  return all;
}

import { expect } from 'chai';
import { openDataFeed } from '../../lib/adapters/alpaca/data-feed.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Micros, seconds } from '../../lib/domain/time.ts';
import { dataPolicy } from '../../lib/engine/connection-types.ts';
import type { MarketMessage } from '../../lib/ports/feeds.ts';
import {
  type Client,
  type FeedStand,
  type Frame,
  KEY,
  Log,
  lives,
  openFeedStand,
  SECRET,
  SPEED,
  statesOf,
} from './feed-stand.ts';

describe('data feed', () => {
  let stand: FeedStand;

  beforeEach(async () => {
    stand = await openFeedStand();
    heard = messages();
    stand.onFrame = alpaca;
    stand.onClient = (client) => client.send([{ T: 'success', msg: 'connected' }]);
  });

  afterEach(() => stand.close());

  const messages = () => new Log<MarketMessage>();
  let heard: Log<MarketMessage>;

  /** A data socket as documented: greets, authorizes, confirms the complete set. */
  const alpaca = (client: Client, frame: Frame): void => {
    if (frame.action === 'auth') client.send([{ T: 'success', msg: 'authenticated' }]);
    if (frame.action === 'subscribe') {
      const { action: _, ...channels } = frame;
      client.send([{ T: 'subscription', ...channels }]);
    }
  };

  const open = (
    more: Partial<Parameters<typeof openDataFeed>[0]> = {},
    onMessage: (message: MarketMessage) => void = (message) => heard.add(message),
    dueSince: (at: Micros) => Micros | null = () => null,
  ): void => {
    stand.feed = openDataFeed(
      { ...stand.common(), url: stand.url('/v2/iex'), ...more },
      ['AAPL', 'SPY', 'AAPL'] as Ticker[],
      { onStatus: (status) => stand.statuses.add(status), onMessage, dueSince },
    );
    stand.feed.start();
  };

  const trade = (S: string, p: number) => ({ T: 't', S, p, s: 100, c: ['@'], x: 'V', t: new Date() });

  for (const codec of ['msgpack', 'json'] as const) {
    it(`authenticates, subscribes and delivers over ${codec}`, async () => {
      open({ codec });
      await stand.statuses.until(lives(1));
      expect(stand.states()).to.deep.equal(['connecting', 'authenticating', 'subscribing', 'live']);
      expect(stand.clients[0]?.frames).to.deep.equal([
        { action: 'auth', key: KEY, secret: SECRET },
        {
          action: 'subscribe',
          trades: ['AAPL', 'SPY'],
          bars: ['AAPL', 'SPY'],
          updatedBars: ['AAPL', 'SPY'],
          statuses: ['AAPL', 'SPY'],
          lulds: ['AAPL', 'SPY'],
        },
      ]);
      stand.clients[0]?.send([trade('AAPL', 126.55), trade('SPY', 388.9)]);
      await heard.until((items) => items.length === 2);
      expect(heard.items.map((m) => m.kind === 'print' && m.print.price)).to.deep.equal([
        1_265_500, 3_889_000,
      ]);
    });
  }

  it('takes a text frame although binary was asked for', async () => {
    open();
    await stand.statuses.until(lives(1));
    stand.clients[0]?.socket.send(JSON.stringify([trade('AAPL', 1.5)]));
    await heard.until((items) => items.length === 1);
  });

  it('loses neither the frame nor the socket to a handler that throws', async () => {
    const got = new Log<string>();
    open({}, (message) => {
      const symbol = message.kind === 'print' ? message.print.symbol : '';
      got.add(symbol);
      if (symbol === 'AAPL') throw new Error('handler');
    });
    await stand.statuses.until(lives(1));
    stand.clients[0]?.send([trade('AAPL', 1), trade('SPY', 2), trade('AAPL', 3), trade('SPY', 4)]);
    await got.until((items) => items.length === 4);
    expect(got.items).to.deep.equal(['AAPL', 'SPY', 'AAPL', 'SPY']);
    expect(stand.faults).to.have.length(2);
    expect(stand.states().at(-1)).to.equal('live');
  });

  it('says what it could not read, and goes on', async () => {
    const complaints = new Log<string>();
    open({ onUnreadable: (what) => complaints.add(what) });
    await stand.statuses.until(lives(1));
    stand.clients[0]?.socket.send(Buffer.from([0xc1, 0, 1]));
    stand.clients[0]?.socket.send('{not json');
    stand.clients[0]?.send([{ ...trade('AAPL', 1), p: 'cheap' }, trade('SPY', 2)]);
    await heard.until((items) => items.length === 1);
    expect(complaints.items).to.have.length(3);
  });

  it('connects again after a loss, subscribes anew and is live again', async () => {
    open();
    await stand.statuses.until(lives(1));
    stand.clients[0]?.socket.terminate();
    await stand.statuses.until(lives(2));
    expect(stand.states()).to.deep.equal([
      ...['connecting', 'authenticating', 'subscribing', 'live'],
      'waiting',
      ...['connecting', 'authenticating', 'subscribing', 'live'],
    ]);
    expect(stand.clients[1]?.frames.map((f) => f.action)).to.deep.equal(['auth', 'subscribe']);
    stand.clients[1]?.send([trade('AAPL', 1)]);
    await heard.until((items) => items.length === 1);
  });

  it('waits out a taken slot, and closes its own socket politely', async () => {
    const closed = new Log<number>();
    // Before the client can have heard of it: the test itself may be told much later.
    let from = stand.clock.now();
    stand.onFrame = (client, frame) => {
      if (stand.clients.length > 1) alpaca(client, frame);
      else {
        from = stand.clock.now();
        client.send([{ T: 'error', code: 406, msg: 'connection limit exceeded' }]);
      }
    };
    stand.onClient = (client) => client.socket.on('close', (code) => closed.add(code));
    open();
    await stand.statuses.until((items) => statesOf(items).includes('slotTaken'));
    await stand.statuses.until(lives(1));
    expect(stand.clock.now() - from).to.be.at.least(90_000_000);
    expect(stand.clients).to.have.length(2);
    expect(closed.items).to.deep.equal([1000]);
  });

  it('keeps what the plan allows and names the rest', async () => {
    stand.onFrame = (client, frame) => {
      if (frame.action === 'subscribe' && (frame.trades as string[]).length + subscribed.size > 1)
        client.send([{ T: 'error', code: 405, msg: 'symbol limit exceeded' }]);
      else {
        if (frame.action === 'subscribe') for (const s of frame.trades as string[]) subscribed.add(s);
        alpaca(client, frame);
      }
    };
    const subscribed = new Set<string>();
    open();
    await stand.statuses.until(lives(1));
    expect(stand.statuses.items.at(-1)?.missing).to.deep.equal(['SPY']);
    expect(stand.statuses.items.at(-1)?.detail).to.equal('1 of 2 confirmed; refused by the server: SPY');
  });

  it('gives up a mute feed only while data are due', async () => {
    let due = false;
    const opened = stand.clock.now();
    // 100 ms of wall time.
    const policy = { ...dataPolicy(SPEED), pingEvery: seconds(20), muteAfter: seconds(100) };
    open({ policy }, undefined, () => (due ? opened : null));
    await stand.statuses.until(lives(1));
    due = true;
    await stand.statuses.until((items) => statesOf(items).includes('waiting'));
    expect(stand.statuses.items.at(-1)?.detail).to.contain('mute');
    await stand.statuses.until(lives(2));
  });

  it('gives up a server that answers no ping', async () => {
    open({ policy: { ...dataPolicy(SPEED), pingEvery: seconds(20), pongWait: seconds(100) } });
    await stand.statuses.until(lives(1));
    // A paused socket reads nothing, so no ping is answered.
    stand.clients[0]?.socket.pause();
    await stand.statuses.until((items) => statesOf(items).includes('waiting'));
    expect(stand.statuses.items.at(-1)?.detail).to.contain('no pong');
    stand.clients[0]?.socket.resume();
    await stand.statuses.until(lives(2));
  });

  it('goes on trying while upgrades are refused', async () => {
    stand.upgradeStatus = 503;
    open();
    await stand.statuses.until((items) => statesOf(items).filter((s) => s === 'waiting').length === 3);
    expect(stand.upgrades).to.equal(3);
    stand.upgradeStatus = null;
    await stand.statuses.until(lives(1));
  });

  it('closes with a close frame and is silent afterwards', async () => {
    const codes = new Log<number>();
    open();
    await stand.statuses.until(lives(1));
    stand.clients[0]?.socket.on('close', (code) => codes.add(code));
    await stand.feed?.close();
    await codes.until((items) => items.length === 1);
    expect(codes.items).to.deep.equal([1000]);
    expect(stand.states().at(-1)).to.equal('closed');
    await stand.feed?.close();
  });

  it('can be closed before it was connected, and while it waits', async () => {
    open();
    await stand.feed?.close();
    stand.upgradeStatus = 503;
    open();
    await stand.statuses.until((items) => statesOf(items).includes('waiting'));
    await stand.feed?.close();
    expect(stand.states().at(-1)).to.equal('closed');
  });
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { openDataFeed } from '../../lib/adapters/alpaca/data-feed.ts';
import { createTurnShare } from '../../lib/adapters/alpaca/turn-share.ts';
import { codecFor } from '../../lib/adapters/exchange/data-codec.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { price } from '../../lib/domain/money.ts';
import { type Duration, type Micros, micros } from '../../lib/domain/time.ts';
import { createEntryGates } from '../../lib/engine/entry-gates.ts';
import { createOverloadWatch } from '../../lib/engine/overload-watch.ts';
import type { DataFeedEvents } from '../../lib/ports/feeds.ts';
import { type LoggedLine, loggingTo } from '../engine/support.ts';
import { type FeedStand, Log, lives, openFeedStand } from './feed-stand.ts';

describe('share of a turn', () => {
  function world(limit: number, behindAfter = 0) {
    const seen: string[] = [];
    const share = createTurnShare({
      limit,
      behindAfter,
      pause: () => seen.push('pause'),
      resume: () => seen.push('resume'),
      over: (isBehind) => seen.push(isBehind ? 'behind' : 'current'),
    });
    return { share, seen };
  }

  it('pauses once when the limit is reached, and resumes when all else had its turn', async () => {
    const { share, seen } = world(1);
    share.took(0.6);
    expect(seen).to.deep.equal([]);
    share.took(0.6);
    // What had been read already still comes.
    share.took(0.6);
    expect(seen).to.deep.equal(['pause']);
    await nextTurn();
    expect(seen).to.deep.equal(['pause', 'resume', 'behind']);
    await nextTurn();
    expect(seen.slice(3), 'nothing more came').to.deep.equal(['current']);
    await nextTurn();
    expect(seen).to.have.length(4);
  });

  it('counts each turn by itself', async () => {
    const { share, seen } = world(1);
    for (let turn = 0; turn < 3; turn += 1) {
      share.took(0.9);
      await nextTurn();
    }
    expect(seen).to.deep.equal(['current', 'current', 'current']);
  });

  it('tells of the end of a turn in which a frame ended the socket', async () => {
    const { share, seen } = world(1);
    share.end();
    share.took(0.1);
    share.end();
    await nextTurn();
    await nextTurn();
    expect(seen).to.deep.equal(['current']);
  });

  it('is not behind before more has waited for so long', async () => {
    const { share, seen } = world(1, Number.MAX_VALUE);
    share.took(2);
    await nextTurn();
    expect(seen).to.deep.equal(['pause', 'resume', 'current']);
  });

  it('runs what waits for everything to be read only then', async () => {
    const { share, seen } = world(1);
    share.took(2);
    share.whenRead(() => seen.push('read'));
    await nextTurn();
    share.took(2);
    await nextTurn();
    expect(seen).to.not.include('read');
    await nextTurn();
    expect(seen.slice(-2)).to.deep.equal(['read', 'current']);
    share.whenRead(() => seen.push('at once'));
    await nextTurn();
    expect(seen).to.include('at once');
  });

  it('waits for nothing once its socket is gone', async () => {
    const { share, seen } = world(1);
    share.took(2);
    share.whenRead(() => seen.push('read'));
    share.end();
    share.took(2);
    await nextTurn();
    await nextTurn();
    expect(seen).to.deep.equal(['pause', 'resume', 'current', 'read']);
    share.whenRead(() => seen.push('later'));
    await nextTurn();
    expect(seen).to.have.length(5);
  });
});

describe('data feed under a flood', function () {
  this.timeout(60_000);
  const SYMBOLS = ['AAPL', 'SPY'] as Ticker[];
  const FRAMES = 1_500;
  const PER_FRAME = 100;
  const BASE = 1_791_207_000_000_000;
  /** Every read is one too many. */
  const NOTHING = { limit: 0, behindAfter: 0 };
  const READ_BYTES = 65_536;

  let stand: FeedStand;
  beforeEach(async () => {
    stand = await openFeedStand();
    stand.onFrame = (client, { action, ...channels }) =>
      client.send([
        action === 'auth' ? { T: 'success', msg: 'authenticated' } : { T: 'subscription', ...channels },
      ]);
  });
  afterEach(() => stand.close());

  /** A frame whose trades are numbered on from `first` by their times, microseconds after `BASE`. */
  function frameOf(first: number): Buffer {
    const codec = codecFor('application/msgpack');
    const trades = Array.from({ length: PER_FRAME }, (_, n) =>
      codec.encodeEvent({
        kind: 'print',
        print: {
          symbol: SYMBOLS[n % 2] as Ticker,
          at: micros(BASE + first + n),
          price: price(1_000_000 + n),
          size: 100,
          exchange: 'V',
          conditions: ['@'],
          id: '1',
        },
      }),
    );
    return Buffer.from(codec.frame(trades));
  }

  it('loses nothing, takes no more of a turn than its share, and keeps bars in their place', async () => {
    const turns: number[] = [];
    const behind: boolean[] = [];
    const done = new Log<string>();
    let taken = 0;
    let inTurn = 0;
    let newest = 0;
    const events: DataFeedEvents = {
      onStatus: (status) => stand.statuses.add(status),
      onMessage(message) {
        if (message.kind === 'print') take(message.print.at);
        else done.add(`${message.kind} after ${taken}`);
      },
      prints: {
        lineOf: (symbol) => ({ symbol }),
        take: (_, __, at) => take(at),
        turnOver() {
          turns.push(inTurn);
          inTurn = 0;
        },
      },
      onBehind: (isBehind) => void behind.push(isBehind),
      dueSince: () => null,
    };
    const take = (at: Micros): void => {
      taken += 1;
      inTurn += 1;
      expect(at, 'in order, none missing').to.equal(BASE + taken - 1);
      newest = at;
    };
    stand.feed = openDataFeed(
      { ...stand.common(), url: stand.url('/v2/iex'), turn: NOTHING },
      SYMBOLS,
      events,
    );
    stand.feed.start();
    await stand.statuses.until(lives(1));
    const [client] = stand.clients;
    for (let n = 0; n < FRAMES; n += 1) client?.socket.send(frameOf(n * PER_FRAME));
    client?.send([
      { T: 'b', S: 'SPY', o: 1, h: 1, l: 1, c: 1, v: 1, n: 1, vw: 1, t: new Date() },
      { T: 's', S: 'SPY', sc: 'H', sm: '', rc: 'T12', t: new Date(), z: 'C' },
    ]);
    await done.until((items) => items.length === 2);
    await nextTurn();
    await nextTurn();
    expect(done.items).to.deep.equal([`bar after ${taken}`, `status after ${taken}`]);
    expect(taken).to.equal(FRAMES * PER_FRAME);
    expect(newest).to.equal(BASE + taken - 1);
    // One read, and what of two frames was cut off by its ends.
    const framesPerRead = READ_BYTES / frameOf(0).length;
    expect(Math.max(...turns)).to.be.at.most((framesPerRead + 2) * PER_FRAME);
    expect(behind[0], 'it was behind').to.equal(true);
    expect(behind.at(-1), 'and is no more').to.equal(false);
    expect(stand.faults).to.deep.equal([]);
  });

  it('shuts the entries while it lasts, says so once, and opens them again', async () => {
    const lines: LoggedLine[] = [];
    const told = new Log<string>();
    const gates = createEntryGates(SYMBOLS.slice(0, 1), (_, gate) =>
      told.add(gate.kind === 'open' ? 'open' : gate.code),
    );
    gates.dataFeed(true);
    gates.tradeFeed(true, stand.clock.now());
    gates.agreed(SYMBOLS, stand.clock.now());
    let taken = 0;
    let flooding = false;
    const overload = createOverloadWatch({
      clock: stand.clock,
      log: loggingTo(lines),
      // At this clock's speed a hundredth of a millisecond, and two.
      settings: { shutAfter: 10_000 as Duration, calmAfter: 2_000_000 as Duration },
      gates,
      prints: () => taken,
    });
    stand.feed = openDataFeed({ ...stand.common(), url: stand.url('/v2/iex'), turn: NOTHING }, SYMBOLS, {
      onStatus: (status) => stand.statuses.add(status),
      onMessage: () => {},
      prints: {
        lineOf: (symbol) => ({ symbol }),
        take: () => {
          taken += 1;
        },
        turnOver: () => {},
      },
      // With a limit of nothing the frames of the handshake are too much as well.
      onBehind: (isBehind) => flooding && overload.behind(isBehind),
      dueSince: () => null,
    });
    stand.feed.start();
    await stand.statuses.until(lives(1));
    flooding = true;
    for (let n = 0; n < FRAMES; n += 1) stand.clients[0]?.socket.send(frameOf(n * PER_FRAME));
    await told.until((items) => items.filter((item) => item === 'open').length === 2);
    overload.stop();
    expect(told.items.slice(-2)).to.deep.equal(['overloaded', 'open']);
    expect(lines.map(({ event }) => event)).to.deep.equal(['feed.overloaded', 'feed.caughtUp']);
    expect(lines[1]?.fields?.prints, 'trades taken meanwhile').to.be.greaterThan(0);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { type Duration, seconds } from '../../lib/domain/time.ts';
import { openConnection, wakeAt } from '../../lib/engine/connection.ts';
import {
  dataPolicy,
  tradePolicy,
  transportMillis,
  transportWait,
} from '../../lib/engine/connection-types.ts';
import { at, channelsOf, live, START, Story, WANTED } from './connection-story.ts';

describe('connection: the ordinary way', () => {
  it('opens, authenticates, subscribes and is live when every wanted symbol is confirmed', () => {
    const story = new Story();
    expect(wakeAt(story.state)).to.equal(null);
    expect(story.tell(0, { kind: 'started' }).kinds).to.deep.equal(['open', 'status connecting']);
    expect(story.tell(1, { kind: 'opened', socket: 1 }).kinds).to.deep.equal([
      'authenticate',
      'status authenticating',
    ]);
    expect(story.tell(2, { kind: 'authenticated', socket: 1 }).kinds).to.deep.equal([
      'subscribe',
      'status subscribing',
    ]);
    expect(story.asked).to.deep.equal(WANTED.symbols);
    const partly = story.tell(3, {
      kind: 'confirmed',
      socket: 1,
      channels: { trades: WANTED.symbols, bars: ['SPY'] },
    });
    expect(partly.state.kind).to.equal('subscribing');
    const whole = story.tell(4, { kind: 'confirmed', socket: 1, channels: channelsOf(WANTED.symbols) });
    expect(whole.kinds).to.deep.equal(['status live']);
    expect(whole.detail).to.equal('3 of 3 confirmed');
  });

  it('pings, and takes a pong or anything heard since for a sign of life', () => {
    const story = live();
    expect(wakeAt(story.state)).to.equal(at(10));
    expect(story.wake(10).kinds).to.deep.equal(['ping']);
    expect(story.tell(11, { kind: 'ponged', socket: 1 }).state.kind).to.equal('live');
    expect(wakeAt(story.state)).to.equal(at(21));
    story.wake(21).wake(26, at(22));
    expect(story.state.kind).to.equal('live');
    story.wake(36).wake(41, at(22));
    expect(story.state.kind).to.equal('waiting');
    expect(story.detail).to.contain('no pong within 5 s');
    expect(story.kinds).to.contain('drop');
  });

  it('gives up a socket that does not answer in time, in each state', () => {
    const connecting = new Story().tell(0, { kind: 'started' });
    expect(connecting.wake(14.9).state.kind).to.equal('connecting');
    expect(connecting.wake(15).state.kind).to.equal('waiting');
    const authenticating = new Story().tell(0, { kind: 'started' }).tell(0, { kind: 'opened', socket: 1 });
    expect(authenticating.wake(10).detail).to.contain('no answer to the authorization');
    const subscribing = new Story()
      .tell(0, { kind: 'started' })
      .tell(0, { kind: 'opened', socket: 1 })
      .tell(0, { kind: 'authenticated', socket: 1 });
    expect(subscribing.wake(10).detail).to.contain('not confirmed in time');
  });

  it('asks again for symbols that the server has lost', () => {
    const story = live().tell(5, { kind: 'confirmed', socket: 1, channels: channelsOf(['SPY']) });
    expect(story.asked).to.deep.equal(['AAPL', 'IBM']);
    story.tell(6, { kind: 'confirmed', socket: 1, channels: channelsOf(WANTED.symbols) });
    expect(story.state.kind).to.equal('live');
    expect(story.detail).to.equal('3 of 3 confirmed');
  });

  it('subscribes anew after a loss, and is live again only when all of it is confirmed', () => {
    const story = live().tell(5, { kind: 'lost', socket: 1, text: 'reset' }).wake(60);
    story.tell(61, { kind: 'opened', socket: 2 }).tell(62, { kind: 'authenticated', socket: 2 });
    expect(story.asked).to.deep.equal(WANTED.symbols);
    story.tell(63, { kind: 'confirmed', socket: 1, channels: channelsOf(WANTED.symbols) });
    expect(story.state.kind, 'the old socket confirms nothing').to.equal('subscribing');
    story.tell(63, { kind: 'confirmed', socket: 2, channels: channelsOf(['AAPL', 'SPY']) });
    expect(story.state.kind).to.equal('subscribing');
    expect(
      story.tell(64, { kind: 'confirmed', socket: 2, channels: channelsOf(WANTED.symbols) }).kinds,
    ).to.deep.equal(['status live']);
  });

  it('hears nothing from a socket that it has given up', () => {
    const story = live().tell(5, { kind: 'lost', socket: 1, text: 'reset' });
    story.wake(60);
    expect(story.state.socket).to.equal(2);
    for (const event of [
      { kind: 'opened', socket: 1 },
      { kind: 'lost', socket: 1, text: 'late' },
      { kind: 'errored', socket: 1, code: 406, text: 'late' },
    ] as const)
      expect(story.tell(61, event).kinds).to.deep.equal([]);
    expect(story.state.kind).to.equal('connecting');
  });

  it('is closed for good, with a close frame', () => {
    const story = live().tell(5, { kind: 'closeAsked' });
    expect(story.commands).to.deep.include({ kind: 'drop', socket: 1, politely: true });
    expect(story.kinds).to.contain('status closed');
    expect(story.tell(6, { kind: 'started' }).commands).to.deep.equal([]);
    expect(wakeAt(story.state)).to.equal(null);
  });
});

describe('connection: silence', () => {
  it('takes silence of all symbols for a dead feed, only while data are due', () => {
    const night = live();
    for (let second = 10; second < 4_000; second += 10) {
      night.wake(second).tell(second, { kind: 'ponged', socket: 1 });
      expect(night.state.kind).to.equal('live');
    }
    // The session opens at 4,000 s: the first silence is counted from there.
    expect(night.wake(4_080, null, at(4_000)).state.kind).to.equal('live');
    expect(night.wake(4_090, null, at(4_000)).detail).to.contain('mute: no data for 90 s');
  });

  it('knows quiet symbols: any of them keeps the feed alive', () => {
    const story = live();
    expect(story.wake(170, at(81), START).state.kind).to.equal('live');
    expect(story.wake(172, at(81), START).state.kind).to.equal('waiting');
  });

  it('waits twice as long each time that a reconnect brought nothing, and anew once something came', () => {
    const story = live();
    let now = 0;
    for (const limit of [90, 180, 360, 720, 1_440, 1_440]) {
      const since = story.state.kind === 'live' ? story.state.since : START;
      const offset = (since - START) / 1_000_000;
      expect(story.wake(offset + limit - 1, null, START).state.kind).to.equal('live');
      story.tell(offset + limit - 1, { kind: 'ponged', socket: story.state.socket });
      expect(story.wake(offset + limit, null, START).state.kind, `${limit}`).to.equal('waiting');
      now = offset + limit + 100;
      story.wake(now);
      live(story, now);
    }
    story.wake(now + 10, at(now + 5), START);
    expect(story.state.mutes).to.equal(0);
  });

  it('never waits for data of the order stream', () => {
    const story = live(
      new Story(
        openConnection(tradePolicy(1), { symbols: ['*'], required: ['trades', 'bars'], optional: [] }),
      ),
    );
    story.wake(36_000, null, START);
    expect(story.kinds).to.deep.equal(['ping']);
  });
});

describe('connection: pauses', () => {
  it('doubles up to a bound, with jitter from half to whole, and never gives up', () => {
    const random = fc.double({ min: 0, max: 0.999999, noNaN: true });
    fc.assert(
      fc.property(fc.array(random, { minLength: 40, maxLength: 60 }), (draws) => {
        const story = new Story().tell(0, { kind: 'started' });
        let now = 0;
        draws.forEach((draw, losses) => {
          story.tell(now, { kind: 'lost', socket: story.state.socket, text: 'refused' }, draw);
          const longest = Math.min(1 * 2 ** losses, 30);
          const until = wakeAt(story.state) ?? START;
          const pause = (until - at(now)) / 1_000_000;
          expect(pause).to.be.within(longest / 2 - 0.001, longest + 0.001);
          now = (until - START) / 1_000_000;
          story.wake(now);
          expect(story.state.kind).to.equal('connecting');
        });
      }),
      { numRuns: 30 },
    );
  });

  it('starts over only after healthy seconds, not after each opening', () => {
    const story = live();
    for (let i = 0; i < 6; i += 1) {
      const now = i * 100;
      story.tell(now + 1, { kind: 'lost', socket: story.state.socket, text: 'cut' });
      story.wake(now + 100);
      live(story, now + 100);
    }
    expect(story.state.losses).to.equal(6);
    story.tell(640, { kind: 'lost', socket: story.state.socket, text: 'cut' });
    expect(story.state.losses).to.equal(1);
  });

  it('waits 90 s for the slot, one attempt each, however often it is taken', () => {
    const story = new Story().tell(0, { kind: 'started' });
    let now = 0;
    for (let i = 1; i <= 5; i += 1) {
      story.tell(now, { kind: 'opened', socket: i });
      story.tell(now, { kind: 'errored', socket: i, code: 406, text: 'connection limit exceeded' });
      expect(story.kinds).to.deep.equal(['drop', 'status slotTaken']);
      expect(story.detail).to.contain('next attempt in 90 s');
      expect(story.wake(now + 89.9).commands).to.deep.equal([]);
      now += 90;
      expect(story.wake(now).kinds).to.deep.equal(['open', 'status connecting']);
    }
    expect(story.state.losses).to.equal(0);
  });

  it('takes a wrong key or plan for a refusal and asks again only minutes later', () => {
    for (const code of [402, 408, 409, 411]) {
      const story = new Story().tell(0, { kind: 'started' }).tell(0, { kind: 'opened', socket: 1 });
      story.tell(1, { kind: 'errored', socket: 1, code, text: 'no' });
      expect(story.kinds, `${code}`).to.deep.equal(['drop', 'status refused']);
      expect(story.wake(300).commands).to.deep.equal([]);
      expect(story.wake(301).state.kind).to.equal('connecting');
    }
    const trade = new Story().tell(0, { kind: 'started' }).tell(0, { kind: 'opened', socket: 1 });
    expect(trade.tell(1, { kind: 'unauthorized', socket: 1, text: 'unauthorized' }).state.kind).to.equal(
      'refused',
    );
  });

  it('connects again soon after a late authorization, a slow client, an internal error and anything new', () => {
    for (const code of [401, 404, 407, 500, 999, null]) {
      for (const story of [
        new Story().tell(0, { kind: 'started' }).tell(0, { kind: 'opened', socket: 1 }),
        live(),
      ]) {
        story.tell(1, { kind: 'errored', socket: 1, code, text: 'x' });
        expect(story.state.kind, `${code}`).to.equal('waiting');
      }
    }
  });

  it('reads the status of a refused upgrade', () => {
    const kindAfter = (status: number) => {
      const story = new Story().tell(0, { kind: 'started' });
      return story.tell(0, { kind: 'upgradeRefused', socket: 1, status });
    };
    for (const status of [401, 403]) expect(kindAfter(status).state.kind).to.equal('refused');
    expect(kindAfter(406).state.kind).to.equal('slotTaken');
    expect(kindAfter(503).state.kind).to.equal('waiting');
    const limited = kindAfter(429);
    expect(wakeAt(limited.state)).to.be.at.least(at(15));
  });
});

describe('connection: waits that measure the machine', () => {
  it('never shrink below what a network needs, however fast the exchange runs', () => {
    const base = seconds(10);
    const floor = seconds(2);
    expect(transportWait(base, floor, 1)).to.equal(base);
    expect(transportWait(base, floor, 60)).to.equal(seconds(120));
    expect(transportMillis(base, floor, 1)).to.equal(10_000);
    expect(transportMillis(base, floor, 60)).to.equal(2_000);
    expect(transportMillis(base, floor, 2)).to.equal(5_000);
    expect(transportMillis(1 as Duration, 1 as Duration, 60)).to.equal(1);
    expect(dataPolicy(60).slotWait).to.equal(seconds(90));
    expect(dataPolicy(60).answerWait).to.equal(seconds(120));
  });
});

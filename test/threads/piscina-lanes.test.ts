import { expect } from 'chai';
import { LaneStartError } from '../../lib/adapters/threads/piscina-lanes.ts';
import type { ClientOrderId, Ticker } from '../../lib/domain/ids.ts';
import { reduceLane } from '../../lib/domain/lane.ts';
import type { LaneEvent } from '../../lib/domain/lane-types.ts';
import { price } from '../../lib/domain/money.ts';
import type { LaneInputMessage, LaneStep } from '../../lib/ports/lane-protocol.ts';
import {
  AAPL,
  barInput,
  commandsOf,
  fixtureUrl,
  laneStart,
  minuteEnd,
  misbehave,
  openWatchedLanes,
  QQQ,
  SPY,
  type WatchedLanes,
} from './lanes-fixture.ts';

const kindsOf = ({ uplinks }: WatchedLanes, symbol: Ticker): readonly string[] =>
  uplinks.filter((uplink) => uplink.symbol === symbol).map((uplink) => uplink.kind);

const taken = (symbol: Ticker): LaneInputMessage => ({
  kind: 'submitSettled',
  at: minuteEnd(1),
  clientOrderId: `${symbol}-unknown` as ClientOrderId,
  verdict: { kind: 'accepted' },
});

/** The same as a step that was taken with a copy of the lane. */
function takenStep(symbol: Ticker): LaneStep {
  const event = { ...taken(symbol), mark: null } as LaneEvent;
  return { event, commands: reduceLane(laneStart(symbol).lane, event)[1] };
}

const failuresOf = async (starting: Promise<void>): Promise<LaneStartError> => {
  try {
    await starting;
  } catch (error) {
    if (error instanceof LaneStartError) return error;
    throw error;
  }
  throw new Error('the start was expected to fail');
};

describe('lanes in worker threads', function () {
  this.timeout(60_000);
  let lanes: WatchedLanes;
  afterEach(() => lanes.host.close());

  describe('at work', () => {
    it('get a thread each and say ready before the start is over', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY), laneStart(AAPL)]);
      expect(lanes.uplinks.map(({ kind }) => kind)).to.deep.equal(['ready', 'ready']);
      const threads = [lanes.host.threadOf(SPY), lanes.host.threadOf(AAPL)];
      expect(new Set(threads).size).to.equal(2);
      expect(threads).to.not.include(null);
      expect(lanes.host.threadOf(QQQ)).to.equal(null);
    });

    it('hear a step that was taken for them with what they have to decide, and answer both at once', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY)]);
      lanes.host.repeat(SPY, takenStep(SPY));
      const seq = lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.until(() => kindsOf(lanes, SPY).includes('decided'));
      const decided = lanes.uplinks.filter((uplink) => uplink.kind === 'decided');
      expect(decided.map(({ ack, steps }) => [ack, steps.map(({ event }) => event.kind)])).to.deep.equal([
        [seq, ['barClosed']],
      ]);
    });

    it('hear it soon, also when nothing else comes', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY)]);
      const seq = lanes.host.repeat(SPY, takenStep(SPY));
      await lanes.until(() => kindsOf(lanes, SPY).includes('decided'));
      expect(lanes.uplinks.at(-1)).to.deep.include({ kind: 'decided', ack: seq, steps: [] });
    });

    it('are lost when a step comes out otherwise with them, and say no more', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY)]);
      lanes.host.repeat(SPY, { ...takenStep(SPY), commands: [] });
      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.until(() => lanes.losses.length > 0);
      expect(lanes.losses[0]?.loss.code).to.equal('diverged');
      expect(lanes.losses[0]?.loss.text).to.include('after submitSettled its commands differ at [0]');
      expect(kindsOf(lanes, SPY)).to.deep.equal(['ready']);
    });

    it('that throw have told what they did before', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY, misbehave('throw'))]);
      const seq = lanes.host.post(SPY, taken(SPY));
      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.until(() => lanes.losses.length > 0);
      expect(lanes.uplinks.at(-1)).to.include({ kind: 'decided', ack: seq });
      expect(lanes.losses[0]?.loss.code).to.equal('threw');
    });

    it('answer a bar with an order at the newest mark', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY), laneStart(AAPL)]);
      lanes.host.setMark(AAPL, { price: price(99), at: minuteEnd(1) });
      lanes.host.setMark(SPY, { price: price(990_000), at: minuteEnd(0) });
      lanes.host.setMark(SPY, { price: price(1_001_500), at: minuteEnd(1) });
      const seq = lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.until(() => commandsOf(lanes.uplinks, SPY).some(({ kind }) => kind === 'submit'));
      const last = lanes.uplinks.at(-1);
      expect(last).to.include({ kind: 'decided', symbol: SPY, ack: seq });
      const [submit] = commandsOf(lanes.uplinks, SPY);
      expect(submit).to.have.nested.property('intent.price.limit', 1_001_500);
      expect(submit).to.have.nested.property('intent.qty', 19);
      expect(submit).to.have.nested.property('intent.mark.at', minuteEnd(1));
    });

    it('answer every input in order', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY)]);
      lanes.host.setMark(SPY, { price: price(1_000_000), at: minuteEnd(1) });
      const seqs = [1, 2, 3].map((n) => lanes.host.post(SPY, barInput(SPY, n)));
      await lanes.until(() => lanes.uplinks.some((uplink) => 'ack' in uplink && uplink.ack === seqs.at(-1)));
      const decided = lanes.uplinks.flatMap((uplink) => (uplink.kind === 'decided' ? [uplink] : []));
      expect(decided.map(({ ack }) => ack)).to.deep.equal(seqs);
      const bars = decided.flatMap(({ steps }) => steps.map(({ event }) => event));
      expect(bars.map(({ at }) => at)).to.deep.equal([1, 2, 3].map(minuteEnd));
    });

    it('answer a ping, out of turn for nobody', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY)]);
      lanes.host.post(SPY, barInput(SPY, 1));
      const seq = lanes.host.ping(SPY);
      await lanes.until(() => kindsOf(lanes, SPY).includes('alive'));
      expect(lanes.uplinks.at(-1)).to.deep.equal({ kind: 'alive', symbol: SPY, ack: seq });
      expect(kindsOf(lanes, SPY)).to.deep.equal(['ready', 'decided', 'alive']);
    });

    it('start by the dozen without stopping the main thread', async () => {
      lanes = openWatchedLanes({ maxThreads: 16 });
      let turns = 0;
      const counter = setInterval(() => {
        turns += 1;
      }, 1);
      const symbols = Array.from({ length: 12 }, (_, n) => `S${n}` as Ticker);
      await lanes.host.start(symbols.map((symbol) => laneStart(symbol)));
      clearInterval(counter);
      expect(new Set(symbols.map((symbol) => lanes.host.threadOf(symbol))).size).to.equal(12);
      expect(turns).to.be.greaterThan(symbols.length);
    });
  });

  describe('under control', () => {
    it('tell their status', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY)]);
      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.until(() => kindsOf(lanes, SPY).includes('decided'));
      const view = await lanes.host.control(SPY).status();
      expect(view).to.include({ symbol: SPY, barsSeen: 1, threadId: lanes.host.threadOf(SPY) });
      expect(view.facts).to.deep.equal({ bars: 1 });
      expect(view.heapUsedBytes).to.be.greaterThan(0);
      expect(view.lane.params).to.deep.equal(laneStart(SPY).params);
    });

    it('say so when they are not there', async () => {
      lanes = openWatchedLanes();
      const refused = await lanes.host
        .control(SPY)
        .status()
        .catch((error: Error) => error.message);
      expect(refused).to.equal('lane SPY is not running');
      expect(lanes.host.post(SPY, barInput(SPY, 1))).to.equal(0);
    });
  });

  describe('packed', () => {
    it('share threads evenly and stay apart', async () => {
      lanes = openWatchedLanes({ maxThreads: 2 });
      const symbols = ['A', 'B', 'C', 'D', 'E'].map((name) => name as Ticker);
      await lanes.host.start(symbols.map((symbol) => laneStart(symbol)));
      const threads = symbols.map((symbol) => lanes.host.threadOf(symbol));
      expect(new Set(threads).size).to.equal(2);
      expect(threads.filter((thread) => thread === threads[0])).to.have.lengthOf(2);
      lanes.host.post('A' as Ticker, barInput('A' as Ticker, 1));
      lanes.host.post('B' as Ticker, barInput('B' as Ticker, 1));
      lanes.host.post('B' as Ticker, barInput('B' as Ticker, 2));
      await lanes.until(() => kindsOf(lanes, 'B' as Ticker).length === 3);
      const views = await Promise.all(symbols.map((symbol) => lanes.host.control(symbol).status()));
      expect(views.map(({ barsSeen }) => barsSeen)).to.deep.equal([1, 2, 0, 0, 0]);
    });

    it('one that throws is lost alone, and may come back to its place', async () => {
      lanes = openWatchedLanes({ maxThreads: 1 });
      await lanes.host.start([laneStart(SPY), laneStart(AAPL, misbehave('throw')), laneStart(QQQ)]);
      lanes.host.post(AAPL, barInput(AAPL, 1));
      await lanes.until(() => lanes.losses.length > 0);
      expect(lanes.losses[0]).to.deep.include({ symbol: AAPL });
      expect(lanes.losses[0]?.loss.code).to.equal('threw');
      expect(lanes.losses[0]?.loss.text).to.match(/TypeError: the signal divided by zero \(at .*misbehave/);

      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.host.start([laneStart(AAPL)]);
      lanes.host.post(AAPL, barInput(AAPL, 2));
      lanes.host.post(QQQ, barInput(QQQ, 1));
      await lanes.until(() => lanes.uplinks.filter(({ kind }) => kind === 'decided').length === 3);
      expect(new Set([SPY, AAPL, QQQ].map((symbol) => lanes.host.threadOf(symbol))).size).to.equal(1);
      expect(lanes.losses).to.have.lengthOf(1);
    });

    it('all are lost with their thread, each once, and the others stay', async () => {
      lanes = openWatchedLanes({ maxThreads: 2 });
      const exiting = ['A', 'B'].map((name) => laneStart(name as Ticker, misbehave('exit')));
      await lanes.host.start([...exiting, laneStart(SPY), laneStart(AAPL)]);
      lanes.host.post('A' as Ticker, barInput('A' as Ticker, 1));
      await lanes.until(() => lanes.losses.length === 2);
      expect(lanes.losses.map(({ symbol }) => symbol)).to.have.members(['A', 'B']);
      for (const { loss } of lanes.losses)
        expect(loss).to.deep.equal({ code: 'exited', text: 'the thread exited with code 7' });
      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.until(() => kindsOf(lanes, SPY).includes('decided'));
      expect(lanes.losses).to.have.lengthOf(2);
    });
  });

  describe('that go wrong', () => {
    const endings: readonly (readonly [string, string, RegExp])[] = [
      ['throw', 'threw', /^TypeError: the signal divided by zero/],
      ['recurse', 'threw', /^RangeError: Maximum call stack size exceeded/],
      ['reject', 'threw', /^RangeError: nobody caught this/],
      ['exit', 'exited', /code 7$/],
      ['heap', 'outOfMemory', /memory/],
    ];
    for (const [how, code, text] of endings)
      it(`are lost as ${code} when the strategy does: ${how}`, async () => {
        lanes = openWatchedLanes({ heapLimitMb: 32 });
        await lanes.host.start([laneStart(SPY, misbehave(how)), laneStart(AAPL)]);
        lanes.host.post(SPY, barInput(SPY, 1));
        await lanes.until(() => lanes.losses.length > 0);
        expect(lanes.losses).to.have.lengthOf(1);
        expect(lanes.losses[0]?.loss.code).to.equal(code);
        expect(lanes.losses[0]?.loss.text).to.match(text);
        expect(lanes.host.threadOf(SPY)).to.equal(null);

        await lanes.host.start([laneStart(SPY)]);
        const seq = lanes.host.post(SPY, barInput(SPY, 1));
        await lanes.until(() =>
          lanes.uplinks.some((uplink) => uplink.kind === 'decided' && uplink.ack === seq),
        );
      });

    it('are lost as stalled when they never return, and replaced', async () => {
      lanes = openWatchedLanes({ stallMs: 500 });
      await lanes.host.start([laneStart(SPY, misbehave('loop'))]);
      // Asks again after each answer, so that one question meets the loop and is never answered.
      const ask = (): Promise<string> => control.status().then(ask, (error: Error) => error.message);
      const control = lanes.host.control(SPY);
      const unanswered = ask();
      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.until(() => lanes.losses.length > 0);
      expect(lanes.losses[0]?.loss.code).to.equal('stalled');
      expect(await unanswered).to.match(/^lane SPY has ended: its thread gave no sign of life/);
      await lanes.host.start([laneStart(SPY)]);
      expect(lanes.host.threadOf(SPY)).to.be.a('number');
    });

    it('had said everything before the loss is told', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY, misbehave('exit'))]);
      for (let n = 0; n < 50; n++) lanes.host.ping(SPY);
      let heardBeforeLoss = -1;
      const lost = lanes.until(() => {
        if (lanes.losses.length > 0 && heardBeforeLoss < 0) heardBeforeLoss = lanes.uplinks.length;
        return lanes.losses.length > 0;
      });
      lanes.host.post(SPY, barInput(SPY, 1));
      await lost;
      await lanes.host.start([laneStart(AAPL)]);
      const ofSpy = kindsOf(lanes, SPY);
      expect(heardBeforeLoss).to.equal(ofSpy.length);
    });
  });

  describe('that cannot start', () => {
    it('name the strategy and what is wrong with it; the others run', async () => {
      lanes = openWatchedLanes({ maxThreads: 2 });
      const failed = await failuresOf(
        lanes.host.start([
          laneStart('A' as Ticker, { name: 'no-such-signal' }),
          laneStart('B' as Ticker, { name: fixtureUrl('absent.js') }),
          laneStart('C' as Ticker, { name: fixtureUrl('not-a-strategy.js') }),
          laneStart('D' as Ticker, misbehave('dance')),
          laneStart(SPY),
        ]),
      );
      const textOf = (symbol: string): string | undefined => failed.failures.get(symbol as Ticker)?.text;
      expect([...failed.failures.keys()]).to.have.members(['A', 'B', 'C', 'D']);
      expect(textOf('A')).to.match(/^a strategy is a path .* or one of .*sma-cross.*Found: no-such-signal$/);
      expect(textOf('B')).to.match(/^strategy .*absent\.js cannot be loaded/);
      expect(textOf('C')).to.match(/^strategy .*not-a-strategy\.js: .*onBar/);
      expect(textOf('D')).to.match(/^strategy .*misbehave\.js: how is one of throw/);
      expect(lanes.losses).to.deep.equal([]);
      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.until(() => kindsOf(lanes, SPY).includes('decided'));
    });

    it('do not wait for ever for a strategy that never loads', async () => {
      lanes = openWatchedLanes({ startTimeoutMs: 5_000 });
      const failed = await failuresOf(
        lanes.host.start([laneStart(SPY), laneStart(AAPL, { name: fixtureUrl('never-loads.js') })]),
      );
      expect(failed.message).to.match(/Failed: AAPL: it was not ready within 5000 ms \(stalled\)$/);
    });

    it('say so when there is no worker to start', async () => {
      lanes = openWatchedLanes({ workerUrl: new URL('./no-such-worker.js', import.meta.url) });
      const failed = await failuresOf(lanes.host.start([laneStart(SPY), laneStart(AAPL)]));
      expect([...failed.failures.keys()]).to.have.members([SPY, AAPL]);
      expect(failed.failures.get(SPY)?.text).to.match(/no-such-worker/);
    });

    it('are refused a second time under the same symbol', async () => {
      lanes = openWatchedLanes();
      await lanes.host.start([laneStart(SPY)]);
      const refused = await lanes.host.start([laneStart(SPY)]).catch((error: Error) => error.message);
      expect(refused).to.match(/a symbol has one lane/);
    });
  });

  describe('at the end', () => {
    it('go one by one when asked, without being called lost', async () => {
      lanes = openWatchedLanes({ maxThreads: 1 });
      await lanes.host.start([laneStart(SPY), laneStart(AAPL)]);
      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.host.stop(SPY);
      expect(kindsOf(lanes, SPY)).to.deep.equal(['ready', 'decided', 'gone']);
      expect(lanes.host.threadOf(SPY)).to.equal(null);
      lanes.host.ping(AAPL);
      await lanes.until(() => kindsOf(lanes, AAPL).includes('alive'));
      expect(lanes.losses).to.deep.equal([]);
    });

    it('end with their thread when they do not answer, and take the pack along', async () => {
      lanes = openWatchedLanes({ maxThreads: 1, stopTimeoutMs: 300 });
      await lanes.host.start([laneStart(SPY, misbehave('loop')), laneStart(AAPL)]);
      lanes.host.post(SPY, barInput(SPY, 1));
      await lanes.host.stop(SPY);
      expect(lanes.losses.map(({ symbol, loss }) => [symbol, loss.code])).to.deep.equal([[AAPL, 'aborted']]);
    });

    it('close all at once, hanging ones too', async () => {
      lanes = openWatchedLanes({ stopTimeoutMs: 3_000 });
      await lanes.host.start([laneStart(SPY, misbehave('loop')), laneStart(AAPL), laneStart(QQQ)]);
      lanes.host.post(SPY, barInput(SPY, 1));
      await Promise.all([lanes.host.close(), lanes.host.close()]);
      expect(lanes.uplinks.filter(({ kind }) => kind === 'gone')).to.have.lengthOf(2);
      expect(lanes.losses).to.deep.equal([]);
      expect(lanes.host.threadOf(AAPL)).to.equal(null);
    });
  });
});

import { expect } from 'chai';
import { memoryJournal } from '../../lib/adapters/journal/memory.ts';
import { rehearse } from '../../lib/app/rehearsal.ts';
import { orderLinesFor, runRehearsal, warmUp, warmUpRequests } from '../../lib/app/warm-up.ts';
import { micros, millis, minutes, seconds } from '../../lib/domain/time.ts';
import { createDirectBroker } from '../../lib/engine/direct-broker.ts';
import { createDirectFeeds } from '../../lib/engine/direct-feeds.ts';
import { createEngine, type Engine } from '../../lib/engine/engine.ts';
import { createInProcessLanes } from '../../lib/engine/in-process-lanes.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/engine/virtual-clock.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';
import { smaCross } from '../../lib/strategy/sma-cross.ts';
import { sessionOf } from '../engine/simulated-day.ts';
import { settingsFrom } from '../parity/daemon.ts';

describe('warming up', () => {
  it('keeps a connection for every lane, as far as open files and good manners go', () => {
    expect(orderLinesFor(1, 1_024)).to.equal(3);
    expect(orderLinesFor(50, 1_024)).to.equal(52);
    expect(orderLinesFor(100, 1_024)).to.equal(64);
    expect(orderLinesFor(5_000, Number.POSITIVE_INFINITY)).to.equal(200);
    expect(orderLinesFor(5, 8)).to.equal(1);
  });

  it('takes a tenth of the budget at the most', () => {
    expect([10, 100, 200, 10_000].map(warmUpRequests)).to.deep.equal([1, 10, 20, 20]);
  });

  it('makes its requests before the start, and rehearses after it', async () => {
    const lines: (readonly [string, unknown])[] = [];
    const note = (event: string, fields: unknown): void => void lines.push([event, fields]);
    const asked: number[] = [];
    const broker = { warm: async (requests: number) => void asked.push(requests) };
    expect(await warmUp(broker, 200)).to.equal(20);
    expect(asked).to.deep.equal([20]);
    await runRehearsal({ debug: note, info: note, warn: note, error: note });
    expect(lines.map(([event]) => event)).to.deep.equal(['engine.rehearsed']);
  });
});

describe('a rehearsal', () => {
  const stopped = (): number => 0;

  it('plays the same orders every time, and leaves nothing behind', async () => {
    const first = await rehearse(3, 1, stopped);
    const before = process.getActiveResourcesInfo().sort();
    expect(first).to.deep.equal({ orders: 48, minutes: 3 });
    expect(await rehearse(3, 1, stopped)).to.deep.equal(first);
    expect(process.getActiveResourcesInfo().sort()).to.deep.equal(before);
  });

  it('ends early on a machine that is slow, which is no failure', async () => {
    for (const steps of [1, 5, 50]) {
      let asked = 0;
      const stopwatch = (): number => {
        asked += 1;
        return asked > steps ? 1_000_000 : 0;
      };
      expect((await rehearse(10, 1, stopwatch)).minutes).to.be.below(10);
    }
  });
});

describe('requests that were made before the engine was there', () => {
  const session = sessionOf('09:30', '16:00');

  function engineOf(clock: VirtualClock, requestsMade: number): Engine {
    const options = defaultExchangeOptions({ seed: 1, startAt: clock.now(), sessions: [session] });
    const exchange = createExchange(options, tapeFromItems([], []));
    const feeds = createDirectFeeds({ clock, exchange, connecting: millis(1), faults: null });
    const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    return createEngine({
      clock,
      broker: createDirectBroker({ clock, exchange, latency: millis(0), timeout: seconds(10), faults: null }),
      journal: memoryJournal(),
      log,
      laneHost: (events) => createInProcessLanes({ clock, strategyOf: () => smaCross }, events),
      openDataFeed: feeds.openDataFeed,
      openTradeFeed: feeds.openTradeFeed,
      settings: settingsFrom('symbols:\n  - { symbol: SPY, lot: 2000 }\n'),
      events: { onSessionEnded: nothing },
      requestsMade,
    });
  }

  it('count against its budget, exits included, for a minute', () => {
    const clock = createVirtualClock(micros(session.openAt));
    const { status } = engineOf(clock, 20);
    expect(status().gateway).to.include({ free: 180, freeForEntries: 140 });
    clock.runUntil(micros(session.openAt + minutes(1)));
    expect(status().gateway).to.include({ free: 200, freeForEntries: 160 });
  });
});

function nothing(): void {}

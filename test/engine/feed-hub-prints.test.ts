import { expect } from 'chai';
import fc from 'fast-check';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Bar } from '../../lib/domain/market.ts';
import { type Price, price } from '../../lib/domain/money.ts';
import { planSession } from '../../lib/domain/session.ts';
import { after as later, type Micros, millis, minutes, seconds } from '../../lib/domain/time.ts';
import { createFeedHub } from '../../lib/engine/feed-hub.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import { sessionOf } from './simulated-day.ts';
import { loggingTo, SPY, scriptedBroker } from './support.ts';

const SESSION = sessionOf('09:30', '16:00');
const OTHER = 'BAC' as Ticker;

function world() {
  const clock = createVirtualClock(SESSION.openAt);
  const told: string[] = [];
  const bucket = createTokenBucket({ limit: 200, reserve: 0, window: minutes(1) });
  const hub = createFeedHub({
    clock,
    broker: scriptedBroker(),
    queue: createRequestQueue(clock, bucket, DEFAULT_ENGINE_SETTINGS.gateway),
    log: loggingTo([]),
    settings: DEFAULT_ENGINE_SETTINGS.feed,
    symbols: [SPY, OTHER],
    events: {
      onInput: (symbol, input) => void told.push(`${symbol} ${input.kind}`),
      onMark: (symbol, mark) => void told.push(`${symbol} mark ${mark.price}`),
    },
  });
  hub.openSession(planSession(SESSION, minutes(5), minutes(2)));
  const at = (ms: number): Micros => later(SESSION.openAt, millis(ms));
  const take = (symbol: Ticker, px: number, ms: number, isEligible = true): void => {
    const line = hub.prints.lineOf(symbol);
    if (line !== null) hub.prints.take(line, price(px), at(ms), isEligible);
  };
  const bar = (symbol: Ticker): Bar => {
    const [open, high, low, close, vwap] = Array.from({ length: 5 }, () => price(7)) as [
      Price,
      Price,
      Price,
      Price,
      Price,
    ];
    return { symbol, startAt: SESSION.openAt, open, high, low, close, volume: 1, tradeCount: 1, vwap };
  };
  return { clock, hub, told, take, at, bar };
}

describe('feed hub: prints the quick way', () => {
  it('knows a mark at once, and tells the newest of each symbol when the turn is over', () => {
    const { hub, told, take, at } = world();
    take(SPY, 100, 1);
    take(OTHER, 50, 2);
    take(SPY, 101, 3);
    expect(hub.mark(SPY)).to.deep.equal({ price: 101, at: at(3) });
    expect(told).to.deep.equal([]);
    hub.prints.turnOver();
    hub.prints.turnOver();
    expect(told).to.deep.equal(['SPY mark 101', 'BAC mark 50']);
    take(SPY, 102, 4);
    hub.prints.turnOver();
    expect(told.slice(2)).to.deep.equal(['SPY mark 102']);
    expect(hub.stats().prints).to.equal(4);
  });

  it('lets no bar and no halt overtake the mark before it', async () => {
    const { clock, hub, told, take, bar } = world();
    clock.runUntil(later(SESSION.openAt, seconds(61)));
    told.length = 0;
    take(SPY, 100, 1);
    take(OTHER, 50, 1);
    hub.message({ kind: 'bar', bar: bar(SPY) });
    expect(told).to.deep.equal(['SPY mark 100', 'SPY bars']);
    const status = { symbol: OTHER, at: clock.now(), state: 'halted', code: 'H', reason: 'T12' } as const;
    hub.message({ kind: 'status', status });
    expect(told.slice(2)).to.deep.equal(['BAC mark 50', 'BAC haltChanged']);
    hub.prints.turnOver();
    expect(told, 'told once').to.have.length(4);
  });

  it('takes a print that ends a halt which a gap hid', () => {
    const { clock, hub, told, take } = world();
    const status = { symbol: SPY, at: clock.now(), state: 'halted', code: 'H', reason: 'T12' } as const;
    hub.message({ kind: 'status', status });
    hub.gap();
    take(SPY, 100, 1);
    expect(told).to.deep.equal(['SPY haltChanged', 'SPY haltChanged']);
    expect(hub.isHalted(SPY)).to.equal(false);
  });

  it('ends with the marks that prints as messages end with, whatever comes in whatever turns', () => {
    const print = fc.record({
      symbol: fc.constantFrom(SPY, OTHER, 'NONE' as Ticker),
      price: fc.integer({ min: 1, max: 1_000 }),
      ms: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 70_000, max: 70_010 })),
      conditions: fc.constantFrom(['@'], ['I'], []),
      turnOver: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(print, { maxLength: 40 }), (prints) => {
        const quick = world();
        const plain = world();
        for (const { symbol, price: px, ms, conditions, turnOver } of prints) {
          quick.take(symbol, px, ms, conditions[0] !== 'I');
          const event = {
            symbol,
            at: plain.at(ms),
            price: price(px),
            size: 1,
            exchange: 'V',
            conditions,
            id: '',
          };
          plain.hub.message({ kind: 'print', print: event });
          if (turnOver) quick.hub.prints.turnOver();
          for (const each of [SPY, OTHER]) expect(quick.hub.mark(each)).to.deep.equal(plain.hub.mark(each));
        }
        quick.hub.prints.turnOver();
        for (const symbol of [SPY, OTHER]) {
          const last = (told: readonly string[]) =>
            told.filter((line) => line.startsWith(`${symbol} `)).at(-1);
          expect(last(quick.told)).to.equal(last(plain.told));
        }
      }),
    );
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { startDriver, type Wall } from '../../lib/adapters/exchange/driver.ts';
import { type Micros, micros } from '../../lib/domain/time.ts';

/** A wall clock that moves when told, or by a fixed cost each time it is read. */
function handWall(costPerLookMs = 0) {
  let ms = 0;
  let pending: { at: number; task: () => void; live: boolean }[] = [];
  const add = (at: number, task: () => void) => {
    const entry = { at, task, live: true };
    pending.push(entry);
    return {
      cancel: () => {
        entry.live = false;
      },
    };
  };
  const wall: Wall = {
    nowMs: () => {
      ms += costPerLookMs;
      return ms;
    },
    after: (wait, task) => add(ms + wait, task),
    soon: (task) => add(ms, task),
  };
  /** Runs the one call that is due first; returns when it was due, `null` when nothing waits. */
  const step = (): number | null => {
    pending = pending.filter((entry) => entry.live).sort((a, b) => a.at - b.at);
    const first = pending.shift();
    if (first === undefined) return null;
    ms = Math.max(ms, first.at);
    first.task();
    return first.at;
  };
  return { wall, step, waiting: () => pending.filter((entry) => entry.live).length, at: () => ms };
}

function handExchange(events: readonly number[], startAt = 0) {
  let now = startAt;
  let next = 0;
  const played: number[] = [];
  return {
    played,
    now: () => micros(now),
    nextEventAt: (): Micros | null => {
      const at = events[next];
      return at === undefined ? null : micros(at);
    },
    advanceTo: (to: Micros) => {
      expect(to, 'time never goes back').to.be.at.least(now);
      for (let at = events[next]; at !== undefined && at <= to; at = events[next]) {
        played.push(at);
        next += 1;
      }
      now = to;
    },
  };
}

describe('clock driver', () => {
  it('sleeps until the next event is due at its speed', () => {
    const exchange = handExchange([60_000_000, 120_000_000]);
    const { wall, step, at } = handWall();
    const driver = startDriver({ exchange, speed: 60, wall });
    step();
    expect(at()).to.equal(1_000);
    expect(exchange.played).to.deep.equal([60_000_000]);
    step();
    expect(at()).to.equal(2_000);
    expect(exchange.played).to.have.length(2);
    driver.stop();
  });

  it('steps over the spans that are skipped, and wakes for what is due behind them', () => {
    const exchange = handExchange([10_000_000, 95_000_000, 205_000_000]);
    const { wall, step, at } = handWall();
    const skips = [
      { from: micros(20_000_000), to: micros(90_000_000) },
      { from: micros(100_000_000), to: micros(200_000_000) },
    ];
    const driver = startDriver({ exchange, speed: 1, skips, wall });
    const seen: [number, number][] = [];
    while (exchange.played.length < 3) {
      step();
      seen.push([at(), driver.now()]);
    }
    expect(exchange.played).to.deep.equal([10_000_000, 95_000_000, 205_000_000]);
    expect(seen).to.deep.include.members([
      [10_000, 10_000_000],
      [20_000, 90_000_000],
      [25_000, 95_000_000],
      [30_000, 200_000_000],
      [35_000, 205_000_000],
    ]);
    driver.stop();
  });

  it('a start within a skipped span is the end of that span', () => {
    const exchange = handExchange([], 30_000_000);
    const { wall } = handWall();
    const skips = [{ from: micros(20_000_000), to: micros(90_000_000) }];
    const driver = startDriver({ exchange, speed: 1, skips, wall });
    expect(driver.now()).to.equal(90_000_000);
    driver.stop();
  });

  it('plays events that are close together in one go', () => {
    const exchange = handExchange([1_000, 1_100, 1_500, 1_900]);
    const { wall, step } = handWall();
    const driver = startDriver({ exchange, speed: 1, wall });
    step();
    expect(exchange.played).to.have.length(4);
    driver.stop();
  });

  it('runs on after the last event', () => {
    const exchange = handExchange([]);
    const { wall, step, at } = handWall();
    const driver = startDriver({ exchange, speed: 10, wall });
    step();
    driver.whenCurrent(() => {});
    expect(at()).to.be.above(0);
    expect(exchange.now()).to.equal(driver.now());
    driver.stop();
  });

  it('a long catch-up is played in slices, and a request in between waits for what was due when it came', () => {
    const events = Array.from({ length: 5_000 }, (_, index) => index + 1);
    const exchange = handExchange(events);
    // Each look at the clock costs a millisecond: a slice ends after a few of them.
    const { wall, step } = handWall(1);
    let slices = 0;
    const driver = startDriver({ exchange, speed: 1_000, wall, onPlayed: () => (slices += 1) });
    step();
    expect(exchange.played.length).to.be.within(1, 1_000);
    let seen = -1;
    driver.whenCurrent(() => (seen = exchange.played.length));
    expect(seen, 'not answered from a half-played past').to.equal(-1);
    while (seen < 0) step();
    expect(seen).to.equal(5_000);
    expect(slices).to.be.above(5);
    driver.stop();
  });

  it('requests are answered in the order they came, whatever the pace', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 10_000_000 }), { maxLength: 200 }),
        fc.array(fc.boolean(), { maxLength: 40 }),
        (raw, actions) => {
          const exchange = handExchange(raw.toSorted((a, b) => a - b));
          const { wall, step } = handWall(1);
          const driver = startDriver({ exchange, speed: 500, wall });
          const answered: number[] = [];
          let asked = 0;
          for (const ask of actions) {
            if (!ask) step();
            else {
              const number = asked;
              asked += 1;
              const due = driver.now();
              driver.whenCurrent(() => {
                answered.push(number);
                expect(exchange.now()).to.be.at.least(due);
              });
            }
          }
          for (let i = 0; i < 5_000 && answered.length < asked; i += 1) step();
          expect(answered).to.deep.equal(Array.from({ length: asked }, (_, index) => index));
          driver.stop();
        },
      ),
      { numRuns: 50 },
    );
  });

  it('after stop nothing waits and nothing is played', () => {
    const exchange = handExchange([1_000]);
    const { wall, waiting, step } = handWall();
    const driver = startDriver({ exchange, speed: 1, wall });
    driver.stop();
    expect(waiting()).to.equal(0);
    step();
    driver.whenCurrent(() => expect.fail('not after stop'));
    expect(exchange.played).to.deep.equal([]);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { createExchangeClock, type WallTime } from '../../lib/adapters/time/exchange-clock.ts';
import { type Micros, micros } from '../../lib/domain/time.ts';
import { TimerQueue } from '../../lib/engine/timer-queue.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';

/** A wall that is moved by hand, with the limit of a real timer: a longer wait is cut to 31 bits of milliseconds. */
function handWall(): WallTime & { move(millis: number): void; armed(): readonly number[] } {
  let now = 5_000_000;
  let next = 0;
  const timers = new Map<number, { at: number; delay: number; task: () => void }>();
  return {
    micros: () => now,
    after(delayMillis, task) {
      expect(delayMillis).to.be.within(0, 2 ** 31 - 1);
      next += 1;
      const key = next;
      timers.set(key, { at: now + delayMillis * 1_000, delay: delayMillis, task });
      return { cancel: () => timers.delete(key) };
    },
    move(millis) {
      const end = now + millis * 1_000;
      for (;;) {
        const [due] = [...timers].filter(([, t]) => t.at <= end).sort(([, a], [, b]) => a.at - b.at);
        if (due === undefined) break;
        timers.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].task();
      }
      now = end;
    },
    armed: () => [...timers.values()].map((t) => t.delay),
  };
}

const at = (seconds: number): Micros => micros(seconds * 1_000_000);

describe('exchange clock', () => {
  it('advances at its speed from the anchor', () => {
    const wall = handWall();
    const clock = createExchangeClock({ at: at(1_000), speed: 60, wall });
    wall.move(500);
    expect(clock.now()).to.equal(at(1_030));
    expect(clock.speed()).to.equal(60);
  });

  it('never goes back when it is set back, and stands until time has caught up', () => {
    const wall = handWall();
    const clock = createExchangeClock({ at: at(100), speed: 1, wall });
    wall.move(10_000);
    clock.anchor(at(105), 1);
    expect(clock.now()).to.equal(at(110));
    wall.move(4_000);
    expect(clock.now()).to.equal(at(110));
    wall.move(2_000);
    expect(clock.now()).to.equal(at(111));
  });

  it('runs a call for the past or the present on the next turn, also while it stands still', () => {
    const wall = handWall();
    const clock = createExchangeClock({ at: at(100), speed: 1, wall });
    clock.anchor(at(50), 1);
    const ran: string[] = [];
    clock.at(at(1), () => ran.push('past'));
    clock.at(clock.now(), () => {
      ran.push('now');
      clock.at(at(1), () => ran.push('asked inside'));
      ran.push('end of now');
    });
    expect(ran).to.deep.equal([]);
    wall.move(0);
    expect(ran).to.deep.equal(['past', 'now', 'end of now', 'asked inside']);
  });

  it('reschedules what waits when it is set forward or its speed changes', () => {
    const wall = handWall();
    const clock = createExchangeClock({ at: at(0), speed: 1, wall });
    const ran: number[] = [];
    clock.at(at(100), () => ran.push(100));
    clock.at(at(1_000), () => ran.push(1_000));
    clock.anchor(at(100), 10);
    wall.move(1);
    expect(ran).to.deep.equal([100]);
    wall.move(89_999);
    expect(ran).to.deep.equal([100, 1_000]);
  });

  it('cuts a wait that is longer than a platform timer into pieces', () => {
    const wall = handWall();
    const clock = createExchangeClock({ at: at(0), speed: 1, wall });
    let ran = 0;
    clock.at(at(6_000_000), () => {
      ran += 1;
    });
    expect(wall.armed()).to.deep.equal([2 ** 31 - 1]);
    wall.move(5_999_999_000);
    expect(ran).to.equal(0);
    wall.move(1_001);
    expect(ran).to.equal(1);
  });

  it('forgets everything on close', () => {
    const wall = handWall();
    const clock = createExchangeClock({ at: at(0), speed: 1, wall });
    const refuse = () => expect.fail('a closed clock runs nothing');
    clock.at(at(1), refuse);
    clock.close();
    clock.at(at(1), refuse).cancel();
    wall.move(5_000);
    expect(wall.armed()).to.deep.equal([]);
  });

  it('keeps the rest of a turn when one call throws', () => {
    const wall = handWall();
    const clock = createExchangeClock({ at: at(0), speed: 1, wall });
    const ran: string[] = [];
    clock.at(at(1), () => {
      throw new Error('first');
    });
    clock.at(at(1), () => ran.push('second'));
    expect(() => wall.move(1_000)).to.throw('first');
    wall.move(1);
    expect(ran).to.deep.equal(['second']);
  });

  it('runs on the real wall too', (done) => {
    const clock = createExchangeClock({ at: at(0), speed: 1_000 });
    clock.at(at(2), () => {
      expect(clock.now()).to.be.at.least(at(2));
      clock.close();
      done();
    });
  });
});

describe('virtual clock', () => {
  it('runs in time order, ties in insertion order, and stands where it was told', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (instants) => {
        const clock = createVirtualClock(at(0));
        const ran: [number, number][] = [];
        instants.forEach((s, order) => {
          clock.at(at(s), () => ran.push([clock.now(), order]));
        });
        clock.runUntil(at(30));
        const expected = instants.map((s, order): [number, number] => [at(s), order]);
        expect(ran).to.deep.equal(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
        expect(clock.now()).to.equal(at(30));
        expect(clock.runNext()).to.equal(false);
      }),
    );
  });

  it('never runs a canceled call, and runs calls for the past at the present', () => {
    const clock = createVirtualClock(at(10));
    const ran: string[] = [];
    clock.at(at(11), () => ran.push('canceled')).cancel();
    clock.at(at(3), () => ran.push(`past at ${clock.now()}`));
    expect(clock.pending()).to.equal(1);
    clock.runUntil(at(12));
    expect(ran).to.deep.equal([`past at ${at(10)}`]);
  });

  it('crashes on a loop that time cannot leave', () => {
    const clock = createVirtualClock(at(0));
    const again = (): void => {
      clock.at(clock.now(), again);
    };
    again();
    expect(() => clock.runUntil(at(1))).to.throw('virtual time moves on');
  });
});

describe('timer queue', () => {
  it('agrees with a sorted list under any mix of adding, canceling and taking', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), at: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ kind: fc.constant('cancel' as const), at: fc.nat(400) }),
      fc.record({ kind: fc.constant('take' as const), at: fc.integer({ min: 0, max: 50 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const queue = new TimerQueue();
        const calls: ReturnType<TimerQueue['add']>[] = [];
        let model: ReturnType<TimerQueue['add']>[] = [];
        for (const s of steps) {
          if (s.kind === 'add') {
            const call = queue.add(micros(s.at), () => {});
            calls.push(call);
            model.push(call);
          } else if (s.kind === 'cancel') {
            const call = calls[s.at % (calls.length + 1)];
            if (call === undefined) continue;
            queue.cancel(call);
            model = model.filter((c) => c !== call);
          } else {
            model.sort((a, b) => a.at - b.at || a.order - b.order);
            const expected = model[0] !== undefined && model[0].at <= s.at ? model.shift() : null;
            expect(queue.takeDue(micros(s.at))).to.equal(expected);
          }
          expect(queue.size).to.equal(model.length);
        }
      }),
    );
  });
});

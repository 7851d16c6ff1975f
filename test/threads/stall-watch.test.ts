import { expect } from 'chai';
import fc from 'fast-check';
import { createStallWatch } from '../../lib/adapters/threads/stall-watch.ts';

const STALL = 600;

/** A thread that has counted as often as its time allowed. */
class Thread {
  beats: number | null = 0;
  pulse(): number | null {
    return this.beats;
  }
  beat(): void {
    this.beats = (this.beats ?? 0) + 1;
  }
}

describe('the watch over stalled threads', () => {
  const looksUntilStalled = (thread: Thread, everyMs: number, max = 20): number | null => {
    const watch = createStallWatch<Thread>(STALL);
    for (let look = 0; look < max; look += 1)
      if (watch.look(look * everyMs, [thread]).includes(thread)) return look;
    return null;
  };

  it('finds one that stopped counting, in no more than 1.25 of the time given, and tells it once', () => {
    const watch = createStallWatch<Thread>(STALL);
    const thread = new Thread();
    thread.beat();
    const told = Array.from(
      { length: 12 },
      (_, look) => watch.look(look * watch.lookEveryMs, [thread]).length,
    );
    expect(told).to.deep.equal([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(5 * watch.lookEveryMs).to.be.at.most(1.25 * STALL);
  });

  it('does not watch one that is not ready yet', () => {
    const thread = new Thread();
    thread.beats = null;
    expect(looksUntilStalled(thread, STALL / 4)).to.equal(null);
  });

  it('blames nobody when it was late itself, time and again', () => {
    expect(looksUntilStalled(new Thread(), STALL)).to.equal(null);
    expect(looksUntilStalled(new Thread(), 10 * STALL)).to.equal(null);
  });

  it('does not make a stall of a few looks in a row that catch up', () => {
    expect(looksUntilStalled(new Thread(), STALL / 100, 60)).to.equal(null);
  });

  it('never blames a thread that counts on between looks, however they are spaced', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3 * STALL), { maxLength: 60 }), (gaps) => {
        const watch = createStallWatch<Thread>(STALL);
        const thread = new Thread();
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          // It counts as soon as it has its turn, which in the worst case is only after the main thread's.
          expect(watch.look(now, [thread])).to.deep.equal([]);
          if (gap >= watch.lookEveryMs * 0.75) thread.beat();
        }
      }),
    );
  });

  it('never takes longer than a stall and a quarter of looks on time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 113, max: 449 }), { minLength: 6, maxLength: 60 }), (gaps) => {
        const watch = createStallWatch<Thread>(STALL);
        const thread = new Thread();
        let now = 0;
        const found = gaps.map((gap) => {
          now += gap;
          return watch.look(now, [thread]).length;
        });
        expect(found.indexOf(1)).to.equal(4);
      }),
    );
  });
});

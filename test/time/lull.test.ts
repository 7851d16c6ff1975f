import { expect } from 'chai';
import fc from 'fast-check';
import { createLull, type LullTimers } from '../../lib/adapters/time/lull.ts';

/** Timers that the test moves, a millisecond at a time. */
function manual() {
  let now = 0;
  let due: { readonly at: number; readonly task: () => void } | null = null;
  const timers: LullTimers = {
    now: () => now,
    after(millis, task) {
      const mine = { at: now + millis, task };
      due = mine;
      return {
        cancel() {
          if (due === mine) due = null;
        },
      };
    },
  };
  return {
    timers,
    now: () => now,
    pass(millis: number) {
      for (const end = now + millis; now < end; ) {
        now += 1;
        if (due === null || due.at > now) continue;
        const { task } = due;
        due = null;
        task();
      }
    },
  };
}

const open = (quietMillis: number, mostMillis: number) => {
  const time = manual();
  const ran: number[] = [];
  const lull = createLull({ quietMillis, mostMillis, timers: time.timers }, () => ran.push(time.now()));
  return { ...time, ran, lull };
};

describe('a lull', () => {
  it('is waited for: each call postpones the work', () => {
    const { lull, pass, ran } = open(10, 100);
    lull.ask();
    pass(8);
    lull.ask();
    pass(9);
    expect(ran).to.deep.equal([]);
    pass(1);
    expect(ran).to.deep.equal([18]);
    expect(lull.isDue()).to.equal(false);
  });

  it('is not waited for without end', () => {
    const { lull, pass, ran } = open(10, 100);
    for (let n = 0; n < 250; n += 1) {
      lull.ask();
      pass(1);
    }
    expect(ran).to.deep.equal([100, 200]);
  });

  it('comes to nothing when the work is called off', () => {
    const { lull, pass, ran } = open(10, 100);
    lull.ask();
    lull.cancel();
    pass(500);
    expect(ran).to.deep.equal([]);
    lull.ask();
    pass(10);
    expect(ran).to.deep.equal([510]);
  });

  it('follows every call, within its bounds, whatever the calls', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 60 }), (gaps) => {
        const { lull, pass, ran, now } = open(10, 100);
        const asked: number[] = [];
        for (const gap of gaps) {
          lull.ask();
          asked.push(now());
          pass(gap);
        }
        pass(200);
        expect(lull.isDue()).to.equal(false);
        for (const at of asked)
          expect(
            ran.some((run) => run > at && run <= at + 100),
            `asked at ${at}, ran at ${ran}`,
          ).to.equal(true);
        for (const run of ran) {
          const inTime = asked.filter((at) => at < run);
          const first = inTime.find((at) => !ran.some((earlier) => earlier < run && earlier > at)) ?? 0;
          expect(run - (inTime.at(-1) ?? 0) >= 10 || run - first >= 99).to.equal(true);
        }
      }),
    );
  });
});

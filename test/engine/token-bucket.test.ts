import { expect } from 'chai';
import fc from 'fast-check';
import { type Micros, micros, minutes, seconds } from '../../lib/domain/time.ts';
import { createTokenBucket, type Token } from '../../lib/engine/token-bucket.ts';

const MINUTE = minutes(1);
const at = (second: number): Micros => micros(1_000_000_000 + second * 1_000_000);
const bucketOf = (limit: number, reserve = 0) => createTokenBucket({ limit, reserve, window: MINUTE });

describe('token bucket', () => {
  it('gives the whole limit at once, and the next token one window after an answer', () => {
    const bucket = bucketOf(3);
    const tokens = [1, 2, 3].map(() => bucket.take(at(0), true));
    expect(bucket.take(at(0), true)).to.equal(null);
    tokens[0]?.spent(at(2));
    expect(bucket.take(at(61.9), true)).to.equal(null);
    expect(bucket.take(at(62), true)).not.to.equal(null);
  });

  it('does not give twice the limit after idling', () => {
    const bucket = bucketOf(5);
    for (let i = 0; i < 5; i += 1) bucket.take(at(600), true)?.spent(at(600));
    expect(bucket.free(at(630), true)).to.equal(0);
    expect(bucket.free(at(660), true)).to.equal(5);
  });

  it('keeps the reserve for exits', () => {
    const bucket = bucketOf(10, 0.2);
    for (let i = 0; i < 8; i += 1) expect(bucket.take(at(0), false)).not.to.equal(null);
    expect(bucket.take(at(0), false)).to.equal(null);
    expect(bucket.free(at(0), true)).to.equal(2);
  });

  it('a token that was not used is there again at once', () => {
    const bucket = bucketOf(1);
    bucket.take(at(0), true)?.unused();
    expect(bucket.free(at(0), true)).to.equal(1);
  });

  it('a 429 stops everything until its reset', () => {
    const bucket = bucketOf(10);
    bucket.pause(at(20));
    expect(bucket.take(at(19.9), true)).to.equal(null);
    expect(bucket.freeAt(at(0), true, 1)).to.equal(at(20));
    expect(bucket.take(at(20), true)).not.to.equal(null);
  });

  it('headers only ever make it more careful', () => {
    const bucket = bucketOf(10);
    bucket.observe(at(0), { limit: 1_000, remaining: 900, resetAt: null });
    expect(bucket.free(at(0), true)).to.equal(10);
    bucket.observe(at(0), { limit: 4, remaining: 4, resetAt: null });
    expect(bucket.free(at(0), true)).to.equal(4);
    bucket.observe(at(0), { limit: 4, remaining: 0, resetAt: at(30) });
    expect(bucket.free(at(29), true)).to.equal(0);
  });

  it('forecasts beyond a full bucket by whole windows', () => {
    const bucket = bucketOf(10);
    expect(bucket.freeAt(at(0), true, 10)).to.equal(at(0));
    expect(bucket.freeAt(at(0), true, 11)).to.equal(at(60));
    expect(bucket.freeAt(at(0), true, 25)).to.equal(at(120));
  });

  /** A greedy caller with pauses of any length, and answers that take any time. */
  const greed = fc.array(
    fc.record({
      gap: fc.integer({ min: 0, max: 90_000_000 }),
      latency: fc.integer({ min: 0, max: 8_000_000 }),
    }),
    { minLength: 1, maxLength: 80 },
  );

  it('never lets more than the limit into any window, wherever between sending and answer the broker counts', () => {
    fc.assert(
      fc.property(
        greed,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 100 }),
        (calls, limit, where) => {
          const bucket = bucketOf(limit);
          const counted: number[] = [];
          const out: { token: Token; answeredAt: number }[] = [];
          let now = 0;
          for (const { gap, latency } of calls) {
            now += gap;
            for (const { token, answeredAt } of out
              .filter((each) => each.answeredAt <= now)
              .sort((a, b) => a.answeredAt - b.answeredAt))
              token.spent(micros(answeredAt));
            out.splice(0, out.length, ...out.filter((each) => each.answeredAt > now));
            for (
              let token = bucket.take(micros(now), true);
              token !== null;
              token = bucket.take(micros(now), true)
            ) {
              out.push({ token, answeredAt: now + latency });
              counted.push(now + (latency * where) / 100);
            }
          }
          counted.sort((a, b) => a - b);
          for (let i = limit; i < counted.length; i += 1)
            expect((counted[i] ?? 0) - (counted[i - limit] ?? 0)).to.be.at.least(MINUTE);
        },
      ),
    );
  });

  it('takes as many as it forecast, at the instant it forecast, and not one before', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 10 }),
        (limit, spent, count) => {
          fc.pre(count <= limit);
          const bucket = bucketOf(limit);
          for (const second of [...spent].sort((a, b) => a - b))
            bucket.take(at(second), true)?.spent(at(second));
          const now = at(60);
          const ready = bucket.freeAt(now, true, count);
          expect(bucket.free(ready, true)).to.be.at.least(count);
          if (ready > now) expect(bucketCopy(limit, spent).free(micros(ready - 1), true)).to.be.below(count);
        },
      ),
    );
  });

  function bucketCopy(limit: number, spent: readonly number[]) {
    const bucket = bucketOf(limit);
    for (const second of [...spent].sort((a, b) => a - b)) bucket.take(at(second), true)?.spent(at(second));
    return bucket;
  }

  it('refuses a limit or a reserve that makes no sense', () => {
    expect(() => bucketOf(0)).to.throw('a whole number, 1 or more');
    expect(() => bucketOf(10, 1)).to.throw('0 to below 1');
    expect(seconds(60)).to.equal(MINUTE);
  });
});

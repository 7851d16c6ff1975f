import { expect } from 'chai';
import fc from 'fast-check';
import { type Price, price } from '../../lib/domain/money.ts';
import { after as later, minutes } from '../../lib/domain/time.ts';
import type { Strategy } from '../../lib/strategy/contract.ts';
import { neverEnter } from '../../lib/strategy/never-enter.ts';
import { builtInNames, builtInStrategy, checkStrategy } from '../../lib/strategy/registry.ts';
import { smaCross } from '../../lib/strategy/sma-cross.ts';
import { at, barAt, usd } from '../lane/story.ts';

/** Signals on a run of closes, a minute each. */
function signalsOf(
  strategy: Strategy,
  closes: readonly Price[],
  options: Record<string, unknown> = {},
): string {
  let state = strategy.open(options);
  return closes
    .map((close, minute) => {
      const seen = strategy.onBar(state, barAt(later(at('09:30'), minutes(minute)), close));
      state = seen.state;
      return seen.signal === 'enter' ? 'E' : '.';
    })
    .join('');
}

const flat = (count: number, close = 100): Price[] => Array<Price>(count).fill(usd(close));

describe('sma-cross', () => {
  it('needs 21 bars, and a cross from strictly below to strictly above', () => {
    expect(signalsOf(smaCross, [...flat(18), usd(99), usd(101)])).to.equal('.'.repeat(20));
    expect(signalsOf(smaCross, [...flat(19), usd(99), usd(101)])).to.equal(`${'.'.repeat(20)}E`);
    // From exactly on the average it is no cross, nor onto it.
    expect(signalsOf(smaCross, [...flat(20), usd(101)])).to.equal('.'.repeat(21));
    expect(signalsOf(smaCross, [usd(100), usd(99), usd(99)], { period: 2 })).to.equal('...');
  });

  it('takes a period', () => {
    expect(signalsOf(smaCross, [usd(100), usd(99), usd(100)], { period: 2 })).to.equal('..E');
  });

  it('agrees with the definition on any closes', () => {
    const closes = fc.array(fc.integer({ min: 9_990, max: 10_010 }), { maxLength: 80 });
    fc.assert(
      fc.property(closes, fc.integer({ min: 2, max: 30 }), (cents, period) => {
        const prices = cents.map((cent) => price(cent * 100));
        const above = (end: number): bigint => {
          const window = prices.slice(end - period, end);
          const sum = window.reduce((total, close) => total + BigInt(close), 0n);
          return BigInt(prices[end - 1] ?? 0) * BigInt(period) - sum;
        };
        const expected = prices.map((_, i) =>
          i >= period && above(i) < 0n && above(i + 1) > 0n ? 'E' : '.',
        );
        expect(signalsOf(smaCross, prices, { period })).to.equal(expected.join(''));
      }),
    );
  });

  it('tells its numbers', () => {
    const state = smaCross.open({ period: 2 });
    const first = smaCross.onBar(state, barAt(at('09:30'), usd(100)));
    expect(first.facts).to.deep.equal({ close: 100 });
    expect(smaCross.onBar(first.state, barAt(at('09:31'), usd(101))).facts).to.deep.equal({
      close: 101,
      sma: 100.5,
    });
  });

  it('checks its options', () => {
    expect(smaCross.check({})).to.deep.equal([]);
    expect(smaCross.check({ period: 390 })).to.deep.equal([]);
    for (const period of [1, 391, 2.5, '20', null])
      expect(smaCross.check({ period })).to.deep.equal([
        `period must be a whole number from 2 to 390; found ${JSON.stringify(period)}`,
      ]);
    expect(smaCross.check({ perod: 20 })).to.deep.equal([
      'sma-cross knows the option "period" only; found "perod"',
    ]);
  });
});

describe('the strategy registry', () => {
  it('knows what ships', () => {
    expect(builtInNames()).to.deep.equal(['sma-cross']);
    expect(builtInStrategy('sma-cross')).to.equal(smaCross);
    expect(builtInStrategy('./mine.js')).to.equal(null);
  });

  it('judges the shape of what a file exports', () => {
    expect(checkStrategy(smaCross)).to.deep.equal({ kind: 'ok', strategy: smaCross });
    expect(checkStrategy(undefined)).to.deep.equal({
      kind: 'bad',
      mistakes: ['a strategy is an object exported by default; found nothing'],
    });
    expect(checkStrategy({ name: '', open: 1, onBar: () => null })).to.deep.equal({
      kind: 'bad',
      mistakes: [
        'a strategy has a name, a text that is not empty; found ""',
        'a strategy has a function "check"; found nothing',
        'a strategy has a function "open"; found 1',
      ],
    });
  });

  it('has one that never enters, for exits alone', () => {
    expect(checkStrategy(neverEnter).kind).to.equal('ok');
    expect(signalsOf(neverEnter, [...flat(19), usd(99), usd(101)])).to.not.include('E');
  });
});

import { expect } from 'chai';
import { createRandom } from '../../lib/sim/random.ts';

const draws = (count: number, draw: () => number): number[] => Array.from({ length: count }, draw);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('sim: chance', () => {
  it('repeats itself for equal seeds and differs for others', () => {
    const take = (seed: number | string) => {
      const random = createRandom(seed);
      return draws(20, () => random.u32());
    };
    expect(take(1)).to.deep.equal(take(1));
    expect(take(1)).not.to.deep.equal(take(2));
  });

  it('forks by name, whatever was drawn before', () => {
    const [fresh, used] = [createRandom(5), createRandom(5)];
    draws(100, () => used.uniform());
    expect(used.fork('a').u32()).to.equal(fresh.fork('a').u32());
    expect(fresh.fork('a').u32()).not.to.equal(fresh.fork('b').u32());
  });

  it('has the moments its names promise', () => {
    const random = createRandom('moments');
    const normal = draws(40_000, () => random.normal());
    expect(mean(normal)).to.be.closeTo(0, 0.02);
    expect(mean(normal.map((x) => x * x))).to.be.closeTo(1, 0.03);
    expect(mean(draws(40_000, () => random.uniform()))).to.be.closeTo(0.5, 0.01);
    expect(mean(draws(40_000, () => random.exponential()))).to.be.closeTo(1, 0.03);
    for (const lambda of [0.3, 6, 90]) {
      const counts = draws(20_000, () => random.poisson(lambda));
      expect(mean(counts)).to.be.closeTo(lambda, 0.05 * lambda + 0.02);
      expect(mean(counts.map((x) => (x - lambda) ** 2))).to.be.closeTo(lambda, 0.1 * lambda);
    }
    const dice = draws(12_000, () => random.integer(1, 6));
    expect([Math.min(...dice), Math.max(...dice)]).to.deep.equal([1, 6]);
    expect(mean(dice)).to.be.closeTo(3.5, 0.06);
  });

  it('makes version 4 UUIDs that do not repeat', () => {
    const random = createRandom(3);
    const ids = Array.from({ length: 5_000 }, () => random.uuid());
    for (const id of ids)
      expect(id).to.match(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(new Set(ids).size).to.equal(ids.length);
  });
});

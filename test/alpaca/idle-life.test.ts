import { expect } from 'chai';
import { createIdleLife } from '../../lib/adapters/alpaca/idle-life.ts';

describe('the life of an idle connection', () => {
  it('is not bounded before the server has closed one', () => {
    const life = createIdleLife(10, () => 0.5);
    expect(life.next()).to.equal(Number.POSITIVE_INFINITY);
    life.replaced();
    life.closedAfter(19_999);
    expect(life.next(), 'too soon to be for standing idle').to.equal(Number.POSITIVE_INFINITY);
  });

  it('ends before that, each after its own time', () => {
    const draws = [0, 0.5, 0.999];
    const life = createIdleLife(10, () => draws.shift() ?? 0);
    life.closedAfter(60_000);
    expect([life.next(), life.next(), life.next()].map(Math.round)).to.deep.equal([30_000, 42_000, 53_976]);
  });

  it('is tried a little longer with each round of replacements, until the server closes one again', () => {
    const life = createIdleLife(4, () => 0);
    life.closedAfter(40_000);
    for (let n = 0; n < 4; n += 1) life.replaced();
    expect(life.next()).to.be.closeTo(21_000, 0.001);
    life.closedAfter(60_000);
    expect(life.next()).to.equal(30_000);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { cash, qty } from '../../lib/domain/money.ts';
import {
  applyTrade,
  averageEntry,
  costOf,
  FLAT,
  isFlat,
  type Position,
  realizedOf,
  sharesOf,
} from '../../lib/domain/position.ts';
import { usd } from '../lane/story.ts';

const trade = (shares: number, each: number) => ({ qty: qty(shares), notional: cash(shares * usd(each)) });

describe('a position', () => {
  it('costs what was paid, by average cost', () => {
    const bought = applyTrade(applyTrade(FLAT, 'buy', trade(10, 100)), 'buy', trade(10, 101));
    const sold = applyTrade(bought, 'sell', trade(5, 102));
    expect([sharesOf(sold), costOf(sold), realizedOf(sold)]).to.deep.equal([
      15,
      15 * usd(100.5),
      5 * (usd(102) - usd(100.5)),
    ]);
    expect(averageEntry(sold)).to.equal(usd(100.5));
  });

  it('rounds the average entry up', () => {
    const position = applyTrade(applyTrade(FLAT, 'buy', trade(2, 100)), 'buy', trade(1, 100.0001));
    expect(averageEntry(position)).to.equal(usd(100.0001));
    expect(averageEntry(FLAT)).to.equal(null);
  });

  it('takes a price correction as money without shares', () => {
    const bought = applyTrade(FLAT, 'buy', trade(10, 100));
    const corrected = applyTrade(bought, 'buy', { qty: qty(0), notional: cash(-usd(5)) });
    expect([sharesOf(corrected), averageEntry(corrected)]).to.deep.equal([10, usd(99.5)]);
  });

  it('is a fold: order does not matter, and cost and profit add up to the money that moved', () => {
    const trades = fc.array(
      fc.record({
        side: fc.constantFrom('buy' as const, 'sell' as const),
        shares: fc.integer({ min: 1, max: 50 }),
        each: fc.integer({ min: 1, max: 200 }),
      }),
      { maxLength: 12 },
    );
    const fold = (list: readonly { side: 'buy' | 'sell'; shares: number; each: number }[]): Position =>
      list.reduce(
        (position, { side, shares, each }) => applyTrade(position, side, trade(shares, each)),
        FLAT,
      );
    fc.assert(
      fc.property(trades, (list) => {
        const position = fold(list);
        expect(fold([...list].reverse())).to.deep.equal(position);
        expect(costOf(position) - realizedOf(position)).to.equal(position.boughtFor - position.soldFor);
        if (sharesOf(position) === 0) expect(costOf(position)).to.equal(0);
        expect(isFlat(position)).to.equal(list.length === 0);
      }),
    );
  });
});

import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { foreignRequest } from '../parity/foreign-request.ts';
import { type Day, openDay } from '../traps/day.ts';
import { linesOf, lowestPosition, ordersOf, positionOf } from '../traps/judge.ts';
import { crossing, minutesOf, usd } from '../traps/minutes.ts';

const AAA = 'AAA' as Ticker;

/** Buys 19 at 100.20 with the bar that ends at 14:52; fills at 14:52:05; then the market stays just below the exit. */
const MORNING = crossing('14:30', 100, new Array<number>(30).fill(100.2));

async function holding(): Promise<Day> {
  const day = openDay({ startAt: '14:45:10', items: minutesOf(AAA, MORNING) });
  await day.until('14:52:30');
  expect(positionOf(day, AAA)).to.equal(19);
  return day;
}

const foreign = (day: Day, side: 'buy' | 'sell', qty: string, limitPrice: string): void =>
  day.exchange.act({ kind: 'foreignOrder', request: foreignRequest({ symbol: AAA, side, qty, limitPrice }) });

const byHand = (day: Day, side: 'buy' | 'sell'): void =>
  day.exchange.act({ kind: 'cancelByHand', match: { side } });

/** Seconds between our sells, in order. */
function pausesOf(day: Day): readonly number[] {
  const at = ordersOf(day)
    .filter(({ side }) => side === 'sell')
    .map(({ submittedAt }) => submittedAt / 1e6);
  return at.slice(1).map((each, index) => Math.round(each - (at[index] ?? 0)));
}

describe('a sell that others stand in the way of', () => {
  it('takes the shares that the refusal names as available, and the rest when they are let go', async () => {
    const day = await holding();
    // Ten shares of others, and a sell of theirs that holds fifteen: five of ours.
    day.exchange.act({ kind: 'setPosition', symbol: AAA, qty: 29, averagePrice: usd(100) });
    byHand(day, 'sell');
    foreign(day, 'sell', '15', '110');
    await day.until('14:52:50');
    expect(linesOf(day).filter((line) => line.includes('sell 14 AAA'))).to.have.lengthOf(1);
    await day.until('14:58:00');
    expect(positionOf(day, AAA), 'ours as far as they are free').to.equal(15);
    expect(day.engine().status().lanes[0]?.shares).to.equal(5);
    byHand(day, 'sell');
    await day.until('14:59:00');
    expect(positionOf(day, AAA), 'what is left is not ours').to.equal(10);
    expect(lowestPosition(day, AAA)).to.be.at.least(0);
    expect(day.engine().status().lanes[0]).to.include({ shares: 0, mode: 'halted' });
  });

  it('finds its way past an opposite order of others, paced, and leaves that order alone', async () => {
    const day = await holding();
    byHand(day, 'sell');
    // What sells at the market would cross it, and is refused.
    foreign(day, 'buy', '5', '100.15');
    await day.until('14:54:30');
    const refused = day.lines().filter(({ event }) => event === 'order.rejected');
    expect(refused[0]?.code).to.be.oneOf(['washTrade', 'heldByOthers']);
    await day.until('14:58:00');
    expect(positionOf(day, AAA)).to.equal(0);
    const sells = linesOf(day).filter((line) => line.includes('sell 19'));
    expect(sells.length, 'with growing pauses').to.be.at.most(12);
    const theirs = day.exchange.ledger().orders.find(({ side, qty }) => side === 'buy' && qty === 5);
    expect(theirs).to.include({ status: 'new', canceledAt: null });
  });
});

describe('sells that are refused over and over', () => {
  it('are paced with growing pauses up to a cap, never given up, and urgent at once when the kind changes', async () => {
    const day = openDay({
      startAt: '14:45:10',
      items: minutesOf(AAA, MORNING),
      exchange: { fillRules: [{ match: { side: 'sell' }, model: { kind: 'reject', delay: 0 }, times: 14 }] },
    });
    await day.until('15:05:00');
    expect(ordersOf(day).filter(({ side }) => side === 'sell')).to.have.lengthOf(15);
    expect(positionOf(day, AAA)).to.equal(0);
    const pauses = pausesOf(day);
    expect(pauses.slice(0, 5)).to.deep.equal([1, 2, 4, 8, 16]);
    expect(Math.max(...pauses)).to.be.at.most(30);
    expect(pauses.slice(-3)).to.deep.equal([30, 30, 30]);
  });
});

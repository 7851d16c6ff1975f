import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { seconds } from '../../lib/domain/time.ts';
import { foreignRequest } from '../parity/foreign-request.ts';
import { type Day, openDay } from './day.ts';
import { linesOf, lowestPosition, ordersOf, positionOf, sharesOf } from './judge.ts';
import { crossing, minutesOf } from './minutes.ts';

const AAA = 'AAA' as Ticker;

/** Buys 19 at 100.20 with the bar that ends at 14:52; fills at 14:52:05; then the market stays just below the exit. */
const MORNING = crossing('14:30', 100, new Array<number>(12).fill(100.2));
/** The same, and a second crossing that is seen at 15:00:00.5, at 100.40. */
const TWICE = crossing(
  '14:30',
  100,
  [100.2, 100.2, 100.2, 100.1, 99.8, 99.8, 99.8, 100.4, 100.4, 100.4, 100.4],
);

describe('the traps of the published script', () => {
  for (const frames of ['come', 'are lost'] as const)
    it(`H7 a submit without an answer that was accepted is looked up, never sent again (its frames ${frames})`, async () => {
      const day = openDay({ startAt: '14:45:18', items: minutesOf(AAA, MORNING) });
      day.fail({
        kind: 'rest',
        match: { method: 'POST', path: '^/v2/orders$', side: 'buy', symbol: null },
        from: null,
        times: 1,
        action:
          frames === 'come'
            ? { kind: 'silence', accept: true }
            : { kind: 'answer', status: 504, body: 'html', accept: true },
      });
      if (frames === 'are lost')
        day.fail({
          kind: 'updates',
          match: { event: null, side: 'buy', symbol: null },
          from: null,
          times: 10,
          action: { kind: 'drop' },
        });
      await day.until('14:57:00');
      expect(ordersOf(day).filter(({ side }) => side === 'buy')).to.have.lengthOf(1);
      expect(linesOf(day)).to.deep.equal([
        '14:52:00.5 buy 19 AAA @ 100.20, lost',
        // Without frames, the fill is found by the next listing of the orders known to be open.
        frames === 'come' ? '14:52:05 sell 19 AAA @ 100.21' : '14:52:08 sell 19 AAA @ 100.21',
        '14:54:05 cancel sell AAA',
        '14:54:05 sell 19 AAA at market',
      ]);
      expect(positionOf(day, AAA)).to.equal(0);
    });

  it("H8 somebody else's fill is not ours, and somebody else's shares are not sold", async () => {
    // Our buy never fills; another hand buys five of the same symbol at the same moment.
    const day = openDay({
      startAt: '14:45:10',
      items: minutesOf(AAA, MORNING),
      exchange: { fillRules: [{ match: { side: 'buy' }, model: { kind: 'never' }, times: 1 }] },
    });
    await day.until('14:52:03');
    day.exchange.act({
      kind: 'foreignOrder',
      request: foreignRequest({ symbol: AAA, side: 'buy', qty: '5', limitPrice: '100.20' }),
    });
    await day.until('15:02:00');
    // Shares of others end the entry before its patience does; ours never filled, so nothing of ours is sold.
    expect(linesOf(day)).to.have.lengthOf(2);
    expect(linesOf(day)[0]).to.equal('14:52:00.5 buy 19 AAA @ 100.20');
    expect(linesOf(day)[1]).to.match(/cancel buy AAA$/);
    expect(positionOf(day, AAA)).to.equal(5);
    expect(day.engine().status().lanes[0]?.mode).to.equal('halted');
  });

  it('H9 a lot smaller than a share sends nothing and says so, at the start and at the signal', async () => {
    const day = openDay({ startAt: '14:45:10', items: minutesOf(AAA, MORNING), lotUsd: 50 });
    await day.until('14:53:00');
    expect(linesOf(day)).to.deep.equal([]);
    expect(day.logged('lot.zeroShares')).to.deep.include({ symbol: 'AAA', lot: '50.00', price: '100.00' });
    expect(day.logged('lane.entry.refused')).to.include({ code: 'zeroShares' });
    expect(day.logged('lane.entry.refused')?.text).to.include('50.00').and.to.include('100.20');
  });

  it('H10 an order that expired in part is exited, and the lane goes on', async () => {
    const day = openDay({
      startAt: '14:45:10',
      items: minutesOf(AAA, TWICE),
      exchange: {
        fillRules: [
          {
            match: { side: 'buy' },
            model: { kind: 'partial', pieces: 3, only: 1, delay: seconds(5) },
            times: 1,
          },
        ],
      },
    });
    await day.until('14:52:30');
    endFirst(day, 'buy', 'expired');
    await day.until('14:52:31');
    expect(linesOf(day).at(-1)).to.equal('14:52:30 sell 6 AAA @ 100.21');
    await day.until('15:01:00');
    expect(linesOf(day).filter((line) => line.includes('buy'))).to.deep.equal([
      '14:52:00.5 buy 19 AAA @ 100.20',
      '15:00:00.5 buy 19 AAA @ 100.40',
    ]);
    await day.until('15:06:00');
    expect(positionOf(day, AAA)).to.equal(0);
  });

  it('H10 an exit that is done for the day is sent again', async () => {
    const day = openDay({ startAt: '14:45:10', items: minutesOf(AAA, MORNING) });
    await day.until('14:52:30');
    endFirst(day, 'sell', 'done_for_day');
    await day.until('14:52:40');
    expect(linesOf(day).at(-1)).to.match(/^14:52:3\d(\.\d)? sell 19 AAA @ 100\.21$/);
    await day.until('14:57:00');
    expect(positionOf(day, AAA)).to.equal(0);
    expect(lowestPosition(day, AAA)).to.equal(0);
  });

  it('H10 an order replaced by hand is followed to its successor', async () => {
    // The market is above our limit; a person makes it 10 shares at 100.30.
    const day = openDay({
      startAt: '14:45:10',
      items: minutesOf(AAA, crossing('14:30', 100, [100.3, 100.3, 100.3, 100.3, 100.3, 100.3])),
    });
    await day.until('14:53:01');
    day.exchange.act({
      kind: 'replaceByHand',
      match: { side: 'buy' },
      changes: {
        qty: '10',
        limitPrice: '100.30',
        timeInForce: null,
        stopPrice: null,
        trail: null,
        clientOrderId: null,
      },
    });
    await day.until('14:58:00');
    expect(positionOf(day, AAA)).to.equal(0);
    expect(sharesOf(day, AAA, 'sell')).to.equal(10);
  });

  it('H11 an exit that a person canceled is not answered with a market sell', async () => {
    const day = openDay({ startAt: '14:45:10', items: minutesOf(AAA, MORNING) });
    await day.until('14:53:00');
    day.exchange.act({ kind: 'cancelByHand', match: { side: 'sell' } });
    await day.until('14:54:04');
    expect(linesOf(day)).to.deep.equal([
      '14:52:00.5 buy 19 AAA @ 100.20',
      '14:52:05 sell 19 AAA @ 100.21',
      '14:53:01 sell 19 AAA @ 100.21',
    ]);
    await day.until('14:56:00');
    expect(positionOf(day, AAA)).to.equal(0);
  });
});

function endFirst({ exchange }: Day, side: 'buy' | 'sell', how: 'expired' | 'done_for_day'): void {
  const order = exchange.ledger().orders.find((each) => each.side === side);
  if (order === undefined) throw new Error(`the day has a ${side} order by now; found none`);
  exchange.act({ kind: 'endOrder', id: order.id, how });
}

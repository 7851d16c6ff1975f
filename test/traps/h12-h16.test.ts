import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { between, type Micros, millis, seconds } from '../../lib/domain/time.ts';
import { openDay } from './day.ts';
import { linesOf, lowestPosition, ordersOf, positionOf } from './judge.ts';
import { crossing, HALF_DAY, minutesOf, printAt, usd, utc } from './minutes.ts';

const AAA = 'AAA' as Ticker;
const BBB = 'BBB' as Ticker;

/** Buys 19 at 100.20 with the bar that ends at 14:52; fills at 14:52:05; then the market stays just below the exit. */
const MORNING = crossing('14:30', 100, new Array<number>(12).fill(100.2));

describe('the traps of the published script', () => {
  it('H12 refused exits are tried again with a growing pause, for as long as shares are held', async () => {
    const day = openDay({
      startAt: '14:45:10',
      items: minutesOf(AAA, crossing('14:30', 100, new Array<number>(30).fill(100.2))),
      exchange: {
        fillRules: [{ match: { side: 'sell' }, model: { kind: 'reject', delay: millis(100) }, times: 10 }],
      },
    });
    await day.until('15:15:00');
    const sells = ordersOf(day).filter(({ side }) => side === 'sell');
    expect(sells).to.have.lengthOf(11);
    expect(positionOf(day, AAA)).to.equal(0);
    const pauses = pausesOf(sells.map(({ submittedAt }) => submittedAt));
    expect(Math.min(...pauses)).to.be.at.least(seconds(1));
    // Each longer than the one before, up to the longest; only the turn to the bail-out may come earlier.
    expect(Math.max(...pauses)).to.be.at.least(seconds(16));
  });

  it('H13 a half-day is flat before its own close', async () => {
    // Noon's close is 13:00 in New York, 18:00 UTC: AAA's exit is cut short at 17:55, BBB's signal comes too late.
    const day = openDay({
      session: HALF_DAY,
      startAt: '17:45:10',
      items: [
        ...minutesOf(AAA, crossing('17:30', 100, [100.25, 100.2, 100.1, 100.1, 100.1, 100.1, 100.1, 100.1])),
        ...minutesOf(BBB, crossing('17:32', 50, [50.1, 50.1, 50.1, 50.1])),
      ],
    });
    await day.until('18:01:00');
    expect(linesOf(day)).to.deep.equal([
      '17:52:00.5 buy 19 AAA @ 100.20',
      '17:53:55 sell 19 AAA @ 100.21',
      '17:55:00 cancel sell AAA',
      '17:55:00 sell 19 AAA at market',
    ]);
    expect(positionOf(day, AAA)).to.equal(0);
    expect(day.logged('lane.entry.refused')).to.include({ symbol: 'BBB', code: 'afterCutoff' });
  });

  it('H14 positions that lag behind a fill hold up neither the exit nor the next entry', async () => {
    const day = openDay({
      startAt: '14:45:08',
      items: minutesOf(
        AAA,
        crossing('14:30', 100, [100.2, 100.2, 100.2, 100.1, 99.8, 99.8, 99.8, 100.4, 100.4, 100.4]),
      ),
      positionsLag: seconds(10),
    });
    await day.until('14:52:06');
    expect(linesOf(day).at(-1)).to.equal('14:52:05 sell 19 AAA @ 100.21');
    await day.until('15:01:00');
    expect(day.logged('reconcile.discrepancy')).to.equal(null);
    expect(linesOf(day)).to.include('15:00:00.5 buy 19 AAA @ 100.40');
  });

  it('H15 a last trade between two ticks makes a limit on the tick', async () => {
    const day = openDay({
      startAt: '14:45:10',
      items: [...minutesOf(AAA, MORNING), printAt(AAA, utc('14:51:58'), usd(100.1975))],
    });
    await day.until('14:56:00');
    expect(linesOf(day)[0]).to.equal('14:52:00.5 buy 19 AAA @ 100.19');
    expect(ordersOf(day)[0]?.limitPrice).to.equal(usd(100.19));
  });

  it('H16 a market sell whose fill is not seen yet is not sent a second time', async () => {
    // The bail-out at 20:54:05 fills two minutes later; the flatten at 20:55 finds it under way.
    const day = openDay({
      startAt: '20:45:10',
      items: minutesOf(AAA, crossing('20:30', 100, new Array<number>(10).fill(100.2))),
      exchange: {
        oversell: 'allow',
        fillRules: [
          {
            match: { side: 'sell', type: 'market' },
            model: { kind: 'partial', pieces: 1, only: null, delay: seconds(120) },
            times: null,
          },
        ],
      },
    });
    await day.until('21:00:30');
    expect(linesOf(day)).to.deep.equal([
      '20:52:00.5 buy 19 AAA @ 100.20',
      '20:52:05 sell 19 AAA @ 100.21',
      '20:54:05 cancel sell AAA',
      '20:54:05 sell 19 AAA at market',
    ]);
    expect(positionOf(day, AAA)).to.equal(0);
    expect(lowestPosition(day, AAA)).to.equal(0);
  });
});

const pausesOf = (instants: readonly Micros[]): readonly number[] =>
  instants.slice(1).map((at, index) => between(instants[index] ?? at, at));

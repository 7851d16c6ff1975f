import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { seconds } from '../../lib/domain/time.ts';
import { openDay } from './day.ts';
import { linesOf, lowestPosition, ordersOf, positionOf, sharesOf } from './judge.ts';
import { crossing, minutesOf, usd, utc } from './minutes.ts';

const AAA = 'AAA' as Ticker;
const BBB = 'BBB' as Ticker;

/** Buys 19 at 100.20 with the bar that ends at 14:52; fills at 14:52:05; then the market stays just below the exit. */
const MORNING = crossing('14:30', 100, new Array<number>(12).fill(100.2));

describe('the traps of the published script', () => {
  it('H1 the resting exit is canceled before the end-of-day sell, and the lane is flat at the close', async () => {
    // Bought at 15:52, filled at 15:53:55: the flatten at 15:55 comes before the two minutes are over.
    const day = openDay({
      startAt: '20:45:10',
      items: minutesOf(
        AAA,
        crossing('20:30', 100, [100.25, 100.2, 100.1, 100.1, 100.1, 100.1, 100.1, 100.1]),
      ),
    });
    await day.until('21:00:30');
    expect(linesOf(day)).to.deep.equal([
      '20:52:00.5 buy 19 AAA @ 100.20',
      '20:53:55 sell 19 AAA @ 100.21',
      '20:55:00 cancel sell AAA',
      '20:55:00 sell 19 AAA at market',
    ]);
    expect(positionOf(day, AAA)).to.equal(0);
    expect(ordersOf(day).every(({ updatedAt }) => updatedAt < utc('21:00:00'))).to.equal(true);
  });

  it('H2 an exit that fills late is never sold again: no accidental short', async () => {
    // Nine of the exit's shares fill one second before the bail-out cancels it, and the frame is lost.
    const day = openDay({
      startAt: '14:45:10',
      items: minutesOf(AAA, MORNING),
      exchange: {
        oversell: 'allow',
        fillRules: [
          {
            match: { side: 'sell', type: 'limit' },
            model: { kind: 'partial', pieces: 2, only: 1, delay: seconds(119) },
            times: null,
          },
        ],
      },
    });
    day.fail({
      kind: 'updates',
      match: { event: 'partial_fill', side: 'sell', symbol: null },
      from: null,
      times: 1,
      action: { kind: 'drop' },
    });
    await day.until('14:56:00');
    expect(lowestPosition(day, AAA)).to.equal(0);
    expect(positionOf(day, AAA)).to.equal(0);
    expect(sharesOf(day, AAA, 'sell')).to.equal(19);
    // Between the cancel and the next sell the missing nine were asked for.
    expect(linesOf(day)).to.deep.equal([
      '14:52:00.5 buy 19 AAA @ 100.20',
      '14:52:05 sell 19 AAA @ 100.21',
      '14:54:05 cancel sell AAA',
      '14:54:07 sell 10 AAA at market',
    ]);
  });

  it('H3 an average entry between two ticks makes an exit on the tick', async () => {
    // Seven shares at 100.19, twelve at 100.20: the average is 100.1963.
    const quote = (at: string, ask: number, askSize: number) => ({
      kind: 'quote' as const,
      at: utc(at),
      quote: { symbol: AAA, at: utc(at), bid: usd(100.18), bidSize: 300, ask: usd(ask), askSize },
    });
    const day = openDay({
      startAt: '14:45:10',
      items: [...minutesOf(AAA, MORNING), quote('14:51:59', 100.19, 7), quote('14:52:02', 100.2, 300)],
      exchange: { fillModel: 'tape' },
    });
    await day.until('14:52:30');
    expect(linesOf(day)).to.deep.equal(['14:52:00.5 buy 19 AAA @ 100.20', '14:52:02 sell 19 AAA @ 100.21']);
    expect(ordersOf(day)[0]?.filledNotional).to.equal(7 * usd(100.19) + 12 * usd(100.2));
    await day.until('14:56:00');
    expect(positionOf(day, AAA)).to.equal(0);
  });

  for (const journal of ['kept', 'lost'] as const)
    it(`H4 a restart while holding exits at once and bails out in time (journal ${journal})`, async () => {
      const day = openDay({ startAt: '14:45:10', items: minutesOf(AAA, MORNING) });
      await day.until('14:52:03');
      day.kill();
      // The buy fills while nobody listens.
      await day.until('14:52:31');
      expect(positionOf(day, AAA)).to.equal(19);
      day.restart(journal);
      await day.until('14:52:40');
      expect(linesOf(day).at(-1)).to.match(/^14:52:3\d(\.\d)? sell 19 AAA @ 100\.21$/);
      await day.until('14:56:00');
      expect(linesOf(day).at(-1)).to.match(/^14:54:0\d(\.\d)? sell 19 AAA at market$/);
      expect(positionOf(day, AAA)).to.equal(0);
      expect(ordersOf(day).filter(({ side }) => side === 'buy')).to.have.lengthOf(1);
    });

  for (const journal of ['kept', 'lost'] as const)
    it(`H5 a restart in a partial buy knows it for a buy (journal ${journal})`, async () => {
      const day = openDay({
        startAt: '14:45:10',
        items: minutesOf(AAA, MORNING),
        exchange: {
          fillRules: [
            {
              match: { side: 'buy' },
              model: { kind: 'partial', pieces: 3, only: 1, delay: seconds(5) },
              times: null,
            },
          ],
        },
      });
      await day.until('14:52:10');
      expect(positionOf(day, AAA)).to.equal(6);
      day.kill();
      await day.until('14:52:41');
      day.restart(journal);
      await day.until('14:57:00');
      expect(linesOf(day).filter((line) => line.includes('buy'))).to.deep.equal([
        '14:52:00.5 buy 19 AAA @ 100.20',
        '14:54:00.5 cancel buy AAA',
      ]);
      expect(sharesOf(day, AAA, 'sell')).to.equal(6);
      expect(positionOf(day, AAA)).to.equal(0);
    });

  it('H6 a cancel that loses the race against the fill is looked up, and the other symbols trade on', async () => {
    // AAA's buy fills at 14:53:55, its frame is lost, and the cancel at 14:54:00.5 is answered 422.
    const day = openDay({
      startAt: '14:45:12',
      items: [
        ...minutesOf(AAA, crossing('14:30', 100, [100.3, 100.2, 100.2, 100.2, 100.2, 100.2])),
        ...minutesOf(BBB, crossing('14:32', 50, new Array<number>(8).fill(50.1))),
      ],
    });
    day.fail({
      kind: 'updates',
      match: { event: 'fill', side: 'buy', symbol: AAA },
      from: null,
      times: 1,
      action: { kind: 'drop' },
    });
    await day.until('14:54:02');
    expect(linesOf(day, AAA)).to.deep.equal([
      '14:52:00.5 buy 19 AAA @ 100.20',
      '14:54:00.5 cancel buy AAA, refused',
      '14:54:00.5 sell 19 AAA @ 100.21',
    ]);
    await day.until('15:00:00');
    expect(positionOf(day, AAA)).to.equal(0);
    expect(linesOf(day, BBB).slice(0, 2)).to.deep.equal([
      '14:54:00.5 buy 39 BBB @ 50.10',
      '14:54:05 sell 39 BBB @ 50.11',
    ]);
    expect(positionOf(day, BBB)).to.equal(0);
  });
});

import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import {
  before as earlier,
  after as later,
  minutes,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';
import { openDay } from '../traps/day.ts';
import { linesOf, positionOf } from '../traps/judge.ts';
import { crossing, minutesOf } from '../traps/minutes.ts';
import { sessionOf, startDay } from './simulated-day.ts';

const AAA = 'AAA' as Ticker;
const SHORT = sessionOf('09:30', '11:00');
const NEXT = sessionOf('09:30', '10:30', '2026-10-06' as SessionDay);
/** One quiet symbol: what is looked at is not the trading. */
const SMALL = { symbols: [AAA], printsPerDay: 300 };

/** Buys at 100.20, falls, and is out at the market two minutes later; crosses again at 15:00. */
const LOSING = crossing(
  '14:30',
  100,
  [100.2, 99.9, 99.6, 99.6, 99.6, 99.6, 99.6, 100.4, 100.4, 100.4, 100.4, 100.4, 100.4],
);

describe('a restart', () => {
  for (const kept of ['kept', 'lost'] as const)
    it(`knows what the day has lost and how often it lost, the journal ${kept}`, async () => {
      const day = openDay({ startAt: '14:45:10', items: minutesOf(AAA, LOSING) });
      await day.until('14:57:00');
      const before = day.engine().status();
      expect(before.lanes[0]).to.include({ shares: 0, roundTrips: 1, entries: 1 });
      expect(before.dayPnl, 'it lost').to.be.lessThan(0);
      day.kill();
      day.restart(kept);
      await day.until('14:58:00');
      const { dayPnl, lanes } = day.engine().status();
      expect(dayPnl).to.equal(before.dayPnl);
      expect(lanes[0]).to.include({ roundTrips: 1, entries: 1, realized: before.lanes[0]?.realized });
    });

  it('counts what the part of a position has lost that was sold before', async () => {
    const day = openDay({
      startAt: '14:45:10',
      items: minutesOf(AAA, LOSING),
      exchange: {
        fillRules: [
          {
            match: { side: 'sell', type: 'market' },
            model: { kind: 'partial', pieces: 2, only: 1, delay: seconds(1) },
            times: 1,
          },
        ],
      },
    });
    await day.until('14:54:30');
    const before = day.engine().status();
    const shares = before.lanes[0]?.shares ?? 0;
    expect(shares, 'half of it is sold').to.be.within(1, 18);
    day.kill();
    day.restart('lost');
    // No print between: the mark is the same.
    await day.until('14:54:32');
    const after = day.engine().status();
    expect(after.lanes[0]?.shares).to.equal(shares);
    // An average is a whole unit of price: a unit a share is what it may be off.
    expect(after.dayPnl).to.be.closeTo(before.dayPnl ?? 0, shares);
  });

  it('with the journal lost, the loss of the day keeps everything shut', async () => {
    const limits = { ...DEFAULT_RISK_LIMITS, dailyLossMax: (UNITS_PER_USD / 100) as Cash };
    const options = { seed: 1, session: SHORT, settings: { risk: { limits, checkEvery: seconds(1) } } };
    const day = await startDay(options);
    for (let minute = 22; minute < 80 && day.engine().status().latch === null; minute += 1)
      await day.runTo(later(SHORT.openAt, minutes(minute)));
    expect(day.engine().status().latch).to.include('daily loss');
    await day.runTo(later(day.clock.now(), minutes(1)));
    const pnl = day.engine().status().dayPnl;
    day.journal.forget();
    await day.restart();
    await day.runTo(later(day.clock.now(), seconds(5)));
    expect(day.engine().status().dayPnl).to.equal(pnl);
    expect(day.engine().status().latch).to.include('daily loss');
  });

  it('takes the lane from the broker when the journal lacks an order that left all the same', async () => {
    const day = openDay({ startAt: '14:45:10', items: minutesOf(AAA, LOSING) });
    await day.until('14:51:00');
    const journal = day.journal();
    const append = journal.append;
    await day.until('14:52:03');
    // From here on the disk is full: the exit leaves without a record, and so does everything after it.
    Object.assign(journal, { append: () => Promise.reject(new Error('disk full')) });
    await day.until('14:52:30');
    expect(linesOf(day).at(-1)).to.include('sell 19 AAA');
    day.kill();
    Object.assign(journal, { append });
    day.restart('kept');
    await day.until('14:52:40');
    expect(day.logged('journal.incomplete')).to.include({ symbol: 'AAA' });
    expect(day.engine().status().lanes[0]).to.include({ shares: 19, stage: 'exiting' });
    await day.until('14:56:00');
    expect(positionOf(day, AAA)).to.equal(0);
    expect(linesOf(day).filter((line) => line.includes('buy'))).to.have.lengthOf(1);
  });

  it('of a positions list that lags makes no loss of shares, without a journal', async () => {
    const day = openDay({
      startAt: '14:45:10',
      items: minutesOf(AAA, LOSING),
      exchange: { positionsLag: 10_000_000 },
    });
    await day.until('14:52:07');
    expect(positionOf(day, AAA)).to.equal(19);
    day.kill();
    day.restart('lost');
    await day.until('14:52:09');
    expect(day.engine().status().lanes[0]).to.include({ shares: 19, mode: 'active' });
    await day.until('14:57:00');
    expect(positionOf(day, AAA)).to.equal(0);
    expect(day.engine().status().discrepancies).to.deep.equal([]);
  });

  it('on a later day finds the pause that nobody lifted, as a process that went on would', async () => {
    for (const restarted of [false, true]) {
      const day = await startDay({ seed: 12, session: SHORT, more: [NEXT], ...SMALL });
      await day.runTo(later(SHORT.openAt, minutes(10)));
      day.engine().pause({ symbol: null, by: 'ann', why: 'holiday' });
      await day.finish();
      await day.runTo(earlier(NEXT.openAt, minutes(30)));
      if (restarted) await day.restart();
      await day.runTo(later(NEXT.openAt, minutes(1)));
      if (restarted) await day.restart();
      await day.runTo(later(day.clock.now(), minutes(1)));
      const { lanes } = day.engine().status();
      expect(new Set(lanes.map(({ mode }) => mode))).to.deep.equal(new Set(['paused']));
      expect(lanes[0]?.because).to.deep.equal(['pause (ann: holiday)']);
    }
  }).timeout(60_000);
});

describe('the end of a session', () => {
  it('that a stop overtakes is reported once, by the stop', async () => {
    const day = await startDay({ seed: 12, session: SHORT, ...SMALL });
    await day.runTo(later(SHORT.closeAt, seconds(14)));
    await day.runTo(later(SHORT.closeAt, seconds(15)));
    expect(day.reports, 'its last picture is being taken').to.deep.equal([]);
    const stopping = day.engine().stop('hold', later(day.clock.now(), seconds(30)));
    await day.runTo(later(day.clock.now(), minutes(2)));
    expect((await stopping).flat).to.equal(true);
    expect(day.reports).to.deep.equal([]);
  }).timeout(60_000);
});

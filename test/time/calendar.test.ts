import { expect } from 'chai';
import fc from 'fast-check';
import {
  dayOf,
  instantOf,
  sessionFromWire,
  sessionsBetween,
  wallTime,
} from '../../lib/adapters/time/calendar.ts';
import { daysFromCivil, formatInstant, micros, type SessionDay } from '../../lib/domain/time.ts';

const day = (text: string): SessionDay => text as SessionDay;

/** Closures and half-days as published by the exchange: sessions of the year, full closures, closes at 13:00. */
const PUBLISHED: readonly (readonly [number, number, string, string])[] = [
  [2012, 250, '01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25', '07-03 11-23 12-24'],
  [2013, 252, '01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25', '07-03 11-29 12-24'],
  [2024, 252, '01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25', '07-03 11-29 12-24'],
  [2025, 250, '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25', '07-03 11-28 12-24'],
  [2026, 251, '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25', '11-27 12-24'],
  [2027, 251, '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24', '11-26'],
];

function weekdaysOf(year: number): readonly string[] {
  const days: string[] = [];
  for (let n = daysFromCivil(year, 1, 1); n < daysFromCivil(year + 1, 1, 1); n += 1) {
    const date = formatInstant(micros(n * 86_400_000_000)).slice(0, 10);
    if ((n + 4) % 7 !== 0 && (n + 4) % 7 !== 6) days.push(date);
  }
  return days;
}

describe('calendar: the NYSE table', () => {
  for (const [year, count, closures, halves] of PUBLISHED) {
    it(`has the published sessions of ${year}`, () => {
      const sessions = sessionsBetween(day(`${year}-01-01`), day(`${year}-12-31`));
      const open = new Set<string>(sessions.map((s) => s.day));
      expect(sessions).to.have.length(count);
      expect(
        weekdaysOf(year)
          .filter((d) => !open.has(d))
          .map((d) => d.slice(5))
          .join(' '),
      ).to.equal(closures);
      expect(
        sessions
          .filter((s) => s.halfDay)
          .map((s) => s.day.slice(5))
          .join(' '),
      ).to.equal(halves);
    });
  }

  it('knows closures and half-days of other years, the unscheduled ones among them', () => {
    const closed = [
      '2004-06-11', // a president's funeral
      '2007-01-02',
      '2018-12-05',
      '2014-04-18', // Good Friday
      '2015-07-03', // Independence Day on a Saturday
      '2019-04-19',
      '2021-12-24', // Christmas on a Saturday
      '2022-06-20', // Juneteenth on a Sunday
      '2023-01-02', // New Year's Day on a Sunday
      '2023-06-19',
    ];
    for (const date of closed) expect(sessionsBetween(day(date), day(date)), date).to.have.length(0);
    const halves = ['2014-07-03', '2014-11-28', '2014-12-24', '2015-11-27', '2019-07-03', '2023-07-03'];
    for (const date of halves) expect(sessionsBetween(day(date), day(date))[0]?.halfDay, date).to.equal(true);
    const full = ['2010-12-31', '2021-12-31', '2021-06-18', '2012-07-05', '2023-12-26', '2026-07-02'];
    for (const date of full) expect(sessionsBetween(day(date), day(date))[0]?.halfDay, date).to.equal(false);
  });

  it('refuses years before its rules hold', () => {
    expect(() => sessionsBetween(day('2003-12-26'), day('2003-12-26'))).to.throw('2004');
  });
});

describe('calendar: New York wall time', () => {
  it('opens at 13:30Z in summer and 14:30Z in winter', () => {
    const [friday, monday] = sessionsBetween(day('2026-03-06'), day('2026-03-09'));
    expect(formatInstant(friday?.openAt ?? micros(0))).to.equal('2026-03-06T14:30:00.000000Z');
    expect(formatInstant(monday?.openAt ?? micros(0))).to.equal('2026-03-09T13:30:00.000000Z');
  });

  it('reads a row of the broker, half-days by their close', () => {
    const half = sessionFromWire('2026-11-27', '09:30', '13:00');
    expect(half.halfDay).to.equal(true);
    expect(formatInstant(half.closeAt)).to.equal('2026-11-27T18:00:00.000000Z');
    expect(sessionFromWire('2026-11-30', '09:30', '16:00').halfDay).to.equal(false);
  });

  it('gives the New York day, which is not the UTC day in the evening', () => {
    const evening = instantOf(day('2026-10-05'), '22:15:30');
    expect(formatInstant(evening)).to.equal('2026-10-06T02:15:30.000000Z');
    expect(dayOf(evening)).to.equal('2026-10-05');
    expect(wallTime(evening)).to.equal('22:15:30');
  });

  it('throws on text that is no day or no time', () => {
    expect(() => instantOf(day('2026-02-30'), '09:30')).to.throw('calendar');
    expect(() => instantOf(day('2026-02-03'), '9:30')).to.throw('HH:MM');
  });

  it('goes there and back for every instant but the hour that clocks repeat', () => {
    const instants = fc.integer({
      min: daysFromCivil(2004, 1, 1) * 86_400,
      max: daysFromCivil(2035, 1, 1) * 86_400,
    });
    fc.assert(
      fc.property(instants, (second) => {
        const at = micros(second * 1_000_000);
        const back = instantOf(dayOf(at), wallTime(at));
        const repeated = Math.abs(back - at) === 3_600_000_000;
        expect(back === at || (repeated && wallTime(at).startsWith('01:'))).to.equal(true);
      }),
    );
  });
});

import { civilFromDays, daysFromCivil } from '../../domain/time.ts';

/**
 * Which days the New York Stock Exchange trades, by rule. The broker's calendar is the truth at run time; this table
 * serves the embedded exchange and catches a broker's calendar that went wrong.
 *
 * Holds from `FIRST_RULE_YEAR`: before it the exchange had closures and hours that follow no rule. Source: NYSE Rule 7.2
 * and the exchange's published holidays and early closings; the tests compare with published closures of 2004 to 2027.
 */
export const FIRST_RULE_YEAR = 2004;

export type DayKind = 'closed' | 'half' | 'full';

const SUNDAY = 0;
const MONDAY = 1;
const WEDNESDAY = 3;
const THURSDAY = 4;
const SATURDAY = 6;

/** Closures that no rule gives: funerals of presidents, days of mourning, the hurricane of 2012. */
const UNSCHEDULED = new Set([
  '2004-06-11',
  '2007-01-02',
  '2012-10-29',
  '2012-10-30',
  '2018-12-05',
  '2025-01-09',
]);

/** 1970-01-01 was a Thursday. 0 is Sunday. */
const weekdayOf = (days: number): number => (((days + THURSDAY) % 7) + 7) % 7;

const two = (n: number): string => String(n).padStart(2, '0');

/** `YYYY-MM-DD` of a count of days since 1970-01-01. */
export function formatDay(days: number): string {
  const [year, month, day] = civilFromDays(days);
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

/** What kind of day `days` (since 1970-01-01, New York) is. */
export function dayKind(days: number): DayKind {
  const weekday = weekdayOf(days);
  if (weekday === SATURDAY || weekday === SUNDAY) return 'closed';
  if (UNSCHEDULED.has(formatDay(days))) return 'closed';
  const [year] = civilFromDays(days);
  if (holidaysOf(year).has(days)) return 'closed';
  return halfDaysOf(year).has(days) ? 'half' : 'full';
}

function holidaysOf(year: number): ReadonlySet<number> {
  const known = holidayCache.get(year);
  if (known !== undefined) return known;
  const holidays = new Set([
    newYear(year),
    nthWeekday(year, 1, MONDAY, 3),
    nthWeekday(year, 2, MONDAY, 3),
    easterSunday(year) - 2,
    // Memorial Day, the last Monday of May.
    nthWeekday(year, 6, MONDAY, 1) - 7,
    observed(daysFromCivil(year, 7, 4)),
    nthWeekday(year, 9, MONDAY, 1),
    thanksgiving(year),
    observed(daysFromCivil(year, 12, 25)),
  ]);
  if (year >= 2022) holidays.add(observed(daysFromCivil(year, 6, 19)));
  holidayCache.set(year, holidays);
  return holidays;
}

const holidayCache = new Map<number, ReadonlySet<number>>();

/** Trading ends at 13:00 on the day after Thanksgiving, on Christmas Eve, and around Independence Day. */
function halfDaysOf(year: number): ReadonlySet<number> {
  const halves = new Set([thanksgiving(year) + 1, daysFromCivil(year, 12, 24)]);
  const independenceEve = daysFromCivil(year, 7, 3);
  // A holiday on a Thursday used to shorten the Friday after it; since 2013 it shortens the Wednesday before.
  if (weekdayOf(independenceEve) !== WEDNESDAY || year >= 2013) halves.add(independenceEve);
  else halves.add(independenceEve + 2);
  return halves;
}

const thanksgiving = (year: number): number => nthWeekday(year, 11, THURSDAY, 4);

/** A Saturday holiday is kept on the Friday before, a Sunday one on the Monday after. */
function observed(days: number): number {
  const weekday = weekdayOf(days);
  if (weekday === SATURDAY) return days - 1;
  return weekday === SUNDAY ? days + 1 : days;
}

/** A New Year's Day on a Saturday is not made up: the Friday before it ends the accounting year. */
function newYear(year: number): number {
  const days = daysFromCivil(year, 1, 1);
  return weekdayOf(days) === SUNDAY ? days + 1 : days;
}

function nthWeekday(year: number, month: number, weekday: number, nth: number): number {
  const first = daysFromCivil(year, month, 1);
  return first + ((weekday - weekdayOf(first) + 7) % 7) + (nth - 1) * 7;
}

/** The anonymous Gregorian computus. */
function easterSunday(year: number): number {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const inCentury = year % 100;
  const epactBase =
    (19 * golden +
      century -
      Math.floor(century / 4) -
      Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3) +
      15) %
    30;
  const toSunday = (32 + 2 * (century % 4) + 2 * Math.floor(inCentury / 4) - epactBase - (inCentury % 4)) % 7;
  const correction = Math.floor((golden + 11 * epactBase + 22 * toSunday) / 451);
  const marchDay = epactBase + toSunday - 7 * correction + 114;
  return daysFromCivil(year, Math.floor(marchDay / 31), (marchDay % 31) + 1);
}

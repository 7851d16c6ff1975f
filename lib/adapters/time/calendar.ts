import moment from 'moment-timezone';
import { invariant } from '../../domain/invariant.ts';
import type { Session } from '../../domain/session.ts';
import { daysFromCivil, type Micros, micros, type SessionDay } from '../../domain/time.ts';
import { type DayKind, dayKind, FIRST_RULE_YEAR, formatDay } from './nyse-days.ts';

/**
 * New York wall time and instants: the only file that knows time zones. The broker's calendar carries wall times
 * without a zone, so each becomes an instant by the zone's own rules, never by a fixed offset.
 */
const ZONE = 'America/New_York';
const zone = moment.tz.zone(ZONE) ?? missingZone();

const MICROS_PER_MILLI = 1_000;
const MILLIS_PER_MINUTE = 60_000;
const MILLIS_PER_DAY = 86_400_000;
const ORDINARY_CLOSE = '16:00';

/** The New York day that holds the instant. */
export function dayOf(at: Micros): SessionDay {
  return formatDay(Math.floor(localMillis(at) / MILLIS_PER_DAY)) as SessionDay;
}

/** `HH:MM:SS` in New York, for people. */
export function wallTime(at: Micros): string {
  const local = localMillis(at);
  const second = Math.floor((local - Math.floor(local / MILLIS_PER_DAY) * MILLIS_PER_DAY) / 1_000);
  return [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60].map(two).join(':');
}

/** The instant at which New York clocks show `wall` (`HH:MM` or `HH:MM:SS`) on `day`. */
export function instantOf(day: SessionDay, wall: string): Micros {
  const clock = /^(\d\d):(\d\d)(?::(\d\d))?$/.exec(wall);
  invariant(clock !== null, 'a wall time is HH:MM or HH:MM:SS', wall);
  const [, hour, minute, second = '0'] = clock;
  const local =
    dayNumber(day) * MILLIS_PER_DAY + (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1_000;
  return micros((local + zone.parse(local) * MILLIS_PER_MINUTE) * MICROS_PER_MILLI);
}

/** One row of a broker's calendar: a date and New York wall times `HH:MM`. A close before 16:00 makes a half-day. */
export function sessionFromWire(date: string, open: string, close: string): Session {
  const day = date as SessionDay;
  return {
    day,
    openAt: instantOf(day, open),
    closeAt: instantOf(day, close),
    halfDay: close < ORDINARY_CLOSE,
  };
}

/** The sessions of the built-in NYSE table from `from` to `to`, both included, in order. */
export function sessionsBetween(from: SessionDay, to: SessionDay): readonly Session[] {
  const sessions: Session[] = [];
  const last = dayNumber(to);
  invariant(
    Number(from.slice(0, 4)) >= FIRST_RULE_YEAR,
    `the table begins with the year ${FIRST_RULE_YEAR}`,
    from,
  );
  for (let days = dayNumber(from); days <= last; days += 1) {
    const kind = dayKind(days);
    if (kind !== 'closed') sessions.push(sessionFromWire(formatDay(days), '09:30', closeOf(kind)));
  }
  return sessions;
}

/** Days from 1970-01-01 to a `YYYY-MM-DD` that exists. */
function dayNumber(day: SessionDay): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  invariant(match !== null, 'a session day is YYYY-MM-DD', day);
  const days = daysFromCivil(Number(match[1]), Number(match[2]), Number(match[3]));
  invariant(formatDay(days) === day, 'a session day is a day of the calendar', day);
  return days;
}

const closeOf = (kind: Exclude<DayKind, 'closed'>): string => (kind === 'half' ? '13:00' : ORDINARY_CLOSE);

/** Milliseconds since 1970-01-01T00:00 on New York's own clocks. */
function localMillis(at: Micros): number {
  const utc = Math.floor(at / MICROS_PER_MILLI);
  return utc - zone.utcOffset(utc) * MILLIS_PER_MINUTE;
}

const two = (n: number): string => String(n).padStart(2, '0');

function missingZone(): never {
  throw new Error(`The time zone database has no ${ZONE}.`);
}

import type { Session } from '../../domain/session.ts';
import type { BrokerAccount, BrokerAsset, BrokerClock } from '../../ports/broker.ts';
import { sessionFromWire } from '../time/calendar.ts';
import {
  amount,
  asList,
  asObject,
  attempt,
  type Decoded,
  type Fields,
  field,
  flag,
  instant,
  mismatch,
  symbolOf,
  text,
} from './codec-decode-base.ts';

/** Account, clock, calendar and assets. What a risk check reads must be there: a missing number is an error, never 0. */

const BLOCK_FLAGS = ['trading_blocked', 'account_blocked', 'trade_suspended_by_user'] as const;

export function decodeAccount(value: unknown): Decoded<BrokerAccount> {
  return attempt(() => {
    const fields = asObject(value, 'account');
    return {
      id: text(fields, 'id', 'account'),
      active: text(fields, 'status', 'account') === 'ACTIVE',
      blocks: BLOCK_FLAGS.filter((name) => flag(fields, name, 'account')),
      cash: amount(fields, 'cash', 'account'),
      equity: amount(fields, 'equity', 'account'),
      buyingPower: amount(fields, 'buying_power', 'account'),
    };
  });
}

/** `speedHeader` is the embedded exchange's own: exchange seconds per wall second. */
export function decodeClock(value: unknown, speedHeader: string | null): Decoded<BrokerClock> {
  return attempt(() => {
    const fields = asObject(value, 'clock');
    return {
      at: instant(fields, 'timestamp', 'clock'),
      isOpen: flag(fields, 'is_open', 'clock'),
      nextOpenAt: instant(fields, 'next_open', 'clock'),
      nextCloseAt: instant(fields, 'next_close', 'clock'),
      speed: speedHeader === null ? null : readSpeed(speedHeader),
    };
  });
}

function readSpeed(header: string): number {
  const speed = /^\d{1,9}(\.\d{1,9})?$/.test(header) ? Number(header) : 0;
  return speed > 0 ? speed : mismatch('clock.speed', 'a number above 0', header);
}

const WALL = /^([01]\d|2[0-3]):[0-5]\d$/;
const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

export function decodeCalendar(value: unknown): Decoded<readonly Session[]> {
  return attempt(() =>
    asList(value, 'calendar').map((item, index) => {
      const where = `calendar[${index}]`;
      const fields = asObject(item, where);
      const open = matching(fields, 'open', where, WALL, 'HH:MM');
      const close = matching(fields, 'close', where, WALL, 'HH:MM');
      const date = matching(fields, 'date', where, DAY, 'YYYY-MM-DD');
      if (isNoDay(date)) mismatch(`${where}.date`, 'a day of the calendar', date);
      if (close <= open) mismatch(`${where}.close`, `a time after ${open}`, close);
      return sessionFromWire(date, open, close);
    }),
  );
}

function matching(fields: Fields, key: string, where: string, pattern: RegExp, expected: string): string {
  const value = text(fields, key, where);
  return pattern.test(value) ? value : mismatch(`${where}.${key}`, expected, value);
}

/** `2026-02-30` has the shape of a day and is none. */
function isNoDay(date: string): boolean {
  const at = new Date(`${date}T00:00:00Z`);
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== date;
}

export const decodeAsset = (value: unknown): Decoded<BrokerAsset> => attempt(() => readAsset(value, 'asset'));

export function decodeAssets(value: unknown): Decoded<readonly BrokerAsset[]> {
  return attempt(() => asList(value, 'assets').map((item, index) => readAsset(item, `assets[${index}]`)));
}

function readAsset(value: unknown, where: string): BrokerAsset {
  const fields = asObject(value, where);
  return {
    symbol: symbolOf(fields, 'symbol', where),
    tradable: flag(fields, 'tradable', where),
    active: field(fields, 'status') === 'active',
  };
}

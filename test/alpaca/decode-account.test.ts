import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeAccount,
  decodeAssets,
  decodeCalendar,
  decodeClock,
} from '../../lib/adapters/alpaca/codec-decode-account.ts';
import { formatInstant } from '../../lib/domain/time.ts';
import { ACCOUNT, CLOCK } from './samples.ts';

describe('decode: account, clock, calendar, assets', () => {
  it('reads an account without the removed day-trade fields', () => {
    expect(decodeAccount(ACCOUNT)).to.deep.equal({
      ok: true,
      value: {
        id: '904837e3',
        active: true,
        blocks: [],
        cash: 1_000_000_000,
        equity: 1_000_123_450,
        buyingPower: 2_000_000_000,
      },
    });
    const blocked = decodeAccount({ ...ACCOUNT, status: 'LIMITED', trade_suspended_by_user: true });
    expect(blocked.ok && [blocked.value.active, ...blocked.value.blocks]).to.deep.equal([
      false,
      'trade_suspended_by_user',
    ]);
  });

  it('never lets a missing number or flag pass for 0 or for free', () => {
    for (const key of ['cash', 'equity', 'buying_power', 'trading_blocked', 'account_blocked', 'status']) {
      for (const value of [undefined, null, '', 'NaN', '1e9'])
        expect(decodeAccount({ ...ACCOUNT, [key]: value }).ok, `${key} ${value}`).to.equal(
          key === 'status' && (value === 'NaN' || value === '1e9'),
        );
    }
  });

  it('reads the clock to the microsecond, and the speed of an embedded exchange', () => {
    const clock = decodeClock(CLOCK, '60');
    expect(clock.ok && formatInstant(clock.value.at)).to.equal('2026-10-05T14:30:01.123456Z');
    expect(clock.ok && clock.value.speed).to.equal(60);
    const plain = decodeClock(CLOCK, null);
    expect(plain.ok && plain.value.speed).to.equal(null);
    for (const header of ['0', '-1', 'fast', '1e3', ''])
      expect(decodeClock(CLOCK, header).ok).to.equal(false);
    expect(decodeClock({ ...CLOCK, next_close: null }, null).ok).to.equal(false);
  });

  it('reads wall times of the calendar as New York instants', () => {
    const days = decodeCalendar([
      { date: '2026-11-27', open: '09:30', close: '13:00', session_open: '0400', session_close: '1700' },
      { date: '2026-11-30', open: '09:30', close: '16:00', settlement_date: '2026-12-01' },
    ]);
    expect(days.ok && days.value.map((s) => [s.halfDay, formatInstant(s.closeAt)])).to.deep.equal([
      [true, '2026-11-27T18:00:00.000000Z'],
      [false, '2026-11-30T21:00:00.000000Z'],
    ]);
  });

  it('refuses days and hours that do not exist', () => {
    const day = { date: '2026-11-27', open: '09:30', close: '13:00' };
    for (const change of [
      { date: '2026-02-30' },
      { date: '27.11.2026' },
      { open: '9:30' },
      { close: '25:00' },
      { close: '09:30' },
      { close: null },
    ])
      expect(decodeCalendar([{ ...day, ...change }]).ok, JSON.stringify(change)).to.equal(false);
  });

  it('reads assets by their wire names', () => {
    const assets = decodeAssets([
      { class: 'us_equity', symbol: 'BRK.B', status: 'inactive', tradable: false },
    ]);
    expect(assets.ok && assets.value).to.deep.equal([{ symbol: 'BRK.B', tradable: false, active: false }]);
  });

  it('never throws on any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (data, header) => {
        decodeAccount(data);
        decodeClock(data, header);
        decodeCalendar(data);
        decodeCalendar([{ date: data, open: data, close: data }]);
        decodeAssets(data);
      }),
    );
  });
});

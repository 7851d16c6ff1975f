import { expect } from 'chai';
import fc from 'fast-check';
import { formatClientOrderId, isOurs, parseClientOrderId, type Ticker } from '../../lib/domain/ids.ts';
import {
  averageRoundedUp,
  type Cash,
  cash,
  formatDecimal,
  isOnTick,
  notional,
  type Price,
  parseDecimal,
  price,
  qty,
  roundDownToTick,
  roundUpToTick,
  tickAt,
} from '../../lib/domain/money.ts';
import { isSessionBar, planSession } from '../../lib/domain/session.ts';
import {
  before as earlier,
  formatInstant,
  after as later,
  type Micros,
  minutes,
  parseInstant,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';
import { at, planOf, usd } from '../lane/story.ts';

const prices = fc.integer({ min: 0, max: 20_000_000 }).map((units) => units as Price);

describe('money', () => {
  it('rounds to the tick on either side of a price, by less than a tick', () => {
    fc.assert(
      fc.property(prices, (each) => {
        const [down, up] = [roundDownToTick(each), roundUpToTick(each)];
        expect([isOnTick(down), isOnTick(up)]).to.deep.equal([true, true]);
        expect(each - down).to.be.within(0, tickAt(each) - 1);
        expect(up - each).to.be.within(0, tickAt(each) - 1);
      }),
    );
    expect([tickAt(usd(1)), tickAt(usd(0.9999))]).to.deep.equal([100, 1]);
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (units) => {
        expect(parseDecimal(formatDecimal(units as Cash))).to.equal(units);
      }),
    );
  });

  it('reads decimals as text, half away from zero past the fourth digit', () => {
    const read = ['187.35', '-3', '0.00015', '0.00005', '-0.00005', '-0.00004', '100.0375000000'].map(
      parseDecimal,
    );
    expect(read).to.deep.equal([1_873_500, -30_000, 2, 1, -1, 0, 1_000_375]);
    for (const text of ['', '1e3', '+1', ' 1', '1.', '.5', 'NaN', '1,000'])
      expect(parseDecimal(text), text).to.equal(null);
    expect(
      [187.35, 41.0855, -12].map((amount) => formatDecimal(cash(Math.round(amount * 10_000)))),
    ).to.deep.equal(['187.35', '41.0855', '-12.00']);
  });

  it('rounds an average up, and refuses what is no amount', () => {
    expect(averageRoundedUp(cash(10), qty(3))).to.equal(4);
    expect(notional(usd(1.5), qty(3))).to.equal(usd(4.5));
    expect(() => price(-1)).to.throw('a price is');
    expect(() => price(0.5)).to.throw('a price is');
    expect(() => qty(1.5)).to.throw('a quantity is');
    expect(() => cash(Number.NaN)).to.throw('an amount is');
    expect(() => averageRoundedUp(cash(10), qty(0))).to.throw('at least one share');
  });
});

describe('client order ids', () => {
  it('say day, symbol, sequence and attempt, both ways', () => {
    const key = { day: '2026-10-05' as SessionDay, symbol: 'BRK.B' as Ticker, sequence: 17, attempt: 2 };
    expect(formatClientOrderId(key)).to.equal('scalpd-20261005-BRK.B-17-2');
    expect(parseClientOrderId('scalpd-20261005-BRK.B-17-2')).to.deep.equal(key);
    for (const id of ['scalpd-2026105-SPY-1-0', 'scalpd-20261005-SPY-1', 'x-scalpd-20261005-SPY-1-0', ''])
      expect(isOurs(id), id).to.equal(false);
  });
});

describe('instants', () => {
  it('are read with any offset and written in UTC', () => {
    expect(formatInstant(parseInstant('2024-02-29T09:30:00.123456789-05:00') as Micros)).to.equal(
      '2024-02-29T14:30:00.123456Z',
    );
    expect(parseInstant('2024-02-29 14:30:00Z')).to.equal(parseInstant('2024-02-29T20:00:00+05:30'));
    for (const text of ['', '2024-02-29', '2024-02-29T14:30Z', 'now'])
      expect(parseInstant(text), text).to.equal(null);
  });

  it('survive text, and agree with the calendar of the platform', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), fc.nat(999_999), (second, micro) => {
        const instant = (second * 1_000_000 + micro) as Micros;
        const text = formatInstant(instant);
        expect(parseInstant(text)).to.equal(instant);
        expect(text.slice(0, 19)).to.equal(new Date(second * 1_000).toISOString().slice(0, 19));
      }),
    );
  });
});

describe('a session plan', () => {
  it('ends entries one hold time before the flatten, five minutes before the close', () => {
    const plan = planOf();
    expect([plan.entryCutoffAt, plan.flattenAt]).to.deep.equal([at('15:53'), at('15:55')]);
    const half = planOf('2024-01-03', '13:00');
    expect([half.entryCutoffAt, half.flattenAt]).to.deep.equal([at('12:53'), at('12:55')]);
    expect(planSession(plan, minutes(5), minutes(600)).entryCutoffAt).to.equal(plan.openAt);
  });

  it('takes the bars of whole minutes between open and close', () => {
    const plan = planOf();
    const bars = [
      earlier(plan.openAt, minutes(1)),
      plan.openAt,
      earlier(plan.closeAt, minutes(1)),
      plan.closeAt,
    ];
    expect(bars.map((startAt) => isSessionBar(plan, startAt))).to.deep.equal([false, true, true, false]);
    expect(isSessionBar(plan, later(earlier(plan.closeAt, minutes(1)), seconds(1)))).to.equal(false);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { cash, type Price, price, qty, UNITS_PER_USD } from '../../lib/domain/money.ts';
import {
  checkIntent,
  type DenialCode,
  type LossLatch,
  type RiskLimits,
  type RiskView,
  watchLoss,
} from '../../lib/domain/risk.ts';
import { at, SPY, Story, usd } from '../lane/story.ts';

const dollars = (amount: number) => cash(Math.round(amount * UNITS_PER_USD));
const LIMITS: RiskLimits = {
  sharesPerOrderMax: 100,
  notionalPerOrderMax: dollars(5_000),
  collarBps: 100,
  grossExposureMax: dollars(10_000),
  dailyLossMax: dollars(500),
};
const VIEW: RiskView = {
  sharesHeld: 20,
  sharesOnSale: 0,
  mark: usd(100),
  grossExposure: dollars(0),
  buyingPower: dollars(100_000),
  reserved: dollars(0),
  dayPnl: dollars(0),
  lossLatch: { kind: 'armed' },
  killed: false,
  band: null,
};
const entry = new Story().enter();
const sell: OrderIntent = { ...entry, side: 'sell', purpose: 'bailOut', price: { type: 'market' } };
const limit = (at: Price): OrderIntent['price'] => ({ type: 'limit', limit: at });

function codeOf(intent: OrderIntent, view: Partial<RiskView> = {}, limits: Partial<RiskLimits> = {}): string {
  const verdict = checkIntent(intent, { ...LIMITS, ...limits }, { ...VIEW, ...view });
  return verdict.kind === 'approved' ? 'approved' : verdict.code;
}

describe('risk', () => {
  it('approves what every limit allows, up to its edge', () => {
    expect(codeOf(entry)).to.equal('approved');
    expect(codeOf({ ...entry, qty: qty(49), price: limit(usd(101)) })).to.equal('approved');
    expect(codeOf({ ...entry, qty: qty(50) })).to.equal('approved');
    expect(codeOf(entry, { grossExposure: dollars(8_000) })).to.equal('approved');
    expect(codeOf(entry, { buyingPower: dollars(2_000) })).to.equal('approved');
    expect(codeOf(entry, { dayPnl: dollars(-499.99) })).to.equal('approved');
    expect(codeOf(sell)).to.equal('approved');
    const band = { symbol: SPY, at: at('10:00'), up: usd(100.01), down: usd(99.99) };
    expect(codeOf(entry, { band })).to.equal('approved');
    expect(codeOf({ ...entry, qty: qty(100), price: limit(usd(1)) }, { mark: usd(1) })).to.equal('approved');
    expect(codeOf(entry, { buyingPower: dollars(3_000), reserved: dollars(1_000) })).to.equal('approved');
    expect(codeOf(sell, { sharesHeld: 21, sharesOnSale: 1 })).to.equal('approved');
  });

  const latched: LossLatch = { kind: 'latched', at: at('10:00'), dayPnl: dollars(-600) };
  const denials: readonly (readonly [DenialCode, string, OrderIntent, Partial<RiskView>])[] = [
    ['malformed', 'no shares', { ...entry, qty: qty(0) }, {}],
    ['malformed', 'half a share', { ...entry, qty: 0.5 as never }, {}],
    ['malformed', 'a limit off the tick', { ...entry, price: limit(usd(100.005)) }, {}],
    ['malformed', 'a limit of nothing', { ...entry, price: limit(price(0)) }, {}],
    ['malformed', 'a buy that exits', { ...entry, purpose: 'exit' }, {}],
    ['malformed', 'a sell that enters', { ...sell, purpose: 'entry' }, {}],
    ['malformed', 'a market entry', { ...entry, price: { type: 'market' } }, {}],
    ['killed', 'the kill switch', entry, { killed: true }],
    ['dailyLoss', 'a latched loss, recovered since', entry, { lossLatch: latched }],
    ['dailyLoss', 'a loss not latched yet', entry, { dayPnl: dollars(-500) }],
    ['dayPnlUnknown', 'no figure for the day', entry, { dayPnl: null }],
    [
      'sharesPerOrder',
      'too many shares',
      { ...entry, qty: qty(101), price: limit(usd(1)) },
      { mark: usd(1) },
    ],
    ['notionalPerOrder', 'too much money', { ...entry, qty: qty(51) }, {}],
    ['markUnknown', 'no last trade', entry, { mark: null }],
    ['markUnknown', 'a last trade of nothing', entry, { mark: price(0) }],
    ['collar', 'a limit far above', { ...entry, price: limit(usd(101.01)) }, {}],
    ['collar', 'a limit far below', { ...entry, price: limit(usd(98.99)) }, {}],
    [
      'luld',
      'a limit at the upper band',
      entry,
      { band: { symbol: SPY, at: at('10:00'), up: usd(100), down: usd(90) } },
    ],
    [
      'luld',
      'a limit at the lower band',
      entry,
      { band: { symbol: SPY, at: at('10:00'), up: usd(110), down: usd(100) } },
    ],
    [
      'luld',
      'a last trade at the band',
      { ...entry, price: limit(usd(99.99)) },
      { band: { symbol: SPY, at: at('10:00'), up: usd(100), down: usd(90) } },
    ],
    [
      'luld',
      'bands that are no numbers',
      entry,
      { band: { symbol: SPY, at: at('10:00'), up: Number.NaN as Price, down: usd(90) } },
    ],
    ['grossExposure', 'too much over all lanes', entry, { grossExposure: dollars(8_000.01) }],
    ['grossExposureUnknown', 'no figure for all lanes', entry, { grossExposure: null }],
    ['buyingPower', 'not enough of it', entry, { buyingPower: dollars(1_999.99) }],
    [
      'buyingPower',
      'not enough left of it',
      entry,
      { buyingPower: dollars(3_000), reserved: dollars(1_000.01) },
    ],
    ['buyingPowerUnknown', 'no figure for it', entry, { buyingPower: null }],
    ['oversell', 'more than is held', sell, { sharesHeld: 19 }],
    ['oversell', 'more than is not on sale yet', sell, { sharesOnSale: 1 }],
    ['oversell', 'a short position', sell, { sharesHeld: -20 }],
    ['positionUnknown', 'no figure for the shares', sell, { sharesHeld: null }],
    ['positionUnknown', 'no figure for the sells', sell, { sharesOnSale: null }],
  ];
  for (const [code, what, intent, view] of denials)
    it(`denies ${what} as ${code}`, () => {
      expect(codeOf(intent, view)).to.equal(code);
    });

  it('never holds back a covered exit', () => {
    const dark: RiskView = {
      ...VIEW,
      mark: null,
      grossExposure: null,
      buyingPower: null,
      dayPnl: null,
      lossLatch: latched,
      killed: true,
      band: { symbol: SPY, at: at('10:00'), up: usd(1), down: usd(1) },
    };
    expect(codeOf(sell, dark)).to.equal('approved');
    expect(codeOf({ ...sell, purpose: 'exit', price: limit(usd(100)) }, dark)).to.equal('approved');
  });

  it('never passes an entry on a number that is missing or is none', () => {
    const numbers = ['mark', 'grossExposure', 'buyingPower', 'dayPnl'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...numbers),
        fc.constantFrom(null, Number.NaN, Infinity, -Infinity),
        (key, none) => {
          expect(codeOf(entry, { [key]: none })).to.not.equal('approved');
        },
      ),
    );
    expect(codeOf(entry, { reserved: Number.NaN as never })).to.equal('buyingPowerUnknown');
  });

  it('never passes an entry by a limit that is no number', () => {
    const names = [
      'sharesPerOrderMax',
      'notionalPerOrderMax',
      'collarBps',
      'grossExposureMax',
      'dailyLossMax',
    ] as const;
    for (const name of names)
      expect(codeOf(entry, {}, { [name]: Number.NaN }), name).to.not.equal('approved');
  });

  it('says rule first and finding last', () => {
    const verdict = checkIntent(entry, LIMITS, { ...VIEW, grossExposure: dollars(9_000) });
    expect(verdict).to.have.property(
      'text',
      'all lanes together hold at most 10000.00 USD: 9000.00 USD and 2000.00 USD',
    );
  });

  it('latches the loss of the day and keeps it', () => {
    const armed: LossLatch = { kind: 'armed' };
    expect(watchLoss(armed, LIMITS, null, at('10:00'))).to.equal(armed);
    expect(watchLoss(armed, LIMITS, Number.NaN as never, at('10:00'))).to.equal(armed);
    expect(watchLoss(armed, LIMITS, dollars(-499), at('10:00'))).to.equal(armed);
    const reached = watchLoss(armed, LIMITS, dollars(-500), at('10:01'));
    expect(reached).to.deep.equal({ kind: 'latched', at: at('10:01'), dayPnl: dollars(-500) });
    expect(watchLoss(reached, LIMITS, dollars(900), at('10:02'))).to.equal(reached);
  });
});

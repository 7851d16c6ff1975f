import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import { seconds } from '../../lib/domain/time.ts';
import { DAY, sessionOf, startDay } from '../engine/simulated-day.ts';
import { faultsOf, replayed } from './recorded-day.ts';

describe('replay: a day of entries that our own house denies', function () {
  this.timeout(60_000);

  it('has every step of its lanes in the order in which they were taken', async () => {
    const limits = { ...DEFAULT_RISK_LIMITS, grossExposureMax: cash(100 * UNITS_PER_USD) };
    const day = await startDay({
      seed: 3,
      session: sessionOf('09:30', '10:30'),
      symbols: ['SPY', 'BAC', 'F'] as Ticker[],
      printsPerDay: 4_000,
      settings: { risk: { limits, checkEvery: seconds(1) } },
    });
    await day.finish();
    const records = await day.journal.read(DAY);
    const denied = records.filter(
      ({ kind, body }) => kind === 'outcome' && (body as { readonly kind?: unknown }).kind === 'denied',
    );
    expect(denied.length).to.be.greaterThan(3);
    expect(faultsOf(replayed(records))).to.deep.equal([]);
  });
});

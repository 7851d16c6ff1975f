import { expect } from 'chai';
import type { Micros, SessionDay } from '../../lib/domain/time.ts';
import { feesOf, feesOn } from '../../lib/sim/fees.ts';
import { createRateLimiter } from '../../lib/sim/rate-limit.ts';
import { AAA, MINUTE, OPEN, request, rig, SECOND, START, standing, usd } from './support.ts';

describe('sim: the rate limit', () => {
  it('spends a fixed budget a minute and says when it comes back', () => {
    const limiter = createRateLimiter(2);
    expect(limiter.take(OPEN)).to.deep.equal({
      limit: 2,
      remaining: 1,
      resetAt: OPEN + MINUTE,
      allowed: true,
    });
    expect(limiter.take(OPEN).allowed).to.equal(true);
    const refused = limiter.take((OPEN + 59 * SECOND) as Micros);
    expect(refused).to.deep.equal({ limit: 2, remaining: 0, resetAt: OPEN + MINUTE, allowed: false });
    expect(limiter.take((OPEN + MINUTE) as Micros)).to.include({ remaining: 1, allowed: true });
  });

  it('can be exhausted by others', () => {
    const limiter = createRateLimiter(200);
    limiter.exhaust(OPEN);
    expect(limiter.take(OPEN).allowed).to.equal(false);
    expect(limiter.state((OPEN + MINUTE) as Micros).remaining).to.equal(200);
  });
});

describe('sim: fees', () => {
  it('are charged on sales alone, the activity fee up to its cap', () => {
    const fees = feesOn('2024-06-03' as SessionDay);
    expect(fees).to.deep.equal({ secPerMillionUsd: 27.8, tafPerShareUsd: 0.000166, tafMaxUsd: 8.3 });
    expect(feesOf(fees, 'buy', 100, 1e9)).to.equal(0);
    // 100 shares at $100: 10,000 * 27.80 / 1e6 + 100 * 0.000166 = 0.2946
    expect(feesOf(fees, 'sell', 100, usd('10000'))).to.equal(usd('0.2946'));
    expect(feesOf(fees, 'sell', 1_000_000, 0)).to.equal(usd('8.3'));
  });

  it('follow the calendar', () => {
    expect(feesOn('2013-10-07' as SessionDay).secPerMillionUsd).to.equal(17.4);
    expect(feesOn('2025-09-26' as SessionDay).secPerMillionUsd).to.equal(0);
    expect(feesOn('2026-10-05' as SessionDay)).to.include({
      secPerMillionUsd: 20.6,
      tafPerShareUsd: 0.000195,
    });
  });

  it('leave the account with the fill', () => {
    const market = rig(standing, { fees: feesOn('2024-06-03' as SessionDay) });
    market.exchange.act({ kind: 'setPosition', symbol: AAA, qty: 100, averagePrice: usd('90') });
    market.submit(request({ side: 'sell' }));
    market.wait(1);
    const { cash, feesPaid } = market.exchange.ledger();
    expect(feesPaid).to.equal(usd('0.2946'));
    expect(cash).to.equal(1_000_000_000 + 100 * usd('100') - feesPaid);
    expect(market.exchange.account().accruedFees).to.equal(feesPaid);
    expect(market.exchange.now()).to.equal(START + SECOND);
  });
});

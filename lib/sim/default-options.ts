import { type Cash, UNITS_PER_USD } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import type { Micros, SessionDay } from '../domain/time.ts';
import type { ExchangeOptions } from './exchange-api.ts';
import { feesOn } from './fees.ts';

/**
 * A paper account as Alpaca opens it (100,000 USD, margin, shorting allowed) behind a broker 15 ms away, with the fees of
 * the first session's day and one fill in ten cut short. `over` replaces any of it.
 */
export function defaultExchangeOptions(
  base: { readonly seed: number; readonly startAt: Micros; readonly sessions: readonly Session[] },
  over: Partial<ExchangeOptions> = {},
): ExchangeOptions {
  const day = base.sessions[0]?.day ?? ('2026-10-05' as SessionDay);
  return {
    ...base,
    account: { cash: (100_000 * UNITS_PER_USD) as Cash, multiplier: 4, shorting: true },
    latencyIn: 15_000,
    latencyOut: 15_000,
    partialFillShare: 0.1,
    queueAhead: 300,
    fees: feesOn(day),
    subPenny: 'reject',
    fillModel: 'tape',
    oversell: 'reject',
    fillRules: [],
    barDelay: 300_000,
    ...over,
  };
}

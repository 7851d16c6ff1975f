import { cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import type { Session } from '../../lib/domain/session.ts';
import type { Micros } from '../../lib/domain/time.ts';
import type { ExchangeOptions } from '../../lib/sim/exchange-api.ts';
import { BAR_DELAY, type Scenario } from './scenario.ts';

/** The exchange of the recordings: no latency, no fees, no chance, everything fills whole on the next print. */
export function plainOptions(session: Session, startAt: Micros): ExchangeOptions {
  return {
    seed: 1,
    startAt,
    sessions: [session],
    account: { cash: cash(100_000 * UNITS_PER_USD), multiplier: 4, shorting: true },
    latencyIn: 0,
    latencyOut: 0,
    partialFillShare: 0,
    queueAhead: 0,
    fees: { secPerMillionUsd: 0, tafPerShareUsd: 0, tafMaxUsd: 0 },
    subPenny: 'reject',
    fillModel: 'print',
    oversell: 'reject',
    fillRules: [],
    barDelay: BAR_DELAY,
  };
}

export function optionsOf({ session, startAt, exchange }: Scenario): ExchangeOptions {
  const plain = plainOptions(session, startAt);
  const { shorting, ...rest } = exchange;
  return { ...plain, ...rest, account: { ...plain.account, shorting } };
}

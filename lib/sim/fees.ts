import type { Side } from '../domain/execution.ts';
import { type Cash, UNITS_PER_USD } from '../domain/money.ts';
import type { SessionDay } from '../domain/time.ts';
import type { FeeSchedule } from './exchange-api.ts';

type Rate = { readonly from: string; readonly sec: number };
type Taf = { readonly from: string; readonly perShare: number; readonly max: number };

/** USD per million USD sold. Source: SEC fee rate advisories, Section 31 of the Securities Exchange Act. */
const SEC_RATES: readonly Rate[] = [
  { from: '2012-04-01', sec: 22.4 },
  { from: '2013-05-25', sec: 17.4 },
  { from: '2014-03-18', sec: 22.1 },
  { from: '2015-02-14', sec: 18.4 },
  { from: '2016-02-16', sec: 21.8 },
  { from: '2017-07-04', sec: 23.1 },
  { from: '2018-05-22', sec: 13.0 },
  { from: '2019-04-16', sec: 20.7 },
  { from: '2020-02-18', sec: 22.1 },
  { from: '2021-02-25', sec: 5.1 },
  { from: '2022-05-14', sec: 22.9 },
  { from: '2023-02-27', sec: 8.0 },
  { from: '2024-05-22', sec: 27.8 },
  { from: '2025-05-14', sec: 0 },
  { from: '2026-04-04', sec: 20.6 },
];

/** USD per share sold, and the most for one trade. Source: FINRA By-Laws, Schedule A, section 1 (SR-FINRA-2024-019 for 2026). */
const TAF_RATES: readonly Taf[] = [
  { from: '2012-07-01', perShare: 0.000119, max: 5.95 },
  { from: '2022-01-01', perShare: 0.00013, max: 6.49 },
  { from: '2023-01-01', perShare: 0.000145, max: 7.27 },
  { from: '2024-01-01', perShare: 0.000166, max: 8.3 },
  { from: '2026-01-01', perShare: 0.000195, max: 9.79 },
];

export const NO_FEES: FeeSchedule = { secPerMillionUsd: 0, tafPerShareUsd: 0, tafMaxUsd: 0 };

/** The rates in force on a day. Days before the tables get their first row. */
export function feesOn(day: SessionDay): FeeSchedule {
  const sec = inForce(SEC_RATES, day);
  const taf = inForce(TAF_RATES, day);
  return {
    secPerMillionUsd: sec?.sec ?? 0,
    tafPerShareUsd: taf?.perShare ?? 0,
    tafMaxUsd: taf?.max ?? 0,
  };
}

const inForce = <T extends { readonly from: string }>(rows: readonly T[], day: string): T | undefined =>
  rows.findLast((row) => row.from <= day) ?? rows[0];

/** The fees of one execution, rounded up to 1/10000 USD; buys are free. */
export function feesOf(schedule: FeeSchedule, side: Side, shares: number, proceeds: number): Cash {
  if (side === 'buy') return 0 as Cash;
  const sec = (proceeds * schedule.secPerMillionUsd) / 1e6;
  const taf = Math.min(shares * schedule.tafPerShareUsd, schedule.tafMaxUsd) * UNITS_PER_USD;
  // The subtraction keeps a product that is whole but for float noise from being rounded up.
  return Math.ceil(sec + taf - 1e-9) as Cash;
}

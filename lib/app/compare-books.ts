import type { Ticker } from '../domain/ids.ts';
import { type Cash, cash, formatDecimal, parseDecimal } from '../domain/money.ts';
import type { Discrepancy } from '../engine/reconciler.ts';
import type { SessionReport } from '../engine/report.ts';
import type { LedgerView } from './exchange-thread.ts';

/** Account-wide findings have no symbol of their own. */
const ACCOUNT = '*' as Ticker;

/**
 * The report against the exchange's own books, to the cent: on an account that only we trade, cash moved by exactly our
 * profit after fees, and what we call flat is flat there.
 */
export function compareBooks(
  report: SessionReport,
  before: LedgerView,
  after: LedgerView,
): readonly Discrepancy[] {
  const findings: Discrepancy[] = [];
  const find = (symbol: Ticker, code: string, evidence: string): void => {
    findings.push({ symbol, code, evidence });
  };
  for (const { symbol, shares } of after.positions) {
    const ours = report.symbols.find((each) => each.symbol === symbol)?.laneShares ?? 0;
    if (shares !== ours) find(symbol, 'shares', `the exchange holds ${shares}, we ${ours}`);
  }
  const open = after.openOrders.length;
  if (report.flat && open > 0) find(ACCOUNT, 'openOrders', `the exchange has ${open} open orders, we none`);
  const moved = cash(after.cash - before.cash);
  const net = parseDecimal(report.netUsd) ?? Number.NaN;
  if (report.flat && Math.abs(moved - net) >= CENT)
    find(
      ACCOUNT,
      'cash',
      `the exchange's cash moved by ${formatDecimal(moved)}, our profit is ${formatDecimal(net as Cash)}`,
    );
  return findings;
}

const CENT = 100;

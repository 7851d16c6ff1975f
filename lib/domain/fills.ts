import type { ExecutionReport, Fill } from './execution.ts';
import type { ExecutionId } from './ids.ts';
import { type Cash, cash, notional, type Price, type Qty, qty, ZERO_CASH, ZERO_QTY } from './money.ts';

/**
 * What one order has filled, as far as we know.
 *
 * 1. An execution id counts once.
 * 2. `inferredQty` shares are known from a query's total alone. The executions behind them may still arrive by the
 *    stream: a new execution replaces inferred shares first, so that nothing counts twice whichever came first.
 * 3. Only queries infer. A total on the stream may run ahead of executions that are still on their way.
 * 4. Booked shares never exceed the order's quantity. An execution that would pass it is refused whole, a total that
 *    passes it counts up to it; both are told as `overfill`.
 */
export type FillLedger = {
  readonly executionIds: readonly ExecutionId[];
  readonly qty: Qty;
  readonly notional: Cash;
  readonly inferredQty: Qty;
  readonly inferredNotional: Cash;
};

export const EMPTY_LEDGER: FillLedger = {
  executionIds: [],
  qty: ZERO_QTY,
  notional: ZERO_CASH,
  inferredQty: ZERO_QTY,
  inferredNotional: ZERO_CASH,
};

export const bookedQty = (ledger: FillLedger): Qty => (ledger.qty + ledger.inferredQty) as Qty;
export const bookedNotional = (ledger: FillLedger): Cash =>
  (ledger.notional + ledger.inferredNotional) as Cash;

/** Stands for fills of a predecessor: no execution is called so, so that ids are not taken for complete. */
const CARRIED = 'carried' as ExecutionId;

/** A ledger that begins with what its predecessor filled: part of the order's totals, booked where it was filled. */
export function carriedLedger(carriedQty: Qty, carriedNotional: Cash): FillLedger {
  return carriedQty === 0
    ? EMPTY_LEDGER
    : { ...EMPTY_LEDGER, executionIds: [CARRIED], qty: carriedQty, notional: carriedNotional };
}

export type Booking = {
  readonly ledger: FillLedger;
  /** An execution or a total that passes the order's quantity. */
  readonly overfill: boolean;
};

/** Books what one report says: its own execution first, then, on a query, the difference to its total. */
export function bookReport(
  ledger: FillLedger,
  orderQty: Qty,
  report: ExecutionReport,
  fallbackPx: Price,
): Booking {
  const executed =
    report.fill === null ? { ledger, overfill: false } : bookFill(ledger, orderQty, report.fill);
  const overfill = executed.overfill || report.cumQty > orderQty;
  if (report.source !== 'query') return { ledger: executed.ledger, overfill };
  return { ledger: bookTotal(executed.ledger, orderQty, report, fallbackPx), overfill };
}

function bookFill(ledger: FillLedger, orderQty: Qty, fill: Fill): Booking {
  if (ledger.executionIds.includes(fill.executionId)) return { ledger, overfill: false };
  const executionIds = [...ledger.executionIds, fill.executionId];
  const real = ledger.qty + fill.lastQty;
  // The id is kept even so: a repetition of it is no second finding.
  if (real > orderQty) return { ledger: { ...ledger, executionIds }, overfill: true };
  const worth = notional(fill.lastPx, fill.lastQty);
  const eaten = Math.min(fill.lastQty, ledger.inferredQty);
  const inferredQty = qty(ledger.inferredQty - eaten);
  // What is left of the inferred shares cost the rest of their total; rounding may not push it below nothing.
  const rest = inferredQty === 0 ? 0 : Math.max(0, ledger.inferredNotional - fill.lastPx * eaten);
  return {
    ledger: {
      executionIds,
      qty: qty(real),
      notional: cash(ledger.notional + worth),
      inferredQty,
      inferredNotional: cash(rest),
    },
    overfill: false,
  };
}

function bookTotal(
  ledger: FillLedger,
  orderQty: Qty,
  report: ExecutionReport,
  fallbackPx: Price,
): FillLedger {
  const missing = Math.min(report.cumQty, orderQty) - bookedQty(ledger);
  const inferredQty = ledger.inferredQty + missing;
  // Older than what we know already, or nothing in it that we do not know by execution.
  if (missing < 0 || inferredQty === 0) return ledger;
  const worth = report.cumNotional - ledger.notional;
  return {
    ...ledger,
    inferredQty: qty(inferredQty),
    // A total without a price (or one that contradicts our fills) is valued by the order itself.
    inferredNotional: cash(worth > 0 ? worth : ledger.inferredNotional + fallbackPx * missing),
  };
}

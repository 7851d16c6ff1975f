import { type ExecutionReport, isEnd } from './execution.ts';
import { type Cash, cash, notional, type Qty, qty } from './money.ts';
import type { BelievedOrder, SeenFill, SeenOrder } from './reconcile-types.ts';
import type { Micros } from './time.ts';

/**
 * What the listing of orders and the account's fills tell of one order together.
 *
 * That the id of a fill activity equals the execution id of the stream is plausible and not documented. It is relied on only
 * where it shows: every execution that the lane has counted is among the fills. Otherwise cumulative quantities alone count,
 * as totals that later executions replace.
 */
export type OrderWord = {
  /** What the lane has yet to be told. */
  readonly reports: readonly ExecutionReport[];
  /** The broker's own total: the larger of what the order and its fills say. */
  readonly cumQty: Qty;
  /** Why the fills cannot be right; `null` when they can. */
  readonly contradiction: string | null;
};

export function wordOn(
  believed: BelievedOrder,
  seen: SeenOrder,
  fills: readonly SeenFill[] | null,
  takenAt: Micros,
): OrderWord {
  const own = fills === null ? null : fillsOf(fills, seen);
  const cumQty = Math.max(seen.cumQty, ...(own ?? []).map((fill) => fill.cumQty)) as Qty;
  const total = { ...reportOf(seen, takenAt), cumQty, cumNotional: notionalOf(seen, own ?? [], cumQty) };
  const uncounted = own === null || !isComparable(believed, own) ? [] : uncountedOf(believed, own);
  const reports =
    uncounted.length > 0
      ? uncounted.map(({ executionId, qty: lastQty, px: lastPx }) => ({
          ...total,
          fill: { executionId, lastQty, lastPx },
        }))
      : isNews(believed, total)
        ? [total]
        : [];
  return { reports, cumQty, contradiction: own === null ? null : contradictionIn(believed, seen, own) };
}

/** An order from a listing, as the report that a query for it would have been. */
export function reportOf(order: SeenOrder, receivedAt: Micros): ExecutionReport {
  return {
    source: 'query',
    clientOrderId: order.clientOrderId,
    brokerOrderId: order.brokerOrderId,
    symbol: order.symbol,
    side: order.side,
    orderQty: order.qty,
    status: order.status,
    cumQty: order.cumQty,
    cumNotional: order.cumNotional,
    fill: null,
    replacedBy: order.replacedBy,
    occurredAt: order.updatedAt,
    receivedAt,
  };
}

/** Each execution once: a listing that grew while it was read may name one twice. */
function fillsOf(fills: readonly SeenFill[], { brokerOrderId }: SeenOrder): readonly SeenFill[] {
  const own = fills.filter((fill) => fill.brokerOrderId === brokerOrderId);
  return [...new Map(own.map((fill) => [fill.executionId, fill])).values()];
}

/** A total that the fills reach and the order does not (its view lags) is worth what the fills were made at. */
function notionalOf(seen: SeenOrder, own: readonly SeenFill[], cumQty: Qty): Cash {
  if (seen.cumQty === cumQty) return seen.cumNotional;
  const sums = sumOf(own);
  return sums.qty === cumQty ? sums.notional : cash(0);
}

const isNews = ({ bookedQty, state }: BelievedOrder, { status, cumQty }: ExecutionReport): boolean => {
  const ended = isEnd(status);
  return (
    cumQty > bookedQty ||
    (ended && state !== 'done') ||
    (!ended && (state === 'inFlight' || state === 'done'))
  );
};

const isComparable = ({ executionIds }: BelievedOrder, own: readonly SeenFill[]): boolean =>
  executionIds.length > 0 && executionIds.every((id) => own.some((fill) => fill.executionId === id));

const uncountedOf = ({ executionIds }: BelievedOrder, own: readonly SeenFill[]): readonly SeenFill[] =>
  own.filter(({ executionId }) => !executionIds.includes(executionId)).sort((a, b) => a.cumQty - b.cumQty);

function contradictionIn(believed: BelievedOrder, seen: SeenOrder, own: readonly SeenFill[]): string | null {
  const { clientOrderId, executionIds, executedQty, executedNotional } = believed;
  const astray = own.find(({ side, symbol }) => side !== seen.side || symbol !== seen.symbol);
  if (astray !== undefined)
    return `fills are of their order's side and symbol: ${clientOrderId} has ${astray.side} ${astray.symbol}`;
  if (isComparable(believed, own)) {
    const counted = sumOf(own.filter(({ executionId }) => executionIds.includes(executionId)));
    if (counted.qty !== executedQty || counted.notional !== executedNotional)
      return `an execution is the same everywhere: of ${clientOrderId} we counted ${executedQty} for ${executedNotional}, the account's fills say ${counted.qty} for ${counted.notional}`;
  }
  // A successor carries on what its predecessor filled, without fills of its own.
  if (seen.replaces !== null) return null;
  const sum = sumOf(own).qty;
  return sum === Math.max(seen.cumQty, ...own.map((fill) => fill.cumQty))
    ? null
    : `fills add up to their order's total: ${clientOrderId} filled ${seen.cumQty}, the account's fills say ${sum}`;
}

const sumOf = (fills: readonly SeenFill[]): { readonly qty: Qty; readonly notional: Cash } =>
  fills.reduce(
    (sum, fill) => ({
      qty: qty(sum.qty + fill.qty),
      notional: cash(sum.notional + notional(fill.px, fill.qty)),
    }),
    { qty: qty(0), notional: cash(0) },
  );

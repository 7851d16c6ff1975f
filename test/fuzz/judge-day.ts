import type { Ticker } from '../../lib/domain/ids.ts';
import type { EngineStatus } from '../../lib/engine/engine.ts';
import type { SessionReport } from '../../lib/engine/report.ts';
import type { Exchange, SimOrder } from '../../lib/sim/exchange-api.ts';
import type { Report } from './finding.ts';

export type DayEnd = {
  readonly exchange: Exchange;
  readonly status: EngineStatus;
  readonly made: SessionReport | null;
  /** Whether the daemon was told of fills and ends that never were. */
  readonly lies: boolean;
  /** Log lines by level, event and code. */
  readonly said: ReadonlyMap<string, number>;
  readonly peak: number;
  readonly report: Report;
};

/** A day by the exchange's books: what must hold whatever was told, and what must hold when no order frame lied. */
export function judgeDay(end: DayEnd): void {
  const { exchange, report, peak } = end;
  const { orders } = exchange.ledger();
  if (peak > 200) report('rateExceeded', `${peak} requests in a minute`);
  const ids = orders.map(({ clientOrderId }) => clientOrderId);
  if (new Set(ids).size !== ids.length) report('idTwice', 'at the exchange');
  neverShort(end);
  if (!end.lies) oneLiveOrder(orders, report);
  flatOrSaid(end);
}

function neverShort({ exchange, report }: DayEnd): void {
  const held = new Map<Ticker, number>();
  for (const { symbol, side, qty, clientOrderId } of [...exchange.ledger().fills].sort(
    (a, b) => a.at - b.at,
  )) {
    const shares = (held.get(symbol) ?? 0) + (side === 'buy' ? qty : -qty);
    held.set(symbol, shares);
    if (shares < 0) report('short', `${symbol}: ${shares} by ${clientOrderId}`);
  }
}

function oneLiveOrder(orders: readonly SimOrder[], report: Report): void {
  const lastEnd = new Map<string, number>();
  for (const order of [...orders].sort((a, b) => a.submittedAt - b.submittedAt)) {
    const { filledAt, canceledAt, expiredAt, failedAt, symbol } = order;
    const endsAt = filledAt ?? canceledAt ?? expiredAt ?? failedAt ?? Number.POSITIVE_INFINITY;
    if (order.submittedAt < (lastEnd.get(symbol) ?? 0))
      report('twoLiveOrders', `${symbol}: ${order.clientOrderId}`);
    lastEnd.set(symbol, endsAt);
  }
}

/** Flat by the exchange's books, or it says which symbol is not; what the lanes believe is so, or it says what does not agree. */
function flatOrSaid({ exchange, status, made, lies, report }: DayEnd): void {
  if (made === null) {
    report('noReport', 'a session ends with a report');
    return;
  }
  const { positions } = exchange.ledger();
  const discrepancies = [...made.discrepancies, ...status.discrepancies];
  for (const lane of status.lanes) {
    const { symbol } = lane;
    const shares = positions.get(symbol) ?? 0;
    const disagrees = discrepancies.some((each) => each.symbol === symbol);
    const isOpen = made.open.some((line) => line.startsWith(`${symbol}:`));
    if (shares !== 0 && (made.flat || !isOpen)) report('saysFlat', `${symbol}: the exchange holds ${shares}`);
    if (shares !== lane.shares && !disagrees)
      report('booksDiffer', `${symbol}: the lane holds ${lane.shares}, the exchange ${shares}`);
    if (lies) continue;
    if (disagrees)
      report('falseAlarm', discrepancies.map(({ code, evidence }) => `${code} ${evidence}`).join('; '));
    // A halt that was made up keeps a lane from selling, as a real one would.
    if (shares !== 0 && !lane.halted) report('notFlat', `${symbol}: ${shares} shares`);
  }
}

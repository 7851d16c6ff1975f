import type { Ticker } from '../../lib/domain/ids.ts';
import { formatInstant } from '../../lib/domain/time.ts';
import type { SimOrder } from '../../lib/sim/exchange-api.ts';
import { endOf, type Ledger } from './ledger.ts';
import type { Run } from './run-scenario.ts';
import type { Report } from './violation.ts';

/** Shares and orders at the exchange, at every instant of the run. */
export function judgeBooks(run: Run, ledger: Ledger, report: Report): void {
  neverShort(ledger, report);
  oneLiveOrder(ledger, report);
  entriesFromFlat(ledger, report);
  othersUntouched(run, ledger, report);
}

function neverShort({ moves }: Ledger, report: Report): void {
  const held = new Map<Ticker, number>();
  for (const { at, symbol, shares, fill } of moves) {
    const now = (held.get(symbol) ?? 0) + shares;
    held.set(symbol, now);
    if (now < 0) report('oversold', `${symbol} ${now} at ${formatInstant(at)} by ${fill?.clientOrderId}`);
  }
}

function oneLiveOrder({ ours }: Ledger, report: Report): void {
  const last = new Map<Ticker, SimOrder>();
  for (const order of [...ours].sort((a, b) => a.submittedAt - b.submittedAt)) {
    const before = last.get(order.symbol);
    last.set(order.symbol, order);
    if (before === undefined || endOf(before) <= order.submittedAt || order.replaces === before.id) continue;
    // What another hand put in place of ours is known only when REST tells of it. Shares are not left without an exit for
    // that: the exit goes after some seconds, and the successor is canceled as soon as it is found.
    if (before.replaces !== null) continue;
    report(
      'twoLiveOrders',
      `${order.symbol} ${order.clientOrderId} sent at ${formatInstant(order.submittedAt)} while ${before.clientOrderId} was live`,
    );
  }
}

/** An entry is made by a lane that holds nothing: the same signal is never bought twice. */
function entriesFromFlat(ledger: Ledger, report: Report): void {
  for (const order of ledger.ours) {
    if (order.side !== 'buy' || order.replaces !== null) continue;
    const held = ledger.ownShares(order.symbol, order.submittedAt);
    if (held !== 0)
      report(
        'entryOnTop',
        `${order.clientOrderId} at ${formatInstant(order.submittedAt)} with ${held} shares`,
      );
  }
}

function othersUntouched({ exchange, scenario, witness }: Run, ledger: Ledger, report: Report): void {
  const byHand = new Set(
    scenario.happenings.map((each) => (each.kind === 'cancelByHand' ? each.symbol : null)),
  );
  for (const { what, symbol } of witness.operator)
    if (what === 'adoptAsked' && symbol !== null) byHand.add(symbol);
  for (const order of ledger.foreign)
    if (order.cancelRequestedAt !== null && !byHand.has(order.symbol))
      report('foreignOrderTouched', `${order.symbol} ${order.status}`);
  for (const symbol of scenario.symbols) {
    const position = exchange.ledger().positions.get(symbol) ?? 0;
    const expected = ledger.ownShares(symbol, exchange.now()) + ledger.foreignShares(symbol, exchange.now());
    if (position !== expected) report('foreignSharesTouched', `${symbol}: ${position}, expected ${expected}`);
  }
}

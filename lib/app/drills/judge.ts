import { parseClientOrderId, type Ticker } from '../../domain/ids.ts';
import { formatInstant, type Micros } from '../../domain/time.ts';
import type { Certificate } from '../../engine/certificate-types.ts';
import type { SessionReport } from '../../engine/report.ts';
import { compareBooks } from '../compare-books.ts';
import type { FullBooks, LedgerView } from '../exchange-thread.ts';

/*
 * The judge of an account's history, from the exchange's own books alone: it believes nothing that the daemon says, and
 * compares the daemon's report with them in the end. Each question answers with what breaks its rule, first case first,
 * or with `null`.
 */

/** Shares of others in the account before the daemon came, by symbol. */
export type Foreign = ReadonlyMap<Ticker, number>;

/** An order as a judge sees it, from the exchange's books or read over its REST. */
export type JudgedOrder = {
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly rejected: boolean;
  readonly from: Micros;
  /** `null` while it is open. */
  readonly until: Micros | null;
};

export const judged = ({ history }: Pick<FullBooks, 'history'>): readonly JudgedOrder[] =>
  history.map((order) => ({
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    side: order.side,
    rejected: order.status === 'rejected',
    from: order.createdAt,
    until: order.filledAt ?? order.canceledAt ?? order.expiredAt ?? order.failedAt ?? order.replacedAt,
  }));

const clock = (at: Micros): string => formatInstant(at).slice(11, 23);

/** Nothing is held but what others hold, all of that still is, and no order is open. */
export function notFlat({ positions, openOrders }: LedgerView, foreign: Foreign): string | null {
  const held = new Map(positions.map(({ symbol, shares }) => [symbol, shares]));
  const lines = [
    ...positions
      .filter(({ symbol, shares }) => shares !== (foreign.get(symbol) ?? 0))
      .map(({ symbol, shares }) => `the exchange holds ${shares} ${symbol}`),
    ...[...foreign]
      .filter(([symbol]) => !held.has(symbol))
      .map(([symbol, shares]) => `${shares} ${symbol} of others are gone`),
    ...openOrders.map(({ clientOrderId }) => `order ${clientOrderId} is open`),
  ];
  return lines.length === 0 ? null : lines.join(', ');
}

/** At no fill do the shares of a symbol go below what others held of it. */
export function shorted({ executions }: Pick<FullBooks, 'executions'>, foreign: Foreign): string | null {
  const held = new Map(foreign);
  for (const { symbol, side, qty, clientOrderId, at } of executions) {
    const shares = (held.get(symbol) ?? 0) + (side === 'buy' ? qty : -qty);
    held.set(symbol, shares);
    if (shares < (foreign.get(symbol) ?? 0))
      return `${clientOrderId} sold ${qty} at ${clock(at)}: ${shares} ${symbol} left`;
  }
  return null;
}

/** Every order carries an id of ours, used once; an intent that was sent again was refused before. */
export function duplicated(orders: readonly JudgedOrder[]): string | null {
  const intents = new Map<string, JudgedOrder>();
  for (const order of orders) {
    const key = parseClientOrderId(order.clientOrderId);
    if (key === null) return `the order ${order.clientOrderId} has no id of ours`;
    const intent = `${key.day} ${key.symbol} ${key.sequence}`;
    const earlier = intents.get(intent);
    intents.set(intent, order);
    if (earlier === undefined) continue;
    if (!earlier.rejected || earlier.clientOrderId === order.clientOrderId)
      return `${order.clientOrderId} repeats the intent of ${earlier.clientOrderId}`;
  }
  return null;
}

/** One live order of a symbol at a time: the next is taken only after the one before has ended. */
export function overlapping(orders: readonly JudgedOrder[]): string | null {
  const last = new Map<string, JudgedOrder>();
  for (const order of orders) {
    const before = last.get(order.symbol);
    last.set(order.symbol, order);
    if (before === undefined || (before.until !== null && before.until <= order.from)) continue;
    const until = before.until === null ? 'is open still' : `lived until ${clock(before.until)}`;
    return `${before.clientOrderId} ${until}, ${order.clientOrderId} came at ${clock(order.from)}`;
  }
  return null;
}

/** Never more requests in 60 s than the account has. */
export const tooFast = ({ requestPeak }: Pick<FullBooks, 'requestPeak'>, limit: number): string | null =>
  requestPeak <= limit ? null : `${requestPeak} requests came within 60 s; ${limit} are allowed`;

/** The last share is sold before the session is over. */
export function soldLate({ executions }: Pick<FullBooks, 'executions'>, closeAt: Micros): string | null {
  const late = executions.find(({ at }) => at >= closeAt);
  return late === undefined ? null : `${late.clientOrderId} filled at ${clock(late.at)}, after the close`;
}

/** Symbols that others hold are left alone. */
export function touched(orders: readonly JudgedOrder[], foreign: Foreign): string | null {
  const order = orders.find(({ symbol }) => foreign.has(symbol as Ticker));
  return order === undefined ? null : `${order.clientOrderId}: a ${order.side} of what others hold`;
}

/** A time in which no new order may come: entries only, or for one symbol any. */
export type Silence = {
  readonly from: Micros;
  readonly until: Micros | null;
  readonly symbol: Ticker | null;
  readonly why: string;
};

export function spoken(orders: readonly JudgedOrder[], silences: readonly Silence[]): string | null {
  for (const { from, until, symbol, why } of silences)
    for (const order of orders) {
      const concerned = symbol === null ? order.side === 'buy' : order.symbol === symbol;
      if (concerned && order.from >= from && (until === null || order.from < until))
        return `${order.clientOrderId} (${order.side}) came at ${clock(order.from)}: ${why}`;
    }
  return null;
}

/**
 * Every symbol is certified flat; where others hold shares it is not, and the certificate says why. `losesRecords`: what
 * the journal could not be told need not be proven, but nothing may speak against it.
 */
export function uncertified(
  certificate: Certificate | null,
  foreign: Foreign,
  losesRecords = false,
): string | null {
  if (certificate === null) return 'there is no flat certificate';
  for (const { symbol, flat, evidence, unproven } of certificate.symbols) {
    const why = [...evidence, ...unproven].join('; ');
    if (foreign.has(symbol)) {
      if (flat === true) return `${symbol} is certified flat, with ${foreign.get(symbol)} shares of others`;
      if (why === '') return `${symbol} is not certified flat, and nothing says why`;
    } else if (flat !== true && !(losesRecords && flat === null && why !== ''))
      return `${symbol} is not certified flat: ${why}`;
  }
  if (losesRecords) return null;
  const wanted = foreign.size === 0;
  return (certificate.flat === true) === wanted
    ? null
    : `the whole is certified as flat: ${certificate.flat}`;
}

/** The report and the books tell the same, to the share and to the cent. */
export function disagreeing(
  report: SessionReport | null,
  before: LedgerView,
  after: LedgerView,
  foreign: Foreign,
): string | null {
  if (report === null) return 'the daemon ended without a report';
  const ours = { ...after, positions: after.positions.filter(({ symbol }) => !foreign.has(symbol)) };
  const [first] = compareBooks(report, before, ours);
  return first === undefined ? null : `${first.symbol}: ${first.evidence}`;
}

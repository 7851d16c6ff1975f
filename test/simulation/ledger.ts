import { parseClientOrderId, type Ticker } from '../../lib/domain/ids.ts';
import type { Micros } from '../../lib/domain/time.ts';
import type { SimFill, SimOrder } from '../../lib/sim/exchange-api.ts';
import type { Run } from './run-scenario.ts';

/**
 * The judge's own books, from the exchange's side alone: whose each order is, and how many shares each side of the account
 * held at any instant. Nothing the daemon says goes in, but that shares were handed to it on request.
 */
export type Ledger = {
  readonly ours: readonly SimOrder[];
  readonly foreign: readonly SimOrder[];
  isOurs(order: Pick<SimOrder, 'id'>): boolean;
  /** Shares that our fills add up to, right after everything at `at`. */
  ownShares(symbol: Ticker, at: Micros): number;
  /** Moves of our shares in order of time: fills, and shares that were adopted. */
  readonly moves: readonly Move[];
  /** Shares of others in the account at an instant. */
  foreignShares(symbol: Ticker, at: Micros): number;
};

export type Move = {
  readonly at: Micros;
  readonly symbol: Ticker;
  readonly shares: number;
  readonly fill: SimFill | null;
};

export function keepLedger(run: Run): Ledger {
  const { exchange, scenario } = run;
  const { orders, fills } = exchange.ledger();
  const byId = new Map(orders.map((order) => [order.id, order]));
  const isOurs = ({ id }: Pick<SimOrder, 'id'>): boolean => {
    let order = byId.get(id);
    // What somebody's hand put in place of our order works with our shares.
    while (order !== undefined && parseClientOrderId(order.clientOrderId) === null)
      order = order.replaces === null ? undefined : byId.get(order.replaces);
    return order !== undefined;
  };
  const moveOf = (fill: SimFill): Move => ({
    at: fill.at,
    symbol: fill.symbol,
    shares: fill.side === 'buy' ? fill.qty : -fill.qty,
    fill,
  });
  const moves = fills.filter(({ orderId }) => isOurs({ id: orderId })).map(moveOf);
  const strangers = fills.filter(({ orderId }) => !isOurs({ id: orderId })).map(moveOf);
  for (const happening of scenario.happenings)
    if (happening.kind === 'foreignShares')
      strangers.push({ at: happening.at, symbol: happening.symbol, shares: happening.qty, fill: null });
  // What is adopted changes its owner, and nothing else.
  for (const { at, symbol } of adoptionsOf(run)) {
    const shares = sumOf(strangers, symbol, at);
    moves.push({ at, symbol, shares, fill: null });
    strangers.push({ at, symbol, shares: -shares, fill: null });
  }
  moves.sort((a, b) => a.at - b.at);
  return {
    ours: orders.filter(isOurs),
    foreign: orders.filter((order) => !isOurs(order)),
    isOurs,
    moves,
    ownShares: (symbol, at) => sumOf(moves, symbol, at),
    foreignShares: (symbol, at) => sumOf(strangers, symbol, at),
  };
}

const sumOf = (moves: readonly Move[], symbol: Ticker, until: Micros): number =>
  moves.reduce((sum, { symbol: each, at, shares }) => sum + (each === symbol && at <= until ? shares : 0), 0);

/**
 * When shares of others were handed over. The daemon's answer tells it; where the process died on its way to the answer, the
 * record of the lane's event does.
 */
function adoptionsOf({
  witness,
  trail,
  scenario,
}: Run): readonly { readonly at: Micros; readonly symbol: Ticker }[] {
  const found: { readonly at: Micros; readonly symbol: Ticker }[] = [];
  const asked = new Set(
    witness.operator.flatMap(({ what, symbol }) => (what === 'adoptAsked' ? [symbol] : [])),
  );
  for (const { at, what, symbol } of witness.operator)
    if (what === 'adopt' && symbol !== null) found.push({ at, symbol });
  for (const { day } of asked.size === 0 ? [] : scenario.sessions)
    for (const { at, kind, symbol, body } of trail.read(day)) {
      const event = (body as { readonly event?: { readonly kind?: unknown } } | null)?.event;
      if (kind !== 'input' || symbol === null || event?.kind !== 'adopted' || !asked.has(symbol)) continue;
      if (!found.some((each) => each.symbol === symbol)) found.push({ at, symbol });
    }
  return found;
}

/** When an order could fill no more; `Infinity` while it can. */
export function endOf(order: SimOrder): number {
  switch (order.status) {
    case 'filled':
      return order.filledAt ?? order.updatedAt;
    case 'canceled':
      return order.canceledAt ?? order.updatedAt;
    case 'expired':
      return order.expiredAt ?? order.updatedAt;
    case 'rejected':
      return order.failedAt ?? order.updatedAt;
    case 'replaced':
      return order.replacedAt ?? order.updatedAt;
    case 'done_for_day':
      return order.updatedAt;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

import { isEnd } from './execution.ts';
import { isOurs } from './ids.ts';
import { type Price, qty } from './money.ts';
import {
  type BrokerPicture,
  discrepancy,
  type Finding,
  type LaneBelief,
  type SeenOrder,
} from './reconcile-types.ts';

/** Whose the shares and the open orders are that the lane's own do not explain. `expected`: shares once it is up to date. */
export function ownership(
  belief: LaneBelief,
  expected: number,
  orders: readonly SeenOrder[],
  successors: readonly SeenOrder[],
  picture: BrokerPicture,
): readonly Finding[] {
  const { symbol } = belief;
  const position = picture.positions.find((each) => each.symbol === symbol)?.shares ?? 0;
  const others = orders.filter((order) => isOfOthers(belief, order) && !successors.includes(order));
  const open = others.filter(({ status }) => !isEnd(status));
  const { bought, sold } = tradedByOthers(belief, others, orders, picture);
  const surplus = position - expected;
  const evidence = `the broker shows ${position} shares, our fills add up to ${expected}; others have ${open.length} open orders, bought ${bought.qty} and sold ${sold.qty} today`;
  const findings: Finding[] = [];
  if (position < 0) findings.push(discrepancy('short', evidence));
  else if (surplus < 0 && sold.qty >= -surplus && Number.isInteger(surplus))
    findings.push({
      kind: 'gone',
      shares: qty(-surplus),
      averagePx: Math.round(sold.notional / sold.qty) as Price,
      evidence,
    });
  else if (surplus < 0) findings.push(discrepancy('sharesMissing', evidence));
  if (open.length > 0 || (position >= 0 && surplus > 0))
    findings.push({ kind: 'foreign', shares: Math.max(0, surplus), orders: open, evidence });
  return findings;
}

type Sum = { readonly qty: number; readonly notional: number };
const NOTHING: Sum = { qty: 0, notional: 0 };

/** By their orders, and by fills of orders that were placed before the listing begins. */
function tradedByOthers(
  { symbol }: LaneBelief,
  others: readonly SeenOrder[],
  all: readonly SeenOrder[],
  { fills }: BrokerPicture,
): { readonly bought: Sum; readonly sold: Sum } {
  const unlisted = (fills ?? []).filter(
    (fill) =>
      fill.symbol === symbol && !all.some(({ brokerOrderId }) => brokerOrderId === fill.brokerOrderId),
  );
  const add = (sum: Sum, shares: number, notional: number): Sum => ({
    qty: sum.qty + shares,
    notional: sum.notional + notional,
  });
  const sumOf = (wanted: 'buy' | 'sell'): Sum =>
    unlisted
      .filter(({ side }) => side === wanted)
      .reduce(
        (sum, fill) => add(sum, fill.qty, fill.qty * fill.px),
        others
          .filter(({ side }) => side === wanted)
          .reduce((sum, order) => add(sum, order.cumQty, order.cumNotional), NOTHING),
      );
  return { bought: sumOf('buy'), sold: sumOf('sell') };
}

/** Neither known to the lane nor under an id of ours. */
const isOfOthers = (belief: LaneBelief, order: SeenOrder): boolean =>
  !isOurs(order.clientOrderId) && !knows(belief, order);

export const knows = (belief: LaneBelief, { clientOrderId }: SeenOrder): boolean =>
  belief.orders.some((order) => order.clientOrderId === clientOrderId);

import { type ExecutionReport, isEnd } from './execution.ts';
import { bookedQty } from './fills.ts';
import { type BrokerOrderId, isOurs, type Ticker } from './ids.ts';
import { invariant } from './invariant.ts';
import { type Lane, ordersOf, sharesHeld, symbolOf } from './lane-state.ts';
import type { Order } from './order.ts';
import { partsOf } from './picture-parts.ts';
import { type OrderWord, wordOn } from './reconcile-fills.ts';
import { knows, ownership } from './reconcile-shares.ts';
import {
  type BelievedOrder,
  type BrokerPicture,
  discrepancy,
  type Finding,
  type LaneBelief,
  type SeenOrder,
  type SymbolFindings,
} from './reconcile-types.ts';
import { after, type Duration, type Micros } from './time.ts';

export { reportOf } from './reconcile-fills.ts';
export type * from './reconcile-types.ts';

/**
 * Compares what the lanes believe with what the broker shows: open orders, the session's orders, positions, and the account's
 * fills where they were read. It changes nothing; its findings say what to tell whom.
 *
 * 1. The broker's word on an order of ours is fed to the lane as a report, never written into it.
 * 2. Shares are compared as they will be once those reports are booked: being behind is no disagreement.
 * 3. What the lane cannot explain by its own orders is never counted as the lane's.
 * 4. A fill counts once. One that only the account's fills know is told by its execution id where these ids are seen to be
 *    the stream's, and else as a total. The broker's total of an order is the larger of what the order and its fills say.
 * 5. Fills that do not add up to their order's total, or differ from an execution that we counted, are a discrepancy.
 * 6. Shares of ours are gone only as far as orders of others are seen to have sold them. Missing shares that no such order
 *    explains are a discrepancy.
 * 7. A disagreement counts after `passes` consecutive pictures that show the same one; one picture without it clears it.
 *    Figures that move from picture to picture are a view that lags behind our own trading, not a disagreement. Pictures
 *    less than `apart` after the one counted last count nothing: what lags is the same in all of them.
 * 8. Every symbol gets findings, `agrees` alone when there is nothing to say, symbols without a lane included.
 */

/** Disagreements seen in the passes so far, by symbol and kind, with how often in a row. Start with `NO_SUSPICION`. */
export type Suspicion = Readonly<Record<string, { readonly seen: number; readonly countedAt: Micros }>>;
export const NO_SUSPICION: Suspicion = {};

export type Reconciliation = {
  readonly symbols: readonly SymbolFindings[];
  readonly suspicion: Suspicion;
};

export function beliefOf(lane: Lane): LaneBelief {
  return {
    symbol: symbolOf(lane),
    shares: sharesHeld(lane),
    orders: ordersOf(lane).map(beliefOn),
  };
}
/** What it shows of one of its orders. */
function beliefOn(order: Order): BelievedOrder {
  const { intent, ledger } = order;
  return {
    clientOrderId: intent.clientOrderId,
    side: intent.side,
    // A cancel was asked for before anything proved that the order is there: that proves no more.
    state: order.kind === 'canceling' && !order.proven ? 'inFlight' : order.kind,
    bookedQty: bookedQty(ledger),
    executionIds: ledger.executionIds,
    executedQty: ledger.qty,
    executedNotional: ledger.notional,
  };
}

/** `passes` is at least 1. */
export function reconcile(
  beliefs: readonly LaneBelief[],
  picture: BrokerPicture,
  suspicion: Suspicion,
  passes: number,
  apart = 0 as Duration,
): Reconciliation {
  invariant(passes >= 1, 'a disagreement is seen at least once', passes);
  const known = new Map(beliefs.map((belief) => [belief.symbol, belief]));
  const strangers = symbolsOf(picture).filter((symbol) => !known.has(symbol));
  const all = [...beliefs, ...strangers.map((symbol): LaneBelief => ({ symbol, shares: 0, orders: [] }))];
  const grown: Record<string, Suspicion[string]> = {};
  const part = partsOf(picture);
  const symbols = all.map((belief) => {
    const compared = compare(belief, part(belief.symbol)).map((finding) => confirm(belief.symbol, finding));
    return {
      symbol: belief.symbol,
      findings: compared.length === 0 ? [{ kind: 'agrees' as const }] : compared,
    };
  });
  return { symbols, suspicion: grown };

  function confirm(symbol: Ticker, finding: Finding): Finding {
    if (finding.kind !== 'foreign' && finding.kind !== 'discrepancy' && finding.kind !== 'gone')
      return finding;
    const code = finding.kind === 'discrepancy' ? finding.code : finding.kind;
    const key = `${keyOf(symbol, code)}: ${finding.evidence}`;
    const known = suspicion[key];
    const tooSoon = known !== undefined && picture.takenAt < after(known.countedAt, apart);
    const counted = tooSoon ? known : { seen: (known?.seen ?? 0) + 1, countedAt: picture.takenAt };
    grown[key] = counted;
    const { seen } = counted;
    return seen >= passes ? finding : { kind: 'suspected', code, seen, evidence: finding.evidence };
  }
}

/** What was suspected of a symbol has been acted on: it has to be seen as often again. */
export function forget(suspicion: Suspicion, symbol: Ticker): Suspicion {
  const prefix = keyOf(symbol, '');
  return Object.fromEntries(Object.entries(suspicion).filter(([key]) => !key.startsWith(prefix)));
}

const keyOf = (symbol: Ticker, code: string): string => `${symbol} ${code}`;

function compare(belief: LaneBelief, picture: BrokerPicture): readonly Finding[] {
  const orders = ordersAtBroker(belief.symbol, picture);
  const words = belief.orders.map((believed) => {
    const seen = orders.find(({ clientOrderId }) => clientOrderId === believed.clientOrderId) ?? null;
    return {
      believed,
      seen,
      word: seen && wordOn(believed, seen, picture.fills, picture.takenAt),
    };
  });
  const reports = words.flatMap(({ word }): readonly ExecutionReport[] => word?.reports ?? []);
  const successors = belief.orders.flatMap((order) => successorOf(order, belief, orders));
  const expected = belief.shares + words.reduce((sum, each) => sum + sharesToCome(each), 0);
  return [
    ...(reports.length === 0 ? [] : [{ kind: 'behind' as const, reports }]),
    ...successors,
    ...words.flatMap(orderDiscrepancies),
    ...unknownOrders(belief, orders),
    ...ownership(
      belief,
      expected,
      orders,
      successors.map(({ successor }) => successor),
      picture,
    ),
  ];
}

/** Both lists in one: a listing that lacks an order may simply have been read before it. */
function ordersAtBroker(symbol: Ticker, { openOrders, ordersSince }: BrokerPicture): readonly SeenOrder[] {
  const byId = new Map<BrokerOrderId, SeenOrder>();
  for (const order of [...openOrders, ...ordersSince]) {
    const other = byId.get(order.brokerOrderId);
    // The listings were read one after the other: the later state of an order is the one that filled more or ended.
    if (order.symbol === symbol && (other === undefined || isLater(order, other)))
      byId.set(order.brokerOrderId, order);
  }
  return [...byId.values()];
}

const isLater = (a: SeenOrder, b: SeenOrder): boolean =>
  a.cumQty > b.cumQty || (a.cumQty === b.cumQty && isEnd(a.status) && !isEnd(b.status));

type Heard = {
  readonly believed: BelievedOrder;
  readonly seen: SeenOrder | null;
  readonly word: OrderWord | null;
};

function sharesToCome({ believed, word }: Heard): number {
  if (word === null) return 0;
  const missing = Math.max(0, word.cumQty - believed.bookedQty);
  return believed.side === 'buy' ? missing : -missing;
}

type Replaced = Extract<Finding, { kind: 'replaced' }>;

/** The order that lives on in place of one of ours, unless the lane knows it already. */
function successorOf(
  { clientOrderId }: BelievedOrder,
  belief: LaneBelief,
  orders: readonly SeenOrder[],
): readonly Replaced[] {
  const old = orders.find((order) => order.clientOrderId === clientOrderId);
  const successor = orders.find(
    ({ brokerOrderId, replaces }) =>
      old !== undefined && (replaces === old.brokerOrderId || brokerOrderId === old.replacedBy),
  );
  if (successor === undefined || knows(belief, successor)) return [];
  return [{ kind: 'replaced', clientOrderId, successor }];
}

function orderDiscrepancies({ believed, seen, word }: Heard): readonly Finding[] {
  const { clientOrderId, state, bookedQty: booked } = believed;
  if (seen === null || word === null)
    return state === 'done'
      ? []
      : [discrepancy('orderMissing', `${state} order is at the broker: ${clientOrderId} is not`)];
  if (word.cumQty < booked)
    return [
      discrepancy(
        'fillsUnknownToBroker',
        `fills of ${clientOrderId} are the broker's: ${booked} booked, ${word.cumQty} there`,
      ),
    ];
  const contradicts = word.contradiction === null ? [] : [discrepancy('fillsContradict', word.contradiction)];
  return state === 'done' && !isEnd(seen.status)
    ? [
        ...contradicts,
        discrepancy('endedOrderLives', `an ended order is over: ${clientOrderId} is ${seen.status}`),
      ]
    : contradicts;
}

/** Under an id of ours and not in the lane's books: alive, or with shares that nobody counted. */
function unknownOrders(belief: LaneBelief, orders: readonly SeenOrder[]): readonly Finding[] {
  return orders
    .filter(
      (order) =>
        isOurs(order.clientOrderId) && !knows(belief, order) && (!isEnd(order.status) || order.cumQty > 0),
    )
    .map(({ clientOrderId, status, cumQty }) =>
      discrepancy(
        'unknownOwnOrder',
        `orders under our ids are known: ${clientOrderId} is ${status}, filled ${cumQty}`,
      ),
    );
}

function symbolsOf({ openOrders, ordersSince, positions }: BrokerPicture): readonly Ticker[] {
  const live = [...openOrders, ...ordersSince].filter(({ status }) => !isEnd(status));
  return [...new Set([...live, ...positions].map(({ symbol }) => symbol))];
}

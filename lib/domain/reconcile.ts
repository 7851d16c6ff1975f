import { type ExecutionReport, isEnd, type OrderStatus, type Side } from './execution.ts';
import { bookedQty } from './fills.ts';
import { type BrokerOrderId, type ClientOrderId, isOurs, type Ticker } from './ids.ts';
import { invariant } from './invariant.ts';
import { type Lane, ordersOf, sharesHeld, symbolOf } from './lane-state.ts';
import type { Cash, Qty } from './money.ts';
import { after, type Duration, type Micros } from './time.ts';

/** What a lane believes. Get it by `beliefOf(lane)`. */
export type LaneBelief = {
  readonly symbol: Ticker;
  /** Shares by the lane's own fills. */
  readonly shares: number;
  /** Every order of ours of this session, past ones included. */
  readonly orders: readonly BelievedOrder[];
};
export type BelievedOrder = {
  readonly clientOrderId: ClientOrderId;
  readonly side: Side;
  readonly state: 'inFlight' | 'working' | 'canceling' | 'closing' | 'done';
  readonly bookedQty: Qty;
};

/** An order as the broker lists it; the broker port's `BrokerOrder` fits. */
export type SeenOrder = {
  readonly brokerOrderId: BrokerOrderId;
  readonly clientOrderId: ClientOrderId;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly qty: Qty;
  readonly status: OrderStatus;
  readonly cumQty: Qty;
  readonly cumNotional: Cash;
  readonly updatedAt: Micros;
  readonly replacedBy: BrokerOrderId | null;
  readonly replaces: BrokerOrderId | null;
};
/** The broker port's `BrokerPosition` fits. */
export type SeenPosition = { readonly symbol: Ticker; readonly shares: number };

/** Three complete answers of the broker. A failed read is no picture: do not reconcile on it. */
export type BrokerPicture = {
  readonly takenAt: Micros;
  readonly openOrders: readonly SeenOrder[];
  /** Everything submitted since the session opened (or earlier), whatever its state. */
  readonly ordersSince: readonly SeenOrder[];
  readonly positions: readonly SeenPosition[];
};

export type DiscrepancyCode =
  | 'sharesMissing' // the broker holds fewer shares than our fills add up to
  | 'short' // the broker shows a short position
  | 'fillsUnknownToBroker' // we booked more of an order than the broker says it filled
  | 'orderMissing' // an order we hold for live is not at the broker
  | 'endedOrderLives' // an order we hold for done is open at the broker
  | 'unknownOwnOrder'; // an open order with an id of ours that the lane does not know

export type Finding =
  | { readonly kind: 'agrees' }
  /** Reports to feed to the lane. Idempotent, so they do not wait for confirmation. */
  | { readonly kind: 'behind'; readonly reports: readonly ExecutionReport[] }
  /** Our order lives on under another id: feed a `succeeded` event. */
  | { readonly kind: 'replaced'; readonly clientOrderId: ClientOrderId; readonly successor: SeenOrder }
  /** Shares or orders that are not ours. Never touched. */
  | {
      readonly kind: 'foreign';
      readonly shares: number;
      readonly orders: readonly SeenOrder[];
      readonly evidence: string;
    }
  | { readonly kind: 'discrepancy'; readonly code: DiscrepancyCode; readonly evidence: string }
  /** A disagreement not yet seen often enough: REST views lag behind each other by seconds. */
  | {
      readonly kind: 'suspected';
      readonly code: DiscrepancyCode | 'foreign';
      readonly seen: number;
      readonly evidence: string;
    };

export type SymbolFindings = { readonly symbol: Ticker; readonly findings: readonly Finding[] };

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
    orders: ordersOf(lane).map(({ kind, intent, ledger }) => ({
      clientOrderId: intent.clientOrderId,
      side: intent.side,
      state: kind,
      bookedQty: bookedQty(ledger),
    })),
  };
}

/**
 * Compares what the lanes believe with what the broker shows.
 *
 * 1. The broker's word on an order of ours is fed to the lane as a report, never written into it.
 * 2. Shares are compared as they will be once those reports are booked: being behind is no disagreement.
 * 3. What the lane cannot explain by its own orders is never counted as the lane's.
 * 4. A disagreement counts after `passes` consecutive pictures that show it; one picture without it clears it. Pictures
 *    less than `apart` after the one counted last count nothing: what lags is the same in all of them.
 * 5. Every symbol gets findings, `agrees` alone when there is nothing to say, symbols without a lane included.
 *
 * `passes` is at least 1.
 */
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
  const symbols = all.map((belief) => {
    const compared = compare(belief, picture).map((finding) => confirm(belief.symbol, finding));
    return {
      symbol: belief.symbol,
      findings: compared.length === 0 ? [{ kind: 'agrees' as const }] : compared,
    };
  });
  return { symbols, suspicion: grown };

  function confirm(symbol: Ticker, finding: Finding): Finding {
    if (finding.kind !== 'foreign' && finding.kind !== 'discrepancy') return finding;
    const code = finding.kind === 'foreign' ? finding.kind : finding.code;
    const key = `${symbol} ${code}`;
    const known = suspicion[key];
    const tooSoon = known !== undefined && picture.takenAt < after(known.countedAt, apart);
    const counted = tooSoon ? known : { seen: (known?.seen ?? 0) + 1, countedAt: picture.takenAt };
    grown[key] = counted;
    const { seen } = counted;
    return seen >= passes ? finding : { kind: 'suspected', code, seen, evidence: finding.evidence };
  }
}

function compare(belief: LaneBelief, picture: BrokerPicture): readonly Finding[] {
  const orders = ordersAtBroker(belief.symbol, picture);
  const position = picture.positions.find(({ symbol }) => symbol === belief.symbol)?.shares ?? 0;
  const reports = belief.orders.flatMap((order) => reportFor(order, orders, picture.takenAt));
  const successors = belief.orders.flatMap((order) => successorOf(order, belief, orders));
  const expected = belief.shares + sharesToCome(belief, reports);
  return [
    ...(reports.length === 0 ? [] : [{ kind: 'behind' as const, reports }]),
    ...successors,
    ...orderDiscrepancies(belief, orders),
    ...ownership(belief, expected, position, orders, successors),
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

function reportFor(
  believed: BelievedOrder,
  orders: readonly SeenOrder[],
  takenAt: Micros,
): readonly ExecutionReport[] {
  const seen = orders.find(({ clientOrderId }) => clientOrderId === believed.clientOrderId);
  if (seen === undefined) return [];
  const ended = isEnd(seen.status);
  const isNews =
    seen.cumQty > believed.bookedQty ||
    (ended && believed.state !== 'done') ||
    (!ended && (believed.state === 'inFlight' || believed.state === 'done'));
  return isNews ? [reportOf(seen, takenAt)] : [];
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

function sharesToCome(belief: LaneBelief, reports: readonly ExecutionReport[]): number {
  return reports.reduce((sum, { clientOrderId, side, cumQty }) => {
    const booked = belief.orders.find((order) => order.clientOrderId === clientOrderId)?.bookedQty ?? 0;
    const missing = Math.max(0, cumQty - booked);
    return sum + (side === 'buy' ? missing : -missing);
  }, 0);
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

function orderDiscrepancies(belief: LaneBelief, orders: readonly SeenOrder[]): readonly Finding[] {
  const ofBelieved = belief.orders.flatMap((believed): Finding[] => {
    const { clientOrderId, state, bookedQty: booked } = believed;
    const seen = orders.find((order) => order.clientOrderId === clientOrderId);
    if (seen === undefined)
      return state === 'done'
        ? []
        : [discrepancy('orderMissing', `${state} order is at the broker: ${clientOrderId} is not`)];
    if (seen.cumQty < booked)
      return [
        discrepancy(
          'fillsUnknownToBroker',
          `fills of ${clientOrderId} are the broker's: ${booked} booked, ${seen.cumQty} there`,
        ),
      ];
    return state === 'done' && !isEnd(seen.status)
      ? [discrepancy('endedOrderLives', `an ended order is over: ${clientOrderId} is ${seen.status}`)]
      : [];
  });
  const unknown = orders
    .filter((order) => !isEnd(order.status) && isOurs(order.clientOrderId) && !knows(belief, order))
    .map(({ clientOrderId, status }) =>
      discrepancy('unknownOwnOrder', `open orders of ours are known: ${clientOrderId} is ${status}`),
    );
  return [...ofBelieved, ...unknown];
}

/** Whose the shares and the open orders are that the lane's own do not explain. */
function ownership(
  belief: LaneBelief,
  expected: number,
  position: number,
  orders: readonly SeenOrder[],
  successors: readonly Replaced[],
): readonly Finding[] {
  const strange = orders.filter(
    (order) =>
      !isEnd(order.status) &&
      !isOurs(order.clientOrderId) &&
      !knows(belief, order) &&
      !successors.some(({ successor }) => successor.brokerOrderId === order.brokerOrderId),
  );
  const surplus = position - expected;
  const evidence = `the broker shows ${position} shares, our fills add up to ${expected}, open orders of others: ${strange.length}`;
  const findings: Finding[] = [];
  if (position < 0) findings.push(discrepancy('short', evidence));
  else if (surplus < 0) findings.push(discrepancy('sharesMissing', evidence));
  if (strange.length > 0 || (position >= 0 && surplus > 0))
    findings.push({ kind: 'foreign', shares: Math.max(0, surplus), orders: strange, evidence });
  return findings;
}

const knows = (belief: LaneBelief, { clientOrderId }: SeenOrder): boolean =>
  belief.orders.some((order) => order.clientOrderId === clientOrderId);

const discrepancy = (code: DiscrepancyCode, evidence: string): Finding => ({
  kind: 'discrepancy',
  code,
  evidence,
});

function symbolsOf({ openOrders, ordersSince, positions }: BrokerPicture): readonly Ticker[] {
  const live = [...openOrders, ...ordersSince].filter(({ status }) => !isEnd(status));
  return [...new Set([...live, ...positions].map(({ symbol }) => symbol))];
}

import { isEnd } from '../domain/execution.ts';
import { bookedQty } from '../domain/fills.ts';
import { isOurs, type Ticker } from '../domain/ids.ts';
import { type Lane, ordersOf, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { Execution, TracedIntent, Trail } from './certificate-trail.ts';
import type { Books, CertifiedOrder, Moved, SymbolCertificate } from './certificate-types.ts';
import type { OrderEvidence } from './evidence.ts';

/**
 * Whether one symbol is flat.
 *
 * 1. Our books, the broker's orders and its position each come to zero, and nothing is open.
 * 2. The stream and the account's fills never tell of more than an order filled. Less is a remark: frames get lost, and
 *    listings lag.
 * 3. Every order of ours at the broker is the one that was intended, and every intent is at the broker or provably never
 *    came there.
 * 4. What was not asked is not known, and nothing that is not known makes a `true`.
 */
export function judgeSymbol(symbol: Ticker, trail: Trail, books: Books): SymbolCertificate {
  const findings: Findings = { evidence: [], unproven: [], remarks: [] };
  const broker = trail.evidence?.body.broker ?? null;
  const seen = broker?.orders ?? null;
  const orders = ordersOfSymbol(trail, seen, broker?.fills ?? null);
  const lane = books.kind === 'folded' ? books.lane : null;
  if (books.kind === 'unknown') findings.unproven.push(books.text);
  judgeLook(trail, findings);
  if (lane !== null) judgeBooks(trail, lane, findings);
  if (seen !== null) judgeOrders(trail, orders, lane, findings);
  const filled = orders.map((order) => ({
    ...order,
    filled: (order.filled ?? 0) - (trail.carried.get(order.clientOrderId) ?? 0),
  }));
  const byOrders =
    seen === null
      ? null
      : {
          ...moved(filled, (order) => order.filled),
          open: seen.filter(({ status }) => !isEnd(status)).length,
        };
  if (byOrders !== null && broker !== null) judgeRest(trail, byOrders, broker.shares, findings);
  const { evidence, unproven, remarks } = findings;
  return {
    symbol,
    flat: evidence.length > 0 ? false : unproven.length > 0 ? null : true,
    traced: orders.every(({ intent, filled: shares }) => intent !== null || shares === 0),
    opening: trail.opening,
    byHand: trail.byHand,
    orders,
    sources: {
      journal: {
        shares: lane === null ? null : sharesHeld(lane),
        unsettled: lane === null ? 0 : unsettledOrders(lane).length,
      },
      stream: moved(orders, ({ streamed }) => streamed),
      orders: byOrders,
      fills: broker === null || broker.fills === null ? null : moved(orders, ({ listed }) => listed ?? 0),
      positions: broker === null ? null : { shares: broker.shares },
    },
    evidence,
    unproven,
    remarks,
  };
}

type Findings = { readonly evidence: string[]; readonly unproven: string[]; readonly remarks: string[] };

// --- the orders ----------------------------------------------------------------------------------------------------------

/** Every order that was intended or carries an id of ours, in the order of the intents. */
function ordersOfSymbol(
  trail: Trail,
  seen: readonly OrderEvidence[] | null,
  fills: readonly { readonly brokerOrderId: string; readonly qty: number }[] | null,
): readonly CertifiedOrder[] {
  const strays = (seen ?? [])
    .map(({ clientOrderId }) => clientOrderId as string)
    .filter((id) => !trail.intents.has(id) && isOurs(id));
  return [...trail.intents.keys(), ...strays].map((clientOrderId) => {
    const intent = trail.intents.get(clientOrderId) ?? null;
    const order = seen?.find((each) => each.clientOrderId === clientOrderId) ?? null;
    const executions = executionsOf(trail, clientOrderId, order);
    return {
      clientOrderId,
      brokerOrderId: order?.brokerOrderId ?? null,
      side: intent?.side ?? order?.side ?? 'buy',
      qty: intent?.qty ?? order?.qty ?? 0,
      purpose: intent?.purpose ?? null,
      intent: intent?.record ?? null,
      status: order?.status ?? trail.outcomes.get(clientOrderId) ?? 'unknown',
      filled: seen === null ? null : (order?.cumQty ?? 0),
      streamed: sum(executions.map(([, { qty }]) => qty)),
      listed:
        fills === null
          ? null
          : sum(fills.filter((fill) => fill.brokerOrderId === order?.brokerOrderId).map(({ qty }) => qty)),
      executions: executions.map(([executionId, { qty, record }]) => ({ executionId, qty, record })),
    };
  });
}

function executionsOf(
  trail: Trail,
  clientOrderId: string,
  order: OrderEvidence | null,
): readonly (readonly [string, Execution])[] {
  const byOurs = trail.executions.get(clientOrderId) ?? [];
  const byTheirs = order === null ? [] : (trail.executions.get(order.brokerOrderId) ?? []);
  return [...new Map([...byOurs, ...byTheirs])];
}

// --- the verdicts --------------------------------------------------------------------------------------------------------

function judgeLook({ evidence, lastMoveId, lost }: Trail, { unproven, remarks }: Findings): void {
  if (evidence === null) unproven.push('the broker must be looked at when trading has ended: it was not');
  else if (evidence.body.broker === null) unproven.push('the broker must be readable at the end: it was not');
  if (evidence !== null && lastMoveId > evidence.id)
    unproven.push(`the last look must follow the last order: record ${lastMoveId} came after it`);
  if (lost > 0) remarks.push(`${lost} records could not be written during the day`);
}

function judgeBooks(trail: Trail, lane: Lane, { evidence }: Findings): void {
  const shares = sharesHeld(lane);
  const unsettled = unsettledOrders(lane);
  if (shares !== 0) evidence.push(`our fills must add up to nothing: ${shares} shares`);
  for (const { intent, kind } of unsettled)
    evidence.push(`our orders must be accounted for: ${intent.clientOrderId} is ${kind}`);
  const held = trail.evidence?.body.lane;
  if (held !== undefined && (held.shares !== shares || held.unsettled.length !== unsettled.length))
    evidence.push(
      `the journal must fold to what the lane was: ${shares} shares and ${unsettled.length} orders, ` +
        `the lane had ${held.shares} and ${held.unsettled.length}`,
    );
}

/** Verdicts that prove that an order never was at the broker. */
const NEVER_THERE: readonly string[] = ['denied', 'expired', 'rejected', 'absent'];

function judgeOrders(
  trail: Trail,
  orders: readonly CertifiedOrder[],
  lane: Lane | null,
  { evidence, unproven, remarks }: Findings,
): void {
  for (const order of orders) {
    const { clientOrderId: id, brokerOrderId, filled, streamed, listed, status } = order;
    const shares = filled ?? 0;
    if (brokerOrderId === null) {
      if (streamed > 0) evidence.push(`an order that filled must be at the broker: ${id} is not`);
      else if (status === 'accepted') evidence.push(`an accepted order must be at the broker: ${id} is not`);
      else if (!NEVER_THERE.includes(status))
        unproven.push(`what became of an order must be known: ${id} is ${status}`);
    }
    if (streamed > shares)
      evidence.push(`the stream must not tell more than the order: ${id} ${streamed} of ${shares}`);
    if (streamed < shares)
      remarks.push(`${shares - streamed} shares of ${id} were found by asking, not by the stream`);
    if (listed !== null && listed > shares)
      evidence.push(`the fills must not tell more than the order: ${id} ${listed} of ${shares}`);
    if (listed !== null && listed < shares)
      remarks.push(`${shares - listed} shares of ${id} are not among the fills yet`);
    judgeIntent(trail.intents.get(id) ?? null, order, trail, evidence, remarks);
    if (lane !== null && brokerOrderId !== null) judgeBooked(lane, order, trail, evidence);
  }
}

function judgeIntent(
  intent: TracedIntent | null,
  { clientOrderId: id, qty }: CertifiedOrder,
  { evidence: look }: Trail,
  evidence: string[],
  remarks: string[],
): void {
  const order = look?.body.broker?.orders.find(({ clientOrderId }) => clientOrderId === id);
  if (intent === null || intent.record === null)
    remarks.push(`${id} was found at the broker: its intent is not in the journal`);
  else if (order !== undefined && (order.side !== intent.side || order.qty !== intent.qty))
    evidence.push(
      `an order must be what was intended: ${id} is ${order.side} ${order.qty}, not ${intent.side} ${qty}`,
    );
}

/** What our books made of an order against what the broker says that it filled. */
function judgeBooked(
  lane: Lane,
  { clientOrderId: id, filled }: CertifiedOrder,
  trail: Trail,
  evidence: string[],
): void {
  const booked = ordersOf(lane).find(({ intent }) => intent.clientOrderId === id);
  const shares = (filled ?? 0) - (trail.carried.get(id) ?? 0);
  const ours = booked === undefined ? 0 : bookedQty(booked.ledger);
  if (ours !== shares)
    evidence.push(`our books must hold what an order filled: ${id} ${ours}, at the broker ${shares}`);
}

function judgeRest(
  trail: Trail,
  { bought, sold, open }: Moved & { readonly open: number },
  position: number,
  { evidence }: Findings,
): void {
  const net = trail.opening + trail.byHand + bought - sold;
  if (open > 0) evidence.push(`nothing must be open at the broker: ${open} orders are`);
  if (net !== 0)
    evidence.push(
      `orders must add up to nothing: ${trail.opening} brought along, ${trail.byHand} by hand, ${bought} bought, ${sold} sold`,
    );
  if (position !== 0) evidence.push(`nothing must be held at the broker: ${position} shares are`);
}

function moved<T extends CertifiedOrder>(orders: readonly T[], shares: (order: T) => number): Moved {
  const of = (side: 'buy' | 'sell'): number => sum(orders.filter((order) => order.side === side).map(shares));
  return { bought: of('buy'), sold: of('sell') };
}

const sum = (each: readonly number[]): number => each.reduce((total, one) => total + one, 0);

import { isEnd, type OrderStatus, type Side } from '../domain/execution.ts';
import type { BrokerOrderId, ClientOrderId, ExecutionId, Ticker } from '../domain/ids.ts';
import { type Lane, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import { partsOf } from '../domain/picture-parts.ts';
import type { Micros } from '../domain/time.ts';
import { isObject } from './lane-records.ts';
import type { Picture } from './reconciler.ts';

/**
 * What the broker showed of one symbol when trading had ended, and what the lane believed then: a `session` record, so that
 * whoever has the journal can judge whether the day ended flat, without asking the broker again.
 */
export type Evidence = {
  readonly what: 'evidence';
  readonly takenAt: Micros;
  readonly lane: { readonly shares: number; readonly unsettled: readonly ClientOrderId[] };
  /** `null`: the broker could not be read. */
  readonly broker: BrokerEvidence | null;
};

export type BrokerEvidence = {
  /** Every order of the symbol, those of others included. */
  readonly orders: readonly OrderEvidence[];
  readonly shares: number;
  /** `null`: they were not read. */
  readonly fills: readonly FillEvidence[] | null;
};

export type OrderEvidence = {
  readonly clientOrderId: ClientOrderId;
  readonly brokerOrderId: BrokerOrderId;
  readonly side: Side;
  readonly qty: number;
  readonly status: OrderStatus;
  readonly cumQty: number;
};

export type FillEvidence = {
  readonly executionId: ExecutionId;
  readonly brokerOrderId: BrokerOrderId;
  readonly qty: number;
};

/** Of each lane, read at `at` or when the picture was taken. */
export function evidenceOf(
  lanes: readonly Lane[],
  picture: Picture | null,
  at: Micros,
): readonly (readonly [Ticker, Evidence])[] {
  const partOf = picture === null ? () => null : partsOf(picture);
  return lanes.map((lane) => [lane.params.symbol, evidenceOfLane(lane, partOf(lane.params.symbol), at)]);
}

function evidenceOfLane(lane: Lane, picture: Picture | null, at: Micros): Evidence {
  const { symbol } = lane.params;
  return {
    what: 'evidence',
    takenAt: picture?.takenAt ?? at,
    lane: {
      shares: sharesHeld(lane),
      unsettled: unsettledOrders(lane).map(({ intent }) => intent.clientOrderId),
    },
    broker: picture === null ? null : seenOf(symbol, picture),
  };
}

function seenOf(symbol: Ticker, picture: Picture): BrokerEvidence {
  const latest = new Map<BrokerOrderId, OrderEvidence>();
  for (const order of [...picture.ordersSince, ...picture.openOrders]) {
    if (order.symbol !== symbol) continue;
    const { clientOrderId, brokerOrderId, side, qty, status, cumQty } = order;
    const known = latest.get(brokerOrderId);
    // The two listings were read one after the other: what filled more, or ended, is the later word.
    if (known === undefined || cumQty > known.cumQty || (cumQty === known.cumQty && isEnd(status)))
      latest.set(brokerOrderId, { clientOrderId, brokerOrderId, side, qty, status, cumQty });
  }
  return {
    orders: [...latest.values()],
    shares: picture.positions.find((position) => position.symbol === symbol)?.shares ?? 0,
    fills:
      picture.fills
        ?.filter((fill) => fill.symbol === symbol)
        .map(({ executionId, brokerOrderId, qty }) => ({ executionId, brokerOrderId, qty })) ?? null,
  };
}

/** The body of a `session` record; `null` when it is something else. */
export function evidenceIn(body: unknown): Evidence | null {
  if (!isObject(body) || body.what !== 'evidence' || typeof body.takenAt !== 'number') return null;
  const { lane, broker } = body;
  if (!isObject(lane) || typeof lane.shares !== 'number' || !Array.isArray(lane.unsettled)) return null;
  if (broker !== null && !(isObject(broker) && Array.isArray(broker.orders))) return null;
  return body as unknown as Evidence;
}

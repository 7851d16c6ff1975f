import type { BrokerOrderId, Ticker } from '../domain/ids.ts';
import { formatShares, formatUsd, roundShares } from './amounts.ts';
import { forbidden, type Refused } from './refusals.ts';

/*
 * What some refusals carry beside code and message. Clients repair their orders by it; the codec spells the keys as the
 * broker does.
 */

type Details = Readonly<Record<string, unknown>>;

export const stopDetails = (market: number, stop: number): Details => ({
  marketPrice: formatUsd(market),
  stopPrice: formatUsd(stop),
});

export const washTradeDetails = (existing: BrokerOrderId, kind: 'market/stop' | 'limit'): Details => ({
  existingOrderId: existing,
  rejectReason: `opposite side ${kind} order exists`,
});

export const buyingPowerDetails = (power: number, cost: number): Details => ({
  buyingPower: formatUsd(power),
  costBasis: formatUsd(cost),
});

export type HeldShares = {
  readonly symbol: Ticker;
  readonly requested: number;
  readonly existing: number;
  readonly held: number;
  readonly available: number;
  readonly orders: readonly BrokerOrderId[];
};

/** The refusal of a sell whose shares are held; the order ids are there when there are such orders. */
export function insufficientQty({
  symbol,
  requested,
  existing,
  held,
  available,
  orders,
}: HeldShares): Refused {
  const [wanted, free] = [formatShares(roundShares(requested)), formatShares(available)];
  return forbidden(`insufficient qty available for order (requested: ${wanted}, available: ${free})`, {
    available: free,
    existingQty: formatShares(existing),
    heldForOrders: formatShares(held),
    symbol,
    ...(orders.length > 0 ? { relatedOrders: orders } : {}),
  });
}

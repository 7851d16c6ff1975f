import type { OrderRequest } from '../../lib/sim/exchange-api.ts';

/** A day order as another hand sends it: without an id of ours. */
export function foreignRequest(
  order: Pick<OrderRequest, 'symbol' | 'side' | 'qty' | 'limitPrice'>,
): OrderRequest {
  return {
    notional: null,
    type: order.limitPrice === null ? 'market' : 'limit',
    timeInForce: 'day',
    stopPrice: null,
    trailPrice: null,
    trailPercent: null,
    extendedHours: false,
    clientOrderId: null,
    orderClass: null,
    takeProfit: null,
    stopLoss: null,
    positionIntent: null,
    ...order,
  };
}

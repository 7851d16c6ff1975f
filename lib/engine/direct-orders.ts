import type { ExecutionReport } from '../domain/execution.ts';
import type { BrokerOrderId, ClientOrderId } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import { cash, formatDecimal, price, qty } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import type { BrokerOrder, Refusal, RefusalCode } from '../ports/broker.ts';
import type { Answer, OrderRequest, SimOrder, TradeUpdate } from '../sim/exchange-api.ts';

/** Between the engine's orders and the embedded exchange's, for the direct door. */

export function requestOf(intent: OrderIntent): OrderRequest {
  return {
    symbol: intent.symbol,
    qty: String(intent.qty),
    notional: null,
    side: intent.side,
    type: intent.price.type,
    timeInForce: 'day',
    limitPrice: intent.price.type === 'limit' ? formatDecimal(intent.price.limit) : null,
    stopPrice: null,
    trailPrice: null,
    trailPercent: null,
    extendedHours: false,
    clientOrderId: intent.clientOrderId,
    orderClass: null,
    takeProfit: null,
    stopLoss: null,
    // The broker refuses what would open a short, even if all our books were wrong.
    positionIntent: intent.side === 'buy' ? 'buy_to_open' : 'sell_to_close',
  };
}

export function orderOf(order: SimOrder): BrokerOrder {
  return {
    brokerOrderId: order.id,
    clientOrderId: order.clientOrderId as ClientOrderId,
    symbol: order.symbol,
    side: order.side,
    qty: qty(Math.ceil(order.qty ?? 0)),
    type: order.type === 'market' || order.type === 'limit' ? order.type : 'other',
    limit: order.limitPrice,
    status: order.status,
    cumQty: qty(Math.floor(order.filledQty)),
    cumNotional: cash(Math.round(order.filledNotional)),
    submittedAt: order.submittedAt,
    updatedAt: order.updatedAt,
    replacedBy: order.replacedBy,
    replaces: order.replaces,
  };
}

export function reportOfUpdate(update: TradeUpdate, receivedAt: Micros): ExecutionReport {
  const { executionId, execution } = update;
  const order = orderOf(update.order);
  return {
    source: 'stream',
    clientOrderId: order.clientOrderId,
    brokerOrderId: order.brokerOrderId,
    symbol: order.symbol,
    side: order.side,
    orderQty: order.qty,
    status: order.status,
    cumQty: order.cumQty,
    cumNotional: order.cumNotional,
    fill:
      executionId === null || execution === null
        ? null
        : { executionId, lastQty: qty(execution.qty), lastPx: price(execution.price) },
    replacedBy: order.replacedBy,
    occurredAt: update.at,
    receivedAt,
  };
}

/** The exchange's texts are Alpaca's; the first that fits decides. */
const CODES: readonly (readonly [RegExp, RefusalCode])[] = [
  [/insufficient qty/, 'heldShares'],
  [/wash trade|while a .* order is open/, 'washTrade'],
  [/buying power/, 'buyingPower'],
  [/sub-penny|increment|pricing criteria/, 'subPenny'],
  [/short|sell_to_open/, 'shortNotAllowed'],
  [/tradable|asset/, 'notTradable'],
  [/rejected by user|restricted/, 'restricted'],
];

export function refusalOf({ code, message, extra }: Extract<Answer<never>, { ok: false }>): Refusal {
  const available = typeof extra.available === 'string' ? Math.floor(Number(extra.available)) : null;
  const listed = Array.isArray(extra.relatedOrders) ? extra.relatedOrders : [extra.existingOrderId];
  return {
    code: CODES.find(([text]) => text.test(message))?.[1] ?? 'invalid',
    brokerCode: code,
    text: message,
    available: available === null || available < 0 ? null : qty(available),
    relatedOrders: listed.filter((id): id is BrokerOrderId => typeof id === 'string'),
  };
}

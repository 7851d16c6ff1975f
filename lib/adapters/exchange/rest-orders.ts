import type { BrokerOrderId } from '../../domain/ids.ts';
import type { Answer, SimOrder } from '../../sim/exchange-api.ts';
import { encodePosition } from '../alpaca/codec-encode-account.ts';
import { refusalOf } from '../alpaca/codec-encode-errors.ts';
import { encodeCanceled, encodeClosed, encodeOrder } from '../alpaca/codec-encode-orders.ts';
import { cancelsOrders, decodeClientOrderId, decodeClosePart } from '../alpaca/codec-serve-account.ts';
import { decodeOrderRequest, decodeOrdersQuery, decodeReplaceRequest } from '../alpaca/codec-serve-orders.ts';
import { type Handler, ok, type Reply, refused } from './rest-types.ts';

/** Orders and positions. What the exchange refuses goes out in its own words. */

const orderId = (params: Readonly<Record<string, string | undefined>>): BrokerOrderId =>
  (params.id ?? '') as BrokerOrderId;

const answered = <T>(answer: Answer<T>, encode: (value: T) => unknown): Reply =>
  answer.ok ? ok(encode(answer.value)) : refused(refusalOf(answer));

const oneOrder = (answer: Answer<SimOrder>): Reply => answered(answer, (order) => encodeOrder(order));

export const submitOrder: Handler = ({ body }, { exchange }) => {
  const request = decodeOrderRequest(body);
  return request.ok ? oneOrder(exchange.submitOrder(request.value)) : refused(request.refused);
};

export const replaceOrder: Handler = ({ params, body }, { exchange }) => {
  const changes = decodeReplaceRequest(body);
  return changes.ok
    ? oneOrder(exchange.replaceOrder(orderId(params), changes.value))
    : refused(changes.refused);
};

export const cancelOrder: Handler = ({ params }, { exchange }) => {
  const answer = exchange.cancelOrder(orderId(params));
  return answer.ok ? { status: 204, body: null } : refused(refusalOf(answer));
};

/** 207: every order with a status of its own, and the error where there is one. */
export const cancelAllOrders: Handler = (_request, { exchange }) => ({
  status: 207,
  body: exchange.cancelAllOrders().map(({ id, answer }) => encodeCanceled(id, answer)),
});

export const getOrder: Handler = ({ params }, { exchange }) => oneOrder(exchange.order(orderId(params)));

export const getOrderByClientId: Handler = ({ query }, { exchange }) => {
  const id = decodeClientOrderId(query);
  return id.ok ? oneOrder(exchange.orderByClientOrderId(id.value)) : refused(id.refused);
};

export const listOrders: Handler = ({ query }, { exchange }) => {
  const decoded = decodeOrdersQuery(query);
  if (!decoded.ok) return refused(decoded.refused);
  const view = { stream: false, nested: decoded.value.nested };
  return answered(exchange.orders(decoded.value), (orders) =>
    orders.map((order) => encodeOrder(order, view)),
  );
};

export const listPositions: Handler = (_request, { exchange }) =>
  ok(exchange.positions().map(encodePosition));

export const getPosition: Handler = ({ params }, { exchange }) =>
  answered(exchange.position(params.symbol ?? ''), encodePosition);

export const closePosition: Handler = ({ params, query }, { exchange }) => {
  const part = decodeClosePart(query);
  return part.ok ? oneOrder(exchange.closePosition(params.symbol ?? '', part.value)) : refused(part.refused);
};

/** 207: every position with the order that closes it, or with the error. */
export const closeAllPositions: Handler = ({ query }, { exchange }) => ({
  status: 207,
  body: exchange
    .closeAllPositions(cancelsOrders(query))
    .map(({ symbol, answer }) => encodeClosed(symbol, answer)),
});

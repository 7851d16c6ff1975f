import type { Faults, RestFault, RestQuestion } from '../../sim/faults.ts';
import { page } from '../alpaca/codec-encode-errors.ts';
import { decodeOrderRequest } from '../alpaca/codec-serve-orders.ts';
import type { Reply } from './rest-types.ts';

/** What the line does to one request, and what a client is told in place of the exchange's own answer. */

const PASS: RestFault = { kind: 'pass' };

export function requestFault(
  faults: Faults | null,
  method: string,
  path: string,
  bytes: Buffer,
  now: Parameters<Faults['onRequest']>[1],
): RestFault {
  return faults === null ? PASS : faults.onRequest(questionOf(method, path, bytes), now);
}

/** Side and symbol of an order being sent, so that a plan can strike the exits of one symbol alone. */
function questionOf(method: string, path: string, bytes: Buffer): RestQuestion {
  const question = { method, path, side: null, symbol: null };
  if (method !== 'POST' || path !== '/v2/orders') return question;
  try {
    const order = decodeOrderRequest(JSON.parse(bytes.toString('utf8')));
    if (!order.ok) return question;
    const { side, symbol } = order.value;
    return { ...question, symbol, side: side === 'buy' || side === 'sell' ? side : null };
  } catch {
    return question;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  401: 'Authorization Required',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

export function faultReply(fault: Extract<RestFault, { kind: 'answer' }>): Reply {
  const { status, code, message } = fault;
  switch (fault.body) {
    case 'html':
      return page(status, TITLES[status] ?? 'Error');
    case 'garbage':
      return { status, body: TORN };
    case 'json':
      return { status, body: { code, message } };
  }
}

/** A body that breaks off in the middle. */
const TORN = '{"id":"61e69015-8549-4bfd-b9c3-01e75843f47d","client_or';

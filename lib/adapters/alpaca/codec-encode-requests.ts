import type { BrokerOrderId } from '../../domain/ids.ts';
import type { OrderIntent } from '../../domain/intent.ts';
import { formatDecimal } from '../../domain/money.ts';

/**
 * The requests that must leave at once, as the bytes on the wire: what the official SDK would make of them, without the way
 * through it. A test holds both against each other.
 */
export type RequestEncoder = {
  /** Posts the order. */
  submit(intent: OrderIntent): string;
  cancel(order: BrokerOrderId): string;
  /** Asks for the time: the cheapest request there is, to try a connection with. */
  clock(): string;
};

export type RequestIdentity = {
  /** Trading REST, no slash at the end. */
  readonly baseUrl: string;
  readonly keyId: string;
  readonly secret: string;
  readonly userAgent: string;
};

/** What a field of a header may hold; the keys are checked where they are read, this is the last look. */
const FIELD = /^[\x20-\x7e]*$/;

export function createRequestEncoder({ baseUrl, keyId, secret, userAgent }: RequestIdentity): RequestEncoder {
  const { host, pathname } = new URL(baseUrl);
  const root = `${pathname.replace(/\/$/, '')}/v2`;
  const orders = `${root}/orders`;
  for (const field of [keyId, secret, userAgent])
    if (!FIELD.test(field))
      throw new Error('A header holds plain ASCII on one line, a key of the account too.');
  const common = [
    ` HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\nUser-Agent: ${userAgent}`,
    `APCA-API-KEY-ID: ${keyId}\r\nAPCA-API-SECRET-KEY: ${secret}\r\n`,
  ].join('\r\n');
  const postHead = `POST ${orders}${common}Content-Type: application/json\r\ncontent-length: `;
  const tail = `${common}\r\n`;
  return {
    submit(intent) {
      const body = orderBody(intent);
      return `${postHead}${Buffer.byteLength(body)}\r\n\r\n${body}`;
    },
    // As bytes and back: half a character, which no id has, would throw here.
    cancel: (order) => `DELETE ${orders}/${encodeURIComponent(Buffer.from(order).toString())}${tail}`,
    clock: () => `GET ${root}/clock${tail}`,
  };
}

/** Amounts as plain decimal text; the intent says that a buy opens and a sell closes, so that no order can go short. */
function orderBody({ clientOrderId, price, qty, side, symbol }: OrderIntent): string {
  const limit = price.type === 'limit' ? `"limit_price":"${formatDecimal(price.limit)}",` : '';
  const opens = side === 'buy' ? 'buy_to_open' : 'sell_to_close';
  return (
    `{"client_order_id":${JSON.stringify(clientOrderId)},${limit}"position_intent":"${opens}","qty":"${qty}",` +
    `"side":"${side}","symbol":${JSON.stringify(symbol)},"time_in_force":"day","type":"${price.type}"}`
  );
}

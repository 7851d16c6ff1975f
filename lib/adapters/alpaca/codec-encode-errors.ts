import type { Answer } from '../../sim/exchange-api.ts';

/** What the doors themselves refuse, in Alpaca's words. What the exchange refuses comes as an `Answer` with its own words. */

export type Refused = {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | string;
};

/** `{"code":…, "message":…, …extra}`, the envelope of the trading routes. */
export function refusal(
  status: number,
  code: number,
  message: string,
  extra: Readonly<Record<string, unknown>> = {},
): Refused {
  return { status, body: { code, message, ...extra } };
}

export function refusalOf(answer: Extract<Answer<unknown>, { ok: false }>): Refused {
  const extra = Object.entries(answer.extra).map(([key, value]) => [DETAIL_KEYS[key] ?? key, value]);
  return refusal(answer.status, answer.code, answer.message, Object.fromEntries(extra));
}

/** The exchange's names for what a refusal carries, where Alpaca spells them otherwise. */
const DETAIL_KEYS: Readonly<Record<string, string>> = {
  marketPrice: 'market_price',
  stopPrice: 'stop_price',
  existingOrderId: 'existing_order_id',
  rejectReason: 'reject_reason',
  buyingPower: 'buying_power',
  costBasis: 'cost_basis',
  existingQty: 'existing_qty',
  heldForOrders: 'held_for_orders',
  relatedOrders: 'related_orders',
};

/** Data routes answer without a code. */
export const dataRefusal = (status: number, message: string): Refused => ({ status, body: { message } });

export const badBody = (): Refused => refusal(400, 40010000, 'request body format is invalid');
export const badField = (name: string): Refused => refusal(422, 40010001, `invalid ${name}`);
export const noEndpoint = (): Refused => refusal(404, 40410000, 'endpoint not found');
export const badMethod = (): Refused => refusal(405, 40510000, 'method not allowed');
export const tooLarge = (): Refused => refusal(413, 41310000, 'request body is too large');
export const internalError = (): Refused => refusal(500, 50010000, 'internal server error');
export const rateLimited = (): Refused => refusal(429, 42910000, 'rate limit exceeded');
export const dataRateLimited = (): Refused => dataRefusal(429, 'too many requests.');

/** The account routes answer JSON without a code; clock, calendar and the data host answer a page. */
export const unauthorized = (): Refused => ({ status: 401, body: { message: 'unauthorized.' } });
export const unauthorizedPage = (): Refused => page(401, 'Authorization Required');

export function page(status: number, title: string): Refused {
  const heading = `${status} ${title}`;
  return {
    status,
    body: `<html>\r\n<head><title>${heading}</title></head>\r\n<body>\r\n<center><h1>${heading}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
  };
}

export const noRecentSip = (): Refused => ({
  status: 403,
  body: { code: 42210000, message: 'subscription does not permit querying recent SIP data' },
});

/** Codes of the data socket, with the words that go with them. */
export const SOCKET_ERRORS = {
  400: 'invalid syntax',
  401: 'not authenticated',
  402: 'auth failed',
  403: 'already authenticated',
  404: 'auth timeout',
  405: 'symbol limit exceeded',
  406: 'connection limit exceeded',
  407: 'slow client',
  409: 'insufficient subscription',
  410: 'invalid subscribe action for this feed',
  500: 'internal error',
} as const;
export type SocketErrorCode = keyof typeof SOCKET_ERRORS;

import type { BrokerOrderId } from '../../domain/ids.ts';
import { type Qty, qty } from '../../domain/money.ts';
import type { Refusal, RefusalCode } from '../../ports/broker.ts';
import { type Fields, field, parseJson } from './codec-decode-base.ts';
import { sharesOf } from './codec-decode-orders.ts';

/** Alpaca's error envelope: `{"code": 40310000, "message": "...", ...extra}`. The code is often missing. */
export type ErrorBody = { readonly code: number | null; readonly message: string; readonly extra: Fields };

/** `null` when the body is no envelope: HTML of a proxy, an empty body, a cut one. Then it proves nothing. */
export function decodeErrorBody(body: string): ErrorBody | null {
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const extra = value as Fields;
  const message = field(extra, 'message');
  const code = field(extra, 'code');
  if (typeof message !== 'string') return null;
  return { code: typeof code === 'number' && Number.isSafeInteger(code) ? code : null, message, extra };
}

/** Lower case, runs of spaces and underscores as one space: the same text is spelled in several ways. */
const normalize = (message: string): string => message.toLowerCase().replace(/[\s_]+/g, ' ');

/** An order with this client id exists already, so the request may have been received before: nobody has refused it. */
export function isDuplicateId(message: string): boolean {
  const said = normalize(message);
  return said.includes('client order id') && /unique|exist|duplicate|taken|already|in use/.test(said);
}

/** First match wins. One number serves many refusals, so the text decides and the status only when no text is known. */
const BY_TEXT: readonly (readonly [RegExp, RefusalCode])[] = [
  [/insufficient (qty|quantity)/, 'heldShares'],
  [/wash trade/, 'washTrade'],
  // Opposite orders of one symbol at once: the remedy is the same, the other order has to go first.
  [/cannot open a (long buy|short sell) while/, 'washTrade'],
  [/insufficient .*buying power|insufficient (balance|funds|cash)/, 'buyingPower'],
  [/sub-?penny|minimum (pricing criteria|price variance)/, 'subPenny'],
  [
    /not allowed to short|cannot be sold short|inferred: sell to open|short(ing)? (is )?not (allowed|enabled)/,
    'shortNotAllowed',
  ],
  [/asset .*(not found|not active|is not tradable)|not tradable/, 'notTradable'],
  [
    /restricted|not authorized to trade|rejected by user request|pattern day trad|day trades? permitted|unauthorized|forbidden|not authorized/,
    'restricted',
  ],
  [/cost basis must be/, 'invalid'],
];

/** What a proven refusal means for us. An unknown 401 or 403 is the account's: nothing may be tried again in a loop. */
export function classifyRefusal(httpStatus: number, body: ErrorBody): RefusalCode {
  const said = normalize(body.message);
  for (const [pattern, code] of BY_TEXT) if (pattern.test(said)) return code;
  if (httpStatus === 401 || httpStatus === 403) return 'restricted';
  return httpStatus === 422 || httpStatus === 400 ? 'invalid' : 'other';
}

/** Builds the refusal, with the repair hints that the body carries. `message` is the redacted text for people. */
export function decodeRefusal(httpStatus: number, body: ErrorBody, message: string): Refusal {
  return {
    code: classifyRefusal(httpStatus, body),
    brokerCode: body.code,
    text: message,
    available: availableShares(field(body.extra, 'available')),
    relatedOrders: relatedOrders(body.extra),
  };
}

/** Rounded down: half a share cannot be sold by us. */
function availableShares(value: unknown): Qty | null {
  const shares = sharesOf(value);
  return shares === null || shares < 0 ? null : qty(Math.floor(shares));
}

function relatedOrders(extra: Fields): readonly BrokerOrderId[] {
  const listed = field(extra, 'related_orders');
  const ids = [...(Array.isArray(listed) ? listed : []), field(extra, 'existing_order_id')];
  return ids.filter((id): id is BrokerOrderId => typeof id === 'string' && id !== '');
}

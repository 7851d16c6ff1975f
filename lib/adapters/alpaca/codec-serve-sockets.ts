import { CHANNELS, type Channel } from './codec-encode-market.ts';

/** What clients say on the two sockets, and the control frames that answer them. */

export type Credentials = { readonly key: string; readonly secret: string };

/** A message of a data-socket client. `malformed` is Alpaca's 400. */
export type DataSocketRequest =
  | { readonly kind: 'auth'; readonly credentials: Credentials }
  | {
      readonly kind: 'subscribe' | 'unsubscribe';
      readonly channels: ReadonlyMap<Channel, readonly string[]>;
    }
  | { readonly kind: 'malformed' };

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MALFORMED = { kind: 'malformed' } as const;
const SYMBOL = /^(?:\*|[A-Z][A-Z0-9]{0,9}(?:[./][A-Z0-9]{1,4})?)$/;
/** These two follow `trades` and cannot be asked for. */
const FOLLOWERS: readonly Channel[] = ['corrections', 'cancelErrors'];

export function decodeDataSocketRequest(message: unknown): DataSocketRequest {
  if (!isFields(message)) return MALFORMED;
  switch (message.action) {
    case 'auth':
      return decodeFlatAuth(message) ?? MALFORMED;
    case 'subscribe':
    case 'unsubscribe': {
      const channels = new Map<Channel, readonly string[]>();
      for (const channel of CHANNELS) {
        const symbols = message[channel];
        if (symbols === undefined || symbols === null || FOLLOWERS.includes(channel)) continue;
        if (!Array.isArray(symbols) || !symbols.every(isSymbol)) return MALFORMED;
        channels.set(channel, symbols);
      }
      return { kind: message.action, channels };
    }
    default:
      return MALFORMED;
  }
}

const isSymbol = (value: unknown): value is string => typeof value === 'string' && SYMBOL.test(value);

function decodeFlatAuth(message: Fields): { kind: 'auth'; credentials: Credentials } | null {
  const { key, secret } = message;
  if (typeof key !== 'string' || typeof secret !== 'string') return null;
  return { kind: 'auth', credentials: { key, secret } };
}

export const success = (msg: 'connected' | 'authenticated'): Record<string, unknown> => ({
  T: 'success',
  msg,
});

export const socketError = (code: number, msg: string): Record<string, unknown> => ({
  T: 'error',
  code,
  msg,
});

/** The complete set after a change, every channel present. */
export function subscriptionFrame(
  symbolsOf: (channel: Channel) => readonly string[],
): Record<string, unknown> {
  return {
    T: 'subscription',
    ...Object.fromEntries(
      CHANNELS.map((channel) => [channel, symbolsOf(FOLLOWERS.includes(channel) ? 'trades' : channel)]),
    ),
  };
}

/** A message of a trade-updates client. Both auth forms are in use; an OAuth token stands for a key pair. */
export type TradeSocketRequest =
  | { readonly kind: 'auth'; readonly credentials: Credentials }
  | { readonly kind: 'listen'; readonly streams: readonly string[] }
  | { readonly kind: 'malformed' };

export function decodeTradeSocketRequest(message: unknown): TradeSocketRequest {
  if (!isFields(message)) return MALFORMED;
  const { action, data } = message;
  switch (action) {
    case 'auth':
      return decodeFlatAuth(message) ?? (isFields(data) ? decodeNestedAuth(data) : MALFORMED);
    case 'authenticate':
      return isFields(data) ? decodeNestedAuth(data) : (decodeFlatAuth(message) ?? MALFORMED);
    case 'listen': {
      const streams = isFields(data) ? data.streams : undefined;
      if (!Array.isArray(streams) || !streams.every((stream) => typeof stream === 'string')) return MALFORMED;
      return { kind: 'listen', streams };
    }
    default:
      return MALFORMED;
  }
}

function decodeNestedAuth(data: Fields): TradeSocketRequest {
  if (typeof data.oauth_token === 'string')
    return { kind: 'auth', credentials: { key: 'oauth', secret: data.oauth_token } };
  const { key_id: key, secret_key: secret } = data;
  return typeof key === 'string' && typeof secret === 'string'
    ? { kind: 'auth', credentials: { key, secret } }
    : MALFORMED;
}

export const authorizationFrame = (
  status: 'authorized' | 'unauthorized',
  action: 'authenticate' | 'listen',
): Record<string, unknown> => ({ stream: 'authorization', data: { status, action } });

export const listeningFrame = (streams: readonly string[]): Record<string, unknown> => ({
  stream: 'listening',
  data: { streams },
});

export const listeningError = (error: string): Record<string, unknown> => ({
  stream: 'listening',
  data: { error },
});

export const tradeUpdateFrame = (data: Record<string, unknown>): Record<string, unknown> => ({
  stream: 'trade_updates',
  data,
});

export const streamFault = (message: string): Record<string, unknown> => ({
  action: 'error',
  data: { error_message: message },
});

/** `APCA-API-KEY-ID` and its secret, HTTP Basic, or a bearer token, from request headers; `null` when there is none. */
export function credentialsOf(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Credentials | null {
  const key = headers['apca-api-key-id'];
  const secret = headers['apca-api-secret-key'];
  if (typeof key === 'string' && typeof secret === 'string') return { key, secret };
  const authorization = headers.authorization;
  if (typeof authorization !== 'string') return null;
  const [scheme = '', value = ''] = authorization.split(' ', 2);
  if (scheme.toLowerCase() === 'bearer') return { key: 'oauth', secret: value };
  if (scheme.toLowerCase() !== 'basic') return null;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? null : { key: pair.slice(0, colon), secret: pair.slice(colon + 1) };
}

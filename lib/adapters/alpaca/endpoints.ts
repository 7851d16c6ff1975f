/**
 * Where Alpaca is: the environment's variables and the account mode as three base URLs and a pair of keys. Pure; every
 * mistake is found at once and returned as data. No message carries a key or the user part of a URL.
 */
export type AccountMode = 'embedded' | 'paper' | 'live';
export type DataFeedName = 'iex' | 'sip';

export type Endpoints = {
  /** Trading REST, no path and no slash at the end. */
  readonly baseUrl: string;
  /** Market data REST. */
  readonly dataUrl: string;
  /** The order stream, full URL. */
  readonly tradeStreamUrl: string;
  /** The data stream of the feed, full URL. */
  readonly dataStreamUrl: string;
  readonly feed: DataFeedName;
  readonly keyId: string;
  readonly secret: string;
  /** Orders reach a real market. */
  readonly live: boolean;
  /** The trading host is this machine. */
  readonly loopback: boolean;
};

export type EndpointMistake = { readonly key: string; readonly allowed: string; readonly found: string };

export type EndpointsResult =
  | { readonly ok: true; readonly endpoints: Endpoints }
  | { readonly ok: false; readonly mistakes: readonly EndpointMistake[] };

export type Environment = Readonly<Record<string, string | undefined>>;

const PAPER_URL = 'https://paper-api.alpaca.markets';
const LIVE_URL = 'https://api.alpaca.markets';
const DATA_URL = 'https://data.alpaca.markets';
const STREAM_URL = 'https://stream.data.alpaca.markets';
const ALPACA = '.alpaca.markets';
const PAPER_HOST = 'paper-api.alpaca.markets';

const BASE = 'APCA_API_BASE_URL';
const DATA = 'APCA_API_DATA_URL';
const STREAM = 'APCA_API_STREAM_URL';
const KEY_ID = 'APCA_API_KEY_ID';

/** The embedded exchange takes any key, so its users need not invent one. */
export const EMBEDDED_KEY = 'embedded';

export function resolveEndpoints(
  env: Environment,
  mode: AccountMode,
  feed: DataFeedName = 'iex',
): EndpointsResult {
  const mistakes: EndpointMistake[] = [];
  const url = (key: string, fallback: string | null): URL | null => {
    const given = env[key]?.trim();
    const source = given === undefined || given === '' ? fallback : given;
    if (source !== null) return readUrl(key, source, mistakes);
    mistakes.push({ key, allowed: 'the URL of an embedded exchange', found: 'nothing' });
    return null;
  };

  const base = url(BASE, defaultBase(mode));
  const local = base !== null && isLoopback(base) ? base.href : null;
  const data = url(DATA, local ?? DATA_URL);
  const stream = url(STREAM, local ?? STREAM_URL);
  if (base !== null) checkMode(base, mode, mistakes);
  const keyId = readKey(env, KEY_ID, mode, mistakes);
  if (base !== null) checkKeyKind(base, keyId, mistakes);
  if (base !== null && isLive(base)) checkTls(env, mistakes);
  const secret = readKey(env, 'APCA_API_SECRET_KEY', mode, mistakes);

  if (base === null || data === null || stream === null || mistakes.length > 0)
    return { ok: false, mistakes };
  return {
    ok: true,
    endpoints: {
      baseUrl: asHttp(base),
      dataUrl: asHttp(data),
      tradeStreamUrl: `${asWs(base)}/stream`,
      dataStreamUrl: `${asWs(stream)}/v2/${feed}`,
      feed,
      keyId,
      secret,
      live: isLive(base),
      loopback: isLoopback(base),
    },
  };
}

/** The endpoints of an exchange that this process started on a loopback port. */
export function embeddedEndpoints(port: number, feed: DataFeedName = 'iex'): Endpoints {
  const host = `127.0.0.1:${port}`;
  return {
    baseUrl: `http://${host}`,
    dataUrl: `http://${host}`,
    tradeStreamUrl: `ws://${host}/stream`,
    dataStreamUrl: `ws://${host}/v2/${feed}`,
    feed,
    keyId: EMBEDDED_KEY,
    secret: EMBEDDED_KEY,
    live: false,
    loopback: true,
  };
}

/** Plain http and ws carry the keys in the open: on this machine only. */
export function isLoopback(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Why a URL may not be used; `null` when it may. */
export function urlRefusal(url: URL): string | null {
  if (!['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) return 'a URL of http, https, ws or wss';
  if (url.username !== '' || url.password !== '') return 'a URL without user and password';
  if (isPlain(url) && !isLoopback(url)) return 'https or wss (plain http and ws only to loopback)';
  return null;
}

/** A broker's base URL as requests need it. Throws for one that may not be used, without the parts that may be secret. */
export function httpOrigin(baseUrl: string): URL {
  const url = new URL(baseUrl);
  const refusal = urlRefusal(url);
  if (refusal !== null || url.protocol.startsWith('ws'))
    throw new Error(
      `A broker's base URL is ${refusal ?? 'a URL of http or https'}. Found: ${url.protocol}//${url.host}`,
    );
  return url;
}

const isPlain = (url: URL): boolean => url.protocol === 'http:' || url.protocol === 'ws:';

const defaultBase = (mode: AccountMode): string | null =>
  mode === 'embedded' ? null : mode === 'live' ? LIVE_URL : PAPER_URL;

function readUrl(key: string, source: string, mistakes: EndpointMistake[]): URL | null {
  if (!URL.canParse(source)) {
    mistakes.push({ key, allowed: 'a URL such as https://host:port', found: 'text that is no URL' });
    return null;
  }
  const url = new URL(source);
  const refusal = urlRefusal(url);
  if (refusal === null) return url;
  mistakes.push({ key, allowed: refusal, found: `${url.protocol}//${url.host}` });
  return null;
}

/** Every host of Alpaca's counts as live but those known for paper: one that is new must not pass for harmless. */
function isLive(base: URL): boolean {
  const host = base.hostname.replace(/\.$/, '');
  return host.endsWith(ALPACA) && host !== PAPER_HOST;
}

function checkMode(base: URL, mode: AccountMode, mistakes: EndpointMistake[]): void {
  const found = `${base.protocol}//${base.host}`;
  if (isLive(base) && mode !== 'live')
    mistakes.push({ key: BASE, allowed: `the live host only with account mode live, not ${mode}`, found });
  if (base.hostname.replace(/\.$/, '') === PAPER_HOST && mode !== 'paper')
    mistakes.push({ key: BASE, allowed: `the paper host only with account mode paper, not ${mode}`, found });
  else if (mode === 'embedded' && !isLoopback(base))
    mistakes.push({ key: BASE, allowed: 'loopback with account mode embedded', found });
}

/**
 * A live key has no business at the paper host, nor a paper key where real money is meant. Source: Alpaca's dashboard, which
 * gives out live key ids that begin with AK, and paper ones with PK.
 */
function checkKeyKind(base: URL, keyId: string, mistakes: EndpointMistake[]): void {
  const isPaperHost = base.hostname.replace(/\.$/, '') === PAPER_HOST;
  if (isPaperHost && keyId.startsWith('AK'))
    mistakes.push({ key: KEY_ID, allowed: 'a paper key with account mode paper', found: 'a live key' });
  if (isLive(base) && keyId.startsWith('PK'))
    mistakes.push({ key: KEY_ID, allowed: 'a live key with account mode live', found: 'a paper key' });
}

/** Our own connections verify in spite of it; whoever set it expects otherwise, and that is no state to trade money in. */
function checkTls(env: Environment, mistakes: EndpointMistake[]): void {
  const found = env.NODE_TLS_REJECT_UNAUTHORIZED?.trim();
  if (found === '0')
    mistakes.push({
      key: 'NODE_TLS_REJECT_UNAUTHORIZED',
      allowed: 'unset with account mode live: 0 means that nobody verifies who the broker is',
      found,
    });
}

function readKey(env: Environment, key: string, mode: AccountMode, mistakes: EndpointMistake[]): string {
  const value = env[key]?.trim() ?? '';
  if (value === '' && mode === 'embedded') return EMBEDDED_KEY;
  // A key goes into a header: anything else would be refused there, with the key in the error.
  if (!/^[\x21-\x7e]+$/.test(value))
    mistakes.push({
      key,
      allowed: 'a key from the environment or .env, in plain ASCII without spaces',
      found: value === '' ? 'nothing' : 'text with other characters',
    });
  return value;
}

/** Users write the base with and without the version; every path here begins with it. */
const trimmedPath = (url: URL): string => url.pathname.replace(/\/+$/, '').replace(/\/v2$/, '');

function asHttp(url: URL): string {
  return `${isPlain(url) ? 'http' : 'https'}://${url.host}${trimmedPath(url)}`;
}

function asWs(url: URL): string {
  return `${isPlain(url) ? 'ws' : 'wss'}://${url.host}${trimmedPath(url)}`;
}

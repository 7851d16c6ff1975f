import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { MICROS_PER_SECOND } from '../../domain/time.ts';
import type { Faults } from '../../sim/faults.ts';
import {
  createRateLimiter,
  createRequestMeter,
  type RateLimiter,
  type RequestMeter,
} from '../../sim/rate-limit.ts';
import {
  badBody,
  badMethod,
  dataRateLimited,
  internalError,
  noEndpoint,
  rateLimited,
  tooLarge,
  unauthorized,
  unauthorizedPage,
} from '../alpaca/codec-encode-errors.ts';
import type { Query } from '../alpaca/codec-serve-orders.ts';
import { credentialsOf } from '../alpaca/codec-serve-sockets.ts';
import type { Driver } from './driver.ts';
import type { KeyCheck } from './keys.ts';
import { faultReply, requestFault } from './rest-faults.ts';
import { createRoutes, type Route } from './rest-routes.ts';
import { type Door, type Reply, refused } from './rest-types.ts';

/**
 * The REST door: reads a request, brings the exchange up to date, asks it, answers. Whatever a client sends, the answer
 * is Alpaca's envelope, never a stack trace.
 */
export type RestOptions = {
  readonly door: Door;
  readonly driver: Driver;
  readonly keys: KeyCheck;
  readonly faults: Faults | null;
  /** Requests per minute of exchange time, for the account, by host. */
  readonly tradingPerMinute: number;
  readonly dataPerMinute: number;
  /** Our own mistakes, answered 500. */
  readonly onError: (error: unknown) => void;
};

const DATA_PREFIX = '/v2/stocks';

/** An order is a few hundred bytes; nothing that belongs here comes near this. */
const BODY_MAX = 256 * 1_024;

export type RestDoor = {
  handle(request: IncomingMessage, response: ServerResponse): void;
  readonly budgets: { readonly trading: RateLimiter; readonly data: RateLimiter };
  /** Trading requests that arrived, those that a fault swallowed included. */
  readonly sent: RequestMeter;
};

export function createRestDoor(options: RestOptions): RestDoor {
  const { door, driver, keys, faults } = options;
  const routes = createRoutes();
  const budgets = {
    trading: createRateLimiter(options.tradingPerMinute),
    data: createRateLimiter(options.dataPerMinute),
  };
  const sent = createRequestMeter();

  function answer(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
    const method = request.method ?? 'GET';
    const target = readTarget(request.url ?? '/');
    const own = (): Reply => settle(request, method, target, bytes);
    if (hostOf(target) === 'trading') sent.count(door.exchange.now());
    const fault = requestFault(faults, method, target?.path ?? '/', bytes, door.exchange.now());
    switch (fault.kind) {
      case 'pass':
        write(response, own());
        return;
      case 'delay':
        driver.later(fault.delay, () => driver.whenCurrent(() => write(response, own())));
        return;
      case 'answer':
        if (fault.accept) own();
        write(response, { ...faultReply(fault), headers: headersOf(hostOf(target), fault.status === 429) });
        return;
      case 'reset':
        if (fault.accept) own();
        reset(request.socket);
        return;
      case 'silence':
        if (fault.accept) own();
    }
  }

  const find = (method: string, target: Target | null) =>
    target === null ? null : routes.find(method, target.path);
  const hostOf = (target: Target | null): Route['host'] =>
    target?.path.startsWith(DATA_PREFIX) === true ? 'data' : 'trading';

  /** `spent`: shown as if nothing were left of the budget. */
  function headersOf(host: Route['host'], spent: boolean): Record<string, string> {
    const { limit, remaining, resetAt } = budgets[host].state(door.exchange.now());
    return {
      'X-RateLimit-Limit': String(limit),
      'X-RateLimit-Remaining': String(spent ? 0 : remaining),
      'X-RateLimit-Reset': String(Math.floor(resetAt / MICROS_PER_SECOND)),
    };
  }

  /** Keys, then budget, then the route, then the body: a request is refused for the first thing that is wrong. */
  function settle(request: IncomingMessage, method: string, target: Target | null, bytes: Buffer): Reply {
    const found = find(method, target);
    const host = hostOf(target);
    if (!keys(credentialsOf(request.headers)))
      return refused(found?.route.pageOn401 === true ? unauthorizedPage() : unauthorized());
    const { allowed } = budgets[host].take(door.exchange.now());
    const reply = !allowed
      ? refused(host === 'data' ? dataRateLimited() : rateLimited())
      : target === null
        ? refused(badBody())
        : found === null
          ? refused(routes.knows(target.path) ? badMethod() : noEndpoint())
          : run(found.route, found.params, target.query, bytes);
    return { ...reply, headers: { ...headersOf(host, false), ...reply.headers } };
  }

  function run(
    route: Route,
    params: Readonly<Record<string, string | undefined>>,
    query: Query,
    bytes: Buffer,
  ): Reply {
    const body = bytes.length === 0 ? { ok: true as const, value: undefined } : readJson(bytes);
    if (!body.ok) return refused(badBody());
    try {
      return route.handler({ params, query, body: body.value }, door);
    } catch (error) {
      options.onError(error);
      return refused(internalError());
    }
  }

  return {
    budgets,
    sent,
    handle: (request, response) => {
      collect(request, (bytes) => {
        if (bytes === null) {
          write(response, { ...refused(tooLarge()), headers: { Connection: 'close' } });
          return;
        }
        driver.whenCurrent(() => answer(request, response, bytes));
      });
    },
  };
}

type Target = { readonly path: string; readonly query: Query };

/** `null` for a target that no client library could have meant. */
function readTarget(url: string): Target | null {
  let parsed: URL;
  try {
    parsed = new URL(url.replace(/^\/+/, '/'), 'http://loopback');
    decodeURIComponent(parsed.pathname);
  } catch {
    return null;
  }
  const query: Record<string, string> = {};
  // A list may come as a repeated parameter as well as with commas.
  for (const [name, value] of parsed.searchParams)
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  return { path: parsed.pathname, query };
}

function readJson(bytes: Buffer): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    return { ok: true, value: JSON.parse(bytes.toString('utf8')) };
  } catch {
    return { ok: false };
  }
}

/** Calls back with the whole body, or with `null` as soon as it is too large; never when the client went away. */
function collect(request: IncomingMessage, done: (bytes: Buffer | null) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('error', () => request.destroy());
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= BODY_MAX) chunks.push(chunk);
    else if (size - chunk.length <= BODY_MAX) done(null);
  });
  request.on('end', () => {
    if (size <= BODY_MAX) done(Buffer.concat(chunks));
  });
}

function write(response: ServerResponse, reply: Reply): void {
  if (response.destroyed || response.headersSent) return;
  response.setHeader('X-Request-ID', randomBytes(16).toString('hex'));
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  response.statusCode = reply.status;
  if (reply.body === null || reply.body === undefined) {
    response.end();
    return;
  }
  const isPage = typeof reply.body === 'string';
  const text = isPage ? String(reply.body) : JSON.stringify(reply.body);
  response.setHeader('Content-Type', isPage ? 'text/html' : 'application/json; charset=UTF-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/** A RST where the platform can send one: the client sees ECONNRESET, not an orderly end. */
export function reset(socket: Duplex & { resetAndDestroy?: () => unknown }): void {
  if (socket.resetAndDestroy !== undefined) socket.resetAndDestroy();
  else socket.destroy();
}

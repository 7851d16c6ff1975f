import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Exchange } from '../../sim/exchange-api.ts';
import type { ConnectFault, Faults, TimedFault } from '../../sim/faults.ts';
import { badBody } from '../alpaca/codec-encode-errors.ts';
import type { Credentials } from '../alpaca/codec-serve-sockets.ts';
import { createDataHub } from './data-socket.ts';
import { type Driver, type Skip, startDriver, type Wall } from './driver.ts';
import { withTimedFaults } from './fault-time.ts';
import { keyCheck } from './keys.ts';
import { createRestDoor, reset } from './rest-server.ts';
import type { DataPlan } from './rest-types.ts';
import { startTestFeed } from './test-feed.ts';
import { createTradeHub } from './trade-socket.ts';

/**
 * The embedded exchange behind Alpaca's wire format, on loopback only: trading REST, data REST and both sockets on one
 * port, so that one URL serves as each of a client's base URLs.
 */
export type ExchangeServerOptions = {
  readonly exchange: Exchange;
  /** A loopback address; the exchange asks for no real keys, so nobody else may reach it. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port?: number;
  /** Exchange seconds per wall second. */
  readonly speed?: number;
  /** Spans of exchange time that are not waited for. */
  readonly skips?: readonly Skip[];
  /** Only this pair is let in; without it any pair that is not empty. */
  readonly keys?: Credentials | null;
  readonly plan?: Partial<DataPlan>;
  /** Requests per minute of exchange time. */
  readonly tradingPerMinute?: number;
  readonly dataPerMinute?: number;
  readonly tradeFrames?: 'binary' | 'text';
  readonly authTimeoutMs?: number;
  /** How long a data session that ended without a close frame keeps its slot; Alpaca's servers take about 90 s. */
  readonly staleSlotMs?: number;
  /** Bytes that may wait for a slow client. */
  readonly bufferedMax?: number;
  /** A second listener with TLS for clients that know nothing else, with its own port. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly port?: number };
  /** What goes wrong at the doors; faults may be added while it runs. */
  readonly faults?: Faults | null;
  readonly onError?: (error: unknown) => void;
  readonly wall?: Wall;
};

export type ExchangeServer = {
  /** `http://127.0.0.1:PORT`, for trading REST and data REST alike. */
  readonly url: string;
  readonly tradeStreamUrl: string;
  /** The host of the data socket; clients add `/v2/iex` or another feed. */
  readonly dataStreamUrl: string;
  /** The TLS listener, where one was asked for. */
  readonly secureUrl: string | null;
  readonly driver: Driver;
  /** Most trading requests that came within any 60 s of exchange time. */
  requestPeak(): number;
  /** Sends close frames, then ends whatever has not ended by itself. */
  close(): Promise<void>;
};

const ALL_FEEDS = ['iex', 'sip', 'delayed_sip'];
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
/** A keep-alive shorter than a client's idle time would make it reconnect before each order. */
const KEEP_ALIVE_MS = 620_000;
const CLOSE_GRACE_MS = 500;
const MESSAGE_MAX_BYTES = 1_048_576;

export async function startExchangeServer(options: ExchangeServerOptions): Promise<ExchangeServer> {
  const { exchange, host = '127.0.0.1', speed = 1, onError = () => {} } = options;
  if (!LOOPBACK.includes(host)) throw new RangeError(`The exchange listens on loopback only. Found: ${host}`);
  const keys = keyCheck(options.keys ?? null);
  const plan: DataPlan = {
    feeds: options.plan?.feeds ?? ALL_FEEDS,
    symbolLimit: options.plan?.symbolLimit ?? null,
  };
  const faults = options.faults ?? null;
  const driver = startDriver({
    exchange: faults === null ? exchange : withTimedFaults(exchange, faults, strike),
    speed,
    skips: options.skips ?? [],
    onPlayed: () => data.flush(),
    ...(options.wall === undefined ? {} : { wall: options.wall }),
  });
  const shared = {
    keys,
    faults,
    later: driver.later,
    authTimeoutMs: options.authTimeoutMs ?? 10_000,
    bufferedMax: options.bufferedMax ?? 16 * 1_048_576,
  };
  const data = createDataHub({
    ...shared,
    plan,
    staleSlotMs: options.staleSlotMs ?? 0,
    now: () => exchange.now(),
  });
  const trade = createTradeHub({ ...shared, frames: options.tradeFrames ?? 'binary' });
  const rest = createRestDoor({
    door: { exchange, speed, plan },
    driver,
    keys,
    faults,
    onError,
    tradingPerMinute: options.tradingPerMinute ?? 200,
    dataPerMinute: options.dataPerMinute ?? 200,
  });
  const offMarket = exchange.onMarketEvent((event) => data.publish(event));
  const offTrade = exchange.onTradeUpdate((update) => trade.publish(update, exchange.now()));
  const testFeed = startTestFeed({ hub: data, driver, speed });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_MAX_BYTES,
    perMessageDeflate: { threshold: 1_024 },
  });

  function strike(fault: TimedFault): void {
    if (fault.kind === 'act') exchange.act(fault.action);
    else if (fault.kind === 'rateStorm') rest.budgets.trading.exhaust(exchange.now());
    else if (fault.target === 'data') data.drop();
    else trade.drop();
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const feed = feedOf(request.url ?? '/');
    if (feed === null) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const isTrade = feed === TRADE_PATH;
    const fault: ConnectFault = faults?.onConnect(isTrade ? 'trading' : 'data', exchange.now()) ?? ACCEPT;
    // The order stream knows no 406: a connection too many is refused as a request too many.
    if (fault.kind === 'slotTaken' && isTrade) {
      socket.end('HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    if (fault.kind === 'refuse') {
      reset(socket);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      if (isTrade) trade.accept(ws, request, fault);
      else data.accept(ws, request, feed, fault);
    });
  }

  function prepare(server: Server): Server {
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.on('connection', (socket: Socket) => socket.setNoDelay(true));
    server.on('upgrade', upgrade);
    server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => refuseRaw(error, socket));
    return server;
  }

  const plain = prepare(createServer(rest.handle));
  const secure = options.tls === undefined ? null : prepare(createTlsServer(options.tls, rest.handle));
  try {
    await listen(plain, host, options.port ?? 0);
    if (secure !== null) await listen(secure, host, options.tls?.port ?? 0);
  } catch (error) {
    driver.stop();
    testFeed.stop();
    plain.close();
    throw error;
  }
  const at = `${host.includes(':') ? `[${host}]` : host}:${portOf(plain)}`;
  return {
    url: `http://${at}`,
    tradeStreamUrl: `ws://${at}${TRADE_PATH}`,
    dataStreamUrl: `ws://${at}`,
    secureUrl: secure === null ? null : `https://${host}:${portOf(secure)}`,
    driver,
    requestPeak: rest.sent.peak,
    close: async () => {
      offMarket();
      offTrade();
      testFeed.stop();
      driver.stop();
      data.close();
      trade.close();
      sockets.close();
      const servers = secure === null ? [plain] : [plain, secure];
      const grace = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
        for (const server of servers) server.closeAllConnections();
      }, CLOSE_GRACE_MS);
      await Promise.all(servers.map(shut));
      clearTimeout(grace);
    },
  };
}

const ACCEPT: ConnectFault = { kind: 'accept' };
const TRADE_PATH = '/stream';
const DATA_PATH = /^\/v2\/(iex|sip|delayed_sip|test)\/?$/;

/** Which socket a path means: the trade stream's path, a feed, or nothing. */
function feedOf(url: string): string | null {
  const path = (url.split('?', 1)[0] ?? '').replace(/\/+/g, '/');
  if (path === TRADE_PATH || path === `${TRADE_PATH}/`) return TRADE_PATH;
  return DATA_PATH.exec(path)?.[1] ?? null;
}

/** What is not even HTTP still gets an answer in the usual envelope, where the line can carry one. */
function refuseRaw(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const body = JSON.stringify(badBody().body);
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Idle keep-alive connections end at once; busy ones get to finish. */
function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

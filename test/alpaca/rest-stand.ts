import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type AlpacaBroker, openBroker, type RateReading } from '../../lib/adapters/alpaca/rest.ts';
import type { ClientOrderId, Ticker } from '../../lib/domain/ids.ts';
import type { Approved, OrderIntent } from '../../lib/domain/intent.ts';
import { price, qty } from '../../lib/domain/money.ts';
import { micros, parseInstant } from '../../lib/domain/time.ts';

export const KEY = 'PKSECRETKEYID';
export const SECRET = 'sEcReT/value+1';
export const NOW = parseInstant('2026-10-05T14:30:00Z') ?? micros(0);

export type Seen = {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
};
export type Handler = (response: ServerResponse, seen: Seen) => void;

export const INTENT = {
  clientOrderId: 'scalpd-20261005-ABC-17-0' as ClientOrderId,
  symbol: 'ABC' as Ticker,
  side: 'buy',
  qty: qty(100),
  price: { type: 'limit', limit: price(200_600) },
  purpose: 'entry',
  decidedAt: NOW,
  mark: null,
  expiresAt: null,
} as const as OrderIntent as Approved<OrderIntent>;

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (response) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
export const html =
  (status: number): Handler =>
  (response) => {
    response.writeHead(status, { 'Content-Type': 'text/html' });
    response.end(`<html><body><h1>${status}</h1> ${KEY} ${SECRET}</body></html>`);
  };
export const reset: Handler = (response) => response.socket?.destroy();
export const truncated: Handler = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '5000' });
  response.write('{"id":"a1"');
  setImmediate(() => response.socket?.destroy());
};
export const silence: Handler = () => {};
export const halfAnAnswer: Handler = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.write('{"id":');
};

/** A loopback server that answers as the test says, and a broker that talks to it; both anew for each test. */
export type RestStand = {
  server: Server;
  broker: AlpacaBroker;
  handler: Handler;
  seen: Seen[];
  rates: RateReading[];
  timeoutMillis: number;
  close(): Promise<void>;
};

export async function openRestStand(): Promise<RestStand> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const entry = {
        method: request.method ?? '',
        url: new URL(request.url ?? '', 'http://loopback'),
        body: Buffer.concat(chunks).toString(),
        headers: request.headers,
      };
      stand.seen.push(entry);
      stand.handler(response, entry);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const broker = openBroker({
    baseUrl: url,
    dataUrl: url,
    keyId: KEY,
    secret: SECRET,
    feed: 'iex',
    now: () => NOW,
    timeoutMillis: () => stand.timeoutMillis,
    onRate: (reading) => stand.rates.push(reading),
  });
  const stand: RestStand = {
    server,
    broker,
    handler: silence,
    seen: [],
    rates: [],
    timeoutMillis: 5_000,
    async close() {
      await broker.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stand;
}

/** No text that leaves the broker carries a key. */
export function withoutKeys<T>(value: T): T {
  for (const secret of [KEY, SECRET]) expect(JSON.stringify(value)).to.not.contain(secret);
  return value;
}

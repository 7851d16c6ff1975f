/**
 * Child process of the benchmarks under load: `exit-flood SPEC` stands between the engine and its exchange's data socket,
 * hands everything on, and adds trades at an even pace: as many a second as its parent says, in frames that leave every
 * millisecond. Each trade is stamped with the instant at which it is sent.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { unpack } from 'msgpackr';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { codecFor } from '../../lib/adapters/exchange/data-codec.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { MICROS_PER_SECOND, micros } from '../../lib/domain/time.ts';
import { AT_ONCE_USD } from './exit-market.ts';
import { wallNow } from './wall.ts';

export type FloodSpec = {
  /** `ws://host:port` of the exchange. */
  readonly upstream: string;
  readonly symbols: readonly Ticker[];
  /** These have a trade in each frame, as far as there is room, and are kept account of. */
  readonly watched: readonly Ticker[];
  /** Exchange time in micros at a wall instant, and its seconds per wall second. */
  readonly at: number;
  readonly wallAt: number;
  readonly speed: number;
};
export type FloodTold =
  | { readonly kind: 'serving'; readonly url: string }
  | ({ readonly kind: 'flooded' } & Flooded);
export type Flooded = {
  /** Trades to the engine so far, the exchange's own included. */
  readonly sentInAll: number;
  /** Since the rate was set: trades sent, in so many milliseconds; most bytes that waited because they were not taken. */
  readonly sent: number;
  readonly took: number;
  readonly backlog: number;
  /** When the watched symbols' trades were sent, in micros of exchange time, one after the other. */
  readonly stamps: ReadonlyMap<string, Float64Array>;
};
/** Trades a second from now on; answered with what came of the rate before. */
export type FloodRate = { readonly rate: number };

const spec = JSON.parse(process.argv[2] ?? '') as FloodSpec;
const { symbols, watched } = spec;
const PER_FRAME_MAX = 100;
const FRAMES_PER_SECOND = 1_000;
const EARLIEST = micros(MICROS_PER_SECOND);

/** A trade, encoded but for its instant, which begins at `stampAt`. */
type Template = { readonly symbol: Ticker; readonly bytes: Buffer; readonly stampAt: number };

const codec = codecFor('application/msgpack');
const templateOf = (symbol: Ticker): Template => {
  const px = price(AT_ONCE_USD * UNITS_PER_USD);
  const print = {
    symbol,
    at: EARLIEST,
    price: px,
    size: 100,
    exchange: 'V',
    conditions: ['@'],
    id: '52983525027888',
  };
  const bytes = Buffer.from(codec.encodeEvent({ kind: 'print', print }));
  // The key `t`, and the head of a timestamp of eight bytes.
  const head = Buffer.from([0xa1, 0x74, 0xd7, 0xff]);
  return { symbol, bytes, stampAt: bytes.indexOf(head) + head.length };
};
const others = symbols.filter((symbol) => !watched.includes(symbol));
const inEveryFrame = watched.map(templateOf);
const inTurn = (others.length > 0 ? others : symbols).map(templateOf);

let client: WebSocket | null = null;
let sentInAll = 0;
let sent = 0;
let backlog = 0;
let startedAt = wallNow();
let rate = 0;
let nextWatched = 0;
let nextInTurn = 0;
let stamps = new Map<string, number[]>();

function frameOf(size: number, at: number): Buffer {
  const trades: Template[] = [];
  for (let n = Math.min(size, inEveryFrame.length); n > 0; n -= 1) {
    const template = inEveryFrame[nextWatched++ % inEveryFrame.length];
    if (template !== undefined) trades.push(template);
  }
  while (trades.length < size) {
    const template = inTurn[nextInTurn++ % inTurn.length];
    if (template !== undefined) trades.push(template);
  }
  const frame = Buffer.from(codec.frame(trades.map(({ bytes }) => bytes)));
  const seconds = Math.floor(at / MICROS_PER_SECOND);
  const high = (at % MICROS_PER_SECOND) * 4_000 + Math.floor(seconds / 2 ** 32);
  let start = frame.length - trades.reduce((sum, { bytes }) => sum + bytes.length, 0);
  for (const { bytes, stampAt } of trades) {
    frame.writeUInt32BE(high, start + stampAt);
    frame.writeUInt32BE(seconds % 2 ** 32, start + stampAt + 4);
    start += bytes.length;
  }
  return frame;
}

function noteStamps(size: number, at: number): void {
  const first = nextWatched - Math.min(size, inEveryFrame.length);
  for (let n = first; n < nextWatched; n += 1) {
    const symbol = inEveryFrame[n % inEveryFrame.length]?.symbol ?? '';
    const list = stamps.get(symbol);
    if (list === undefined) stamps.set(symbol, [at]);
    else list.push(at);
  }
}

/** Everything that is due by the wall clock, so that a tick that comes late loses nothing. */
function tick(): void {
  if (client?.readyState === WebSocket.OPEN && rate > 0) {
    const size = Math.min(PER_FRAME_MAX, Math.max(1, Math.round(rate / FRAMES_PER_SECOND)));
    const due = ((wallNow() - startedAt) / 1_000) * rate;
    while (sent + size <= due) {
      const at = Math.floor(spec.at + (wallNow() - spec.wallAt) * 1_000 * spec.speed);
      client.send(frameOf(size, at), { binary: true });
      noteStamps(size, at);
      sent += size;
    }
    backlog = Math.max(backlog, client.bufferedAmount);
  }
  setTimeout(tick, 1);
}

function changeRate(next: number): void {
  sentInAll += sent;
  const found: Flooded = {
    sentInAll,
    sent,
    took: wallNow() - startedAt,
    backlog,
    stamps: new Map([...stamps].map(([symbol, list]) => [symbol, Float64Array.from(list)])),
  };
  process.send?.({ kind: 'flooded', ...found } satisfies FloodTold);
  [sent, backlog, stamps] = [0, 0, new Map()];
  [rate, startedAt] = [next, wallNow()];
}

function join(engine: WebSocket, headers: Record<string, string>, path: string): void {
  client = engine;
  const exchange = new WebSocket(`${spec.upstream}${path}`, { headers, perMessageDeflate: false });
  const early: RawData[] = [];
  engine.on('message', (data) => {
    if (exchange.readyState === WebSocket.OPEN) exchange.send(data);
    else early.push(data);
  });
  exchange.on('open', () => {
    for (const data of early) exchange.send(data);
  });
  exchange.on('message', (data: Buffer, binary) => {
    for (const { T } of unpack(data) as readonly { readonly T: string }[]) if (T === 't') sentInAll += 1;
    engine.send(data, { binary });
  });
  engine.on('close', () => exchange.close());
  exchange.on('close', () => engine.close());
  for (const socket of [engine, exchange]) socket.on('error', () => socket.terminate());
}

const http = createServer();
const sockets = new WebSocketServer({ noServer: true });
http.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (engine) =>
    join(engine, { 'content-type': request.headers['content-type'] ?? '' }, request.url ?? '/'),
  ),
);
process.on('message', (order: FloodRate) => changeRate(order.rate));
process.on('disconnect', () => process.exit());
http.listen(0, '127.0.0.1', () => {
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  process.send?.({ kind: 'serving', url } satisfies FloodTold);
  tick();
});

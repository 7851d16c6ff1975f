/**
 * Child process of the overload benchmark: `flood-proxy URL SYMBOL…` stands between a client and an exchange's data socket,
 * hands everything on, and adds, when its parent says so, trades in front of and behind it: as many as were ordered, or as
 * many as are taken. What is not taken is owed and sent as soon as it is, as a server with a patient queue would do.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Ticker } from '../../lib/domain/ids.ts';
import { price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { micros } from '../../lib/domain/time.ts';
import { AT_ONCE_USD } from './exit-market.ts';
import { framesOf, onSocket } from './market-frames.ts';
import { wallNow } from './wall.ts';

export type Proxying = { readonly kind: 'proxying'; readonly url: string };
export type Flooded = { readonly kind: 'flooded'; readonly sent: number; readonly owed: number };
export type FloodOrder =
  | { readonly kind: 'stop' }
  | {
      readonly kind: 'flood';
      /** `null`: as many as are taken. */
      readonly perSecond: number | null;
      /** Exchange time, in microseconds, at an instant of the wall clock, in milliseconds; and what one second makes. */
      readonly exchangeAt: number;
      readonly wallAt: number;
      readonly speed: number;
    };

const [upstream = '', ...symbols] = process.argv.slice(2) as [string, ...Ticker[]];
const FRAMES_PER_WRITE = 12;
const PER_FRAME = 100;
const TRADES_PER_WRITE = FRAMES_PER_WRITE * PER_FRAME;
/** The key `t` and the head of a timestamp of eight bytes. */
const STAMP_HEAD = Buffer.from([0xa1, 0x74, 0xd7, 0xff]);

// One write's worth, all at the price that stands; only the stamps in it change.
const block = onSocket(
  framesOf(
    Array.from({ length: TRADES_PER_WRITE }, (_, n) => ({
      kind: 'print',
      print: {
        symbol: symbols[n % symbols.length] as Ticker,
        at: micros(1),
        price: price(AT_ONCE_USD * UNITS_PER_USD),
        size: 100,
        exchange: 'V',
        conditions: ['@'],
        id: '52983525027888',
      },
    })),
  ).frames,
);
const stamps: number[] = [];
for (let at = block.indexOf(STAMP_HEAD); at >= 0; at = block.indexOf(STAMP_HEAD, at + 1))
  stamps.push(at + STAMP_HEAD.length);

function stampAll(exchangeMicros: number): void {
  const seconds = Math.floor(exchangeMicros / 1e6);
  const nanos = (exchangeMicros % 1e6) * 1_000;
  const high = ((nanos * 4) | (Math.floor(seconds / 2 ** 32) & 3)) >>> 0;
  for (const at of stamps) {
    block.writeUInt32BE(high, at);
    block.writeUInt32BE(seconds >>> 0, at + 4);
  }
}

let line: Duplex | null = null;
let end: (() => Flooded) | null = null;

/** Returns what ends it and tells what was sent. */
function flood(target: Duplex, order: Extract<FloodOrder, { kind: 'flood' }>): () => Flooded {
  const startedAt = wallNow();
  const wanted = (): number =>
    order.perSecond === null ? Number.POSITIVE_INFINITY : (order.perSecond * (wallNow() - startedAt)) / 1_000;
  let sent = 0;
  let ended = false;
  const go = (): void => {
    if (ended || target.destroyed) return;
    if (sent + TRADES_PER_WRITE > wanted()) {
      setTimeout(go, 1);
      return;
    }
    stampAll(Math.floor(order.exchangeAt + (wallNow() - order.wallAt) * 1_000 * order.speed));
    sent += TRADES_PER_WRITE;
    // The block is stamped anew only when the kernel has all of it.
    target.write(block, go);
  };
  go();
  return () => {
    ended = true;
    return { kind: 'flooded', sent, owed: Number.isFinite(wanted()) ? Math.max(0, wanted() - sent) : 0 };
  };
}

function join(client: WebSocket, headers: Record<string, string>): void {
  const server = new WebSocket(`${upstream}/v2/iex`, { headers, perMessageDeflate: false });
  const early: [RawData, boolean][] = [];
  client.on('message', (data, binary) => {
    if (server.readyState === WebSocket.OPEN) server.send(data, { binary });
    else early.push([data, binary]);
  });
  server.on('open', () => {
    for (const [data, binary] of early) server.send(data, { binary });
  });
  server.on('message', (data, binary) => client.send(data, { binary }));
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on('close', () => other.close());
    one.on('error', () => other.terminate());
  }
}

const http = createServer();
const sockets = new WebSocketServer({ noServer: true });
http.on('upgrade', (request, socket, head) => {
  line = socket;
  const type = request.headers['content-type'];
  sockets.handleUpgrade(request, socket, head, (client) =>
    join(client, type === undefined ? {} : { 'content-type': type }),
  );
});
process.on('message', (order: FloodOrder) => {
  const flooded = end?.();
  end = null;
  if (order.kind === 'flood' && line !== null) end = flood(line, order);
  else process.send?.(flooded ?? { kind: 'flooded', sent: 0, owed: 0 });
});
process.on('disconnect', () => process.exit());
http.listen(0, '127.0.0.1', () => {
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  process.send?.({ kind: 'proxying', url } satisfies Proxying);
});

/**
 * Child process of the market-data benchmark: `trade-sender SYMBOLS PRINTS` serves Alpaca's data socket on loopback. Told to
 * by its parent, it sends a seeded session's trades, encoded beforehand, as fast as the other side takes them.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Packr, unpack } from 'msgpackr';
import { type WebSocket, WebSocketServer } from 'ws';
import { onSocket, tradesOf } from './market-frames.ts';

export type Serving = { readonly kind: 'serving'; readonly url: string };

const [symbolsText, printsText] = process.argv.slice(2);
const { trades } = tradesOf(Number(symbolsText), Number(printsText));
/** Frames in one write: what a sender with a full queue hands to its kernel. */
const FRAMES_PER_WRITE = 12;
const writes = Array.from({ length: Math.ceil(trades.frames.length / FRAMES_PER_WRITE) }, (_, n) =>
  onSocket(trades.frames.slice(n * FRAMES_PER_WRITE, (n + 1) * FRAMES_PER_WRITE)),
);
const packr = new Packr({ useRecords: false });

function greet(socket: WebSocket): void {
  const send = (message: object): void => socket.send(packr.pack([message]));
  socket.on('message', (data: Buffer) => {
    const { action, ...channels } = unpack(data) as { readonly action: string };
    if (action === 'auth') send({ T: 'success', msg: 'authenticated' });
    else send({ T: 'subscription', ...channels });
  });
  send({ T: 'success', msg: 'connected' });
}

let line: Duplex | null = null;
const http = createServer();
const sockets = new WebSocketServer({ noServer: true });
http.on('upgrade', (request, socket, head) => {
  line = socket;
  sockets.handleUpgrade(request, socket, head, greet);
});

process.on('message', () => {
  const target = line;
  if (target === null) return;
  let next = 0;
  const go = (): void => {
    for (; next < writes.length; next += 1)
      if (!target.write(writes[next])) {
        next += 1;
        target.once('drain', go);
        return;
      }
  };
  go();
});
process.on('disconnect', () => process.exit());
http.listen(0, '127.0.0.1', () => {
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  process.send?.({ kind: 'serving', url } satisfies Serving);
});

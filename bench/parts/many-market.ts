/**
 * Child process of the benchmark with thousands of symbols: `many-market SPEC` serves REST and the trade stream of an embedded
 * exchange, and a data stream of its own that floods when it is told to.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Packr, unpack } from 'msgpackr';
import { type WebSocket, WebSocketServer } from 'ws';
import { codecFor, type EncodedEvent } from '../../lib/adapters/exchange/data-codec.ts';
import { startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import { cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { after, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import { marketSymbols } from '../../lib/sim/universe.ts';
import { planOf } from './lane-starts.ts';
import { closeAt, wavingTape } from './many-tape.ts';
import { wallNow } from './wall.ts';

export type MarketSpec = {
  readonly symbols: number;
  /** Complete minutes of the session that are over when it begins to serve, and how far the next one is. */
  readonly minutesOver: number;
  readonly second: number;
  /** Exchange seconds per wall second. */
  readonly speed: number;
};

export type MarketServed = { readonly kind: 'served'; readonly url: string; readonly dataStream: string };
/** So many trades per second, in frames of 100, for so long. */
export type FloodOrder = { readonly perSecond: number; readonly seconds: number };
export type Flooded = {
  readonly kind: 'flooded';
  readonly trades: number;
  /** Wall milliseconds from the first frame to the last. */
  readonly tookMs: number;
  /** The last price of each symbol in 1/10000 USD. */
  readonly marks: ReadonlyMap<string, number>;
};
/** A minute's bars have left, one after the other in as few frames as they fit in. */
export type BarsSent = { readonly kind: 'barsSent'; readonly bars: number; readonly wallAt: number };

const PER_FRAME = 100;
const FLOOD_TICK_MS = 5;
const BUDGET = 1_000_000;

const { symbols: count, minutesOver, second, speed } = JSON.parse(process.argv[2] ?? '') as MarketSpec;
const symbols = marketSymbols(count);
const { openAt, ...session } = planOf(0);
const startAt = after(after(openAt, minutes(minutesOver)), seconds(second));
const exchange = createExchange(
  defaultExchangeOptions(
    { seed: 1, startAt, sessions: [{ ...session, openAt }, planOf(1)] },
    {
      account: { cash: cash(100_000_000 * UNITS_PER_USD), multiplier: 4, shorting: false },
      barDelay: 300_000,
      historyPerSymbol: 10,
    },
  ),
  wavingTape(symbols),
);
const rest = await startExchangeServer({ exchange, speed, tradingPerMinute: BUDGET, dataPerMinute: BUDGET });

// --- the data stream -----------------------------------------------------------------------------------------------------

const codec = codecFor('application/msgpack');
const packr = new Packr({ useRecords: false });
let line: WebSocket | null = null;

function greet(socket: WebSocket): void {
  const say = (message: object): void => socket.send(packr.pack([message]));
  const channels = new Map<string, readonly string[]>();
  socket.on('message', (data: Buffer) => {
    const { action, ...asked } = unpack(data) as { readonly action: string } & Record<string, string[]>;
    if (action === 'auth') say({ T: 'success', msg: 'authenticated' });
    else {
      for (const [name, list] of Object.entries(asked))
        channels.set(name, [...(channels.get(name) ?? []), ...list]);
      say({ T: 'subscription', ...Object.fromEntries(channels) });
    }
  });
  say({ T: 'success', msg: 'connected' });
  line = socket;
}

const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
sockets.on('connection', greet);

let bars: EncodedEvent[] = [];
exchange.onMarketEvent((event) => {
  if (event.kind !== 'bar' || line === null) return;
  bars.push(codec.encodeEvent(event));
  if (bars.length === count) setImmediate(sendBars);
});

function sendBars(): void {
  const burst = bars;
  bars = [];
  const frames = Array.from({ length: Math.ceil(burst.length / PER_FRAME) }, (_, n) =>
    codec.frame(burst.slice(n * PER_FRAME, (n + 1) * PER_FRAME)),
  );
  const wallAt = wallNow();
  for (const frame of frames) line?.send(frame);
  process.send?.({ kind: 'barsSent', bars: burst.length, wallAt } satisfies BarsSent);
}

// --- the flood -----------------------------------------------------------------------------------------------------------

/** Encoded beforehand: stamped as if each left at its place in the second, from this instant on. */
function encodeFlood(order: FloodOrder, from: Micros) {
  const trades = Math.floor((order.perSecond * order.seconds) / PER_FRAME) * PER_FRAME;
  const marks = new Map<string, number>();
  const frames: Buffer[] = [];
  let frame: EncodedEvent[] = [];
  for (let n = 0; n < trades; n += 1) {
    const index = n % count;
    const symbol = symbols[index];
    if (symbol === undefined) continue;
    const at = (from + Math.floor((n / order.perSecond) * 1e6 * speed)) as Micros;
    const px = closeAt(index, Math.floor((at - openAt) / minutes(1)));
    marks.set(symbol, px);
    const print = { symbol, at, price: px, size: 100, exchange: 'V', conditions: ['@'], id: `${n}` };
    frame.push(codec.encodeEvent({ kind: 'print', print }));
    if (frame.length < PER_FRAME) continue;
    frames.push(Buffer.from(codec.frame(frame)));
    frame = [];
  }
  return { frames, trades, marks };
}

function flood(order: FloodOrder): void {
  const { frames, trades, marks } = encodeFlood(order, rest.driver.now());
  const framesPerMs = order.perSecond / PER_FRAME / 1_000;
  const from = wallNow();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(frames.length, Math.ceil((wallNow() - from) * framesPerMs));
    for (; sent < due; sent += 1) line?.send(frames[sent] ?? '');
    if (sent < frames.length) return;
    clearInterval(timer);
    process.send?.({ kind: 'flooded', trades, tookMs: wallNow() - from, marks } satisfies Flooded);
  }, FLOOD_TICK_MS);
}

process.on('message', (order: FloodOrder) => flood(order));
process.on('disconnect', () => process.exit());
http.listen(0, '127.0.0.1', () => {
  const dataStream = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  process.send?.({ kind: 'served', url: rest.url, dataStream } satisfies MarketServed);
});

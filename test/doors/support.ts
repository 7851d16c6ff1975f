import { once } from 'node:events';
import { unpack } from 'msgpackr';
import { type ClientOptions, WebSocket } from 'ws';
import type { Wall } from '../../lib/adapters/exchange/driver.ts';
import {
  type ExchangeServer,
  type ExchangeServerOptions,
  startExchangeServer,
} from '../../lib/adapters/exchange/server.ts';
import { sessionsBetween } from '../../lib/adapters/time/calendar.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { cash, type Price } from '../../lib/domain/money.ts';
import { type Micros, micros, parseInstant, type SessionDay } from '../../lib/domain/time.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange, ExchangeOptions, TapeItem } from '../../lib/sim/exchange-api.ts';
import { NO_FEES } from '../../lib/sim/fees.ts';
import { symbolOf, tapeFromItems } from '../../lib/sim/tape.ts';

/** 2013-10-07 10:00 New York: in mid-session, half an hour of history behind. */
export const TEN = at('2013-10-07T14:00:00Z');
export const OPEN = at('2013-10-07T13:30:00Z');
export const KEYS = { 'APCA-API-KEY-ID': 'PKTEST', 'APCA-API-SECRET-KEY': 'secret' };

export function at(text: string): Micros {
  const instant = parseInstant(text);
  if (instant === null) throw new Error(`Not an instant: ${text}`);
  return instant;
}

const SECOND = 1_000_000;
const usd = (dollars: number): Price => Math.round(dollars * 10_000) as Price;

/** A steady market: each second a quote one cent wide and a print of 100 at the ask; the price climbs a cent a minute. */
export function steadyMarket(
  symbols: readonly string[],
  from: Micros,
  to: Micros,
  startUsd = 100,
): readonly TapeItem[] {
  const items: TapeItem[] = [];
  for (let now = from; now < to; now = micros(now + SECOND)) {
    const dollars = startUsd + Math.floor((now - from) / (60 * SECOND)) / 100;
    for (const name of symbols) {
      const symbol = name as Ticker;
      items.push({
        kind: 'quote',
        at: now,
        quote: { symbol, at: now, bid: usd(dollars - 0.01), bidSize: 500, ask: usd(dollars), askSize: 500 },
      });
      items.push({
        kind: 'print',
        at: now,
        print: {
          symbol,
          at: now,
          price: usd(dollars),
          size: 100,
          exchange: 'P',
          conditions: [' '],
          id: String(items.length + 1),
        },
      });
    }
  }
  return items;
}

export function exchangeOptions(overrides: Partial<ExchangeOptions> = {}): ExchangeOptions {
  return {
    seed: 7,
    startAt: TEN,
    sessions: sessionsBetween('2013-10-01' as SessionDay, '2013-10-31' as SessionDay),
    account: { cash: cash(100_000 * 10_000), multiplier: 4, shorting: true },
    latencyIn: 5_000,
    latencyOut: 5_000,
    partialFillShare: 0,
    queueAhead: 0,
    fees: NO_FEES,
    subPenny: 'reject',
    fillModel: 'tape',
    oversell: 'reject',
    fillRules: [],
    ...overrides,
  };
}

/** A wall clock in the test's hand: exchange time moves when the test says so, and not otherwise. */
export function handWall(): { readonly wall: Wall; advance(ms: number): void } {
  let now = 0;
  let timers: { readonly dueMs: number; readonly task: () => void }[] = [];
  const add = (dueMs: number, task: () => void) => {
    const timer = { dueMs, task };
    timers.push(timer);
    return {
      cancel: () => {
        timers = timers.filter((other) => other !== timer);
      },
    };
  };
  return {
    wall: {
      nowMs: () => now,
      after: (ms, task) => add(now + ms, task),
      soon: (task) => add(now, task),
    },
    advance: (ms) => {
      const target = now + ms;
      for (;;) {
        const [first] = timers.filter((t) => t.dueMs <= target).toSorted((a, b) => a.dueMs - b.dueMs);
        if (first === undefined) break;
        timers = timers.filter((other) => other !== first);
        now = Math.max(now, first.dueMs);
        first.task();
      }
      now = target;
    },
  };
}

export type Answered = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON came
  readonly json: any;
};

export type Doors = {
  readonly server: ExchangeServer;
  readonly exchange: Exchange;
  /** Moves exchange time on by so many seconds. */
  advance(seconds: number): void;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>;
  get(path: string): Promise<Answered>;
  data(feed?: string, options?: ClientOptions): Promise<Frames>;
  trade(options?: ClientOptions): Promise<Frames>;
  close(): Promise<void>;
};

export type DoorsOptions = {
  readonly exchange?: Partial<ExchangeOptions>;
  readonly items?: readonly TapeItem[];
  readonly server?: Partial<ExchangeServerOptions>;
};

export async function openDoors(options: DoorsOptions = {}): Promise<Doors> {
  const items = options.items ?? steadyMarket(['SPY', 'BAC'], OPEN, at('2013-10-07T14:30:00Z'));
  const symbols = [...new Set(items.map(symbolOf))].sort();
  const exchange = createExchange(exchangeOptions(options.exchange), tapeFromItems(symbols, [items]));
  const { wall, advance } = handWall();
  const server = await startExchangeServer({ exchange, wall, ...options.server });
  const sockets: Frames[] = [];
  const open = async (url: string, clientOptions?: ClientOptions): Promise<Frames> => {
    const frames = await openFrames(url, clientOptions);
    sockets.push(frames);
    return frames;
  };
  const call: Doors['call'] = async (method, path, body, headers = KEYS) => {
    const init: RequestInit = { method, headers: { ...headers } };
    if (body !== undefined) {
      init.body = typeof body === 'string' ? body : JSON.stringify(body);
      init.headers = { ...headers, 'Content-Type': 'application/json' };
    }
    const response = await fetch(`${server.url}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  };
  return {
    server,
    exchange,
    advance: (seconds) => advance(seconds * 1_000),
    call,
    get: (path) => call('GET', path),
    data: (feed = 'iex', clientOptions) => open(`${server.dataStreamUrl}/v2/${feed}`, clientOptions),
    trade: (clientOptions) => open(server.tradeStreamUrl, clientOptions),
    close: async () => {
      for (const socket of sockets) socket.ws.terminate();
      await server.close();
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A raw client socket: what came, in order, and a way to wait for more. */
export class Frames {
  readonly ws: WebSocket;
  readonly received: { readonly bytes: Buffer; readonly isBinary: boolean }[] = [];
  closeCode: number | null = null;
  #read = 0;
  #wake: (() => void) | null = null;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data, isBinary) => {
      this.received.push({ bytes: data as Buffer, isBinary });
      this.#wake?.();
    });
    ws.on('close', (code) => {
      this.closeCode = code;
      this.#wake?.();
    });
    ws.on('error', () => this.#wake?.());
  }

  send(message: unknown): void {
    this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** The next frame that was not read yet; rejects when the socket ends instead. */
  async nextFrame(): Promise<{ readonly bytes: Buffer; readonly isBinary: boolean }> {
    for (;;) {
      const frame = this.received[this.#read];
      if (frame !== undefined) {
        this.#read += 1;
        return frame;
      }
      if (this.closeCode !== null) throw new Error(`The socket closed with ${this.closeCode}.`);
      await this.#more();
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever message came
  async next(): Promise<any> {
    const { bytes, isBinary } = await this.nextFrame();
    const text = bytes.toString('utf8');
    // JSON may come in binary frames; what does not parse is MessagePack.
    return isBinary && !/^[[{]/.test(text) ? unpack(bytes) : JSON.parse(text);
  }

  async closed(): Promise<number> {
    while (this.closeCode === null) await this.#more();
    return this.closeCode;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export async function openFrames(url: string, options: ClientOptions = {}): Promise<Frames> {
  const frames = new Frames(new WebSocket(url, options));
  await once(frames.ws, 'open');
  return frames;
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Packr } from 'msgpackr';
import { type WebSocket, WebSocketServer } from 'ws';
import { createExchangeClock, type ExchangeClock } from '../../lib/adapters/time/exchange-clock.ts';
import { micros } from '../../lib/domain/time.ts';
import type { Feed, FeedStatus } from '../../lib/ports/feeds.ts';

export const KEY = 'PKSECRETKEYID';
export const SECRET = 'sEcReT/value';
/** Fast enough that a 90 s wait of exchange time passes within the test. */
export const SPEED = 1_000;
export const packr = new Packr({ useRecords: false });

export type Frame = { readonly action: string; readonly [key: string]: unknown };
export type Client = {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  send(value: unknown): void;
};

/** A list that grows, and promises for the moment at which it holds what a test waits for. */
export class Log<T> {
  readonly items: T[] = [];
  private readonly waiting: {
    readonly holds: (items: readonly T[]) => boolean;
    readonly done: () => void;
  }[] = [];

  add(item: T): void {
    this.items.push(item);
    for (const entry of this.waiting.splice(0)) {
      if (entry.holds(this.items)) entry.done();
      else this.waiting.push(entry);
    }
  }

  until(holds: (items: readonly T[]) => boolean): Promise<void> {
    if (holds(this.items)) return Promise.resolve();
    return new Promise((done) => this.waiting.push({ holds, done }));
  }
}

export const statesOf = (items: readonly FeedStatus[]): readonly string[] => items.map((s) => s.state);

/** Holds once a feed was live so many times. */
export const lives =
  (times: number) =>
  (items: readonly FeedStatus[]): boolean =>
    statesOf(items).filter((s) => s === 'live').length >= times;

/** A loopback server for one feed, which answers as the test says; anew for each test. */
export type FeedStand = {
  feed: Feed | null;
  upgradeStatus: number | null;
  upgrades: number;
  onFrame(client: Client, frame: Frame): void;
  onClient(client: Client): void;
  readonly clients: Client[];
  readonly statuses: Log<FeedStatus>;
  readonly faults: unknown[];
  readonly clock: ExchangeClock;
  url(path: string): string;
  states(): readonly string[];
  /** The options that both feeds have. */
  common(): {
    readonly keyId: string;
    readonly secret: string;
    readonly clock: ExchangeClock;
    readonly speed: number;
    random(): number;
    onFault(error: unknown): void;
  };
  close(): Promise<void>;
};

export async function openFeedStand(): Promise<FeedStand> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const clock = createExchangeClock({ at: micros(1_790_000_000_000_000), speed: SPEED });
  const stand: FeedStand = {
    feed: null,
    upgradeStatus: null,
    upgrades: 0,
    onFrame: () => {},
    onClient: () => {},
    clients: [],
    statuses: new Log(),
    faults: [],
    clock,
    url: (path) => `ws://127.0.0.1:${(http.address() as AddressInfo).port}${path}`,
    states: () => statesOf(stand.statuses.items),
    common: () => ({
      keyId: KEY,
      secret: SECRET,
      clock,
      speed: SPEED,
      random: () => 0.5,
      onFault: (error) => stand.faults.push(error),
    }),
    async close() {
      await stand.feed?.close();
      clock.close();
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      for (const status of stand.statuses.items)
        for (const secret of [KEY, SECRET]) expect(status.detail).to.not.contain(secret);
    },
  };
  http.on('upgrade', (request, socket, head) => {
    stand.upgrades += 1;
    if (stand.upgradeStatus !== null) {
      socket.end(`HTTP/1.1 ${stand.upgradeStatus} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const binary = request.headers['content-type'] === 'application/msgpack';
    sockets.handleUpgrade(request, socket, head, (accepted) => accept(stand, accepted, binary));
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  return stand;
}

function accept(stand: FeedStand, socket: WebSocket, binary: boolean): void {
  const client: Client = {
    socket,
    frames: [],
    send: (value) => socket.send(binary ? packr.pack(value) : JSON.stringify(value)),
  };
  stand.clients.push(client);
  socket.on('message', (data: Buffer, isBinary) => {
    const frame = (isBinary ? packr.unpack(data) : JSON.parse(data.toString())) as Frame;
    client.frames.push(frame);
    stand.onFrame(client, frame);
  });
  socket.on('error', () => {});
  stand.onClient(client);
}

import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Micros } from '../../domain/time.ts';
import { type DrivenSocket, driveConnection, type EmitSocketEvent } from '../../engine/connection-driver.ts';
import type { ConnectionPolicy, Wanted } from '../../engine/connection-types.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Feed, FeedStatus } from '../../ports/feeds.ts';
import { urlRefusal } from './endpoints.ts';
import type { Redact } from './redact.ts';
import { createTurnShare, type TurnShare, type TurnShareOptions } from './turn-share.ts';

/** The frames of one kind of socket. */
export type SocketDialect = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  authenticate(): string | Uint8Array;
  subscribe(channels: readonly string[], symbols: readonly string[]): string | Uint8Array;
  /** Called for every frame of the current socket; `emit` feeds the machine. */
  onFrame(frame: Buffer, isBinary: boolean, emit: EmitSocketEvent): void;
  /** How much of a turn of the event loop its frames may take; all of it when absent. */
  readonly share?: Omit<TurnShareOptions, 'pause' | 'resume'>;
};

export type SocketRunnerOptions = {
  readonly policy: ConnectionPolicy;
  readonly wanted: Wanted;
  readonly clock: Clock;
  /** 0 to 1, 1 excluded; draws the pauses between attempts. */
  random(): number;
  readonly redact: Redact;
  onStatus(status: FeedStatus): void;
  /** The last message of the market; `null` when none has come. Only asked where the policy watches for silence. */
  heardAt(): Micros | null;
  /** Since when data are due, `null` while none are. */
  dueSince(at: Micros): Micros | null;
  /** An exception out of a handler: it ends neither the socket nor the frame. */
  onFault(error: unknown): void;
};

export type RunSocket = (dialect: SocketDialect, options: SocketRunnerOptions) => Feed;

const CLOSE_NORMAL = 1000;
/** Wall time that a closing handshake may take before the socket is cut off. */
const CLOSE_WAIT_MILLIS = 2_000;
const FRAME_MAX_BYTES = 32 * 1024 * 1024;

/** A connection machine on `ws`. */
export function runSocket(dialect: SocketDialect, options: SocketRunnerOptions): Feed {
  const refusal = urlRefusal(new URL(dialect.url));
  if (refusal !== null)
    throw new Error(`A stream's URL is ${refusal}. Found: ${options.redact(new URL(dialect.url).origin)}`);
  const closing = new Set<Promise<void>>();

  let share: TurnShare | null = null;

  const open = (emit: EmitSocketEvent): DrivenSocket => {
    const socket = new WebSocket(dialect.url, {
      headers: dialect.headers,
      perMessageDeflate: false,
      maxPayload: FRAME_MAX_BYTES,
      followRedirects: false,
      rejectUnauthorized: true,
    });
    const own = dialect.share === undefined ? null : shareOf(socket, dialect.share);
    share = own;
    let dropped = false;
    let failure = '';
    socket.on('open', () => emit({ kind: 'opened' }));
    socket.on('pong', () => emit({ kind: 'ponged' }));
    socket.on('unexpected-response', (request, response: IncomingMessage) => {
      response.resume();
      emit({ kind: 'upgradeRefused', status: response.statusCode ?? 0 });
      request.destroy();
    });
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', (code, reason) => {
      own?.end();
      emit({ kind: 'lost', text: lossText(code, reason, failure) });
    });
    socket.on('message', (frame, isBinary) => {
      if (dropped) return;
      const startedAt = own === null ? 0 : performance.now();
      try {
        dialect.onFrame(frame as Buffer, isBinary, emit);
      } catch (error) {
        options.onFault(error);
      }
      own?.took(performance.now() - startedAt);
    });
    const send = (frame: string | Uint8Array): void => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
    };
    return {
      authenticate: () => send(dialect.authenticate()),
      subscribe: (channels, symbols) => send(dialect.subscribe(channels, symbols)),
      ping: () => socket.ping(),
      drop(politely): void {
        dropped = true;
        own?.end();
        const gone = closeSocket(socket, politely);
        closing.add(gone);
        void gone.then(() => closing.delete(gone));
      },
    };
  };

  const connection = driveConnection({
    policy: options.policy,
    wanted: options.wanted,
    clock: options.clock,
    random: options.random,
    open,
    whenRead: (task) => (share === null ? setImmediate(task) : share.whenRead(task)),
    onStatus: (status) => options.onStatus({ ...status, detail: options.redact(status.detail) }),
    heardAt: options.heardAt,
    dueSince: options.dueSince,
    onFault: options.onFault,
  });

  return {
    start: connection.start,
    async close(): Promise<void> {
      connection.close();
      await Promise.all(closing);
    },
  };
}

const shareOf = (socket: WebSocket, share: Omit<TurnShareOptions, 'pause' | 'resume'>): TurnShare =>
  createTurnShare({ ...share, pause: () => socket.pause(), resume: () => socket.resume() });

function lossText(code: number, reason: Buffer, failure: string): string {
  if (failure !== '') return `connection failed: ${failure}`;
  const said = reason.length > 0 ? `, "${reason.toString('utf8')}"` : '';
  return `closed by the other side (code ${code}${said})`;
}

/** Resolves when the socket is gone; a close frame frees the server's slot at once, a cut connection only after 90 s. */
function closeSocket(socket: WebSocket, politely: boolean): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const deadline = setTimeout(() => socket.terminate(), CLOSE_WAIT_MILLIS);
    socket.once('close', () => {
      clearTimeout(deadline);
      resolve();
    });
    if (politely && socket.readyState === WebSocket.OPEN) socket.close(CLOSE_NORMAL);
    else socket.terminate();
  });
}

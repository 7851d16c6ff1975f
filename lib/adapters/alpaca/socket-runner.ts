import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { unreachable } from '../../domain/invariant.ts';
import type { Micros } from '../../domain/time.ts';
import { openConnection, reduceConnection, wakeAt } from '../../engine/connection.ts';
import type {
  Connection,
  ConnectionCommand,
  ConnectionEvent,
  ConnectionPolicy,
  Wanted,
} from '../../engine/connection-types.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Feed, FeedStatus } from '../../ports/feeds.ts';
import { urlRefusal } from './endpoints.ts';
import type { Redact } from './redact.ts';

/** What happened on a socket, without the instant, the random number and the socket's number that the runner adds. */
export type SocketEvent = WithoutStamp<
  Extract<
    ConnectionEvent,
    {
      kind:
        | 'authenticated'
        | 'unauthorized'
        | 'errored'
        | 'confirmed'
        | 'opened'
        | 'upgradeRefused'
        | 'lost'
        | 'ponged';
    }
  >
>;
type WithoutStamp<E> = E extends ConnectionEvent ? Omit<E, 'at' | 'random' | 'socket'> : never;

/** The frames of one kind of socket. */
export type SocketDialect = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  authenticate(): string | Uint8Array;
  subscribe(channels: readonly string[], symbols: readonly string[]): string | Uint8Array;
  /** Called for every frame of the current socket; `emit` feeds the machine. */
  onFrame(frame: Buffer, isBinary: boolean, emit: (event: SocketEvent) => void): void;
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

const CLOSE_NORMAL = 1000;
/** Wall time that a closing handshake may take before the socket is cut off. */
const CLOSE_WAIT_MILLIS = 2_000;
const FRAME_MAX_BYTES = 32 * 1024 * 1024;

/** Executes a connection machine's commands on `ws`. One socket at a time; a dropped one is deaf from that moment. */
export function runSocket(dialect: SocketDialect, options: SocketRunnerOptions): Feed {
  const refusal = urlRefusal(new URL(dialect.url));
  if (refusal !== null)
    throw new Error(`A stream's URL is ${refusal}. Found: ${options.redact(new URL(dialect.url).origin)}`);

  let state: Connection = openConnection(options.policy, options.wanted);
  let current: { readonly number: number; readonly socket: WebSocket } | null = null;
  let timer: Timer | null = null;
  let started = false;
  const closing = new Set<Promise<void>>();

  const guarded = (task: () => void): void => {
    try {
      task();
    } catch (error) {
      options.onFault(error);
    }
  };

  const dispatch = (event: ConnectionEvent): void => {
    const [next, commands] = reduceConnection(state, event);
    state = next;
    for (const command of commands) guarded(() => execute(command));
    arm();
  };

  const stamp = () => ({ at: options.clock.now(), random: options.random() });

  const arm = (): void => {
    timer?.cancel();
    const at = wakeAt(state);
    timer = at === null ? null : options.clock.at(at, wake);
  };

  /** What has arrived while this thread was busy is read first: a late pong is no missing pong. */
  const wake = (): void => {
    setImmediate(() => {
      if (state.kind === 'closed') return;
      const { at, random } = stamp();
      dispatch({ kind: 'woke', at, random, heardAt: options.heardAt(), dueSince: options.dueSince(at) });
    });
  };

  const execute = (command: ConnectionCommand): void => {
    switch (command.kind) {
      case 'open':
        open(command.socket);
        break;
      case 'authenticate':
        send(dialect.authenticate());
        break;
      case 'subscribe':
        send(dialect.subscribe(command.channels, command.symbols));
        break;
      case 'ping':
        current?.socket.ping();
        break;
      case 'drop':
        drop(command.socket, command.politely);
        break;
      case 'status':
        options.onStatus({ ...command.status, detail: options.redact(command.status.detail) });
        break;
      default:
        unreachable(command);
    }
  };

  const send = (frame: string | Uint8Array): void => {
    if (current?.socket.readyState === WebSocket.OPEN) current.socket.send(frame);
  };

  const open = (number: number): void => {
    const socket = new WebSocket(dialect.url, {
      headers: dialect.headers,
      perMessageDeflate: false,
      maxPayload: FRAME_MAX_BYTES,
      followRedirects: false,
      rejectUnauthorized: true,
    });
    current = { number, socket };
    const emit = (event: SocketEvent): void => {
      if (current?.number === number) dispatch({ ...event, ...stamp(), socket: number } as ConnectionEvent);
    };
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
    socket.on('close', (code, reason) => emit({ kind: 'lost', text: lossText(code, reason, failure) }));
    socket.on('message', (frame, isBinary) => {
      if (current?.number === number) guarded(() => dialect.onFrame(frame as Buffer, isBinary, emit));
    });
  };

  const drop = (number: number, politely: boolean): void => {
    if (current?.number !== number) return;
    const { socket } = current;
    current = null;
    const gone = closeSocket(socket, politely);
    closing.add(gone);
    void gone.then(() => closing.delete(gone));
  };

  return {
    start(): void {
      if (started) return;
      started = true;
      dispatch({ kind: 'started', ...stamp() });
    },
    async close(): Promise<void> {
      dispatch({ kind: 'closeAsked', ...stamp() });
      await Promise.all(closing);
    },
  };
}

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

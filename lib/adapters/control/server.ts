import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { folderRefusal, socketRefusal } from './place.ts';
import {
  type ControlHandlers,
  type ControlReply,
  type ControlRequest,
  decodeRequest,
  LINE_BYTES_MAX,
} from './protocol.ts';

export type ControlServer = {
  /** Answers what it is working on, then lets go of the socket. */
  close(): Promise<void>;
};

/** Another daemon answers on the socket already. */
export class ControlInUseError extends Error {
  override readonly name = 'ControlInUseError';
  readonly code = 'control.inUse';
}

const CONNECTIONS_MAX = 32;
const IDLE_MILLIS = 30_000;
const CLOSE_MILLIS = 1_000;
/** A request is written at once; one that dribbles in is none of ours, and would keep a place from an operator. */
const LINE_MILLIS = 5_000;
/** Commands of ours ask once or twice. More is a program gone wrong, whose answers would pile up. */
const REQUESTS_MAX = 100;

/**
 * Listens for operators on a unix socket that only this user may open. A socket file left behind by a killed daemon is
 * replaced; one that somebody answers on is not.
 */
export async function startControlServer(options: {
  readonly path: string;
  readonly handlers: ControlHandlers;
  /** Told of requests that failed in an unforeseen way. */
  readonly onFailure?: (request: ControlRequest, cause: unknown) => void;
  /** Wall time that a line may take from its first byte to its end. */
  readonly lineMillis?: number;
}): Promise<ControlServer> {
  const { path, handlers, onFailure = () => undefined, lineMillis = LINE_MILLIS } = options;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await clearStale(path);
  const finishers = new Map<Socket, () => Promise<void>>();
  const answer = (request: ControlRequest): Promise<ControlReply> =>
    handle(handlers, request).catch((cause: unknown) => {
      onFailure(request, cause);
      return { ok: false, code: 'control.failed', text: 'the daemon failed to do it; its log says why' };
    });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    finishers.set(socket, serve(socket, answer, lineMillis));
    socket.on('close', () => finishers.delete(socket));
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, path);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const [socket, finish] of finishers) {
          const stuck = setTimeout(() => socket.destroy(), CLOSE_MILLIS);
          socket.on('close', () => clearTimeout(stuck));
          void finish().then(() => socket.end());
        }
      }),
  };
}

function handle(handlers: ControlHandlers, request: ControlRequest): Promise<ControlReply> {
  // Within a case the request has narrowed to what its handler takes.
  switch (request.kind) {
    case 'status':
      return Promise.resolve(request).then(handlers.status);
    case 'lane':
      return Promise.resolve(request).then(handlers.lane);
    case 'pause':
      return Promise.resolve(request).then(handlers.pause);
    case 'resume':
      return Promise.resolve(request).then(handlers.resume);
    case 'flatten':
      return Promise.resolve(request).then(handlers.flatten);
    case 'adopt':
      return Promise.resolve(request).then(handlers.adopt);
    case 'kill':
      return Promise.resolve(request).then(handlers.kill);
  }
}

/** Requests of one connection are answered one after the other, in order. Returns what waits for the last answer. */
function serve(
  socket: Socket,
  answer: (request: ControlRequest) => Promise<ControlReply>,
  lineMillis: number,
): () => Promise<void> {
  let received = '';
  let requests = 0;
  let slow: NodeJS.Timeout | null = null;
  let last: Promise<void> = Promise.resolve();
  const reply = (line: ControlReply): void => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
  };
  const take = (line: string): void => {
    const request = decodeRequest(line);
    requests += 1;
    last = last.then(async () =>
      reply(
        typeof request === 'string'
          ? { ok: false, code: 'control.unreadable', text: request }
          : await answer(request),
      ),
    );
  };
  socket.setEncoding('utf8');
  socket.setTimeout(IDLE_MILLIS, () => socket.destroy());
  // A client that hangs up in mid-answer is its own business.
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    received += chunk;
    const lines = received.split('\n');
    received = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') take(line);
    if (received.length > LINE_BYTES_MAX || requests > REQUESTS_MAX) socket.destroy();
    if (lines.length > 0 || received === '') {
      if (slow !== null) clearTimeout(slow);
      slow = null;
    }
    if (received !== '') slow ??= setTimeout(() => socket.destroy(), lineMillis);
  });
  socket.on('close', () => {
    if (slow !== null) clearTimeout(slow);
  });
  // Half-open, so that a client may close its end and still read the answer.
  socket.on('end', () => void last.then(() => socket.end()));
  return () => last;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The file must never exist with a wider mode, not even for a moment; `listen` makes it synchronously.
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) chmodSync(path, 0o600);
  });
}

async function clearStale(path: string): Promise<void> {
  const refusal = folderRefusal(path) ?? socketRefusal(path);
  if (refusal !== null) throw new Error(refusal);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  if (await answers(path)) throw new ControlInUseError(`only one daemon may listen here: ${path}`);
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

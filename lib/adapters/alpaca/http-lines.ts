import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { httpOrigin } from './endpoints.ts';
import { broken, type HttpAnswer, tooLate } from './http-answer.ts';
import { type Line, openLine } from './http-line.ts';
import { createIdleLife } from './idle-life.ts';

/**
 * Connections to one origin that are open before a request needs one. What it is for: orders, whose way to the socket must
 * have no wait on it. undici lets a request on a used connection wait for a turn of the event loop, to see whether the
 * server has closed it meanwhile; here the bytes are in the socket when `send` returns, and a connection that dies under a
 * request makes its outcome unknown, which every request has to live with anyway.
 *
 * 1. One request at a time on a connection; a request is written once, never again.
 * 2. `ahead` connections are kept ready; what closes is opened again in the background. A server that takes none, or drops
 *    them at once, is asked again after a growing pause; only a request that finds none free may open one at once.
 * 3. A connection that the server has announced to close, or is known to close for standing idle, is replaced before.
 * 4. Never more than `max` connections, those apart that are about to be replaced.
 * 5. No socket and no timer of the background keeps the process alive.
 */
export type HttpLines = {
  /**
   * Has written the request when it returns, if a connection was ready. Never rejects. `timeoutMillis` of wall time for all of
   * it; a request that is late before it could leave does not leave any more.
   */
  send(request: string, timeoutMillis: number): Promise<HttpAnswer>;
  counts(): {
    readonly ready: number;
    readonly opening: number;
    readonly busy: number;
    readonly waiting: number;
  };
  /** Ends every connection; requests under way end as `connection`. */
  close(): void;
};

export type HttpLinesOptions = {
  readonly baseUrl: string;
  /** Connections kept ready, 0 or more: with 0 they are opened as requests need them, and kept then. */
  readonly ahead: number;
  readonly max: number;
  /** 0 to 1, 1 excluded; spreads the pauses between attempts. */
  random(): number;
  /** Authorities besides the system's, for tests. */
  readonly ca?: string;
  /** Shortest time for which a connection that the server closed had been idle, milliseconds; other than the usual in tests. */
  readonly idleMillisMin?: number;
};

/** At once in the background: a handshake of TLS takes a millisecond or two of this thread. */
const OPENING_MAX = 8;
const PAUSE_FIRST_MILLIS = 250;
const PAUSE_MAX_MILLIS = 30_000;
/** A connection that lived for less, and answered nothing, counts as an attempt that failed. */
const LIVES_AT_LEAST_MILLIS = 5_000;
/** Before the instant that a server has announced: the connection must not close under a request. */
const LEAVE_BEFORE_MILLIS = 1_000;
const TEND_EVERY_MILLIS = 250;

type Call = {
  readonly request: string;
  readonly settle: (answer: HttpAnswer) => void;
  line: OwnLine | null;
  over: boolean;
};

type OwnLine = {
  readonly line: Line;
  state: 'opening' | 'ready' | 'busy';
  readySince: number;
  /** From when on it is to be replaced, and when it must be gone, in milliseconds of `performance.now()`. */
  dueAt: number;
  deadAt: number;
  /** Closed by us. */
  leaving: boolean;
};

export function createHttpLines(options: HttpLinesOptions): HttpLines {
  const { ahead, max, random } = options;
  const dial = dialer(httpOrigin(options.baseUrl), options.ca);
  const idle = createIdleLife(Math.max(1, ahead), random, options.idleMillisMin);
  const lines = new Set<OwnLine>();
  /** The one that answered last is taken first: it is the least likely to have been closed. */
  const ready: OwnLine[] = [];
  const waiting: Call[] = [];
  let failures = 0;
  let pause: NodeJS.Timeout | null = null;
  let tending: NodeJS.Timeout | null = null;
  let closed = false;

  const now = (): number => performance.now();
  const count = (state: OwnLine['state']): number => {
    let found = 0;
    for (const own of lines) if (own.state === state) found += 1;
    return found;
  };

  // --- requests ----------------------------------------------------------------------------------------------------------

  function send(request: string, timeoutMillis: number): Promise<HttpAnswer> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => expire(call, timeoutMillis), timeoutMillis);
      const settle = (answer: HttpAnswer): void => {
        if (call.over) return;
        call.over = true;
        clearTimeout(timer);
        resolve(answer);
      };
      const call: Call = { request, settle, line: null, over: false };
      const own = ready.pop();
      if (own !== undefined) carry(own, call);
      else if (closed) settle(broken(new Error('closed')));
      else {
        waiting.push(call);
        openForWaiting();
      }
    });
  }

  function carry(own: OwnLine, call: Call): void {
    own.state = 'busy';
    call.line = own;
    own.line.send(call.request, call.settle);
  }

  function expire(call: Call, timeoutMillis: number): void {
    call.settle(tooLate(timeoutMillis));
    const at = waiting.indexOf(call);
    if (at >= 0) waiting.splice(at, 1);
    // Its answer, should it still come, must not be taken for the next one's.
    call.line?.line.close();
  }

  /** Hands a free line the request that has waited longest, or keeps it. */
  function offer(own: OwnLine): void {
    const call = waiting.shift();
    if (call !== undefined) {
      carry(own, call);
      return;
    }
    own.state = 'ready';
    ready.push(own);
  }

  // --- connections -------------------------------------------------------------------------------------------------------

  function open(): void {
    const socket = dial.open();
    const own: OwnLine = {
      line: openLine(socket, dial.readyEvent, {
        onReady() {
          own.readySince = now();
          own.dueAt = own.readySince + idle.next();
          tendLater();
          offer(own);
          replaceDue();
          fill();
        },
        onFree(keepAliveSeconds) {
          failures = 0;
          const wasPaused = pause !== null;
          endPause();
          own.dueAt = Number.POSITIVE_INFINITY;
          if (keepAliveSeconds === null) offer(own);
          else keepUntil(own, keepAliveSeconds * 1_000);
          if (wasPaused) fill();
        },
        onGone: (cause, hasAnswered) => forget(own, cause, hasAnswered),
      }),
      state: 'opening',
      readySince: Number.POSITIVE_INFINITY,
      dueAt: Number.POSITIVE_INFINITY,
      deadAt: Number.POSITIVE_INFINITY,
      leaving: false,
    };
    lines.add(own);
  }

  function forget(own: OwnLine, cause: unknown, hasAnswered: boolean): void {
    lines.delete(own);
    const at = ready.indexOf(own);
    if (at >= 0) ready.splice(at, 1);
    if (closed) return;
    const wasUp = own.state !== 'opening';
    const stood = now() - own.readySince;
    if (own.state === 'ready' && !hasAnswered && !own.leaving) idle.closedAfter(stood);
    if (hasAnswered || stood >= LIVES_AT_LEAST_MILLIS) failures = 0;
    else if (!own.leaving) waitLonger();
    if (wasUp) openForWaiting();
    // Nobody is left who could carry them.
    else if (lines.size === 0) for (const call of waiting.splice(0)) call.settle(broken(cause));
    fill();
  }

  /** One connection for each request that waits, where the limit allows it. */
  function openForWaiting(): void {
    for (let opening = count('opening'); opening < waiting.length && lines.size < max; opening += 1) open();
  }

  /** Opens in the background what is missing. */
  function fill(): void {
    if (closed || pause !== null) return;
    const at = now();
    let fresh = 0;
    for (const own of lines) if (own.dueAt > at) fresh += 1;
    // After a failure one goes ahead of the others.
    const opening = count('opening');
    const most = failures > 0 && lines.size === opening ? 1 : OPENING_MAX;
    for (let n = opening; n < most && fresh < ahead; n += 1, fresh += 1) open();
  }

  function waitLonger(): void {
    if (pause !== null) return;
    failures += 1;
    const millis = pauseMillis(failures, random());
    pause = setTimeout(() => {
      pause = null;
      openForWaiting();
      fill();
    }, millis);
    pause.unref();
  }

  function endPause(): void {
    if (pause !== null) clearTimeout(pause);
    pause = null;
  }

  // --- connections that the server is going to close -----------------------------------------------------------------------

  function keepUntil(own: OwnLine, millis: number): void {
    const at = now();
    own.dueAt = at + millis / 2;
    own.deadAt = at + millis - LEAVE_BEFORE_MILLIS;
    // What waits already may still go: the server counts idle time.
    if (own.deadAt <= at && waiting.length === 0) {
      leave(own);
      return;
    }
    offer(own);
    tendLater();
  }

  function leave(own: OwnLine): void {
    own.leaving = true;
    own.line.close();
  }

  function tendLater(): void {
    for (const { dueAt } of lines)
      if (dueAt < Number.POSITIVE_INFINITY) tending ??= setTimeout(tend, TEND_EVERY_MILLIS).unref();
  }

  function tend(): void {
    tending = null;
    const at = now();
    for (const own of [...ready]) if (own.deadAt <= at) leave(own);
    fill();
    tendLater();
  }

  /** One that is due goes when a new one is there. */
  function replaceDue(): void {
    const at = now();
    const due = ready.find((own) => own.dueAt <= at);
    if (due === undefined || ready.length < 2) return;
    if (due.deadAt === Number.POSITIVE_INFINITY) idle.replaced();
    leave(due);
  }

  fill();
  return {
    send,
    counts: () => ({
      ready: ready.length,
      opening: count('opening'),
      busy: count('busy'),
      waiting: waiting.length,
    }),
    close() {
      closed = true;
      endPause();
      if (tending !== null) clearTimeout(tending);
      for (const own of [...lines]) own.line.close();
      for (const call of waiting.splice(0)) call.settle(broken(new Error('closed')));
    },
  };
}

/** Before the next attempt after so many in a row that failed; `chance` is 0 to 1, 1 excluded. */
export function pauseMillis(failures: number, chance: number): number {
  const longest = Math.min(PAUSE_MAX_MILLIS, PAUSE_FIRST_MILLIS * 2 ** (failures - 1));
  return longest * (0.5 + chance / 2);
}

/** Makes sockets to an origin. A TLS session is resumed, which spares a round trip and most of the arithmetic. */
function dialer(url: URL, ca: string | undefined) {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:') {
    const port = Number(url.port || 80);
    return { readyEvent: 'connect' as const, open: (): Socket => connect({ host, port }) };
  }
  const port = Number(url.port || 443);
  let session: Buffer | undefined;
  return {
    readyEvent: 'secureConnect' as const,
    open(): Socket {
      const socket = connectTls({
        host,
        port,
        // Said here so that no environment variable can switch the check off.
        rejectUnauthorized: true,
        ALPNProtocols: ['http/1.1'],
        ...(isIP(host) === 0 && { servername: host }),
        ...(ca !== undefined && { ca }),
        ...(session !== undefined && { session }),
      });
      socket.on('session', (next) => {
        session = next;
      });
      return socket;
    },
  };
}

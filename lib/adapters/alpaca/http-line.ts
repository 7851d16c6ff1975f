import type { Socket } from 'node:net';
import { broken, type HttpAnswer } from './http-answer.ts';
import { AnswerReader } from './http-reader.ts';

/** One kept connection that carries one request at a time, and writes it within the call. */
export type Line = {
  /** Only on a line that is ready and has nothing under way. `take` is called once, never within this call. */
  send(request: string, take: (answer: HttpAnswer) => void): void;
  /** Ends the connection; a request under way ends as `connection`. */
  close(): void;
};

export type LineEvents = {
  /** The connection is made, the TLS handshake included. */
  onReady(): void;
  /** An answer has come, and the line can take the next request. It is told after this. */
  onFree(keepAliveSeconds: number | null): void;
  /** The connection is gone, or of no use any more: at once, whatever the socket still does. Called once. */
  onGone(cause: unknown, hasAnswered: boolean): void;
};

const CONNECT_WITHIN_MILLIS = 10_000;
/** Probes of the system, so that what lies between keeps the connection, and a dead one shows before an order needs it. */
const PROBE_AFTER_MILLIS = 15_000;

/** `readyEvent`: what the socket says when bytes can leave. No socket keeps the process alive; its requests' deadlines do. */
export function openLine(socket: Socket, readyEvent: 'connect' | 'secureConnect', events: LineEvents): Line {
  const reader = new AnswerReader();
  let take: ((answer: HttpAnswer) => void) | null = null;
  let failure: unknown = new Error('closed by the other side');
  let gone = false;
  let hasAnswered = false;

  const end = (cause: unknown): void => {
    if (gone) return;
    gone = true;
    clearTimeout(patience);
    const waiting = take;
    take = null;
    events.onGone(cause, hasAnswered);
    waiting?.(broken(cause));
    socket.destroy();
  };
  const patience = setTimeout(() => end(new Error('no connection within 10 s')), CONNECT_WITHIN_MILLIS);
  patience.unref();

  const complete = (): void => {
    const waiting = take;
    if (waiting === null) return;
    const { status, headers, persists } = reader;
    const answer: HttpAnswer = { kind: 'answered', status, headers, body: reader.body() };
    take = null;
    hasAnswered = true;
    reader.reset();
    if (persists) events.onFree(keepAliveOf(headers));
    else end(new Error('closed after the answer'));
    waiting(answer);
  };

  socket.setNoDelay(true);
  socket.setKeepAlive(true, PROBE_AFTER_MILLIS);
  socket.unref();
  socket.on(readyEvent, () => {
    clearTimeout(patience);
    // The handle may be another one than when the attempt began.
    socket.unref();
    if (!gone) events.onReady();
  });
  socket.on('data', (bytes) => {
    if (gone) return;
    if (take === null) {
      end(new Error('an answer came that nobody had asked for'));
      return;
    }
    const progress = reader.feed(bytes);
    if (progress === 'complete') complete();
    else if (progress === 'unreadable') end(new Error('the answer is not readable as HTTP'));
  });
  socket.on('end', () => {
    if (reader.end()) complete();
    end(failure);
  });
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => end(failure));

  return {
    send(request, takeAnswer) {
      take = takeAnswer;
      socket.write(request);
    },
    close: () => end(new Error('closed')),
  };
}

/** How long the server says that it keeps an idle connection. */
function keepAliveOf(headers: Readonly<Record<string, string>>): number | null {
  const said = headers['keep-alive'];
  const seconds = said === undefined ? undefined : /timeout=(\d{1,6})/i.exec(said)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

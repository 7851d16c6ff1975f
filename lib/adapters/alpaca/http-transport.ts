import { type Dispatcher, Pool } from 'undici';
import { httpOrigin } from './endpoints.ts';
import { BODY_MAX_BYTES, broken, type HttpAnswer, tooLate } from './http-answer.ts';

export type HttpTransport = {
  /** Never rejects. `timeoutMillis` of wall time for all of it, from the queue to the last byte of the body. */
  request(request: HttpRequest, timeoutMillis: number): Promise<HttpAnswer>;
  /** Ends every connection; requests under way end as `connection`. */
  close(): Promise<void>;
};

export type HttpRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};

const KEEP_ALIVE_MILLIS = 600_000;

/**
 * A pool of kept connections to one origin, for everything but orders (those have connections of their own, `http-lines.ts`).
 * One request at a time per connection (`pipelining: 1`): nobody waits for the answer to somebody else's request.
 */
export function createHttpTransport(baseUrl: string, connections: number): HttpTransport {
  const url = httpOrigin(baseUrl);
  const pool = new Pool(url.origin, {
    connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
    keepAliveMaxTimeout: KEEP_ALIVE_MILLIS,
    // Said here so that no environment variable can switch the check off.
    connect: { rejectUnauthorized: true },
    // The one deadline is the request's own.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  return {
    request: (request, timeoutMillis) =>
      new Promise((resolve) => {
        const options: Dispatcher.DispatchOptions = {
          method: request.method as 'GET',
          path: pathOf(request.url, url.origin),
          headers: request.headers,
          body: request.body,
        };
        const answer = takeAnswer(timeoutMillis, resolve);
        try {
          pool.dispatch(options, answer);
        } catch (error) {
          answer.fail(error);
        }
      }),
    close: () => pool.destroy(),
  };
}

/** Without a URL object for each request; whatever is not below our own origin is read as one. */
function pathOf(url: string, origin: string): string {
  if (url.startsWith(`${origin}/`) && !url.includes('#')) return url.slice(origin.length);
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/**
 * Takes one answer straight from the parser: no stream, no signal, no promise in between, which together cost as much as
 * the request itself. Settles once; what comes later is not heard.
 */
function takeAnswer(
  timeoutMillis: number,
  settle: (answer: HttpAnswer) => void,
): Dispatcher.DispatchHandler & { fail(error: unknown): void } {
  let controller: Dispatcher.DispatchController | null = null;
  let over = false;
  let late = false;
  let status = 0;
  let headers: Readonly<Record<string, string>> = {};
  let length = 0;
  const chunks: Buffer[] = [];

  const end = (answer: HttpAnswer): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    settle(answer);
  };
  const timer = setTimeout(() => {
    late = true;
    end(tooLate(timeoutMillis));
    controller?.abort(new Error('too late'));
  }, timeoutMillis);
  const fail = (error: unknown): void => end(broken(error));

  return {
    onRequestStart(own) {
      controller = own;
      // It waited for a connection for so long that nobody waits for it any more: it must not leave now.
      if (late) own.abort(new Error('too late'));
    },
    onResponseStart(_controller, statusCode, received) {
      // An interim answer says nothing yet.
      if (statusCode < 200) return;
      status = statusCode;
      headers = flatten(received);
    },
    onResponseData(own, chunk) {
      length += chunk.length;
      if (length > BODY_MAX_BYTES) own.abort(new Error(`an answer has at most ${BODY_MAX_BYTES} bytes`));
      else chunks.push(chunk);
    },
    onResponseEnd() {
      end({ kind: 'answered', status, headers, body: textOf(chunks) });
    },
    onResponseError: (_controller, error) => fail(error),
    fail,
  };
}

const textOf = (chunks: readonly Buffer[]): string =>
  (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)).toString('utf8');

/** Header names differ in case between servers; undici gives them in lower case. Repeated ones are joined. */
function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name.toLowerCase()] = String(value);
  }
  return flat;
}

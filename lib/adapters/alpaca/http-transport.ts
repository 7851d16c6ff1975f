import { Pool } from 'undici';
import { urlRefusal } from './endpoints.ts';

/** One HTTP exchange as it went, whatever the status; nothing is judged here. */
export type HttpAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Names in lower case. */
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: 'timeout'; readonly text: string }
  | { readonly kind: 'connection'; readonly text: string };

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
const BODY_MAX_BYTES = 64 * 1024 * 1024;

/**
 * A pool of kept connections to one origin. One request at a time per connection (`pipelining: 1`): an exit never waits
 * for the answer to somebody else's request.
 */
export function createHttpTransport(baseUrl: string, connections: number): HttpTransport {
  const url = new URL(baseUrl);
  const refusal = urlRefusal(url);
  if (refusal !== null || url.protocol.startsWith('ws'))
    throw new Error(
      `A broker's base URL is ${refusal ?? 'a URL of http or https'}. Found: ${url.protocol}//${url.host}`,
    );
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
    async request(request, timeoutMillis) {
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), timeoutMillis);
      try {
        const target = new URL(request.url);
        const response = await pool.request({
          method: request.method as 'GET',
          path: target.pathname + target.search,
          headers: request.headers,
          body: request.body,
          signal: deadline.signal,
        });
        return {
          kind: 'answered',
          status: response.statusCode,
          headers: flatten(response.headers),
          body: await readBody(response.body),
        };
      } catch (error) {
        if (deadline.signal.aborted)
          return { kind: 'timeout', text: `no complete answer within ${timeoutMillis} ms` };
        return { kind: 'connection', text: describe(error) };
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => pool.destroy(),
  };
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > BODY_MAX_BYTES) throw new Error(`an answer has at most ${BODY_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Header names differ in case between servers; undici gives them in lower case. Repeated ones are joined. */
function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** Code and message of the innermost cause: "fetch failed" says nothing. */
function describe(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof AggregateError && inner.errors[0] instanceof Error) inner = inner.errors[0];
  if (!(inner instanceof Error)) return 'the connection failed';
  const code = 'code' in inner && typeof inner.code === 'string' ? `${inner.code} ` : '';
  return `${code}${inner.message}`;
}

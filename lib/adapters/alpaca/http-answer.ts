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

/** An answer that takes more has nothing that anybody here asked for. */
export const BODY_MAX_BYTES = 64 * 1024 * 1024;

export const tooLate = (timeoutMillis: number): HttpAnswer => ({
  kind: 'timeout',
  text: `no complete answer within ${timeoutMillis} ms`,
});

/** With code and message of the innermost cause: "fetch failed" says nothing. */
export function broken(error: unknown): HttpAnswer {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof AggregateError && inner.errors[0] instanceof Error) inner = inner.errors[0];
  if (!(inner instanceof Error)) return { kind: 'connection', text: 'the connection failed' };
  const code = 'code' in inner && typeof inner.code === 'string' ? `${inner.code} ` : '';
  return { kind: 'connection', text: `${code}${inner.message}` };
}

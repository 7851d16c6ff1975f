/** What an operator can ask of a running daemon. `symbol: null` means every lane; `why` goes into journal and log. */
export type ControlAction =
  | { readonly kind: 'status' }
  /** One lane as its own thread sees it. */
  | { readonly kind: 'lane'; readonly symbol: string }
  | { readonly kind: 'pause'; readonly symbol: string | null; readonly why: string }
  | {
      readonly kind: 'resume';
      readonly symbol: string | null;
      readonly why: string;
      /** Also lifts the kill switch and the daily loss. */
      readonly clearLatches: boolean;
    }
  | { readonly kind: 'flatten'; readonly symbol: string | null; readonly why: string }
  | { readonly kind: 'adopt'; readonly symbol: string; readonly why: string }
  | { readonly kind: 'kill'; readonly why: string };

/** One line of JSON to the socket. `by` names the person for the journal; the socket's mode keeps others out. */
export type ControlRequest = ControlAction & { readonly by: string };

/** One line of JSON back. `value` is plain data; codes are stable. */
export type ControlReply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly text: string };

/** What the daemon does for each request. A handler that throws is answered as `control.failed`. */
export type ControlHandlers = {
  readonly [K in ControlAction['kind']]: (
    request: Extract<ControlRequest, { readonly kind: K }>,
  ) => Promise<ControlReply> | ControlReply;
};

/** A line longer than this is no request of ours. */
export const LINE_BYTES_MAX = 64 * 1024;

const TEXT_MAX = 200;

/** Reads one line; text for people when it is no request. */
export function decodeRequest(line: string): ControlRequest | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return 'a request must be one line of JSON';
  }
  if (typeof parsed !== 'object' || parsed === null) return 'a request must be an object';
  const { kind, symbol = null, why, by, clearLatches = false } = parsed as Readonly<Record<string, unknown>>;
  if (!isText(by)) return 'a request must say who asks (by)';
  if (kind === 'status') return { kind, by };
  if (kind === 'lane')
    return isText(symbol) ? { kind, by, symbol } : 'a question about a lane must name its symbol';
  if (!isText(why)) return 'a request must say why, in one line of at most 200 characters';
  if (kind === 'kill') return { kind, by, why };
  if (symbol !== null && !isText(symbol)) return 'a symbol must be short text';
  switch (kind) {
    case 'pause':
    case 'flatten':
      return { kind, by, why, symbol };
    case 'adopt':
      return symbol === null
        ? 'an adoption must name its symbol: what is not ours is taken over one by one'
        : { kind, by, why, symbol };
    case 'resume':
      return { kind, by, why, symbol, clearLatches: clearLatches === true };
    default:
      return 'a request must be status, lane, pause, resume, flatten, adopt or kill';
  }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= TEXT_MAX && !/\p{Cc}/u.test(value);

/** Reads the daemon's answer; anything unreadable becomes a refusal. */
export function decodeReply(line: string): ControlReply {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && 'ok' in parsed) {
      if (parsed.ok === true && 'value' in parsed) return { ok: true, value: parsed.value };
      if ('code' in parsed && 'text' in parsed)
        return { ok: false, code: String(parsed.code), text: String(parsed.text) };
    }
  } catch {
    // Told below, as any other answer that makes no sense.
  }
  return { ok: false, code: 'control.unreadable', text: 'the daemon must answer with one line of JSON' };
}

import { unreachable } from '../../domain/invariant.ts';
import type { Micros } from '../../domain/time.ts';
import type { EmitSocketEvent, SocketEvent } from '../../engine/connection-driver.ts';
import { type ConnectionPolicy, tradePolicy } from '../../engine/connection-types.ts';
import { type Clock, STOPPED, type Stopwatch } from '../../ports/clock.ts';
import type { Feed, TradeFeedEvents } from '../../ports/feeds.ts';
import { formatDecodeError, parseJson } from './codec-decode-base.ts';
import { decodeTradeFrame, type TradeFrame } from './codec-decode-control.ts';
import { decodeTradeUpdate } from './codec-decode-orders.ts';
import { MsgpackError, MsgpackReader } from './msgpack-reader.ts';
import { createRedact } from './redact.ts';
import { type RunSocket, runSocket, type SocketDialect } from './socket-runner.ts';

export type TradeFeedOptions = {
  /** Full URL, `wss://host/stream`. */
  readonly url: string;
  readonly keyId: string;
  readonly secret: string;
  readonly clock: Clock;
  /** Exchange seconds per wall second, for the waits that measure the network. */
  readonly speed: number;
  random(): number;
  /** Waits and pauses; those of `tradePolicy(speed)` when absent. */
  readonly policy?: ConnectionPolicy;
  /** An exception out of one of the handlers. */
  onFault?(error: unknown): void;
  /** Stamps frames as they come; none are stamped when absent. */
  readonly stopwatch?: Stopwatch;
  /** What the socket runs on; a real one when absent. */
  readonly run?: RunSocket;
};

const STREAM = 'trade_updates';
/** The stream is one for the account: the machine's "symbol" for it. */
const ALL = '*';

/**
 * Alpaca's order stream. Frames are JSON, in text or in binary frames as the server likes; MessagePack is read as well. It
 * is best effort: no replay, repeats possible, so that polling and the reducers behind it have the last word.
 */
export function openTradeFeed(options: TradeFeedOptions, events: TradeFeedEvents): Feed {
  const redact = createRedact([options.keyId, options.secret]);
  const fault = (error: unknown): void => options.onFault?.(error);
  const unreadable = (what: string): void => guarded(fault, () => events.onUnreadable(redact(what)));

  const reader = new MsgpackReader();
  const stopwatch = options.stopwatch ?? STOPPED;
  let heardAt = 0;

  const onUpdate = (data: unknown, receivedAt: Micros): void => {
    const decoded = decodeTradeUpdate(data, receivedAt);
    if (!decoded.ok) {
      unreadable(formatDecodeError(decoded.error));
      return;
    }
    guarded(fault, () => events.onReport(decoded.value.report, heardAt));
    if (decoded.value.unreadable !== null) unreadable(decoded.value.unreadable);
  };

  const onItem = (item: unknown, receivedAt: Micros, emit: EmitSocketEvent): void => {
    const decoded = decodeTradeFrame(item);
    if (!decoded.ok) unreadable(formatDecodeError(decoded.error));
    else if (decoded.value.kind === 'update') onUpdate(decoded.value.data, receivedAt);
    else {
      const event = eventOf(decoded.value);
      if (event !== null) emit(event);
    }
  };

  const dialect: SocketDialect = {
    url: options.url,
    headers: {},
    authenticate: () => JSON.stringify({ action: 'auth', key: options.keyId, secret: options.secret }),
    subscribe: () => JSON.stringify({ action: 'listen', data: { streams: [STREAM] } }),
    onFrame(frame, _isBinary, emit): void {
      if (isHeartbeat(frame)) return;
      heardAt = stopwatch();
      const receivedAt = options.clock.now();
      const value = decodeFrame(frame, reader);
      // A server that batches, as the data socket does, loses nothing here.
      for (const item of Array.isArray(value) ? value : [value]) onItem(item, receivedAt, emit);
    },
  };

  return (options.run ?? runSocket)(dialect, {
    policy: options.policy ?? tradePolicy(options.speed),
    wanted: { symbols: [ALL], required: [STREAM], optional: [] },
    clock: options.clock,
    random: options.random,
    redact,
    onStatus: (status) => events.onStatus(status),
    heardAt: () => null,
    dueSince: () => null,
    onFault: fault,
  });
}

function guarded(fault: (error: unknown) => void, task: () => void): void {
  try {
    task();
  } catch (error) {
    fault(error);
  }
}

/** The machine's event for a frame that is no update; `null` for a stream that nobody asked for. */
function eventOf(frame: Exclude<TradeFrame, { kind: 'update' }>): SocketEvent | null {
  switch (frame.kind) {
    case 'authorized':
      return { kind: 'authenticated' };
    case 'unauthorized':
      return { kind: 'unauthorized', text: frame.text };
    case 'error':
      return { kind: 'errored', code: null, text: frame.text };
    case 'listening':
      return frame.error === null
        ? { kind: 'confirmed', channels: { [STREAM]: frame.streams.includes(STREAM) ? [ALL] : [] } }
        : { kind: 'errored', code: null, text: frame.error };
    case 'other':
      return null;
    default:
      return unreachable(frame);
  }
}

/** Old servers send one byte now and then. */
const isHeartbeat = (frame: Buffer): boolean =>
  frame.length === 0 || (frame.length === 1 && frame[0] === 0x01);

/** MessagePack when it begins like a map or a list of it, else JSON; `undefined` when it is neither. */
function decodeFrame(frame: Buffer, reader: MsgpackReader): unknown {
  const first = frame[0] ?? 0;
  if (first < 0x80) return parseJson(frame.toString('utf8'));
  reader.reset(frame);
  try {
    return reader.value();
  } catch (error) {
    if (error instanceof MsgpackError) return undefined;
    throw error;
  }
}

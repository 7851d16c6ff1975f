import { Packr } from 'msgpackr';
import type { Ticker } from '../../domain/ids.ts';
import { unreachable } from '../../domain/invariant.ts';
import type { Micros } from '../../domain/time.ts';
import type { EmitSocketEvent, SocketEvent } from '../../engine/connection-driver.ts';
import { type ConnectionPolicy, dataPolicy } from '../../engine/connection-types.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DataFeedEvents, Feed, MarketMessage, PrintTaker } from '../../ports/feeds.ts';
import { type DecodeError, formatDecodeError } from './codec-decode-base.ts';
import type { DataControl } from './codec-decode-control.ts';
import { decodeMarketJson, type MarketSink } from './codec-decode-market.ts';
import { createMsgpackMarketDecoder } from './codec-decode-market-msgpack.ts';
import { createRedact } from './redact.ts';
import { type RunSocket, runSocket, type SocketDialect } from './socket-runner.ts';
import type { TurnShareOptions } from './turn-share.ts';

export type DataFeedOptions = {
  /** Full URL, `wss://host/v2/iex`. */
  readonly url: string;
  readonly keyId: string;
  readonly secret: string;
  readonly clock: Clock;
  /** Exchange seconds per wall second, for the waits that measure the network. */
  readonly speed: number;
  random(): number;
  /** Waits and pauses; those of `dataPolicy(speed)` when absent. */
  readonly policy?: ConnectionPolicy;
  /** `msgpack` unless the other side knows only text. */
  readonly codec?: 'msgpack' | 'json';
  /** Best bid and offer as well: many times the traffic. */
  readonly quotes?: boolean;
  /** How long market data may keep others waiting, and may wait themselves; `TURN` when absent. */
  readonly turn?: Pick<TurnShareOptions, 'limit' | 'behindAfter'>;
  /** A message that could not be read. Told for at most one in a thousand when they come in masses. */
  onUnreadable?(what: string): void;
  /** An exception out of one of the handlers. */
  onFault?(error: unknown): void;
  /** What the socket runs on; a real one when absent. */
  readonly run?: RunSocket;
};

const REQUIRED = ['trades', 'bars'];
const OPTIONAL = ['updatedBars', 'statuses', 'lulds'];
/**
 * Milliseconds. A fill waits for one turn's trades at the most: some thousand, one read of the socket. Fewer cannot be had,
 * more is no faster. Marks that are a hundredth of a second late are nothing to act on.
 */
const TURN = { limit: 0.2, behindAfter: 10 };
const CONTENT_TYPE = 'application/msgpack';

/** Alpaca's data socket as a feed of decoded messages; keeps itself connected until it is closed. */
export function openDataFeed(
  options: DataFeedOptions,
  symbols: readonly Ticker[],
  events: DataFeedEvents,
): Feed {
  const redact = createRedact([options.keyId, options.secret]);
  const binary = (options.codec ?? 'msgpack') === 'msgpack';
  const packr = new Packr({ useRecords: false });
  const encode = (frame: object): string | Uint8Array => (binary ? packr.pack(frame) : JSON.stringify(frame));
  const decodeBinary = createMsgpackMarketDecoder();
  const tell = everyThousandth((error: DecodeError) =>
    options.onUnreadable?.(redact(formatDecodeError(error))),
  );
  const fault = (error: unknown): void => options.onFault?.(error);

  let heardAt: Micros | null = null;
  let heard = false;
  let emit: EmitSocketEvent = () => {};
  // One sink for all frames: nothing is allocated per frame on the hot path.
  const sink: MarketSink = {
    message(message: MarketMessage): void {
      heard = true;
      // One message that a handler cannot take must not cost the others of its frame.
      try {
        events.onMessage(message);
      } catch (error) {
        fault(error);
      }
    },
    control(control: DataControl): void {
      const event = eventOf(control);
      if (event !== null) emit(event);
    },
    unreadable: tell,
    ...(events.prints && { prints: takerOf(events.prints) }),
  };

  function takerOf(prints: PrintTaker<object>): PrintTaker<object> {
    return {
      ...prints,
      take(line, price, at, isEligible) {
        heard = true;
        try {
          prints.take(line, price, at, isEligible);
        } catch (error) {
          fault(error);
        }
      },
    };
  }

  let behind = false;
  function turnOver(isBehind: boolean): void {
    try {
      events.prints?.turnOver();
      if (isBehind === behind) return;
      behind = isBehind;
      events.onBehind?.(isBehind);
    } catch (error) {
      fault(error);
    }
  }

  const dialect: SocketDialect = {
    url: options.url,
    headers: binary ? { 'Content-Type': CONTENT_TYPE } : {},
    authenticate: () => encode({ action: 'auth', key: options.keyId, secret: options.secret }),
    subscribe: (channels, wanted) =>
      encode({ action: 'subscribe', ...Object.fromEntries(channels.map((name) => [name, wanted])) }),
    onFrame(frame, isBinary, toMachine): void {
      emit = toMachine;
      heard = false;
      // By the frame and not by what was asked for: a server may answer an upgrade with the codec it prefers.
      if (isBinary) decodeBinary(frame, sink);
      else decodeMarketJson(frame.toString('utf8'), sink);
      if (heard) heardAt = options.clock.now();
    },
    share: { ...(options.turn ?? TURN), over: turnOver },
  };

  return (options.run ?? runSocket)(dialect, {
    policy: options.policy ?? dataPolicy(options.speed),
    wanted: {
      symbols: [...new Set(symbols)],
      required: REQUIRED,
      optional: options.quotes === true ? [...OPTIONAL, 'quotes'] : OPTIONAL,
    },
    clock: options.clock,
    random: options.random,
    redact,
    onStatus: (status) => events.onStatus(status),
    heardAt: () => heardAt,
    dueSince: (at) => events.dueSince(at),
    onFault: fault,
  });
}

/** The machine's event for a control frame; the greeting needs none, for the authorization was sent without it. */
function eventOf(control: DataControl): SocketEvent | null {
  switch (control.kind) {
    case 'connected':
      return null;
    case 'authenticated':
      return { kind: 'authenticated' };
    case 'error':
      return { kind: 'errored', code: control.code, text: control.text };
    case 'subscription':
      return { kind: 'confirmed', channels: control.channels };
    default:
      return unreachable(control);
  }
}

/** The first hundred, then one in a thousand: a feed gone mad must not fill the log. */
function everyThousandth<T>(tell: (value: T) => void): (value: T) => void {
  let count = 0;
  return (value) => {
    count += 1;
    if (count <= 100 || count % 1_000 === 0) tell(value);
  };
}

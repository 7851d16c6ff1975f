import type { IncomingMessage } from 'node:http';
import { unpack } from 'msgpackr';
import type { RawData, WebSocket } from 'ws';
import type { Micros } from '../../domain/time.ts';
import type { TradeUpdate } from '../../sim/exchange-api.ts';
import type { ConnectFault, Faults } from '../../sim/faults.ts';
import { asUnknownEvent, encodeTradeUpdate } from '../alpaca/codec-encode-orders.ts';
import {
  authorizationFrame,
  type Credentials,
  decodeTradeSocketRequest,
  listeningError,
  listeningFrame,
  streamFault,
  tradeUpdateFrame,
} from '../alpaca/codec-serve-sockets.ts';
import { parseJson, wantsMsgpack } from './data-codec.ts';
import { toBuffer } from './data-socket.ts';
import type { KeyCheck } from './keys.ts';
import { packMessage } from './msgpack-writer.ts';
import { GARBAGE, GOING_AWAY, type Later, openLine, type SocketLine, strikeLine } from './socket-line.ts';

/**
 * The order-update socket. No greeting: clients take the first frame after their auth as its answer. Each update is a
 * frame of its own; `listen` replaces the set of streams. Nothing is replayed after a reconnect.
 */
export type TradeHub = {
  accept(ws: WebSocket, request: IncomingMessage, fault: ConnectFault): void;
  publish(update: TradeUpdate, at: Micros): void;
  /** Cuts every connection without a close frame. */
  drop(): void;
  close(): void;
};

export type TradeHubOptions = {
  readonly keys: KeyCheck;
  readonly authTimeoutMs: number;
  readonly bufferedMax: number;
  /** The paper host sends JSON in binary frames; text is what other hosts send. */
  readonly frames: 'binary' | 'text';
  readonly faults: Faults | null;
  readonly later: Later;
};

const STREAM = 'trade_updates';

type Session = {
  readonly ws: WebSocket;
  readonly packed: boolean;
  readonly line: SocketLine;
  authorized: boolean;
  listening: boolean;
  timer: NodeJS.Timeout | null;
};

export function createTradeHub(options: TradeHubOptions): TradeHub {
  const sessions = new Set<Session>();
  let sequence = 0;

  function say(session: Session, frame: Record<string, unknown>): void {
    session.line.put(encode(session, frame));
  }

  function authenticate(session: Session, credentials: Credentials): void {
    if (session.authorized) {
      say(session, listeningError('your connection is already authenticated'));
      return;
    }
    session.authorized = options.keys(credentials);
    if (session.authorized) stopTimer(session);
    say(session, authorizationFrame(session.authorized ? 'authorized' : 'unauthorized', 'authenticate'));
  }

  function listen(session: Session, streams: readonly string[]): void {
    if (!session.authorized) {
      say(session, authorizationFrame('unauthorized', 'listen'));
      return;
    }
    session.listening = streams.includes(STREAM);
    // A stream that does not exist here is missing from the answer.
    say(session, listeningFrame(session.listening ? [STREAM] : []));
  }

  function onMessage(session: Session, data: RawData): void {
    const request = decodeTradeSocketRequest(decode(session, toBuffer(data)));
    if (request.kind === 'auth') authenticate(session, request.credentials);
    else if (request.kind === 'listen') listen(session, request.streams);
    else {
      say(session, streamFault('invalid syntax'));
      session.ws.close();
    }
  }

  function deliver(session: Session, update: TradeUpdate, at: Micros, data: Record<string, unknown>): void {
    const send = (body: Record<string, unknown>): void =>
      session.line.put(encode(session, tradeUpdateFrame(body)));
    const { side, symbol } = update.order;
    const fault = options.faults?.onFrame('trading', { event: update.event, side, symbol }, at);
    switch (fault?.kind) {
      case 'drop':
        return;
      case 'duplicate':
        for (let copy = 0; copy <= fault.extra; copy += 1) send(data);
        return;
      case 'delay':
        options.later(fault.delay, () => send(data));
        return;
      case 'unknownEvent':
        send(asUnknownEvent(data));
        return;
      case 'garbage':
        session.line.put(GARBAGE);
        return;
      default:
        send(data);
    }
  }

  return {
    accept: (ws, request, fault) => {
      const packed = wantsMsgpack(request.headers['content-type']);
      const session: Session = {
        ws,
        packed,
        line: openLine({
          ws,
          binary: packed || options.frames === 'binary',
          bufferedMax: options.bufferedMax,
          onSlow: () => ws.terminate(),
        }),
        authorized: false,
        listening: false,
        timer: fault.kind === 'silent' ? null : setTimeout(() => ws.close(), options.authTimeoutMs),
      };
      sessions.add(session);
      ws.on('message', (data) => onMessage(session, data));
      ws.on('error', () => ws.terminate());
      ws.on('close', () => {
        sessions.delete(session);
        stopTimer(session);
      });
      strikeLine(fault, session.line, ws, options.later, () => ws.terminate());
    },
    publish: (update, at) => {
      sequence += 1;
      let data: Record<string, unknown> | null = null;
      for (const session of sessions) {
        if (!session.listening) continue;
        data ??= encodeTradeUpdate(update, at, sequence);
        deliver(session, update, at, data);
      }
    },
    drop: () => {
      for (const session of sessions) session.ws.terminate();
    },
    close: () => {
      for (const session of sessions) {
        stopTimer(session);
        session.ws.close(GOING_AWAY);
      }
    },
  };
}

const encode = (session: Session, frame: Record<string, unknown>): string | Buffer =>
  session.packed ? packMessage(frame) : JSON.stringify(frame);

/** A msgpack client may still send its first words as JSON text: both are read. */
function decode(session: Session, frame: Buffer): unknown {
  const asJson = parseJson(frame);
  if (!session.packed || asJson !== undefined) return asJson;
  try {
    return unpack(frame);
  } catch {
    return undefined;
  }
}

function stopTimer(session: Session): void {
  if (session.timer !== null) clearTimeout(session.timer);
  session.timer = null;
}

import type { IncomingMessage } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import type { Micros } from '../../domain/time.ts';
import type { MarketEvent } from '../../sim/exchange-api.ts';
import type { ConnectFault, Faults } from '../../sim/faults.ts';
import { SOCKET_ERRORS, type SocketErrorCode } from '../alpaca/codec-encode-errors.ts';
import {
  CHANNELS,
  type Channel,
  channelOf,
  symbolOf,
  typeOf,
  unknownMessage,
} from '../alpaca/codec-encode-market.ts';
import {
  type Credentials,
  credentialsOf,
  decodeDataSocketRequest,
  socketError,
  subscriptionFrame,
  success,
} from '../alpaca/codec-serve-sockets.ts';
import { type Codec, codecFor, type EncodedEvent } from './data-codec.ts';
import type { KeyCheck } from './keys.ts';
import type { DataPlan } from './rest-types.ts';
import { createSlots } from './session-slots.ts';
import {
  ABNORMAL,
  GARBAGE,
  GOING_AWAY,
  type Later,
  openLine,
  type SocketLine,
  strikeLine,
} from './socket-line.ts';

/**
 * The market-data socket, as the protocol notes describe it:
 *
 * 1. The greeting goes out at once; authentication may come before the client has read it.
 * 2. Control messages go alone in an array of length 1; data of one step of time goes together.
 * 3. A subscribe is answered with the complete set; a refused one changes nothing.
 * 4. One session per key and feed. The refused socket stays open: clients retry on it.
 */
export type DataHub = {
  accept(ws: WebSocket, request: IncomingMessage, feed: string, fault: ConnectFault): void;
  publish(event: MarketEvent): void;
  /** Sends what was published since the last call. */
  flush(): void;
  /** Symbols anybody subscribed to on a feed, `*` included. */
  wantedOn(feed: string): ReadonlySet<string>;
  /** Delivers to the sessions of one feed only. */
  publishOn(feed: string, event: MarketEvent): void;
  /** Cuts every connection without a close frame. */
  drop(): void;
  close(): void;
};

export type DataHubOptions = {
  readonly keys: KeyCheck;
  readonly plan: DataPlan;
  readonly authTimeoutMs: number;
  /** How long a session that ended without a close frame keeps its slot. */
  readonly staleSlotMs: number;
  readonly bufferedMax: number;
  readonly faults: Faults | null;
  readonly now: () => Micros;
  readonly later: Later;
};

/** The feed that carries this one symbol alone, round the clock. */
export const TEST_FEED = 'test';
export const TEST_SYMBOL = 'FAKEPACA';

/** A frame beyond this many messages is split. */
const FRAME_MAX = 1_000;
const SLOW_GRACE_MS = 1_000;

type Session = {
  readonly ws: WebSocket;
  readonly feed: string;
  readonly codec: Codec;
  readonly line: SocketLine;
  readonly fault: ConnectFault;
  readonly wanted: ReadonlyMap<Channel, Set<string>>;
  slot: string | null;
  timer: NodeJS.Timeout | null;
  pending: EncodedEvent[];
};

export function createDataHub(options: DataHubOptions): DataHub {
  const sessions = new Set<Session>();
  const slots = createSlots(options.staleSlotMs);

  function say(session: Session, message: Record<string, unknown>): void {
    session.line.put(session.codec.frame([session.codec.encode(message)]));
  }

  function refuse(session: Session, code: SocketErrorCode): void {
    say(session, socketError(code, SOCKET_ERRORS[code]));
  }

  function authenticate(session: Session, credentials: Credentials): void {
    const slot = `${session.feed} ${credentials.key}`;
    const code = authVerdict(session, credentials, slot);
    if (code !== null) {
      refuse(session, code);
      return;
    }
    slots.take(slot);
    session.slot = slot;
    stopTimer(session);
    say(session, success('authenticated'));
  }

  function authVerdict(session: Session, credentials: Credentials, slot: string): SocketErrorCode | null {
    if (session.slot !== null) return 403;
    if (!options.keys(credentials)) return 402;
    if (session.feed !== TEST_FEED && !options.plan.feeds.includes(session.feed)) return 409;
    return slots.isTaken(slot) || session.fault.kind === 'slotTaken' ? 406 : null;
  }

  function subscribe(session: Session, channels: ReadonlyMap<Channel, readonly string[]>): void {
    const code = subscribeVerdict(session, [...channels.values()].flat());
    if (code !== null) {
      refuse(session, code);
      return;
    }
    for (const [channel, symbols] of channels)
      for (const symbol of symbols) session.wanted.get(channel)?.add(symbol);
    confirm(session);
  }

  function subscribeVerdict(session: Session, asked: readonly string[]): SocketErrorCode | null {
    if (session.feed === TEST_FEED && asked.some((symbol) => symbol !== TEST_SYMBOL && symbol !== '*'))
      return 400;
    const limit = options.plan.symbolLimit;
    if (limit === null) return null;
    const all = new Set([...[...session.wanted.values()].flatMap((set) => [...set]), ...asked]);
    return all.size > limit ? 405 : null;
  }

  function unsubscribe(session: Session, channels: ReadonlyMap<Channel, readonly string[]>): void {
    for (const [channel, symbols] of channels)
      for (const symbol of symbols) session.wanted.get(channel)?.delete(symbol);
    confirm(session);
  }

  function confirm(session: Session): void {
    say(
      session,
      subscriptionFrame((channel) => [...(session.wanted.get(channel) ?? [])]),
    );
  }

  function onMessage(session: Session, data: RawData): void {
    const request = decodeDataSocketRequest(session.codec.decode(toBuffer(data)));
    if (request.kind === 'malformed') refuse(session, 400);
    else if (request.kind === 'auth') authenticate(session, request.credentials);
    else if (session.slot === null) refuse(session, 401);
    else {
      flushSession(session);
      if (request.kind === 'subscribe') subscribe(session, request.channels);
      else unsubscribe(session, request.channels);
    }
  }

  function onClose(session: Session, clean: boolean): void {
    sessions.delete(session);
    stopTimer(session);
    if (session.slot !== null) slots.free(session.slot, clean);
  }

  function giveUp(session: Session): void {
    session.pending = [];
    const { ws, codec } = session;
    ws.send(codec.frame([codec.encode(socketError(407, SOCKET_ERRORS[407]))]), { binary: codec.binary });
    ws.close();
    session.timer = setTimeout(() => ws.terminate(), SLOW_GRACE_MS);
    session.timer.unref();
  }

  function flushSession(session: Session): void {
    while (session.pending.length > 0)
      session.line.put(session.codec.frame(session.pending.splice(0, FRAME_MAX)));
  }

  function deliver(event: MarketEvent, matches: (session: Session) => boolean): void {
    const channel = channelOf(event);
    const symbol = symbolOf(event);
    const encoded = new Map<Codec, EncodedEvent>();
    for (const session of sessions) {
      const wanted = session.wanted.get(channel);
      if (wanted === undefined || wanted.size === 0 || !matches(session)) continue;
      if (!wanted.has(symbol) && !wanted.has('*')) continue;
      let message = encoded.get(session.codec);
      if (message === undefined) {
        message = session.codec.encodeEvent(event);
        encoded.set(session.codec, message);
      }
      if (options.faults === null) session.pending.push(message);
      else suffer(options.faults, session, event, message);
    }
  }

  /** The faults of the line strike single messages: a frame holds many that have nothing to do with each other. */
  function suffer(faults: Faults, session: Session, event: MarketEvent, message: EncodedEvent): void {
    const frame = { event: typeOf(event), side: null, symbol: symbolOf(event) };
    const fault = faults.onFrame('data', frame, options.now());
    switch (fault.kind) {
      case 'pass':
        session.pending.push(message);
        return;
      case 'drop':
        return;
      case 'duplicate':
        for (let copy = 0; copy <= fault.extra; copy += 1) session.pending.push(message);
        return;
      case 'delay':
        options.later(fault.delay, () => session.line.put(session.codec.frame([message])));
        return;
      case 'unknownEvent':
        session.pending.push(session.codec.encode(unknownMessage(symbolOf(event))));
        return;
      case 'garbage':
        flushSession(session);
        session.line.put(GARBAGE);
    }
  }

  return {
    accept: (ws, request, feed, fault) => {
      const codec = codecFor(request.headers['content-type']);
      const session: Session = {
        ws,
        feed,
        codec,
        fault,
        line: openLine({
          ws,
          binary: codec.binary,
          bufferedMax: options.bufferedMax,
          onSlow: () => giveUp(session),
        }),
        wanted: new Map(CHANNELS.map((channel) => [channel, new Set<string>()])),
        slot: null,
        timer: null,
        pending: [],
      };
      sessions.add(session);
      ws.on('close', (code) => onClose(session, code !== ABNORMAL));
      ws.on('error', () => ws.terminate());
      strikeLine(fault, session.line, ws, options.later, () => giveUp(session));
      // It hears nothing either: a session that never began holds no slot.
      if (fault.kind === 'silent') return;
      ws.on('message', (data) => onMessage(session, data));
      session.timer = setTimeout(() => {
        refuse(session, 404);
        ws.close();
      }, options.authTimeoutMs);
      say(session, success('connected'));
      const fromHeaders = credentialsOf(request.headers);
      if (fromHeaders !== null) authenticate(session, fromHeaders);
    },
    publish: (event) => {
      if (sessions.size > 0) deliver(event, (session) => session.feed !== TEST_FEED);
    },
    publishOn: (feed, event) => deliver(event, (session) => session.feed === feed),
    wantedOn: (feed) => {
      const symbols = new Set<string>();
      for (const session of sessions)
        if (session.feed === feed)
          for (const set of session.wanted.values()) for (const s of set) symbols.add(s);
      return symbols;
    },
    flush: () => {
      for (const session of sessions) if (session.pending.length > 0) flushSession(session);
    },
    drop: () => {
      for (const session of sessions) session.ws.terminate();
    },
    close: () => {
      for (const session of sessions) {
        stopTimer(session);
        session.ws.close(GOING_AWAY);
      }
      slots.close();
    },
  };
}

function stopTimer(session: Session): void {
  if (session.timer !== null) clearTimeout(session.timer);
  session.timer = null;
}

export function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

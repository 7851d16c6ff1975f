import type { Ticker } from '../domain/ids.ts';
import { after, type Duration, type Micros, micros } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Exchange, MarketEvent } from './exchange-api.ts';
import type { ConnectFault, Faults } from './faults.ts';
import { createListener, type Line, type Listener, type Session, suffer } from './sim-socket.ts';

/**
 * The market-data socket on virtual time; what it answers is what the loopback door answers:
 *
 * 1. The greeting goes out at once; authentication may come before the client has read it.
 * 2. A subscribe is answered with the complete set; a refused one changes nothing.
 * 3. One session for the account. The refused one stays open; a session whose line broke holds its slot for a while.
 */
export type DataRequest =
  | { readonly kind: 'authenticate' }
  | {
      readonly kind: 'subscribe';
      readonly channels: readonly string[];
      readonly symbols: readonly string[];
    };

export type DataFrame =
  | { readonly kind: 'greeting' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'error'; readonly code: number; readonly text: string }
  /** The complete set, by channel. */
  | { readonly kind: 'subscribed'; readonly channels: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: 'market'; readonly event: ChannelEvent }
  | { readonly kind: 'unreadable' };

export type ChannelEvent = Exclude<MarketEvent, { kind: 'dailyBar' }>;
/** Channels are named for the events they carry. */
export type DataChannel = ChannelEvent['kind'];

export type DataDoorOptions = {
  readonly clock: Clock;
  readonly exchange: Pick<Exchange, 'onMarketEvent'>;
  readonly faults: Faults | null;
  readonly answerTime: Duration;
  /** Whether the client's key is good. */
  readonly authorized?: () => boolean;
  /** Most symbols in one session; `null` for no limit. */
  readonly symbolLimit?: number | null;
  /** How long a session that ended without a close frame keeps its slot; Alpaca's servers take about 90 s. */
  readonly staleSlot?: Duration;
};

/** How long a connection may take to authenticate. */
const AUTH_TIMEOUT = 10_000_000 as Duration;
const ERRORS: Readonly<Record<number, string>> = {
  400: 'invalid syntax',
  401: 'not authenticated',
  402: 'auth failed',
  403: 'already authenticated',
  404: 'auth timeout',
  405: 'symbol limit exceeded',
  406: 'connection limit exceeded',
  407: 'slow client',
  410: 'invalid subscribe action for this feed',
};
/** How scripted faults name the events of this stream. */
const LETTERS: Readonly<Record<DataChannel, string>> = {
  print: 't',
  quote: 'q',
  bar: 'b',
  updatedBar: 'u',
  status: 's',
  luld: 'l',
};

type Subscriber = { readonly line: Line<DataFrame>; readonly wanted: Map<string, Set<string>> };

export function createDataDoor(options: DataDoorOptions): Listener<DataRequest, DataFrame> {
  const { clock, faults } = options;
  const subscribers = new Set<Subscriber>();
  let holder: Line<DataFrame> | null = null;
  let staleUntil: Micros = micros(0);

  function accept(line: Line<DataFrame>, fault: ConnectFault): Session<DataRequest> {
    const subscriber: Subscriber = { line, wanted: new Map() };
    const timeout = line.later(AUTH_TIMEOUT, () => {
      refuse(line, 404);
      line.end(true, 'closed by the other side (code 1000)');
    });
    line.put({ kind: 'greeting' });
    return {
      onRequest(request) {
        if (request.kind === 'subscribe') {
          subscribe(subscriber, request.channels, request.symbols);
          return;
        }
        const code = authVerdict(line, fault);
        if (code !== null) {
          refuse(line, code);
          return;
        }
        holder = line;
        timeout.cancel();
        subscribers.add(subscriber);
        line.put({ kind: 'authenticated' });
      },
      onEnd(clean) {
        subscribers.delete(subscriber);
        if (holder !== line) return;
        holder = null;
        if (!clean) staleUntil = after(clock.now(), options.staleSlot ?? (0 as Duration));
      },
      giveUp() {
        refuse(line, 407);
        line.end(true, 'closed by the other side (code 1000)');
      },
    };
  }

  function authVerdict(line: Line<DataFrame>, fault: ConnectFault): number | null {
    if (holder === line) return 403;
    if (options.authorized?.() === false) return 402;
    return holder !== null || clock.now() < staleUntil || fault.kind === 'slotTaken' ? 406 : null;
  }

  function subscribe(
    { line, wanted }: Subscriber,
    channels: readonly string[],
    symbols: readonly string[],
  ): void {
    if (holder !== line) {
      refuse(line, 401);
      return;
    }
    if (!channels.every((channel) => channel in LETTERS)) {
      refuse(line, 410);
      return;
    }
    const all = new Set([...[...wanted.values()].flatMap((set) => [...set]), ...symbols]);
    if (all.size > (options.symbolLimit ?? Number.POSITIVE_INFINITY)) {
      refuse(line, 405);
      return;
    }
    for (const channel of channels)
      wanted.set(channel, new Set([...(wanted.get(channel) ?? []), ...symbols]));
    const set = Object.fromEntries([...wanted].map(([channel, of]) => [channel, [...of]]));
    line.put({ kind: 'subscribed', channels: set });
  }

  function publish(event: MarketEvent): void {
    if (subscribers.size === 0 || event.kind === 'dailyBar') return;
    const symbol = symbolOf(event);
    for (const { line, wanted } of subscribers) {
      if (wanted.get(event.kind)?.has(symbol) !== true) continue;
      const whole: DataFrame = { kind: 'market', event };
      if (faults === null) line.put(whole);
      else {
        const match = { event: LETTERS[event.kind], side: null, symbol };
        suffer(faults, 'data', { match, at: clock.now() }, { whole, unknown, garbage: unknown }, line);
      }
    }
  }

  options.exchange.onMarketEvent(publish);
  return createListener({ clock, stream: 'data', faults, answerTime: options.answerTime, accept });
}

const unknown = (): DataFrame => ({ kind: 'unreadable' });

const refuse = (line: Line<DataFrame>, code: number): void =>
  line.put({ kind: 'error', code, text: ERRORS[code] ?? '' });

function symbolOf(event: ChannelEvent): Ticker {
  switch (event.kind) {
    case 'print':
      return event.print.symbol;
    case 'quote':
      return event.quote.symbol;
    case 'status':
      return event.status.symbol;
    case 'luld':
      return event.band.symbol;
    default:
      return event.bar.symbol;
  }
}

import { type Duration, type Micros, minutes, seconds } from '../domain/time.ts';
import type { FeedStatus } from '../ports/feeds.ts';

/**
 * One machine for both sockets. What differs between them is data: this policy, and the frames, which only the adapter
 * knows.
 */
export type ConnectionPolicy = {
  /** From the first byte of the connection to `opened`. */
  readonly connectWait: Duration;
  /** For the answer to the authentication, and to each subscription. */
  readonly answerWait: Duration;
  readonly pingEvery: Duration;
  readonly pongWait: Duration;
  /** First pause after a loss; doubles up to `backoffMax`. The pause is drawn from the upper half of that. */
  readonly backoffFirst: Duration;
  readonly backoffMax: Duration;
  /** The doubling starts over only after a connection was live for so long. */
  readonly healthyAfter: Duration;
  /** 406: Alpaca keeps a dead connection's slot for 90 s. */
  readonly slotWait: Duration;
  /** Wrong key, wrong plan: asking again soon changes nothing and costs the request budget. */
  readonly refusedWait: Duration;
  /** Silence of all wanted symbols after which the feed counts as mute; `null` for a socket that may be silent. */
  readonly muteAfter: Duration | null;
  /** The longest that silence is waited out when reconnecting has not ended it. */
  readonly muteAfterMax: Duration;
  /** Symbols in one subscription. */
  readonly batchMax: number;
};

/**
 * Waits that measure the machine and the network, not the market, in wall time: at sixty times the speed of the
 * exchange a network is not sixty times as quick. `base` of exchange time, but never less than `wallFloor` of wall time.
 */
export function transportWait(base: Duration, wallFloor: Duration, speed: number): Duration {
  return Math.max(base, Math.ceil(wallFloor * speed)) as Duration;
}

/** The same rule in wall milliseconds, for timers that do not run on the exchange's clock. */
export function transportMillis(base: Duration, wallFloor: Duration, speed: number): number {
  return Math.max(1, Math.ceil(transportWait(base, wallFloor, speed) / speed / 1_000));
}

/** The policy of the data socket at `speed` exchange seconds per wall second. */
export function dataPolicy(speed: number): ConnectionPolicy {
  return {
    connectWait: transportWait(seconds(15), seconds(3), speed),
    answerWait: transportWait(seconds(10), seconds(2), speed),
    pingEvery: transportWait(seconds(10), seconds(1), speed),
    pongWait: transportWait(seconds(5), seconds(2), speed),
    backoffFirst: transportWait(seconds(1), seconds(0.1), speed),
    backoffMax: transportWait(seconds(30), seconds(2), speed),
    healthyAfter: transportWait(seconds(30), seconds(1), speed),
    slotWait: seconds(90),
    refusedWait: minutes(5),
    muteAfter: transportWait(seconds(90), seconds(2), speed),
    muteAfterMax: transportWait(minutes(24), seconds(60), speed),
    batchMax: 1_000,
  };
}

/** Orders may rest for hours: silence of the order stream means nothing. */
export function tradePolicy(speed: number): ConnectionPolicy {
  return { ...dataPolicy(speed), muteAfter: null };
}

/** What has to be confirmed: every symbol on every required channel; `optional` channels are asked for and not missed. */
export type Wanted = {
  readonly symbols: readonly string[];
  readonly required: readonly string[];
  readonly optional: readonly string[];
};

/** What survives from one attempt to the next. */
export type ConnectionBase = {
  readonly policy: ConnectionPolicy;
  readonly wanted: Wanted;
  /** Number of the socket in use or used last; events of earlier ones are stale. */
  readonly socket: number;
  /** Losses since the connection was last healthy. */
  readonly losses: number;
  /** Times in a row that the feed went mute without having brought anything. */
  readonly mutes: number;
};

/**
 * 1. `live` means authenticated, and every wanted symbol confirmed or reported as refused.
 * 2. Every state but `idle` and `closed` has an instant at which it ends by itself: the machine never gives up.
 * 3. At most one socket is open, and at most one subscription waits for its answer.
 */
export type Connection = ConnectionBase &
  (
    | { readonly kind: 'idle' }
    | { readonly kind: 'connecting'; readonly deadlineAt: Micros }
    | { readonly kind: 'authenticating'; readonly deadlineAt: Micros }
    | { readonly kind: 'subscribing'; readonly deadlineAt: Micros; readonly progress: Progress }
    | {
        readonly kind: 'live';
        readonly since: Micros;
        readonly ping: Ping;
        readonly refused: readonly string[];
      }
    | { readonly kind: 'waiting'; readonly until: Micros }
    | { readonly kind: 'slotTaken'; readonly until: Micros }
    | { readonly kind: 'refused'; readonly until: Micros }
    | { readonly kind: 'closed' }
  );

export type Ping =
  | { readonly kind: 'resting'; readonly nextAt: Micros }
  | { readonly kind: 'sent'; readonly deadlineAt: Micros };

/** How far the wanted symbols are subscribed. */
export type Progress = {
  /** Asked for and not answered yet. */
  readonly asked: readonly string[];
  readonly queue: readonly string[];
  readonly confirmed: readonly string[];
  readonly refused: readonly string[];
  /** Most symbols that the server can still take in all, as its refusals tell; `null` while it has refused none. */
  readonly limit: number | null;
  /** Channels asked for; the optional ones are dropped when the feed does not know them. */
  readonly channels: readonly string[];
};

/** Each event brings its instant and a random number from 0 to 1 (1 excluded). `socket` tells which socket it is about. */
export type ConnectionEvent = { readonly at: Micros; readonly random: number } & (
  | { readonly kind: 'started' }
  | { readonly kind: 'opened'; readonly socket: number }
  /** The upgrade was answered with something else. */
  | { readonly kind: 'upgradeRefused'; readonly socket: number; readonly status: number }
  | { readonly kind: 'lost'; readonly socket: number; readonly text: string }
  | { readonly kind: 'authenticated'; readonly socket: number }
  | { readonly kind: 'unauthorized'; readonly socket: number; readonly text: string }
  /** An error frame; `code` by Alpaca's list for the data socket. */
  | { readonly kind: 'errored'; readonly socket: number; readonly code: number | null; readonly text: string }
  /** The complete set the server has for us, by channel. */
  | {
      readonly kind: 'confirmed';
      readonly socket: number;
      readonly channels: Readonly<Record<string, readonly string[]>>;
    }
  | { readonly kind: 'ponged'; readonly socket: number }
  /**
   * The instant that `wakeAt` asked for. `heardAt`: the last message of the market on this socket; `dueSince`: since when
   * data are to be expected (the open, the resume of the last halted symbol), `null` while none are.
   */
  | { readonly kind: 'woke'; readonly heardAt: Micros | null; readonly dueSince: Micros | null }
  | { readonly kind: 'closeAsked' }
);

export type ConnectionCommand =
  | { readonly kind: 'open'; readonly socket: number }
  | { readonly kind: 'authenticate' }
  | { readonly kind: 'subscribe'; readonly channels: readonly string[]; readonly symbols: readonly string[] }
  | { readonly kind: 'ping' }
  /** Ends the socket with a close frame; one that does not answer is cut off by the adapter. */
  | { readonly kind: 'drop'; readonly socket: number; readonly politely: boolean }
  | { readonly kind: 'status'; readonly status: FeedStatus };

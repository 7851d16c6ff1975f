import type { Ticker } from '../domain/ids.ts';
import { unreachable } from '../domain/invariant.ts';
import { after, type Duration, type Micros } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { DataFeedEvents, Feed, FeedEvents, OpenDataFeed, OpenTradeFeed } from '../ports/feeds.ts';
import { createDataDoor, type DataChannel, type DataFrame, type DataRequest } from '../sim/data-door.ts';
import type { Exchange } from '../sim/exchange-api.ts';
import type { Faults } from '../sim/faults.ts';
import { createRandom } from '../sim/random.ts';
import type { ClientEnd, Listener } from '../sim/sim-socket.ts';
import { createTradeDoor, type TradeFrame, type TradeRequest } from '../sim/trade-door.ts';
import {
  type ConnectionHost,
  type DrivenSocket,
  driveConnection,
  type EmitSocketEvent,
  type SocketEvent,
} from './connection-driver.ts';
import { type ConnectionPolicy, dataPolicy, tradePolicy } from './connection-types.ts';
import { reportOfUpdate } from './direct-orders.ts';

/** The exchange's side of both sockets. It outlives the processes that connect to it. */
export type SocketDoors = {
  readonly data: Listener<DataRequest, DataFrame>;
  readonly trade: Listener<TradeRequest, TradeFrame>;
};

export type SocketDoorsOptions = {
  readonly clock: Clock;
  readonly exchange: Pick<Exchange, 'onMarketEvent' | 'onTradeUpdate'>;
  readonly faults: Faults | null;
  /** From the start of a connection to `live`, when nothing is in its way. */
  readonly connecting: Duration;
  /** Whether the client's key is good; it is unless this says otherwise. */
  readonly authorized?: () => boolean;
  /** Most symbols in one data session; no limit when absent. */
  readonly symbolLimit?: number | null;
  /** How long a broken data session keeps its slot: about 90 s at Alpaca, not at all when absent. */
  readonly staleSlot?: Duration;
};

export function createSocketDoors(options: SocketDoorsOptions): SocketDoors {
  // Upgrade, authorization, subscription.
  const answerTime = Math.floor(options.connecting / 3) as Duration;
  return {
    data: createDataDoor({ ...options, answerTime }),
    trade: createTradeDoor({ ...options, answerTime }),
  };
}

/**
 * Both feeds on virtual time: the daemon's own connection machines, on simulated sockets to an embedded exchange. What a
 * broken connection misses is lost for it, as in life.
 */
export type DirectFeeds = {
  readonly openDataFeed: OpenDataFeed;
  readonly openTradeFeed: OpenTradeFeed;
  /** Breaks a feed's connections and lets nobody in for so long; the feed comes back by itself, some back-off later. */
  cut(which: 'data' | 'trade', length: Duration): void;
  /** The process is gone: its connections break without a close frame, and nothing reaches it any more. */
  abandon(): void;
};

export type DirectFeedsOptions = SocketDoorsOptions & {
  /** Draws the pauses between attempts, 0 to 1, 1 excluded; a fixed stream when absent. */
  readonly random?: () => number;
  /** The exchange's side, where it is shared with an earlier or another process; of its own when absent. */
  readonly doors?: SocketDoors;
  readonly dataPolicy?: ConnectionPolicy;
  readonly tradePolicy?: ConnectionPolicy;
};

const REQUIRED: readonly DataChannel[] = ['print', 'bar'];
const OPTIONAL: readonly DataChannel[] = ['updatedBar', 'status', 'luld'];
/** The order stream is one for the account: the machine's "symbol" for it. */
const ALL = '*';
const UPDATES = 'updates';

export function createDirectFeeds(options: DirectFeedsOptions): DirectFeeds {
  const { clock } = options;
  const doors = options.doors ?? createSocketDoors(options);
  const random = options.random ?? fixedRandom();
  const ends = new Set<ClientEnd<never>>();

  /** A client's end as the driver wants it. */
  function open<Request, Frame>(
    door: Listener<Request, Frame>,
    emit: EmitSocketEvent,
    words: {
      readonly authenticate: Request;
      subscribe(channels: readonly string[], symbols: readonly string[]): Request;
      onFrame(frame: Frame): void;
    },
  ): DrivenSocket {
    const end = door.connect({
      onOpen: () => emit({ kind: 'opened' }),
      onRefused: (status) => emit({ kind: 'upgradeRefused', status }),
      onFrame: words.onFrame,
      onPong: () => emit({ kind: 'ponged' }),
      onGone: (text) => emit({ kind: 'lost', text }),
    });
    ends.add(end);
    return {
      authenticate: () => end.send(words.authenticate),
      subscribe: (channels, symbols) => end.send(words.subscribe(channels, symbols)),
      ping: () => end.ping(),
      drop(politely) {
        ends.delete(end);
        end.close(politely);
      },
    };
  }

  function drive(
    host: Pick<ConnectionHost, 'policy' | 'wanted' | 'open' | 'heardAt' | 'dueSince'>,
    events: FeedEvents,
  ): Feed {
    const connection = driveConnection({
      ...host,
      clock,
      random,
      whenRead: (task) => task(),
      onStatus: (status) => events.onStatus(status),
      onFault(error) {
        throw error;
      },
    });
    return {
      start: connection.start,
      async close() {
        connection.close();
      },
    };
  }

  function openDataFeed(symbols: readonly Ticker[], events: DataFeedEvents): Feed {
    let heardAt: Micros | null = null;
    const onFrame = (frame: DataFrame, emit: EmitSocketEvent): void => {
      if (frame.kind === 'market') {
        heardAt = clock.now();
        events.onMessage(frame.event);
        return;
      }
      const event = eventOfData(frame);
      if (event !== null) emit(event);
    };
    return drive(
      {
        policy: options.dataPolicy ?? dataPolicy(1),
        wanted: { symbols: [...new Set(symbols)], required: REQUIRED, optional: OPTIONAL },
        open: (emit) =>
          open<DataRequest, DataFrame>(doors.data, emit, {
            authenticate: { kind: 'authenticate' },
            subscribe: (channels, wanted) => ({ kind: 'subscribe', channels, symbols: wanted }),
            onFrame: (frame) => onFrame(frame, emit),
          }),
        heardAt: () => heardAt,
        dueSince: events.dueSince,
      },
      events,
    );
  }

  const openTradeFeed: OpenTradeFeed = (events) => {
    const onFrame = (frame: TradeFrame, emit: EmitSocketEvent): void => {
      switch (frame.kind) {
        case 'update':
          events.onReport(reportOfUpdate(frame.update, clock.now()), 0);
          return;
        case 'unreadable':
          events.onUnreadable(frame.what);
          return;
        case 'authorized':
          emit({ kind: 'authenticated' });
          return;
        case 'unauthorized':
          emit({ kind: 'unauthorized', text: 'the key was not accepted' });
          return;
        case 'listening':
          emit({ kind: 'confirmed', channels: { [UPDATES]: [ALL] } });
          return;
        default:
          unreachable(frame);
      }
    };
    return drive(
      {
        policy: options.tradePolicy ?? tradePolicy(1),
        wanted: { symbols: [ALL], required: [UPDATES], optional: [] },
        open: (emit) =>
          open<TradeRequest, TradeFrame>(doors.trade, emit, {
            authenticate: { kind: 'authenticate' },
            subscribe: () => ({ kind: 'listen' }),
            onFrame: (frame) => onFrame(frame, emit),
          }),
        heardAt: () => null,
        dueSince: () => null,
      },
      events,
    );
  };

  return {
    openDataFeed,
    openTradeFeed,
    cut(which, length) {
      doors[which].refuseUntil(after(clock.now(), length));
      doors[which].drop();
    },
    abandon() {
      for (const end of ends) end.close(false);
      ends.clear();
    },
  };
}

/** The machine's event for a frame that is not of the market; `null` for one that says nothing to it. */
function eventOfData(frame: Exclude<DataFrame, { kind: 'market' }>): SocketEvent | null {
  switch (frame.kind) {
    case 'authenticated':
      return { kind: 'authenticated' };
    case 'error':
      return { kind: 'errored', code: frame.code, text: frame.text };
    case 'subscribed':
      return { kind: 'confirmed', channels: frame.channels };
    // Authorization was sent without waiting for the greeting; what cannot be read is missed like what was lost.
    case 'greeting':
    case 'unreadable':
      return null;
    default:
      return unreachable(frame);
  }
}

function fixedRandom(): () => number {
  const random = createRandom('direct feeds');
  return () => random.uniform();
}

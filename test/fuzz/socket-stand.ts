import {
  authorizationFrame,
  listeningFrame,
  success,
} from '../../lib/adapters/alpaca/codec-serve-sockets.ts';
import { openDataFeed } from '../../lib/adapters/alpaca/data-feed.ts';
import { openTradeFeed } from '../../lib/adapters/alpaca/trade-feed.ts';
import { after, micros, millis, parseInstant, seconds } from '../../lib/domain/time.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Feed, FeedStatus } from '../../lib/ports/feeds.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { SYMBOLS } from '../engine/simulated-day.ts';
import { KEY, SECRET, subscribedNode } from './corpus.ts';
import { isPolluted, type Report, showsSecret, textOf } from './finding.ts';
import { type ClientEnd, frameSockets, type ServerEnd } from './frame-sockets.ts';
import { DATA_WIRE, encodeFrame, type Frame, TRADE_WIRE } from './frames.ts';
import { type Node, toNode } from './node.ts';
import { wrongInMessage, wrongInReport, wrongInStatus } from './well-formed.ts';

export type SocketName = 'data' | 'trading';

/** What came of the frames, by kind of message, report or complaint. */
export type Counts = Map<string, number>;
export const count = (counts: Counts, what: string): void =>
  void counts.set(what, (counts.get(what) ?? 0) + 1);

/** One socket's own feed on a server that answers as it should, and takes frames in between. */
export type SocketStand = {
  /** Hands a frame in, on a connection that is live when that can be had. */
  deliver(frame: Frame): void;
};

const NOW = parseInstant('2026-10-05T14:30:00Z') ?? micros(0);
/** Longer than the longest pause that a connection machine makes. */
const LIVE_WITHIN = seconds(300);
/** What passes between two frames: less than it takes a mute socket to be noticed. */
const BETWEEN = millis(20);

export function openSocketStand(socket: SocketName, report: Report, counts: Counts): SocketStand {
  const clock = createVirtualClock(NOW);
  const random = createRandom('socket stand');
  let client: ClientEnd | null = null;
  let frameText = '';
  let state: FeedStatus['state'] = 'connecting';
  const wire = socket === 'data' ? DATA_WIRE : TRADE_WIRE;

  /** The answers of a server in good order. */
  function connect(opened: ClientEnd): ServerEnd {
    const later = (task: () => void): void =>
      void clock.at(after(clock.now(), millis(1)), () => {
        if (client === opened) task();
      });
    const say = (message: Record<string, unknown> | Node): void => {
      const node = 'kind' in message ? (message as Node) : toNode(message);
      const { bytes, isBinary } = encodeFrame([node], wire, socket === 'data', true);
      opened.frame(bytes, isBinary);
    };
    client = opened;
    later(() => opened.opened());
    return {
      authenticate: () =>
        later(() =>
          say(
            socket === 'data' ? success('authenticated') : authorizationFrame('authorized', 'authenticate'),
          ),
        ),
      subscribe: () =>
        later(() => say(socket === 'data' ? subscribedNode() : listeningFrame(['trade_updates']))),
      ping: () => later(() => opened.ponged()),
      close() {
        if (client === opened) client = null;
      },
    };
  }

  const complain = (rule: string, text: string | null): void => {
    if (text !== null) report(rule, text);
  };
  const tell = (kind: string, text: string): void => {
    count(counts, kind);
    if (showsSecret(text, frameText)) report('secretShown', text);
  };
  const common = {
    keyId: KEY,
    secret: SECRET,
    clock,
    speed: 1,
    random: () => random.uniform(),
    run: frameSockets(connect),
    onFault: (error: unknown) => report('threw', textOf(error)),
  };
  const onStatus = (status: FeedStatus): void => {
    if (status.state === 'live' && state !== 'live') count(counts, 'connected');
    state = status.state;
    complain('illFormedStatus', wrongInStatus(status));
    tell('status', `${status.detail} ${(status.missing ?? []).join()}`);
  };

  function openFeed(): Feed {
    if (socket === 'trading')
      return openTradeFeed(
        { ...common, url: 'ws://127.0.0.1:1/stream' },
        {
          onStatus,
          onReport(each) {
            count(counts, 'report');
            complain('illFormedReport', wrongInReport(each));
          },
          onUnreadable: (what) => tell('unreadable', what),
        },
      );
    return openDataFeed(
      { ...common, url: 'ws://127.0.0.1:1/v2/iex', onUnreadable: (what) => tell('unreadable', what) },
      SYMBOLS,
      {
        onStatus,
        onMessage(message) {
          count(counts, message.kind);
          complain(`illFormed ${message.kind}`, wrongInMessage(message));
        },
        dueSince: () => null,
      },
    );
  }

  let feed = openFeed();
  feed.start();

  function becomeLive(): void {
    const until = after(clock.now(), LIVE_WITHIN);
    while (state !== 'live') {
      const next = clock.nextAt();
      // A refused key is for people to mend: the machine stays where it is.
      if (state === 'refused' || state === 'closed' || next === null || next > until) {
        if (next === null ? state === 'waiting' : next > until) report('neverLive', state);
        void feed.close();
        client = null;
        state = 'connecting';
        feed = openFeed();
        feed.start();
      } else clock.runNext();
    }
  }

  return {
    deliver(frame) {
      if (state !== 'live' || client === null) becomeLive();
      frameText = frame.bytes.toString('latin1');
      client?.frame(frame.bytes, frame.isBinary);
      clock.runUntil(after(clock.now(), BETWEEN));
      if (isPolluted()) report('polluted', 'a frame has changed what every object inherits');
    },
  };
}

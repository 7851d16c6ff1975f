import { after, type Duration, type Micros } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Feed, FeedStatus, OpenDataFeed, OpenTradeFeed } from '../ports/feeds.ts';
import type { Log } from '../ports/log.ts';
import type { Loop } from './loop.ts';
import type { OverloadSettings } from './overload.ts';
import { createOverloadWatch } from './overload-watch.ts';

const NOT_STARTED: FeedStatus = { state: 'connecting', detail: 'not started' };

/** Both feeds of the engine: what they bring goes to the loop, where they stand opens and shuts the entries. */
export type FeedKeeper = {
  readonly data: () => FeedStatus;
  readonly trade: () => FeedStatus;
  open(): void;
  /**
   * Resolves when both feeds are live, when one is refused, or after `patience`: a daemon that is not ready in time starts
   * all the same, with its entries shut.
   */
  live(patience: Duration): Promise<void>;
  /** What a server refused for good: a wrong key, or a plan without this feed. `null` while none did. */
  refusal(): string | null;
  /** Since when more market data arrive than can be taken, and entries are shut for it; `null` while they are not. */
  overloadedSince(): Micros | null;
  close(): Promise<void>;
};

export type FeedKeeperDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly openDataFeed: OpenDataFeed;
  readonly openTradeFeed: OpenTradeFeed;
  readonly settings: { readonly overload: OverloadSettings };
};

export function createFeedKeeper(deps: FeedKeeperDeps, loop: Loop): FeedKeeper {
  const { clock, log } = deps;
  const { symbols, hub, tracker, gates, recorder, reconciler, paths } = loop;
  const overload = createOverloadWatch({
    clock,
    log,
    gates,
    settings: deps.settings.overload,
    prints: () => hub.stats().prints,
  });
  let data = NOT_STARTED;
  let trade = NOT_STARTED;
  let feeds: readonly Feed[] = [];
  let onChange: (() => void) | null = null;

  function openTrade(): Feed {
    return deps.openTradeFeed({
      onStatus(status) {
        trade = status;
        tell('trade', status);
        const isLive = status.state === 'live';
        tracker.setBlind(!isLive);
        gates.tradeFeed(isLive, clock.now());
        if (isLive) reconciler.soon();
      },
      onReport(report, heardAt) {
        paths.heard(heardAt);
        tracker.heard(report);
        paths.over();
        void recorder.write('report', report.symbol, report);
      },
      onUnreadable(what) {
        log.error('feed.unreadable', { text: what, consequence: 'all working orders are read' });
        tracker.sweep();
      },
    });
  }

  function openData(): Feed {
    return deps.openDataFeed(symbols, {
      onStatus(status) {
        const wasLive = data.state === 'live';
        data = status;
        tell('data', status);
        const isLive = status.state === 'live';
        if (isLive && !wasLive) hub.gap();
        gates.dataFeed(isLive, status.missing);
      },
      onMessage: hub.message,
      prints: hub.prints,
      onBehind: overload.behind,
      dueSince: hub.dueSince,
    });
  }

  function tell(feed: 'trade' | 'data', { state: now, detail }: FeedStatus): void {
    const level = now === 'refused' || now === 'slotTaken' ? 'error' : now === 'waiting' ? 'warn' : 'info';
    log[level]('feed.state', { feed, state: now, text: detail });
    onChange?.();
  }

  return {
    data: () => data,
    trade: () => trade,
    open() {
      feeds = [openTrade(), openData()];
      tracker.setBlind(true);
      for (const feed of feeds) feed.start();
    },
    live: (patience) =>
      new Promise((resolve) => {
        const done = (): void => {
          onChange = null;
          timer.cancel();
          resolve();
        };
        const timer = clock.at(after(clock.now(), patience), done);
        onChange = () => {
          const states = [trade.state, data.state];
          if (states.includes('refused') || states.every((each) => each === 'live')) done();
        };
        onChange();
      }),
    refusal: () => [trade, data].find(({ state }) => state === 'refused')?.detail ?? null,
    overloadedSince: overload.shutSince,
    async close() {
      await Promise.all(feeds.map((feed) => feed.close()));
      overload.stop();
    },
  };
}

import type { Ticker } from '../domain/ids.ts';
import { after, type Duration } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Feed, FeedEvents, FeedState, OpenDataFeed, OpenTradeFeed } from '../ports/feeds.ts';
import type { Exchange, MarketEvent, TradeUpdate } from '../sim/exchange-api.ts';
import type { Faults, FrameFault } from '../sim/faults.ts';
import { reportOfUpdate } from './direct-orders.ts';

/**
 * Both feeds straight from an embedded exchange. A feed can be cut: what happens meanwhile is lost for it, as with a socket.
 */
export type DirectFeeds = {
  readonly openDataFeed: OpenDataFeed;
  readonly openTradeFeed: OpenTradeFeed;
  /** Cuts a feed for so long; it comes back by itself. */
  cut(which: 'data' | 'trade', length: Duration): void;
};

type Line = { live: boolean; cutBy: number; say: ((state: FeedState, detail: string) => void) | null };

export function createDirectFeeds(deps: {
  readonly clock: Clock;
  readonly exchange: Exchange;
  /** From `start` to `live`. */
  readonly connecting: Duration;
  readonly faults: Faults | null;
}): DirectFeeds {
  const { clock, exchange, connecting, faults } = deps;
  const lines: Record<'data' | 'trade', Line> = {
    data: { live: false, cutBy: 0, say: null },
    trade: { live: false, cutBy: 0, say: null },
  };

  function feed(line: Line, events: FeedEvents, listen: () => () => void): Feed {
    let unlisten: (() => void) | null = null;
    return {
      start() {
        line.say = (state, detail) => {
          line.live = state === 'live';
          events.onStatus({ state, detail });
        };
        line.say('connecting', 'direct');
        unlisten = listen();
        clock.at(after(clock.now(), connecting), () => line.say?.('live', 'direct'));
      },
      async close() {
        unlisten?.();
        line.say?.('closed', 'by us');
        line.say = null;
      },
    };
  }

  /** What the fault plan makes of one frame: how often and how late it comes. */
  function deliveries(fault: FrameFault): readonly number[] {
    switch (fault.kind) {
      case 'pass':
        return [0];
      case 'duplicate':
        return Array<number>(fault.extra + 1).fill(0);
      case 'delay':
        return [fault.delay];
      default:
        return [];
    }
  }

  return {
    openDataFeed: (symbols, events) => {
      const wanted = new Set<Ticker>(symbols);
      return feed(lines.data, events, () =>
        exchange.onMarketEvent((event) => {
          if (!lines.data.live || event.kind === 'dailyBar' || !wanted.has(symbolOf(event))) return;
          events.onMessage(event);
        }),
      );
    },
    openTradeFeed: (events) =>
      feed(lines.trade, events, () =>
        exchange.onTradeUpdate((update: TradeUpdate) => {
          if (!lines.trade.live) return;
          const { side, symbol } = update.order;
          const fault = faults?.onFrame('trading', { event: update.event, side, symbol }, clock.now());
          for (const late of deliveries(fault ?? { kind: 'pass' }))
            clock.at(after(clock.now(), late as Duration), () =>
              events.onReport(reportOfUpdate(update, clock.now())),
            );
          if (fault?.kind === 'garbage' || fault?.kind === 'unknownEvent')
            clock.at(clock.now(), () => events.onUnreadable(`${fault.kind}: ${update.order.clientOrderId}`));
        }),
      ),
    cut(which, length) {
      const line = lines[which];
      line.say?.('waiting', 'cut');
      line.cutBy += 1;
      const cut = line.cutBy;
      clock.at(after(clock.now(), length), () => {
        if (cut === line.cutBy) line.say?.('live', 'back');
      });
    },
  };
}

function symbolOf(event: Exclude<MarketEvent, { kind: 'dailyBar' }>): Ticker {
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

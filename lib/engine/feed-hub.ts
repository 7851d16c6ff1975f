import type { Ticker } from '../domain/ids.ts';
import {
  type Bar,
  type HaltState,
  type LuldBand,
  MARK_AHEAD_MAX,
  type Mark,
  type Print,
  type TradingStatus,
} from '../domain/market.ts';
import { isEligible } from '../domain/sale-conditions.ts';
import { isSessionBar, type SessionPlan } from '../domain/session.ts';
import { after, type Micros } from '../domain/time.ts';
import type { Broker } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { MarketMessage } from '../ports/feeds.ts';
import type { LaneInputMessage } from '../ports/lane-protocol.ts';
import type { Log } from '../ports/log.ts';
import { createBarKeeper } from './bar-keeper.ts';
import type { RequestQueue } from './request-queue.ts';
import type { FeedSettings } from './settings.ts';

/**
 * From the data socket to the lanes.
 *
 * 1. A lane sees each bar of the session once, in time order, and never a bar while an earlier one may still be missing:
 *    the bar keeper sees to that.
 * 2. Only eligible prints set the mark, and the mark never goes back in time; one from the future holds its place only until
 *    the next print.
 */
export type FeedHub = {
  message(message: MarketMessage): void;
  /** The feed came up, or came back: what it missed has to be fetched. */
  gap(): void;
  openSession(plan: SessionPlan): void;
  /** This session's bars that were handed to the lane. */
  bars(symbol: Ticker): readonly Bar[];
  mark(symbol: Ticker): Mark | null;
  /** Whether trading is halted, as far as was told. */
  isHalted(symbol: Ticker): boolean;
  /** The symbol was halted when an earlier run last heard of it: what was told since then is not known. */
  seedHalt(symbol: Ticker, since: Micros): void;
  /** The bands in force; `null` when none were told since the feed came up. */
  band(symbol: Ticker): LuldBand | null;
  /** A last trade known from a query. */
  seedMark(symbol: Ticker, mark: Mark): void;
  /**
   * Since when the market should be heard: the open, the resume of the last symbol to resume, the end of what the broker
   * proved to be quiet; `null` outside the session, and while every symbol is halted. What tells a dead feed from a quiet
   * market.
   */
  dueSince(at: Micros): Micros | null;
  stats(): FeedStats;
  stop(): void;
};

export type FeedStats = {
  readonly prints: number;
  readonly bars: number;
  readonly backfilled: number;
  /** Bars that corrected an earlier one; what was decided on the first stays decided. */
  readonly updatedBars: number;
  readonly filling: number;
};

export type FeedHubEvents = {
  onInput(symbol: Ticker, input: LaneInputMessage): void;
  onMark(symbol: Ticker, mark: Mark): void;
  /** A bar came again, corrected: a lane that had it is not told. */
  onUpdatedBar?(bar: Bar): void;
};

export type FeedHubDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly log: Log;
  readonly settings: FeedSettings;
  readonly symbols: readonly Ticker[];
  readonly events: FeedHubEvents;
};

type Line = {
  mark: Mark | null;
  halt: HaltState;
  haltChangedAt: Micros | null;
  /** When the feed came back after a gap inside the halt: the frame that told the resume may be lost. */
  blindUntil: Micros | null;
  band: LuldBand | null;
};

export function createFeedHub(deps: FeedHubDeps): FeedHub {
  const { clock, log, events } = deps;
  const lines = new Map<Ticker, Line>(deps.symbols.map((symbol) => [symbol, newLine()]));
  let plan: SessionPlan | null = null;
  let prints = 0;
  let barCount = 0;
  let updatedBars = 0;

  const keeper = createBarKeeper({
    ...deps,
    onBars(symbol, bars, origin) {
      const line = lines.get(symbol);
      if (line !== undefined) for (const bar of bars) takeAsProof(line, bar);
      events.onInput(symbol, { kind: 'bars', at: clock.now(), bars, origin });
    },
  });

  // --- marks and halts -------------------------------------------------------------------------------------------------

  function setMark(symbol: Ticker, mark: Mark): void {
    const line = lines.get(symbol);
    if (line !== undefined) takeMark(symbol, line, mark);
  }

  function takeMark(symbol: Ticker, line: Line, mark: Mark): void {
    if (line.mark !== null && mark.at < line.mark.at && line.mark.at <= after(clock.now(), MARK_AHEAD_MAX))
      return;
    line.mark = mark;
    events.onMark(symbol, mark);
  }

  function onPrint(print: Print): void {
    prints += 1;
    if (!isEligible(print.conditions)) return;
    const line = lines.get(print.symbol);
    if (line === undefined) return;
    if (line.halt === 'halted' && line.blindUntil !== null && print.at > line.blindUntil)
      changeHalt(print.symbol, line, 'trading', 'print', 'it trades, and the feed was gone during the halt');
    takeMark(print.symbol, line, { price: print.price, at: print.at });
  }

  function onStatus(status: TradingStatus): void {
    const line = lines.get(status.symbol);
    if (line === undefined) return;
    changeHalt(status.symbol, line, status.state, status.code, status.reason);
    // Said again, for the same halt or the next one: bars from before this word prove nothing.
    if (status.state === 'halted') line.haltChangedAt = clock.now();
  }

  function changeHalt(symbol: Ticker, line: Line, halt: HaltState, code: string, text: string): void {
    if (line.halt === halt) return;
    line.halt = halt;
    line.haltChangedAt = clock.now();
    line.blindUntil = null;
    log.warn('feed.halt', { symbol, state: halt, code, text });
    events.onInput(symbol, { kind: 'haltChanged', at: clock.now(), halt });
  }

  /**
   * The frame that told the resume may be lost with its connection: a whole minute of trading tells it as well. So does one
   * that had to be fetched: in a halt a mute connection is not missed.
   */
  function takeAsProof(line: Line, bar: Bar): void {
    if (line.halt !== 'halted' || line.haltChangedAt === null) return;
    if (bar.startAt < line.haltChangedAt || bar.startAt > clock.now()) return;
    changeHalt(bar.symbol, line, 'trading', 'bar', 'a whole bar traded since the halt');
  }

  // --- bars ------------------------------------------------------------------------------------------------------------

  function onBar(bar: Bar): void {
    const line = lines.get(bar.symbol);
    if (line === undefined || plan === null || !isSessionBar(plan, bar.startAt)) return;
    barCount += 1;
    takeAsProof(line, bar);
    keeper.bar(bar);
  }

  function gap(): void {
    for (const line of lines.values()) {
      // Bands change by the minute: what was told before the gap may be wrong now.
      line.band = null;
      if (line.halt === 'halted') line.blindUntil = clock.now();
    }
    keeper.gap();
  }

  return {
    message(message) {
      switch (message.kind) {
        case 'print':
          onPrint(message.print);
          break;
        case 'bar':
          onBar(message.bar);
          break;
        case 'updatedBar':
          updatedBars += 1;
          if (lines.has(message.bar.symbol)) events.onUpdatedBar?.(message.bar);
          keeper.bar(message.bar);
          break;
        case 'status':
          onStatus(message.status);
          break;
        case 'luld': {
          const line = lines.get(message.band.symbol);
          if (line !== undefined) line.band = message.band;
          break;
        }
        default:
          // Quotes decide nothing here.
          break;
      }
    },
    gap,
    openSession(opened) {
      plan = opened;
      keeper.openSession(opened);
    },
    bars: keeper.bars,
    mark: (symbol) => lines.get(symbol)?.mark ?? null,
    seedMark: setMark,
    isHalted: (symbol) => lines.get(symbol)?.halt === 'halted',
    seedHalt(symbol, since) {
      const line = lines.get(symbol);
      if (line !== undefined)
        Object.assign(line, { halt: 'halted', haltChangedAt: since, blindUntil: clock.now() });
    },
    band: (symbol) => lines.get(symbol)?.band ?? null,
    dueSince(at) {
      if (plan === null || at < plan.openAt || at >= plan.closeAt) return null;
      const open = plan.openAt;
      const trading = [...lines].filter(([, { halt }]) => halt === 'trading');
      if (trading.length === 0) return null;
      // One symbol that should have been heard is enough.
      return Math.min(
        ...trading.map(([symbol, { haltChangedAt }]) =>
          Math.max(open, haltChangedAt ?? open, keeper.quietTo(symbol)),
        ),
      ) as Micros;
    },
    stats: () => ({ prints, bars: barCount, updatedBars, ...keeper.stats() }),
    stop() {
      keeper.stop();
      plan = null;
    },
  };
}

const newLine = (): Line => ({
  mark: null,
  halt: 'trading',
  haltChangedAt: null,
  blindUntil: null,
  band: null,
});

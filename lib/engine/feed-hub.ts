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
import type { Price } from '../domain/money.ts';
import { isEligible } from '../domain/sale-conditions.ts';
import { isSessionBar, type SessionPlan } from '../domain/session.ts';
import { after, type Micros } from '../domain/time.ts';
import type { Broker } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { MarketMessage, PrintTaker } from '../ports/feeds.ts';
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
  /**
   * Marks that come this way are known here at once, and conflate: with the end of the turn, or before its next input, a lane
   * is told the newest.
   */
  readonly prints: PrintTaker<object>;
  /** The feed came up, or came back: what it missed has to be fetched. */
  gap(): void;
  openSession(plan: SessionPlan): void;
  /** Resolves when no bars are being fetched any more. */
  caughtUp(): Promise<void>;
  /** This session's bars that were handed to the lane, or that were there before it was. */
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
  readonly symbol: Ticker;
  /** The mark; an instant of -1 while none is known. */
  price: Price;
  at: Micros;
  /** The lanes have not been told the mark yet. */
  isDue: boolean;
  halt: HaltState;
  haltChangedAt: Micros | null;
  /** When the feed came back after a gap inside the halt: the frame that told the resume may be lost. */
  blindUntil: Micros | null;
  band: LuldBand | null;
};

export function createFeedHub(deps: FeedHubDeps): FeedHub {
  const { clock, log, events } = deps;
  const lines = new Map<Ticker, Line>(deps.symbols.map((symbol) => [symbol, newLine(symbol)]));
  let plan: SessionPlan | null = null;
  const due: Line[] = [];
  let prints = 0;
  let barCount = 0;
  let updatedBars = 0;

  const keeper = createBarKeeper({
    ...deps,
    onBars(symbol, bars, origin) {
      const line = lines.get(symbol);
      if (line !== undefined) for (const bar of bars) takeAsProof(line, bar);
      tell(symbol, line, { kind: 'bars', at: clock.now(), bars, origin });
    },
  });

  // --- marks and halts -------------------------------------------------------------------------------------------------

  function takeMark(line: Line, price: Price, at: Micros): boolean {
    if (at < line.at && line.at <= after(clock.now(), MARK_AHEAD_MAX)) return false;
    line.price = price;
    line.at = at;
    return true;
  }

  function tellMark(line: Line): void {
    line.isDue = false;
    events.onMark(line.symbol, { price: line.price, at: line.at });
  }

  /** A lane's input never overtakes the mark that came before it. */
  function tell(symbol: Ticker, line: Line | undefined, input: LaneInputMessage): void {
    if (line?.isDue === true) tellMark(line);
    events.onInput(symbol, input);
  }

  function takePrint(line: Line, price: Price, at: Micros): boolean {
    if (line.halt === 'halted' && line.blindUntil !== null && at > line.blindUntil)
      changeHalt(line.symbol, line, 'trading', 'print', 'it trades, and the feed was gone during the halt');
    return takeMark(line, price, at);
  }

  function onPrint({ symbol, conditions, price, at }: Print): void {
    prints += 1;
    const line = isEligible(conditions) ? lines.get(symbol) : undefined;
    if (line !== undefined && takePrint(line, price, at)) tellMark(line);
  }

  const quick: PrintTaker<Line> = {
    lineOf: (symbol) => lines.get(symbol) ?? null,
    take(line, price, at, isEligible) {
      prints += 1;
      if (!isEligible || !takePrint(line, price, at) || line.isDue) return;
      line.isDue = true;
      due.push(line);
    },
    turnOver() {
      for (const line of due) if (line.isDue) tellMark(line);
      due.length = 0;
    },
  };

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
    tell(symbol, line, { kind: 'haltChanged', at: clock.now(), halt });
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
    prints: quick,
    gap,
    openSession(opened) {
      plan = opened;
      keeper.openSession(opened);
    },
    caughtUp: keeper.caughtUp,
    bars: keeper.bars,
    mark(symbol) {
      const line = lines.get(symbol);
      return line === undefined || line.at < 0 ? null : { price: line.price, at: line.at };
    },
    seedMark(symbol, { price, at }) {
      const line = lines.get(symbol);
      if (line !== undefined && takeMark(line, price, at)) tellMark(line);
    },
    isHalted: (symbol) => lines.get(symbol)?.halt === 'halted',
    seedHalt(symbol, since) {
      const line = lines.get(symbol);
      if (line !== undefined)
        Object.assign(line, { halt: 'halted', haltChangedAt: since, blindUntil: clock.now() });
    },
    band: (symbol) => lines.get(symbol)?.band ?? null,
    dueSince(at) {
      if (plan === null || at < plan.openAt || at >= plan.closeAt) return null;
      // One symbol that should have been heard is enough.
      let since = Number.POSITIVE_INFINITY;
      for (const { symbol, halt, haltChangedAt } of lines.values())
        if (halt === 'trading')
          since = Math.min(
            since,
            Math.max(plan.openAt, haltChangedAt ?? plan.openAt, keeper.quietTo(symbol)),
          );
      return since === Number.POSITIVE_INFINITY ? null : (since as Micros);
    },
    stats: () => ({ prints, bars: barCount, updatedBars, ...keeper.stats() }),
    stop() {
      keeper.stop();
      plan = null;
    },
  };
}

const newLine = (symbol: Ticker): Line => ({
  symbol,
  price: 0 as Price,
  at: -1 as Micros,
  isDue: false,
  halt: 'trading',
  haltChangedAt: null,
  blindUntil: null,
  band: null,
});

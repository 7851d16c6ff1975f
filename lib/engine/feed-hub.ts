import type { Ticker } from '../domain/ids.ts';
import type { Bar, HaltState, Mark, Print, TradingStatus } from '../domain/market.ts';
import { isEligible } from '../domain/sale-conditions.ts';
import { isSessionBar, type SessionPlan } from '../domain/session.ts';
import { after, between, type Duration, type Micros, minuteOf, minutes } from '../domain/time.ts';
import type { Broker, Read } from '../ports/broker.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { MarketMessage } from '../ports/feeds.ts';
import type { LaneInputMessage } from '../ports/lane-protocol.ts';
import type { Log } from '../ports/log.ts';
import { inquire } from './inquiry.ts';
import type { RequestQueue } from './request-queue.ts';
import type { FeedSettings } from './settings.ts';

/**
 * From the data socket to the lanes.
 *
 * 1. A lane sees each bar of the session once, in time order, and never a bar while an earlier one may still be missing:
 *    after the start and after each gap of the feed, what is missing is fetched first, and live bars wait meanwhile.
 * 2. A fetched bar is `backfilled`; so is a live one that waited too long.
 * 3. Only eligible prints set the mark, and the mark never goes back in time.
 *
 * A minute without a print has no bar, so a hole in the bars proves nothing while the feed was up: only the first bar after
 * a gap makes the hub ask.
 */
export type FeedHub = {
  message(message: MarketMessage): void;
  /** The feed came up, or came back: what it missed has to be fetched. */
  gap(): void;
  openSession(plan: SessionPlan): void;
  /** This session's bars that were handed to the lane. */
  bars(symbol: Ticker): readonly Bar[];
  mark(symbol: Ticker): Mark | null;
  /** A last trade known from a query. */
  seedMark(symbol: Ticker, mark: Mark): void;
  /**
   * Since when the market should be heard: the open, or the resume of the last symbol to resume; `null` outside the session,
   * and while every symbol is halted. What tells a dead feed from a quiet market.
   */
  dueSince(at: Micros): Micros | null;
  stats(): FeedStats;
  stop(): void;
};

export type FeedStats = {
  readonly prints: number;
  readonly bars: number;
  readonly backfilled: number;
  /** Bars that corrected an earlier one; decisions were made on the first. */
  readonly updatedBars: number;
  readonly filling: number;
};

export type FeedHubEvents = {
  onInput(symbol: Ticker, input: LaneInputMessage): void;
  onMark(symbol: Ticker, mark: Mark): void;
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
  bars: Bar[];
  /** Live bars that wait for earlier ones. */
  waiting: Bar[];
  filling: boolean;
  /** No live bar since the last gap. */
  afterGap: boolean;
  mark: Mark | null;
  halt: HaltState;
  haltChangedAt: Micros | null;
};

const MINUTE = minutes(1);
/** Symbols in one request for missing bars: what an address line holds with room to spare. */
const SYMBOLS_PER_REQUEST = 200;
/** Bars in one page of an answer. Source: Alpaca market data, `limit`. */
const BARS_PER_PAGE = 10_000;

export function createFeedHub(deps: FeedHubDeps): FeedHub {
  const { clock, broker, queue, log, settings, events } = deps;
  const lines = new Map<Ticker, Line>(deps.symbols.map((symbol) => [symbol, newLine()]));
  const wanted = new Map<Ticker, Micros>();
  let plan: SessionPlan | null = null;
  let generation = 0;
  let turn: Timer | null = null;
  let inFlight = 0;
  let pause = settings.retryFirst;
  let prints = 0;
  let barCount = 0;
  let backfilled = 0;
  let updatedBars = 0;

  // --- marks and halts -------------------------------------------------------------------------------------------------

  function setMark(symbol: Ticker, mark: Mark): void {
    const line = lines.get(symbol);
    if (line === undefined || (line.mark !== null && mark.at < line.mark.at)) return;
    line.mark = mark;
    events.onMark(symbol, mark);
  }

  function onPrint(print: Print): void {
    prints += 1;
    if (isEligible(print.conditions)) setMark(print.symbol, { price: print.price, at: print.at });
  }

  function onStatus(status: TradingStatus): void {
    const line = lines.get(status.symbol);
    if (line !== undefined) changeHalt(status.symbol, line, status.state, status.code, status.reason);
  }

  function changeHalt(symbol: Ticker, line: Line, halt: HaltState, code: string, text: string): void {
    if (line.halt === halt) return;
    line.halt = halt;
    line.haltChangedAt = clock.now();
    log.warn('feed.halt', { symbol, state: halt, code, text });
    events.onInput(symbol, { kind: 'haltChanged', at: clock.now(), halt });
  }

  /** The frame that told the resume may be lost with its connection: a whole minute of trading tells it as well. */
  function provesResume(line: Line, bar: Bar): boolean {
    return line.halt === 'halted' && line.haltChangedAt !== null && bar.startAt >= line.haltChangedAt;
  }

  // --- bars ------------------------------------------------------------------------------------------------------------

  /** Where the next bar of a line has to begin for nothing to be missing. */
  function expectedAt(line: Line, session: SessionPlan): Micros {
    const last = line.bars.at(-1);
    return last === undefined ? session.openAt : after(last.startAt, MINUTE);
  }

  function onBar(bar: Bar): void {
    const line = lines.get(bar.symbol);
    if (line === undefined || plan === null || !isSessionBar(plan, bar.startAt)) return;
    barCount += 1;
    if (provesResume(line, bar))
      changeHalt(bar.symbol, line, 'trading', 'bar', 'a whole bar traded since the halt');
    if (bar.startAt < expectedAt(line, plan)) return;
    // Also while filling: what is being fetched may end before this bar begins.
    if (line.afterGap && bar.startAt > expectedAt(line, plan)) want(bar.symbol, bar.startAt);
    line.afterGap = false;
    if (line.filling) line.waiting.push(bar);
    else deliver(bar.symbol, line, [bar], isFresh(bar) ? 'live' : 'backfilled');
  }

  const isFresh = (bar: Bar): boolean => between(after(bar.startAt, MINUTE), clock.now()) <= settings.liveFor;

  function deliver(symbol: Ticker, line: Line, bars: readonly Bar[], origin: 'live' | 'backfilled'): void {
    if (bars.length === 0) return;
    line.bars.push(...bars);
    if (origin === 'backfilled') backfilled += bars.length;
    events.onInput(symbol, { kind: 'bars', at: clock.now(), bars, origin });
  }

  // --- filling gaps ----------------------------------------------------------------------------------------------------

  /** Has the bars before `to` fetched; asked for in the next turn, so that one request serves a whole burst. */
  function want(symbol: Ticker, to: Micros): void {
    const line = lines.get(symbol);
    if (line === undefined) return;
    line.filling = true;
    const known = wanted.get(symbol);
    if (known === undefined || known < to) wanted.set(symbol, to);
    schedule(clock.now());
  }

  function schedule(at: Micros): void {
    if (turn !== null || inFlight > 0) return;
    turn = clock.at(at, () => {
      turn = null;
      fetchWanted();
    });
  }

  function fetchWanted(): void {
    const session = plan;
    if (session === null || wanted.size === 0) return;
    const symbols = [...wanted.keys()];
    for (let first = 0; first < symbols.length; first += SYMBOLS_PER_REQUEST)
      fetchBatch(session, symbols.slice(first, first + SYMBOLS_PER_REQUEST));
  }

  function fetchBatch(session: SessionPlan, symbols: readonly Ticker[]): void {
    const from = Math.min(...symbols.map((symbol) => startOf(symbol, session))) as Micros;
    const to = Math.max(...symbols.map((symbol) => wanted.get(symbol) ?? from)) as Micros;
    const asked = new Map(symbols.map((symbol) => [symbol, wanted.get(symbol) ?? to]));
    if (from >= to) {
      for (const symbol of symbols) filled(symbol, [], to);
      return;
    }
    const cost = Math.ceil(((to - from) / MINUTE) * symbols.length * (1 / BARS_PER_PAGE));
    const generationAsked = generation;
    inFlight += 1;
    inquire(
      queue,
      { priority: 'query', cost, host: 'data' },
      () => broker.bars(symbols, from, to),
      (answer) => {
        if (generationAsked !== generation) return;
        inFlight -= 1;
        answered(asked, answer);
        schedule(clock.now());
      },
    );
  }

  function startOf(symbol: Ticker, session: SessionPlan): Micros {
    const line = lines.get(symbol);
    return line === undefined ? session.openAt : expectedAt(line, session);
  }

  function answered(
    asked: ReadonlyMap<Ticker, Micros>,
    answer: Read<ReadonlyMap<Ticker, readonly Bar[]>>,
  ): void {
    if (answer.kind === 'failed') {
      log.warn('feed.backfill.failed', {
        text: answer.failure.text,
        symbols: asked.size,
        consequence: 'no entries for them until it is filled',
      });
      turn?.cancel();
      turn = clock.at(after(clock.now(), pause), () => {
        turn = null;
        fetchWanted();
      });
      pause = Math.min(pause * 2, settings.retryMax) as Duration;
      return;
    }
    pause = settings.retryFirst;
    for (const [symbol, to] of asked) filled(symbol, answer.value.get(symbol) ?? [], to);
  }

  function filled(symbol: Ticker, found: readonly Bar[], to: Micros): void {
    const line = lines.get(symbol);
    const session = plan;
    if (line === undefined || session === null) return;
    const from = expectedAt(line, session);
    const missing = found.filter(
      ({ startAt }) => startAt >= from && startAt < to && isSessionBar(session, startAt),
    );
    deliver(symbol, line, missing, 'backfilled');
    // A later gap wants more than this answer covers: the line stays closed until that is there too.
    if ((wanted.get(symbol) ?? to) > to) return;
    wanted.delete(symbol);
    line.filling = false;
    const waited = line.waiting;
    line.waiting = [];
    for (const bar of waited)
      if (bar.startAt >= expectedAt(line, session))
        deliver(symbol, line, [bar], isFresh(bar) ? 'live' : 'backfilled');
  }

  function gap(): void {
    const session = plan;
    for (const [symbol, line] of lines) {
      line.afterGap = true;
      if (session !== null && clock.now() > session.openAt) want(symbol, lastComplete(session));
    }
  }

  function lastComplete(session: SessionPlan): Micros {
    const now = clock.now();
    return minuteOf(Math.min(now, session.closeAt) as Micros);
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
          break;
        case 'status':
          onStatus(message.status);
          break;
        default:
          // Quotes and LULD bands decide nothing here: the pause that a band leads to comes as a status.
          break;
      }
    },
    gap,
    openSession(opened) {
      plan = opened;
      generation += 1;
      inFlight = 0;
      wanted.clear();
      for (const line of lines.values()) Object.assign(line, { bars: [], waiting: [], filling: false });
      gap();
    },
    bars: (symbol) => lines.get(symbol)?.bars ?? [],
    mark: (symbol) => lines.get(symbol)?.mark ?? null,
    seedMark: setMark,
    dueSince(at) {
      if (plan === null || at < plan.openAt || at >= plan.closeAt) return null;
      const open = plan.openAt;
      const trading = [...lines.values()].filter(({ halt }) => halt === 'trading');
      if (trading.length === 0) return null;
      // One symbol that has traded all along is enough to be heard since the open.
      return Math.min(...trading.map(({ haltChangedAt }) => Math.max(open, haltChangedAt ?? open))) as Micros;
    },
    stats: () => ({
      prints,
      bars: barCount,
      backfilled,
      updatedBars,
      filling: wanted.size,
    }),
    stop() {
      turn?.cancel();
      turn = null;
      plan = null;
      generation += 1;
      wanted.clear();
    },
  };
}

const newLine = (): Line => ({
  bars: [],
  waiting: [],
  filling: false,
  afterGap: true,
  mark: null,
  halt: 'trading',
  haltChangedAt: null,
});

import type { Ticker } from '../domain/ids.ts';
import type { Bar } from '../domain/market.ts';
import { isSessionBar, type SessionPlan } from '../domain/session.ts';
import { after, before, between, type Duration, type Micros, minuteOf, minutes } from '../domain/time.ts';
import type { Broker, Read } from '../ports/broker.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { barPagesOf, inquire, SYMBOLS_PER_REQUEST } from './inquiry.ts';
import type { RequestQueue } from './request-queue.ts';
import type { FeedSettings } from './settings.ts';

/**
 * A session's bars, complete and in order, whatever the line does to them.
 *
 * 1. Each bar is handed on once, in time order, and never while an earlier one may still be missing.
 * 2. A minute without a trade has no bar. So a hole is closed by a proof: the bar itself, or an answer of the broker that was
 *    asked for when the minute had been over for `lateMax`.
 * 3. A minute whose bar has not come after `lateMax` is asked about then, before the next bar comes: a lost bar is found
 *    although the line looks well, and a quiet symbol's next bar need not wait.
 * 4. Fetched bars are `backfilled`; so are those that came too late to be decided on.
 * 5. A bar off the minute, or of a minute that has not begun, is a mistake of the tape: everything would wait for what is
 *    before it, or be taken for older.
 * 6. What was handed on stays: a correction counts only while its bar has not been handed on.
 */
export type BarKeeper = {
  openSession(plan: SessionPlan): void;
  bar(bar: Bar): void;
  /** Bars may have been missed: what is over by now is asked about. */
  gap(): void;
  /** This session's bars that were handed on. */
  bars(symbol: Ticker): readonly Bar[];
  /** Up to here the feed's silence about a symbol is proven: the broker knew of no bar that it had not brought. */
  quietTo(symbol: Ticker): Micros;
  /** Resolves when nothing is being fetched any more, at once when nothing is. */
  caughtUp(): Promise<void>;
  stats(): { readonly backfilled: number; readonly filling: number };
  stop(): void;
};

export type BarOrigin = 'live' | 'backfilled';

export type BarKeeperDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly log: Log;
  readonly settings: FeedSettings;
  readonly symbols: readonly Ticker[];
  onBars(symbol: Ticker, bars: readonly Bar[], origin: BarOrigin): void;
};

type Line = {
  bars: Bar[];
  /** Bars from the feed that wait for earlier ones, in time order, each minute once. */
  waiting: Bar[];
  /** Up to here a bar that is not there does not exist. */
  provenTo: Micros;
  /** What is being fetched ends here; `null` while nothing is missing. */
  wantedTo: Micros | null;
  /** Up to here the broker has no bar either that the feed did not bring. */
  quietTo: Micros;
};

/** A line with a hole, and where the hole ends. */
type OpenLine = { readonly symbol: Ticker; readonly line: Line; readonly to: Micros };

const MINUTE = minutes(1);

export function createBarKeeper(deps: BarKeeperDeps): BarKeeper {
  const { clock, broker, queue, log, settings, onBars } = deps;
  const lines = new Map<Ticker, Line>(deps.symbols.map((symbol) => [symbol, newLine(0 as Micros)]));
  let plan: SessionPlan | null = null;
  let generation = 0;
  let turn: Timer | null = null;
  let check: Timer | null = null;
  let inFlight = 0;
  let pause = settings.retryFirst;
  let backfilled = 0;
  let whenCaughtUp: (() => void)[] = [];

  // --- bars ------------------------------------------------------------------------------------------------------------

  function onBar(bar: Bar): void {
    const line = lines.get(bar.symbol);
    if (line === undefined || plan === null || !isSessionBar(plan, bar.startAt)) return;
    if (bar.startAt < completeTo(line)) return;
    if (bar.startAt !== minuteOf(bar.startAt) || bar.startAt > clock.now()) return;
    if (line.wantedTo === null && bar.startAt === completeTo(line)) {
      handOn(bar.symbol, line, [bar], originOf(bar));
      return;
    }
    // What is being fetched may end before this bar begins.
    const knownTo = Math.max(completeTo(line), line.wantedTo ?? 0, endOf(line.waiting.at(-1)));
    line.waiting = [...line.waiting.filter(({ startAt }) => startAt !== bar.startAt), bar].sort(byTime);
    if (bar.startAt > knownTo) want(line, bar.startAt);
  }

  const originOf = (bar: Bar): BarOrigin =>
    between(endOf(bar), clock.now()) <= settings.liveFor ? 'live' : 'backfilled';

  function handOn(symbol: Ticker, line: Line, bars: readonly Bar[], origin: BarOrigin): void {
    if (bars.length === 0) return;
    line.bars.push(...bars);
    if (origin === 'backfilled') backfilled += bars.length;
    onBars(symbol, bars, origin);
  }

  /** Hands on `found` and those that waited before `to`, in time order; a bar that both have came live. */
  function merge(symbol: Ticker, line: Line, found: readonly Bar[], to: Micros): void {
    const waited = new Map(
      line.waiting.filter(({ startAt }) => startAt < to).map((bar) => [bar.startAt, bar]),
    );
    line.waiting = line.waiting.filter(({ startAt }) => startAt >= to);
    const fetched = found.filter(({ startAt }) => !waited.has(startAt));
    let run: Bar[] = [];
    for (const bar of [...fetched, ...waited.values()].sort(byTime)) {
      if (!waited.has(bar.startAt) || originOf(bar) === 'backfilled') {
        run.push(bar);
        continue;
      }
      handOn(symbol, line, run, 'backfilled');
      run = [];
      handOn(symbol, line, [bar], 'live');
    }
    handOn(symbol, line, run, 'backfilled');
  }

  // --- holes -----------------------------------------------------------------------------------------------------------

  /** Has the bars before `to` fetched; asked for in the next turn, so that one request serves a whole burst. */
  function want(line: Line, to: Micros): void {
    line.wantedTo = Math.max(line.wantedTo ?? 0, to) as Micros;
    schedule(clock.now());
  }

  function schedule(at: Micros): void {
    if (turn !== null || inFlight > 0) return;
    turn = clock.at(at, () => {
      turn = null;
      ask();
    });
  }

  function ask(): void {
    if (plan === null || inFlight > 0) return;
    const open = openLines();
    for (let first = 0; first < open.length; first += SYMBOLS_PER_REQUEST)
      askFor(open.slice(first, first + SYMBOLS_PER_REQUEST));
  }

  const openLines = (): readonly OpenLine[] =>
    [...lines].flatMap(([symbol, line]) =>
      line.wantedTo === null ? [] : [{ symbol, line, to: line.wantedTo }],
    );

  function askFor(open: readonly OpenLine[]): void {
    const from = Math.min(...open.map(({ line }) => completeTo(line))) as Micros;
    const to = Math.max(...open.map((each) => each.to)) as Micros;
    const symbols = open.map(({ symbol }) => symbol);
    const at = clock.now();
    const asked = generation;
    inFlight += 1;
    inquire(
      queue,
      {
        priority: 'query',
        cost: barPagesOf(symbols.length, (to - from) / MINUTE),
        host: 'data',
      },
      () => broker.bars(symbols, from, to),
      (answer) => {
        if (asked !== generation) return;
        inFlight -= 1;
        answered(open, answer, at);
      },
    );
  }

  function answered(
    asked: readonly OpenLine[],
    answer: Read<ReadonlyMap<Ticker, readonly Bar[]>>,
    askedAt: Micros,
  ): void {
    if (answer.kind === 'failed') {
      log.warn('feed.backfill.failed', {
        text: answer.failure.text,
        symbols: asked.length,
        consequence: 'no entries for them until it is filled',
      });
      schedule(after(clock.now(), pause));
      pause = Math.min(pause * 2, settings.retryMax) as Duration;
      return;
    }
    pause = settings.retryFirst;
    // A minute that has only just ended may be missing from the answer although it has a bar.
    const provable = minuteOf(before(askedAt, settings.lateMax));
    for (const each of asked) fill(each, answer.value.get(each.symbol) ?? [], provable);
    goOn(asked);
  }

  /** Asks for what is still open: at once, unless it is what was just asked for and could not be proven. */
  function goOn(asked: readonly OpenLine[]): void {
    const open = openLines();
    if (open.length === 0) {
      tellCaughtUp();
      return;
    }
    const askedTo = new Map(asked.map(({ line, to }) => [line, to]));
    const isNew = open.some(({ line, to }) => to > (askedTo.get(line) ?? 0));
    schedule(isNew ? clock.now() : after(clock.now(), settings.retryFirst));
  }

  function fill({ symbol, line, to }: OpenLine, found: readonly Bar[], provable: Micros): void {
    const session = plan;
    if (session === null) return;
    const from = completeTo(line);
    const missing = found.filter(
      ({ startAt }) => startAt >= from && startAt < to && isSessionBar(session, startAt),
    );
    merge(symbol, line, missing, to);
    line.provenTo = Math.max(line.provenTo, Math.min(to, provable)) as Micros;
    if (missing.length === 0) line.quietTo = line.provenTo;
    // A later hole wants more than this answer covers: the line stays closed until that is there too.
    if (line.wantedTo !== null && line.wantedTo > to) return;
    line.wantedTo = null;
    release(symbol, line);
  }

  /** Hands on what waited, up to the next hole. */
  function release(symbol: Ticker, line: Line): void {
    while (line.waiting[0] !== undefined && line.waiting[0].startAt <= completeTo(line)) {
      const [bar] = line.waiting.splice(0, 1);
      if (bar !== undefined && bar.startAt === completeTo(line)) handOn(symbol, line, [bar], originOf(bar));
    }
    const next = line.waiting[0];
    if (next !== undefined) line.wantedTo = next.startAt;
  }

  /** Asks about everything that is over and not complete. */
  function askBehind(to: Micros): void {
    for (const line of lines.values()) if (completeTo(line) < to) want(line, to);
  }

  function lastComplete(session: SessionPlan): Micros {
    return minuteOf(Math.min(clock.now(), session.closeAt) as Micros);
  }

  /** One look a minute, when its bars are late. */
  function armCheck(session: SessionPlan): void {
    const over = minuteOf(before(clock.now(), settings.lateMax));
    const next = Math.max(after(over, MINUTE), after(session.openAt, MINUTE)) as Micros;
    if (next > session.closeAt) return;
    check = clock.at(after(next, settings.lateMax), () => {
      askBehind(next);
      armCheck(session);
    });
  }

  function tellCaughtUp(): void {
    if (inFlight > 0 || turn !== null) return;
    const told = whenCaughtUp;
    whenCaughtUp = [];
    for (const tell of told) tell();
  }

  function forget(): void {
    turn?.cancel();
    turn = null;
    check?.cancel();
    check = null;
    generation += 1;
    inFlight = 0;
    tellCaughtUp();
  }

  function gap(): void {
    if (plan !== null && clock.now() > plan.openAt) askBehind(lastComplete(plan));
  }

  return {
    openSession(opened) {
      forget();
      plan = opened;
      for (const line of lines.values()) Object.assign(line, newLine(opened.openAt));
      armCheck(opened);
      gap();
    },
    bar: onBar,
    gap,
    bars: (symbol) => lines.get(symbol)?.bars ?? [],
    quietTo: (symbol) => lines.get(symbol)?.quietTo ?? (0 as Micros),
    caughtUp: () =>
      new Promise((resolve) => {
        whenCaughtUp.push(resolve);
        if (openLines().length === 0) tellCaughtUp();
      }),
    stats: () => ({
      backfilled,
      filling: [...lines.values()].filter(({ wantedTo }) => wantedTo !== null).length,
    }),
    stop() {
      forget();
      plan = null;
    },
  };
}

const newLine = (openAt: Micros): Line => ({
  bars: [],
  waiting: [],
  provenTo: openAt,
  wantedTo: null,
  quietTo: openAt,
});

/** Every bar before this instant was handed on. */
const completeTo = (line: Line): Micros => Math.max(line.provenTo, endOf(line.bars.at(-1))) as Micros;

const endOf = (bar: Bar | undefined): Micros =>
  bar === undefined ? (0 as Micros) : after(bar.startAt, MINUTE);
const byTime = (a: Bar, b: Bar): number => a.startAt - b.startAt;

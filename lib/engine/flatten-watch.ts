import type { Ticker } from '../domain/ids.ts';
import { type Lane, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { SessionPlan } from '../domain/session.ts';
import {
  after,
  between,
  type Duration,
  formatInstant,
  MICROS_PER_SECOND,
  type Micros,
} from '../domain/time.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { FlattenForecast } from './flatten-plan.ts';

/**
 * Tells people how getting out goes: what is left and when it should be over, when it begins, whenever that changes, and in
 * the end how long it took. It decides nothing: the lanes get out by themselves.
 */
export type FlattenWatch = {
  /** Somebody may have ordered lanes out: looks in the next turn, before they have acted. */
  soon(): void;
  /** A lane has acted. */
  settled(symbol: Ticker, lane: Lane): void;
  openSession(plan: SessionPlan): void;
  progress(): FlattenProgress | null;
  stop(): void;
};

/** Lanes on their way out. */
export type FlattenProgress = {
  readonly since: Micros;
  /** Who or what ordered them out: a mode's reason, or `close` for the time before it. */
  readonly reason: string;
  /** Lanes with shares or orders at the beginning, and now. */
  readonly lanes: number;
  readonly left: number;
  /** What was forecast at the beginning. */
  readonly forecast: Duration;
};

export type FlattenWatchDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly lanes: () => readonly Lane[];
  /** Why a lane is ordered out; `null` when nobody ordered it. */
  readonly reasonOf: (symbol: Ticker) => string | null;
  readonly forecast: (now: Micros) => FlattenForecast;
  readonly lookEvery: Duration;
};

/** A forecast that moved by less than this, or by less than a tenth of the whole time, is no news. */
const NEWS_MIN = 2 * MICROS_PER_SECOND;
const NEWS_SHARE = 0.1;

type Run = Omit<FlattenProgress, 'left'> & {
  readonly open: Set<Ticker>;
  toldFlatBy: Micros;
};

export function createFlattenWatch(deps: FlattenWatchDeps): FlattenWatch {
  const { clock, log, lanes } = deps;
  let plan: SessionPlan | null = null;
  let run: Run | null = null;
  let next: Timer | null = null;
  let looker: Timer | null = null;
  let schedule: readonly Timer[] = [];

  const isOpen = (lane: Lane): boolean => sharesHeld(lane) !== 0 || unsettledOrders(lane).length > 0;

  function reasonOf(symbol: Ticker, now: Micros): string | null {
    const ordered = deps.reasonOf(symbol);
    if (ordered !== null) return ordered;
    return plan !== null && now >= plan.flattenAt && now < plan.closeAt ? 'close' : null;
  }

  function look(): void {
    const now = clock.now();
    const isOver = plan !== null && now >= plan.closeAt;
    const canBegin = plan !== null && now >= plan.openAt && !isOver;
    const open = lanes()
      .filter(isOpen)
      .map(({ params }) => params.symbol)
      // After the close nobody is ordered out any more; who was and is not out, is late.
      .filter((symbol) => (isOver && run?.open.has(symbol)) || reasonOf(symbol, now) !== null);
    if (run === null) {
      if (open.length > 0 && canBegin) begin(open, now);
    } else {
      run.open.clear();
      for (const symbol of open) run.open.add(symbol);
      if (open.length === 0) end(run, now);
      else if (isOver) giveUp(run);
      else retell(run, now);
    }
    looker?.cancel();
    looker = run === null ? null : clock.at(after(now, deps.lookEvery), look);
  }

  function begin(open: readonly Ticker[], now: Micros): void {
    const forecast = deps.forecast(now);
    const [first] = open;
    const reason = (first === undefined ? null : reasonOf(first, now)) ?? 'close';
    run = {
      since: now,
      reason,
      lanes: open.length,
      forecast: forecast.time,
      open: new Set(open),
      toldFlatBy: forecast.flatBy,
    };
    log.warn('flatten.begun', { reason, ...said(forecast, open.length) });
  }

  function retell(current: Run, now: Micros): void {
    const forecast = deps.forecast(now);
    const moved = Math.abs(forecast.flatBy - current.toldFlatBy);
    if (moved < Math.max(NEWS_MIN, NEWS_SHARE * between(current.since, current.toldFlatBy))) return;
    current.toldFlatBy = forecast.flatBy;
    const fields = said(forecast, current.open.size);
    log[fields.fits === false ? 'error' : 'warn']('flatten.forecast', fields);
  }

  function said({ time, flatBy, requests, stuck }: FlattenForecast, lanesOpen: number) {
    return {
      lanes: lanesOpen,
      seconds: inSeconds(time),
      flatBy: formatInstant(flatBy),
      requests,
      halted: stuck,
      fits: plan === null ? null : flatBy < plan.closeAt,
    };
  }

  function end({ since, forecast, lanes: count }: Run, now: Micros): void {
    run = null;
    const seconds = inSeconds(between(since, now));
    log.info('flatten.done', { lanes: count, seconds, forecastSeconds: inSeconds(forecast) });
  }

  function giveUp({ open }: Run): void {
    run = null;
    log.error('flatten.unfinished', {
      lanes: open.size,
      symbols: [...open],
      text: 'the session is over, and they are not flat',
    });
  }

  return {
    soon() {
      if (next !== null || run !== null) return;
      next = clock.at(clock.now(), () => {
        next = null;
        look();
      });
    },
    settled(symbol, lane) {
      if (run === null || !run.open.has(symbol) || isOpen(lane)) return;
      run.open.delete(symbol);
      // The whole look, because a lane that was not among them may have joined.
      if (run.open.size === 0) look();
    },
    openSession(opened) {
      plan = opened;
      for (const timer of schedule) timer.cancel();
      // Who was ordered out while the market was closed can get out from the open on.
      schedule = [opened.openAt, opened.flattenAt].map((at) => clock.at(at, look));
    },
    progress: () => run && { ...pick(run), left: run.open.size },
    stop() {
      for (const timer of [next, looker, ...schedule]) timer?.cancel();
      next = null;
    },
  };
}

const pick = ({ since, reason, lanes, forecast }: Run) => ({ since, reason, lanes, forecast });
const inSeconds = (length: Duration): number => Math.round(length / (MICROS_PER_SECOND / 100)) / 100;

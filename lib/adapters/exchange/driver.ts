import type { Micros } from '../../domain/time.ts';
import type { Exchange } from '../../sim/exchange-api.ts';

/**
 * Moves the exchange through time: exchange time is `startAt + wall time * speed`, without the spans that are skipped.
 *
 * 1. Time never goes back, and runs on after the last event of the tape.
 * 2. It sleeps until the next event is due; it never spins.
 * 3. It never holds the thread for much longer than `SLICE_MS`: what cannot be played in one go is played in slices,
 *    with everything else that waits on the event loop in between.
 * 4. `whenCurrent` runs a task when everything due at the moment of asking has been played.
 */
export type Driver = {
  /** Where exchange time stands by the wall clock; the exchange itself may be a few milliseconds behind. */
  now(): Micros;
  /** Runs `task` with the exchange up to date: at once when it can catch up within a slice, else as soon as it has. */
  whenCurrent(task: () => void): void;
  /** Runs `task` so many micros of exchange time later; not after `stop`. */
  later(delay: number, task: () => void): void;
  /** How far the exchange is behind `now`, in micros of exchange time. */
  lag(): number;
  stop(): void;
};

/** The wall: a monotonic clock in milliseconds, and the two ways to be called back. */
export type Wall = {
  nowMs(): number;
  after(ms: number, task: () => void): { cancel(): void };
  soon(task: () => void): { cancel(): void };
};

export const realWall: Wall = {
  nowMs: () => performance.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (task) => {
    const immediate = setImmediate(task);
    return { cancel: () => clearImmediate(immediate) };
  },
};

/** From `from` on, time goes on at `to`: a step of the clock, as every client sees it. */
export type Skip = { readonly from: Micros; readonly to: Micros };

export type DriverOptions = {
  readonly exchange: Pick<Exchange, 'now' | 'nextEventAt' | 'advanceTo'>;
  /** Exchange seconds per wall second, above 0. */
  readonly speed: number;
  /** Spans of exchange time that take no wall time, in order and apart from each other. */
  readonly skips?: readonly Skip[];
  readonly wall?: Wall;
  /** Called after every slice and after every task: frames that came of it can leave now. */
  readonly onPlayed?: () => void;
};

const SLICE_MS = 4;
/** Events within this much wall time are played together. */
const BATCH_MS = 2;
/** Reading the wall clock before every event would cost more than the event. */
const EVENTS_PER_LOOK = 32;
/** `setTimeout` overflows past 2^31 ms; an hour is as good as for ever. */
const SLEEP_MAX_MS = 3_600_000;

export function startDriver(options: DriverOptions): Driver {
  const { exchange, speed, skips = [], wall = realWall, onPlayed = () => {} } = options;
  const startAt = exchange.now();
  const startMs = wall.nowMs();
  const waiting: { readonly at: Micros; readonly task: () => void }[] = [];
  const timers = new Set<{ cancel(): void }>();
  let pending: { cancel(): void } | null = null;
  let playing = false;
  let stopped = false;

  const now = (): Micros => {
    let at = Math.floor(startAt + (wall.nowMs() - startMs) * 1_000 * speed);
    for (const { from, to } of skips) {
      if (at < from) break;
      if (startAt < to) at += to - Math.max(from, startAt);
    }
    return at as Micros;
  };

  /** Plays up to `target`, for one slice at most. Whether everything due was played. */
  function play(target: Micros): boolean {
    playing = true;
    try {
      const stopMs = wall.nowMs() + SLICE_MS;
      for (let events = 1; ; events += 1) {
        const next = exchange.nextEventAt();
        if (next === null || next > target) break;
        exchange.advanceTo(next);
        if (events % EVENTS_PER_LOOK === 0 && wall.nowMs() >= stopMs) return false;
      }
      exchange.advanceTo(target);
      return true;
    } finally {
      playing = false;
      onPlayed();
    }
  }

  function tick(): void {
    pending = null;
    if (stopped) return;
    const current = play(later(now(), exchange.now()));
    serve();
    schedule(current);
  }

  function serve(): void {
    let served = false;
    while (waiting[0] !== undefined && waiting[0].at <= exchange.now()) {
      waiting.shift()?.task();
      served = true;
    }
    if (served) onPlayed();
  }

  function schedule(current: boolean): void {
    if (stopped) return;
    pending?.cancel();
    if (!current) {
      pending = wall.soon(tick);
      return;
    }
    const next = exchange.nextEventAt();
    const present = now();
    const skipAt = skips.find(({ from }) => from > present)?.from ?? Number.POSITIVE_INFINITY;
    const dueMs = next === null ? SLEEP_MAX_MS : (Math.min(next, skipAt) - present) / 1_000 / speed;
    pending = wall.after(Math.min(Math.max(Math.ceil(dueMs), BATCH_MS), SLEEP_MAX_MS), tick);
  }

  schedule(true);
  return {
    now,
    later: (delay, task) => {
      const timer = wall.after(delay / 1_000 / speed, () => {
        timers.delete(timer);
        task();
      });
      timers.add(timer);
    },
    lag: () => Math.max(0, now() - exchange.now()),
    stop: () => {
      stopped = true;
      pending?.cancel();
      for (const timer of timers) timer.cancel();
      waiting.length = 0;
    },
    whenCurrent: (task) => {
      if (stopped) return;
      const target = later(now(), exchange.now());
      // A listener of the exchange that asks from inside `advanceTo` waits for the next slice.
      if (!playing && waiting.length === 0 && play(target)) {
        task();
        onPlayed();
        schedule(true);
        return;
      }
      waiting.push({ at: target, task });
      schedule(false);
    },
  };
}

const later = (a: Micros, b: Micros): Micros => (a > b ? a : b);

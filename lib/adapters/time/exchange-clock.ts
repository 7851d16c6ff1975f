import { invariant } from '../../domain/invariant.ts';
import { type Micros, micros } from '../../domain/time.ts';
import { TimerQueue } from '../../engine/timer-queue.ts';
import type { Clock, Timer } from '../../ports/clock.ts';

/** Where wall time and wall timers come from. */
export type WallTime = {
  /** Microseconds on a clock that never goes back; its zero does not matter. */
  micros(): number;
  /** Calls once after `delayMillis` or a little later. */
  after(delayMillis: number, task: () => void): Timer;
};

/** Exchange time `at` was read when the wall clock showed the instant of anchoring; it advances at `speed`. */
export type ExchangeClock = Clock & {
  /** Sets the clock by the broker's. `now()` never goes back: where it was ahead, it stands until time has caught up. */
  anchor(at: Micros, speed: number): void;
  /** Exchange seconds per wall second. */
  speed(): number;
  /** Forgets every timer; later ones are ignored. */
  close(): void;
};

export type ExchangeClockOptions = {
  readonly at: Micros;
  readonly speed: number;
  /** `false`: waiting timers do not keep the process alive. Only used with the real wall time. */
  readonly keepAlive?: boolean;
  readonly wall?: WallTime;
};

/** A timer of the platform holds 31 bits of milliseconds; longer waits are cut into pieces. */
const WALL_WAIT_MAX_MILLIS = 2 ** 31 - 1;
const MICROS_PER_MILLI = 1_000;

/**
 * Exchange time on wall time. All timers sit in one queue behind one wall timer, so that calls run in time order even
 * when several come due within one millisecond of a fast clock.
 */
export function createExchangeClock(options: ExchangeClockOptions): ExchangeClock {
  const wall = options.wall ?? monotonicWall(options.keepAlive ?? true);
  const queue = new TimerQueue();
  let anchorAt: number = options.at;
  let anchorWall = wall.micros();
  let speed = checkedSpeed(options.speed);
  let floor: number = options.at;
  let closed = false;
  let armed: { readonly at: number; readonly timer: Timer } | null = null;

  const now = (): Micros => {
    const computed = Math.floor(anchorAt + (wall.micros() - anchorWall) * speed);
    return micros(Math.max(computed, floor));
  };

  const disarm = (): void => {
    armed?.timer.cancel();
    armed = null;
  };

  /** Keeps one wall timer set for the first call in the queue. */
  const arm = (): void => {
    const next = queue.nextAt();
    if (armed !== null && next !== null && armed.at <= next) return;
    disarm();
    if (next === null || closed) return;
    // Not `next - now()`: after a step back the clock stands still, and the wait is for the time behind it.
    const wait = next <= now() ? 0 : (next - anchorAt) / speed - (wall.micros() - anchorWall);
    const delay = Math.min(Math.max(Math.ceil(wait / MICROS_PER_MILLI), 0), WALL_WAIT_MAX_MILLIS);
    armed = { at: next, timer: wall.after(delay, run) };
  };

  const run = (): void => {
    armed = null;
    const until = now();
    // A call that was asked for by one of these waits for the next turn, even when it is already due.
    const order = queue.upcomingOrder;
    try {
      for (let call = queue.takeDue(until, order); call !== null; call = queue.takeDue(until, order))
        call.task();
    } finally {
      arm();
    }
  };

  return {
    now,
    at(at: Micros, task: () => void): Timer {
      if (closed) return { cancel: () => {} };
      const present = now();
      const call = queue.add(at < present ? present : at, task);
      arm();
      return {
        cancel: () => {
          queue.cancel(call);
        },
      };
    },
    anchor(at: Micros, nextSpeed: number): void {
      floor = now();
      anchorAt = at;
      anchorWall = wall.micros();
      speed = checkedSpeed(nextSpeed);
      disarm();
      arm();
    },
    speed: () => speed,
    close(): void {
      closed = true;
      queue.clear();
      disarm();
    },
  };
}

function checkedSpeed(speed: number): number {
  invariant(Number.isFinite(speed) && speed > 0, 'clock speed is a number above 0', speed);
  return speed;
}

/** The process's own monotonic clock: a wall clock that is set back must not stop the timers of open positions. */
function monotonicWall(keepAlive: boolean): WallTime {
  return {
    micros: () => performance.now() * MICROS_PER_MILLI,
    after(delayMillis: number, task: () => void): Timer {
      if (delayMillis <= 0) {
        const immediate = setImmediate(task);
        if (!keepAlive) immediate.unref();
        return { cancel: () => clearImmediate(immediate) };
      }
      const timer = setTimeout(task, delayMillis);
      if (!keepAlive) timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

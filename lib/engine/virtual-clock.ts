import { invariant } from '../domain/invariant.ts';
import type { Micros } from '../domain/time.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { TimerQueue } from './timer-queue.ts';

/** More calls than this at one instant is a loop that time can never leave. */
const CALLS_PER_INSTANT_MAX = 1_000_000;

/**
 * A clock for tests and simulations: time stands still until it is moved. Calls run in time order, ties in the order they
 * were asked for; a call for the past runs at the present instant, but never inside the call that asked for it.
 */
export type VirtualClock = Clock & {
  /** Moves to the next call's instant and runs that one call; `false` when none is left. */
  runNext(): boolean;
  /** Runs everything due up to and including `at`, then stands at `at`. Never goes back. */
  runUntil(at: Micros): void;
  /** Runs everything due before `at`, then stands at `at`: what is due right then still waits. */
  runBefore(at: Micros): void;
  /** When the next call is due, or `null`. */
  nextAt(): Micros | null;
  /** Calls that wait. */
  pending(): number;
};

export function createVirtualClock(startAt: Micros): VirtualClock {
  const queue = new TimerQueue();
  let now = startAt;
  let callsAtThisInstant = 0;

  const moveTo = (at: Micros): void => {
    if (at <= now) return;
    now = at;
    callsAtThisInstant = 0;
  };

  const runNext = (): boolean => {
    const at = queue.nextAt();
    if (at === null) return false;
    moveTo(at);
    callsAtThisInstant += 1;
    invariant(callsAtThisInstant <= CALLS_PER_INSTANT_MAX, 'virtual time moves on', callsAtThisInstant);
    queue.takeDue(now)?.task();
    return true;
  };

  return {
    now: () => now,
    at(at: Micros, task: () => void): Timer {
      const call = queue.add(at < now ? now : at, task);
      return { cancel: () => queue.cancel(call) };
    },
    runNext,
    runUntil(at: Micros): void {
      for (let next = queue.nextAt(); next !== null && next <= at; next = queue.nextAt()) runNext();
      moveTo(at);
    },
    runBefore(at: Micros): void {
      for (let next = queue.nextAt(); next !== null && next < at; next = queue.nextAt()) runNext();
      moveTo(at);
    },
    nextAt: () => queue.nextAt(),
    pending: () => queue.size,
  };
}

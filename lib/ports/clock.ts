import type { Micros } from '../domain/time.ts';

/** A pending call; `cancel` after it ran does nothing. */
export type Timer = { cancel(): void };

/** Exchange time. Every timer and stamp of the daemon comes from here; no floor below 3 knows another clock. */
export type Clock = {
  now(): Micros;
  /** Runs `task` once, at or soon after `at`; an instant in the past runs on the next turn, never synchronously. */
  at(at: Micros, task: () => void): Timer;
};

import type { Micros } from '../domain/time.ts';

/** A pending call; `cancel` after it ran does nothing. */
export type Timer = { cancel(): void };

/** Microseconds of wall time since some instant, for lengths alone; the main thread's whole process reads the same one. */
export type Stopwatch = () => number;
/** For runs whose time is not the wall's: everything takes no time at all. */
export const STOPPED: Stopwatch = () => 0;

/** Exchange time. Every timer and stamp of the daemon comes from here; no floor below 3 knows another clock. */
export type Clock = {
  now(): Micros;
  /** Runs `task` once, at or soon after `at`; an instant in the past runs on the next turn, never synchronously. */
  at(at: Micros, task: () => void): Timer;
};

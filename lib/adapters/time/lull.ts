/** What a lull is measured with: wall milliseconds since some instant, and a timer. */
export type LullTimers = {
  now(): number;
  after(millis: number, task: () => void): { cancel(): void };
};

export type LullOptions = {
  /** Wall time without another call that counts as a lull. */
  readonly quietMillis: number;
  /** Wall time after the first call at which the task runs whether there is a lull or not. */
  readonly mostMillis: number;
  readonly timers?: LullTimers;
};

export type Lull = {
  /** There is something to do. */
  ask(): void;
  /** Whether the task is still to run. */
  isDue(): boolean;
  cancel(): void;
};

/**
 * Work that nobody waits for, put off to the first lull: while fills come in and exits go out, each call postpones it.
 */
export function createLull(options: LullOptions, task: () => void): Lull {
  const { quietMillis, mostMillis, timers = WALL } = options;
  let timer: { cancel(): void } | null = null;
  let firstAt = 0;
  let lastAt = 0;

  function look(): void {
    const wait = Math.min(lastAt + quietMillis, firstAt + mostMillis) - timers.now();
    // Timers count whole milliseconds: what is left of one is no reason for another.
    if (wait >= 1) timer = timers.after(wait, look);
    else {
      timer = null;
      task();
    }
  }

  return {
    ask() {
      lastAt = timers.now();
      if (timer !== null) return;
      firstAt = lastAt;
      timer = timers.after(quietMillis, look);
    },
    isDue: () => timer !== null,
    cancel() {
      timer?.cancel();
      timer = null;
    },
  };
}

const WALL: LullTimers = {
  now: () => performance.now(),
  after(millis, task) {
    const timeout = setTimeout(task, millis);
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** The same, and it does not keep the process alive. */
export const WALL_IN_PASSING: LullTimers = {
  now: WALL.now,
  after(millis, task) {
    const timeout = setTimeout(task, millis).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};

/**
 * Which threads have stopped counting their pulse. Time is an argument: the watch has no clock.
 *
 * 1. Silence counts in looks, not in time. A main thread that was blocked for a second looks once, not four times, and
 *    the threads have their turn before it looks again.
 * 2. A look that comes late by half a stall or more finds a machine that gave nobody its turn: it blames no thread, and
 *    starts every count anew.
 * 3. A look that comes too soon after the last one counts for nothing: timers that catch up would make a stall of a
 *    moment.
 */
export type StallWatch<T> = {
  /** How often `look` is to be called, and how often a thread counts. */
  readonly lookEveryMs: number;
  /** The threads that have stalled, each told once. */
  look(nowMs: number, threads: Iterable<T>): readonly T[];
};

/** Looks without a pulse that make a stall. */
const LOOKS_PER_STALL = 4;

/** Part of the time between looks within which another one is too soon. */
const SOON = 0.75;

type Silence = { readonly pulse: number; readonly looks: number };

/** A thread stalls when it has not counted for `stallMs`; found within a quarter more. */
export function createStallWatch<T extends { pulse(): number | null }>(stallMs: number): StallWatch<T> {
  const lookEveryMs = stallMs / LOOKS_PER_STALL;
  let silences = new Map<T, Silence>();
  let lastLookMs = Number.NEGATIVE_INFINITY;

  return {
    lookEveryMs,
    look(nowMs, threads) {
      const since = nowMs - lastLookMs;
      if (since < lookEveryMs * SOON) return [];
      lastLookMs = nowMs;
      const isLate = since >= lookEveryMs + stallMs / 2;
      const stalled: T[] = [];
      const next = new Map<T, Silence>();
      for (const thread of threads) {
        const pulse = thread.pulse();
        if (pulse === null) continue;
        const before = silences.get(thread);
        const isSilent = !isLate && before?.pulse === pulse;
        const looks = isSilent ? before.looks + 1 : 0;
        next.set(thread, { pulse, looks });
        if (looks === LOOKS_PER_STALL) stalled.push(thread);
      }
      silences = next;
      return stalled;
    },
  };
}

import { createLull, WALL_IN_PASSING } from '../time/lull.ts';

/** Calls back a moment later, together with everybody else who asked meanwhile. */
export type HoldBack = (release: () => void) => void;

/**
 * One lull for all lines, so that a burst of orders is over before the news of them wakes its first thread. Wall time.
 */
export function createHoldBack(quietMillis: number, mostMillis: number): HoldBack {
  let waiting: (() => void)[] = [];
  const lull = createLull({ quietMillis, mostMillis, timers: WALL_IN_PASSING }, () => {
    const all = waiting;
    waiting = [];
    for (const release of all) release();
  });
  return (release) => {
    waiting.push(release);
    lull.ask();
  };
}

/** Calls back a moment later, together with everybody else who asked meanwhile. */
export type HoldBack = (release: () => void) => void;

/**
 * One timer for all lines, so that a burst of orders is over before the news of them wakes its first thread. `millis` of
 * wall time.
 */
export function createHoldBack(millis: number): HoldBack {
  let waiting: (() => void)[] = [];
  const releaseAll = (): void => {
    const all = waiting;
    waiting = [];
    for (const release of all) release();
  };
  return (release) => {
    if (waiting.length === 0) setTimeout(releaseAll, millis).unref();
    waiting.push(release);
  };
}

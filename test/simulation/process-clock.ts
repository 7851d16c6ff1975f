import { after, before, type Duration, type Micros } from '../../lib/domain/time.ts';
import type { VirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Clock } from '../../lib/ports/clock.ts';

/**
 * The clock of one process: it may be ahead of the exchange's, follows it when told to, and dies with its process. What a
 * dead process had planned never happens.
 */
export type ProcessClock = Clock & {
  /** The broker's clock is that far ahead of this one. */
  follow(drift: Duration): void;
  die(): void;
};

export function createProcessClock(clock: VirtualClock, skew: Duration): ProcessClock {
  let ahead = skew;
  let alive = true;
  return {
    now: () => after(clock.now(), ahead),
    at: (at: Micros, task: () => void) =>
      clock.at(before(at, ahead), () => {
        if (alive) task();
      }),
    follow(drift) {
      ahead = (ahead + drift) as Duration;
    },
    die() {
      alive = false;
    },
  };
}

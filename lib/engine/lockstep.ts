import type { Micros } from '../domain/time.ts';
import type { Exchange } from '../sim/exchange-api.ts';
import type { VirtualClock } from './virtual-clock.ts';

/**
 * An exchange and everything on a virtual clock, event by event in one order of time: at equal instants the market comes
 * before the daemon. `settle` must let every promise that can go on go on; equal runs need it to be thorough.
 */
export async function runLockstep(
  exchange: Exchange,
  clock: VirtualClock,
  until: Micros,
  settle: () => Promise<void>,
  goOn: () => boolean = () => true,
): Promise<void> {
  await settle();
  while (goOn()) {
    const market = exchange.nextEventAt();
    const task = clock.nextAt();
    const next = Math.min(market ?? Number.POSITIVE_INFINITY, task ?? Number.POSITIVE_INFINITY);
    if (next > until) break;
    if (market !== null && (task === null || market <= task)) {
      // A task due at the same instant must not run before the market has moved.
      clock.runBefore(market);
      exchange.advanceTo(market);
    } else if (task !== null) {
      if (task > exchange.now()) exchange.advanceTo(task);
      clock.runNext();
      await settle();
    }
  }
  exchange.advanceTo(until);
  clock.runUntil(until);
  await settle();
}

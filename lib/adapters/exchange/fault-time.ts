import type { Micros } from '../../domain/time.ts';
import type { Exchange } from '../../sim/exchange-api.ts';
import type { Faults, TimedFault } from '../../sim/faults.ts';
import type { DriverOptions } from './driver.ts';

/** The exchange's time with the faults that have an instant of their own woven in. */
export function withTimedFaults(
  exchange: Exchange,
  faults: Faults,
  strike: (fault: TimedFault) => void,
): DriverOptions['exchange'] {
  return {
    now: () => exchange.now(),
    nextEventAt: () => {
      const fault = faults.nextDueAt();
      const event = exchange.nextEventAt();
      if (fault === null) return event;
      // A fault whose instant has passed when it was added is due now.
      const due = Math.max(fault, exchange.now()) as Micros;
      return event === null || due < event ? due : event;
    },
    advanceTo: (at) => {
      exchange.advanceTo(at);
      for (const fault of faults.due(at)) strike(fault);
    },
  };
}

import type { Micros } from '../../lib/domain/time.ts';
import type { RequestQueue } from '../../lib/engine/request-queue.ts';
import type { Broker } from '../../lib/ports/broker.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Log } from '../../lib/ports/log.ts';

/** Parts that a benchmark of the market-data path needs and must never use: each fails loudly when asked. */
const unexpected = (what: string) => (): never => {
  throw new Error(`this benchmark asks the broker nothing. Asked: ${what}`);
};

export const NO_BROKER = new Proxy({} as Broker, { get: (_, method) => unexpected(String(method)) });
export const NO_QUEUE = new Proxy({} as RequestQueue, {
  get: (_, method) => unexpected(`queue.${String(method)}`),
});
export const NO_LOG: Log = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error };

/** A clock that is set by hand and never runs anything. */
export function handClock(startAt: Micros): Clock & { set(at: Micros): void } {
  let now = startAt;
  return {
    now: () => now,
    at: () => ({ cancel: () => {} }),
    set(at) {
      now = at;
    },
  };
}

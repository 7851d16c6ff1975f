import { after, before, type Duration, type Micros, seconds } from '../domain/time.ts';
import type { Broker, BrokerOrder, Read } from '../ports/broker.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { inquire, pagesOf } from './inquiry.ts';
import type { RequestQueue } from './request-queue.ts';
import type { TrackerSettings } from './settings.ts';
import { isOpen, type OrderIndex } from './tracked-order.ts';

/**
 * Reads all working orders in one listing, every so often: what finds a fill whose frame was lost while its order rests.
 * While the stream is down it is all that tells exits about their fills, so it comes more often and ahead of entries.
 */
export type OrderSweep = {
  setBlind(blind: boolean): void;
  now(): void;
  stop(): void;
};

export type OrderSweepDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly settings: TrackerSettings;
  readonly index: OrderIndex;
  readonly listed: (orders: readonly BrokerOrder[]) => void;
};

/** Clocks differ, and the broker stamps an order after we sent it: listings begin this much earlier. */
const LISTING_LEAD = seconds(5);

export function createOrderSweep({
  clock,
  broker,
  queue,
  settings,
  index,
  listed,
}: OrderSweepDeps): OrderSweep {
  let blind = true;
  let sweeping = false;
  let timer: Timer | null = null;
  /** Listings in a row that failed. */
  let failures = 0;

  function firstOpenAt(): Micros | null {
    let first: Micros | null = null;
    for (const tracked of index.all())
      if (isOpen(tracked) && (first === null || tracked.sentAt < first)) first = tracked.sentAt;
    return first;
  }

  function now(): void {
    const first = firstOpenAt();
    if (first === null || sweeping) return;
    sweeping = true;
    inquire(
      queue,
      { priority: blind ? 'exit' : 'query', cost: pagesOf(index.size()) },
      () => broker.ordersSince(before(first, LISTING_LEAD)),
      (answer: Read<readonly BrokerOrder[]>) => {
        sweeping = false;
        failures = answer.kind === 'ok' ? 0 : failures + 1;
        if (answer.kind === 'ok') listed(answer.value);
      },
    );
  }

  /** Grows while the broker does not answer. */
  function pause(): Duration {
    const usual = blind ? settings.sweepEveryBlind : settings.sweepEvery;
    return Math.min(usual * 2 ** Math.min(failures, 10), Math.max(usual, settings.pollMax)) as Duration;
  }

  function arm(): void {
    timer?.cancel();
    timer = clock.at(after(clock.now(), pause()), () => {
      now();
      arm();
    });
  }

  return {
    setBlind(value) {
      // A socket that comes and goes says the same again and again: that must not put the next listing off.
      if (value === blind && timer !== null) return;
      blind = value;
      arm();
    },
    now,
    stop() {
      timer?.cancel();
      timer = null;
    },
  };
}

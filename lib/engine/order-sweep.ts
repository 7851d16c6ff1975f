import { after, before, type Micros, seconds } from '../domain/time.ts';
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
        if (answer.kind === 'ok') listed(answer.value);
      },
    );
  }

  function arm(): void {
    timer?.cancel();
    const wait = blind ? settings.sweepEveryBlind : settings.sweepEvery;
    timer = clock.at(after(clock.now(), wait), () => {
      now();
      arm();
    });
  }

  return {
    setBlind(value) {
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

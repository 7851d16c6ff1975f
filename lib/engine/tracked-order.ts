import type { OrderStatus } from '../domain/execution.ts';
import type { BrokerOrderId, ClientOrderId, Ticker } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import { ZERO_CASH, ZERO_QTY } from '../domain/money.ts';
import type { Totals } from '../domain/succession.ts';
import type { Duration, Micros } from '../domain/time.ts';
import type { Timer } from '../ports/clock.ts';
import type { Priority } from './request-queue.ts';

/** What the tracker knows of one order. Private to the tracker and the files that help it. */
export type Tracked = {
  readonly intent: OrderIntent;
  brokerOrderId: BrokerOrderId | null;
  /** `proven`: the broker has shown it. `refused` and `absent` are believed until it shows it all the same. */
  phase: 'waiting' | 'sent' | 'unknown' | 'proven' | 'refused' | 'absent';
  sentAt: Micros;
  ended: boolean;
  /** The newest word on it; a different one is news. */
  heard: string;
  /** What its lane was told last by a query; `''` makes the next query tell it again. */
  told: string;
  /** `wanted` waits for the broker's id; `queued` waits in the queue or is on the wire. */
  cancel: 'none' | 'wanted' | 'queued';
  cancelPriority: Priority;
  /** Its lane waits for a word. */
  attended: boolean;
  asking: boolean;
  pause: Duration;
  timer: Timer | null;
  absences: number;
  firstAbsentAt: Micros | null;
  /** How it ended; `null` while it has not. */
  endedAs: OrderStatus | null;
  /** The most that was heard of as filled. */
  totals: Totals;
  /** Its successor is being looked for. */
  following: boolean;
};

/** Every order of the session by both its ids. */
export type OrderIndex = {
  add(intent: OrderIntent, phase: Tracked['phase'], at: Micros): Tracked;
  name(tracked: Tracked, id: BrokerOrderId): void;
  byClientId(id: ClientOrderId): Tracked | undefined;
  byBrokerId(id: BrokerOrderId): Tracked | undefined;
  all(): Iterable<Tracked>;
  size(): number;
  clear(): void;
};

export function createOrderIndex(firstPause: Duration): OrderIndex {
  const byClientId = new Map<ClientOrderId, Tracked>();
  const byBrokerId = new Map<BrokerOrderId, Tracked>();
  return {
    add(intent, phase, at) {
      const tracked: Tracked = {
        intent,
        brokerOrderId: null,
        phase,
        sentAt: at,
        ended: false,
        heard: '',
        told: '',
        cancel: 'none',
        cancelPriority: 'cancel',
        attended: false,
        asking: false,
        pause: firstPause,
        timer: null,
        absences: 0,
        firstAbsentAt: null,
        endedAs: null,
        totals: { cumQty: ZERO_QTY, cumNotional: ZERO_CASH },
        following: false,
      };
      byClientId.set(intent.clientOrderId, tracked);
      return tracked;
    },
    name(tracked, id) {
      tracked.brokerOrderId = id;
      byBrokerId.set(id, tracked);
    },
    byClientId: (id) => byClientId.get(id),
    byBrokerId: (id) => byBrokerId.get(id),
    all: () => byClientId.values(),
    size: () => byClientId.size,
    clear() {
      for (const tracked of byClientId.values()) tracked.timer?.cancel();
      byClientId.clear();
      byBrokerId.clear();
    },
  };
}

/** May still fill, as far as is known. */
export const isOpen = ({ ended, phase }: Tracked): boolean =>
  !ended && (phase === 'sent' || phase === 'unknown' || phase === 'proven');

export const nameOf = ({
  intent,
}: Tracked): { readonly symbol: Ticker; readonly clientOrderId: ClientOrderId } => ({
  symbol: intent.symbol,
  clientOrderId: intent.clientOrderId,
});

import { type BrokerOrderId, isOurs } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import type { Broker, BrokerOrder, Read, Refusal } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { inquire } from './inquiry.ts';
import type { OrderTracker } from './order-tracker.ts';
import type { RequestQueue } from './request-queue.ts';

/**
 * A sell that was refused because its shares are held, or because an opposite order rests: another order stands in the
 * way. If it is ours it is canceled, so that the lane's next try goes through; if it is not, it is reported and left alone.
 */
export type HeldShares = {
  /** Starts the repair, and returns the code for the lane: `heldByOthers` when nothing of ours is in the way. */
  repair(intent: OrderIntent, refusal: Refusal): string;
};

export type HeldSharesDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly tracker: OrderTracker;
  readonly log: Log;
};

export function createHeldShares({ clock, broker, queue, tracker, log }: HeldSharesDeps): HeldShares {
  let looking = false;

  /** An order by an id of ours that nobody here knows: of an earlier run, or given up for absent. */
  function cancelStray(order: BrokerOrder): void {
    log.warn('order.stray.canceled', { symbol: order.symbol, clientOrderId: order.clientOrderId });
    queue.add({
      priority: 'urgent',
      cost: 1,
      expiresAt: null,
      expired: () => undefined,
      async send() {
        const outcome = await broker.cancel(order.brokerOrderId);
        if (outcome.kind === 'unknown' && outcome.failure.code === 'rateLimited')
          return { kind: 'again', retryAt: outcome.failure.retryAt };
        return { kind: 'answered' };
      },
    });
  }

  /** The answer did not name the order: find it. One listing at a time serves all lanes. */
  function look(intent: OrderIntent): void {
    if (looking) return;
    looking = true;
    inquire(
      queue,
      { priority: 'exit', cost: 1 },
      () => broker.openOrders(),
      (answer: Read<readonly BrokerOrder[]>) => {
        looking = false;
        if (answer.kind !== 'ok') return;
        const others = tracker.listed(answer.value, clock.now());
        for (const order of others)
          if (order.symbol === intent.symbol && isOurs(order.clientOrderId)) cancelStray(order);
      },
    );
  }

  return {
    repair(intent, refusal) {
      if (refusal.code !== 'heldShares' && refusal.code !== 'washTrade') return refusal.code;
      const ours: BrokerOrderId[] = refusal.relatedOrders.filter((id) => tracker.isTracked(id));
      for (const id of ours) {
        const clientOrderId = tracker.clientIdOf(id);
        if (clientOrderId !== null) tracker.cancel(clientOrderId, 'urgent');
      }
      log.warn('order.held', {
        symbol: intent.symbol,
        clientOrderId: intent.clientOrderId,
        code: refusal.code,
        related: refusal.relatedOrders,
        ours: ours.length,
      });
      if (ours.length < refusal.relatedOrders.length || ours.length === 0) look(intent);
      const isHeld = refusal.code === 'heldShares';
      return isHeld && refusal.relatedOrders.length > 0 && ours.length === 0 ? 'heldByOthers' : refusal.code;
    },
  };
}

import { type ExecutionReport, isEnd } from '../domain/execution.ts';
import type { BrokerOrderId } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import type { Carried } from '../domain/lane-types.ts';
import { reportOf } from '../domain/reconcile.ts';
import { carriedBy } from '../domain/succession.ts';
import { after, before, type Duration, seconds } from '../domain/time.ts';
import type { Broker, BrokerFill, BrokerOrder, Lookup, Read } from '../ports/broker.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { inquire } from './inquiry.ts';
import type { RequestQueue } from './request-queue.ts';
import type { TrackerSettings } from './settings.ts';
import { nameOf, type OrderIndex, type Tracked } from './tracked-order.ts';

/**
 * Orders of ours that somebody replaced: finds what lives on in their place.
 *
 * 1. A successor counts only once its predecessor is seen to have ended as `replaced`: a replace can be refused, or lose
 *    against a fill, after the successor was shown.
 * 2. What the successor has filled is what the broker says, less what it carries on of its predecessor's fills.
 * 3. It is asked with growing pauses, until it is settled.
 * 4. Reports about a successor that is not yet known wait for it.
 */
export type OrderSuccession = {
  follow(old: Tracked, successorId: BrokerOrderId): void;
  /** Takes a report about a successor that is being looked for; `false`: it is about something else. */
  hold(report: ExecutionReport): boolean;
  stop(): void;
};

export type OrderSuccessionDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly log: Log;
  readonly settings: TrackerSettings;
  readonly index: OrderIndex;
  readonly learned: (tracked: Tracked, report: ExecutionReport) => void;
  readonly succeeded: (old: OrderIntent, successor: OrderIntent, carried: Carried) => void;
};

/** Reports kept for one successor; the query that settles it tells the rest. */
const HELD_MAX = 100;
/** Clocks differ: fills are listed from this much earlier. */
const LISTING_LEAD = seconds(5);

export function createOrderSuccession(deps: OrderSuccessionDeps): OrderSuccession {
  const { clock, broker, queue, log, settings, index } = deps;
  const awaited = new Map<BrokerOrderId, ExecutionReport[]>();
  const timers = new Set<Timer>();

  const isTracked = (tracked: Tracked): boolean => index.byClientId(tracked.intent.clientOrderId) === tracked;

  function pauseFor(wait: Duration): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.at(after(clock.now(), wait), () => {
        timers.delete(timer);
        resolve();
      });
      timers.add(timer);
    });
  }

  const lookUp = (id: BrokerOrderId): Promise<Lookup> =>
    new Promise((resolve) =>
      inquire(
        queue,
        { priority: 'exit', cost: 1 },
        () => broker.orderById(id),
        (answer: Lookup) => resolve(answer),
      ),
    );

  async function run(old: Tracked, successorId: BrokerOrderId): Promise<void> {
    let pause = settings.pollFirst;
    while (isTracked(old) && index.byBrokerId(successorId) === undefined) {
      if ((await attempt(old, successorId)) === 'settled') return;
      await pauseFor(pause);
      pause = Math.min(pause * 2, settings.pollMax) as Duration;
    }
  }

  async function attempt(old: Tracked, successorId: BrokerOrderId): Promise<'settled' | 'again'> {
    if (old.endedAs === null && old.brokerOrderId !== null) {
      const answer = await lookUp(old.brokerOrderId);
      if (answer.kind !== 'found' || !isTracked(old)) return 'again';
      deps.learned(old, reportOf(answer.order, clock.now()));
      if (answer.order.status === 'pending_replace') return 'again';
      // The replace was refused: the order lives on under its own id.
      if (!isEnd(answer.order.status)) return 'settled';
    }
    if (old.endedAs !== 'replaced') return 'settled';
    const answer = await lookUp(successorId);
    if (answer.kind !== 'found' || !isTracked(old)) return 'again';
    const carried = await carriedOn(old, answer.order);
    if (carried === null) return 'again';
    if (isTracked(old)) takeOver(old, answer.order, carried);
    return 'settled';
  }

  async function carriedOn(old: Tracked, successor: BrokerOrder): Promise<Carried | null> {
    const without = carriedBy(old.totals, successor, null);
    if (without !== null) return without;
    const from = before(successor.submittedAt, LISTING_LEAD);
    const fills = await new Promise<Read<readonly BrokerFill[]>>((resolve) =>
      inquire(
        queue,
        { priority: 'exit', cost: 1 },
        () => broker.fillsSince(from),
        (answer: Read<readonly BrokerFill[]>) => resolve(answer),
      ),
    );
    if (fills.kind === 'failed') return null;
    const own = fills.value.filter(({ brokerOrderId }) => brokerOrderId === successor.brokerOrderId);
    // The order was told as it was before fills that are known by now: such figures prove nothing beside each other.
    if (own.some(({ at }) => at > successor.updatedAt)) return null;
    const executed = own.reduce((sum, { qty }) => sum + qty, 0);
    return carriedBy(old.totals, successor, executed);
  }

  function takeOver(old: Tracked, order: BrokerOrder, carried: Carried): void {
    if (index.byClientId(order.clientOrderId) !== undefined) return;
    const { symbol, purpose, mark } = old.intent;
    const successor: OrderIntent = {
      clientOrderId: order.clientOrderId,
      symbol,
      side: order.side,
      qty: order.qty,
      price: order.limit === null ? { type: 'market' } : { type: 'limit', limit: order.limit },
      purpose,
      decidedAt: clock.now(),
      mark,
      expiresAt: null,
    };
    const next = index.add(successor, 'proven', clock.now());
    log.warn('order.replaced', {
      ...nameOf(old),
      successor: order.clientOrderId,
      qty: order.qty,
      filled: order.cumQty,
      carried: carried.qty,
    });
    deps.succeeded(old.intent, successor, carried);
    const held = awaited.get(order.brokerOrderId) ?? [];
    deps.learned(next, reportOf(order, clock.now()));
    for (const report of held) deps.learned(next, report);
  }

  return {
    follow(old, successorId) {
      if (old.following) return;
      old.following = true;
      awaited.set(successorId, []);
      void run(old, successorId).finally(() => {
        old.following = false;
        awaited.delete(successorId);
      });
    },
    hold(report) {
      const held = awaited.get(report.brokerOrderId);
      if (held !== undefined && held.length < HELD_MAX) held.push(report);
      return held !== undefined;
    },
    stop() {
      for (const timer of timers) timer.cancel();
      timers.clear();
      awaited.clear();
    },
  };
}

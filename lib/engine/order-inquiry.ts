import { unreachable } from '../domain/invariant.ts';
import { after, between, type Duration, seconds } from '../domain/time.ts';
import type { Broker, BrokerOrder, Lookup } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { inquire } from './inquiry.ts';
import type { Priority, RequestQueue } from './request-queue.ts';
import type { TrackerSettings } from './settings.ts';
import { nameOf, type Tracked } from './tracked-order.ts';

/**
 * Asks the broker about single orders: unknown ones until they are settled, silent ones for as long as their lane waits.
 * The pause between two questions grows until there is news.
 */
export type OrderInquiry = {
  /** Asks after `wait`, if the order still needs it then. */
  arm(tracked: Tracked, wait: Duration): void;
  ask(tracked: Tracked): void;
};

export type OrderInquiryDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly log: Log;
  readonly settings: TrackerSettings;
  readonly isTracked: (tracked: Tracked) => boolean;
  readonly found: (tracked: Tracked, order: BrokerOrder) => void;
  /** It is certain that the broker never got it. */
  readonly absent: (tracked: Tracked) => void;
};

export function createOrderInquiry(deps: OrderInquiryDeps): OrderInquiry {
  const { clock, broker, queue, log, settings } = deps;

  const needsWord = (tracked: Tracked): boolean =>
    deps.isTracked(tracked) &&
    (tracked.phase === 'unknown' || (tracked.attended && tracked.phase === 'proven'));

  function arm(tracked: Tracked, wait: Duration): void {
    tracked.timer?.cancel();
    tracked.timer = clock.at(after(clock.now(), wait), () => {
      tracked.timer = null;
      if (needsWord(tracked)) ask(tracked);
    });
  }

  function armAgain(tracked: Tracked): void {
    if (!needsWord(tracked)) return;
    tracked.pause = Math.min(tracked.pause * 2, settings.pollMax) as Duration;
    arm(tracked, tracked.phase === 'unknown' ? untilBelieved(tracked) : tracked.pause);
  }

  /** The question that settles an unknown comes as soon as absence may be believed, not a whole pause later. */
  function untilBelieved({ pause, firstAbsentAt }: Tracked): Duration {
    if (firstAbsentAt === null) return pause;
    const left = settings.absentAfter - between(firstAbsentAt, clock.now());
    return left <= 0 ? pause : (Math.min(pause, Math.max(left, settings.pollFirst)) as Duration);
  }

  function ask(tracked: Tracked): void {
    if (tracked.asking) return;
    tracked.asking = true;
    tracked.timer?.cancel();
    tracked.timer = null;
    const { brokerOrderId, intent } = tracked;
    inquire(
      queue,
      { priority: priorityOf(tracked), cost: 1 },
      () =>
        brokerOrderId === null
          ? broker.orderByClientOrderId(intent.clientOrderId)
          : broker.orderById(brokerOrderId),
      (answer: Lookup) => answered(tracked, answer),
    );
  }

  function answered(tracked: Tracked, answer: Lookup): void {
    tracked.asking = false;
    if (!deps.isTracked(tracked)) return;
    switch (answer.kind) {
      case 'found':
        deps.found(tracked, answer.order);
        break;
      case 'absent':
        missed(tracked);
        break;
      case 'failed':
        log.debug('order.lookup.failed', { ...nameOf(tracked), text: answer.failure.text });
        break;
      default:
        unreachable(answer);
    }
    armAgain(tracked);
  }

  function missed(tracked: Tracked): void {
    if (tracked.phase !== 'unknown') {
      log.warn('order.lookup.missing', {
        ...nameOf(tracked),
        text: 'the broker has shown this order before',
      });
      return;
    }
    const now = clock.now();
    tracked.absences += 1;
    tracked.firstAbsentAt ??= now;
    const waited = between(tracked.firstAbsentAt, now);
    if (tracked.absences < settings.absencesMin || waited < settings.absentAfter) return;
    tracked.phase = 'absent';
    log.warn('order.absent', { ...nameOf(tracked), answers: tracked.absences, seconds: waited / seconds(1) });
    deps.absent(tracked);
  }

  return { arm, ask };
}

/** Shares may hang on it: it goes like an exit, and like the flatten when it belongs to one. */
function priorityOf({ intent }: Tracked): Priority {
  return intent.purpose === 'bailOut' || intent.purpose === 'flatten' ? 'urgent' : 'exit';
}

import { type ExecutionReport, isEnd } from '../domain/execution.ts';
import { type BrokerOrderId, type ClientOrderId, parseClientOrderId, type Ticker } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import { unreachable } from '../domain/invariant.ts';
import type { Carried, SubmitVerdict } from '../domain/lane-types.ts';
import type { Order } from '../domain/order.ts';
import { reportOf } from '../domain/reconcile.ts';
import type { Micros } from '../domain/time.ts';
import type { Broker, BrokerOrder, SubmitOutcome } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { createFillLog } from './fill-log.ts';
import { createOrderInquiry } from './order-inquiry.ts';
import { createOrderSuccession } from './order-succession.ts';
import { createOrderSweep } from './order-sweep.ts';
import type { Priority, RequestQueue } from './request-queue.ts';
import type { TrackerSettings } from './settings.ts';
import { createOrderIndex, isOpen, nameOf, type Tracked } from './tracked-order.ts';

/**
 * Knows every order of ours by both its ids, and gets the word about it to its lane. It decides nothing about trading.
 *
 * 1. An order is in the index before its request leaves: reports can overtake the answer.
 * 2. An order whose submit is unknown is looked up until it is settled. `absent` is believed only after several answers
 *    over a grace time: a 404 straight after a timeout proves nothing.
 * 3. As long as a lane waits for a word on an order (in flight, canceling, closing) and the stream is silent, the order is
 *    asked about, with a growing pause, without end.
 * 4. An order that is not ours is counted, told once, and never touched.
 * 5. Once known, an order stays in the index for the session: whatever is heard of it later reaches its lane.
 */
export type OrderTracker = {
  /** The intent is about to be sent. */
  expect(intent: OrderIntent): void;
  /** The intent is on its way to the broker. */
  sent(id: ClientOrderId): void;
  /** The answer to the submit. `false`: a refusal of an order that the stream has shown alive; it is looked up instead. */
  settle(id: ClientOrderId, outcome: Exclude<SubmitOutcome, { kind: 'notSent' }>): boolean;
  /** The intent never left the house; its lane has been told. */
  unsent(id: ClientOrderId): void;
  /** A report of the trade stream, or one that its lane has to be told whatever it was told before. */
  heard(report: ExecutionReport): void;
  /** What a listing says about our orders; returns those that are not ours. */
  listed(orders: readonly BrokerOrder[], receivedAt: Micros): readonly BrokerOrder[];
  /** Wants the order canceled; waits until the broker's id is known. */
  cancel(id: ClientOrderId, priority: Priority): void;
  /** The lane's orders that are not accounted for: what the lane still waits for. */
  attend(symbol: Ticker, unsettled: readonly Order[]): void;
  /** Takes up an order of an earlier run of the day; one in flight is looked up. */
  resume(order: Order): void;
  /** Whether the trade stream tells us fills; without it, listings do. */
  setBlind(blind: boolean): void;
  /** Reads all working orders now. */
  sweep(): void;
  isTracked(id: BrokerOrderId): boolean;
  clientIdOf(id: BrokerOrderId): ClientOrderId | null;
  stats(): TrackerStats;
  /** A new session, or the end: what was known is forgotten. */
  reset(): void;
  close(): void;
};

export type TrackerStats = {
  readonly tracked: number;
  readonly unknown: number;
  readonly foreign: number;
  readonly submitted: number;
  /** Executions of our orders that the stream has told, each once. */
  readonly fills: number;
};

export type TrackerEvents = {
  onReport(symbol: Ticker, report: ExecutionReport): void;
  onVerdict(symbol: Ticker, id: ClientOrderId, verdict: SubmitVerdict): void;
  onSuccessor(symbol: Ticker, id: ClientOrderId, successor: OrderIntent, carried: Carried): void;
  /** An order that is not ours was heard of, for the first time. */
  onForeign(symbol: Ticker): void;
};

export type TrackerDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly log: Log;
  readonly settings: TrackerSettings;
  readonly events: TrackerEvents;
};

export function createOrderTracker(deps: TrackerDeps): OrderTracker {
  const { clock, broker, queue, log, settings, events } = deps;
  const index = createOrderIndex(settings.pollFirst);
  const foreign = new Set<BrokerOrderId>();
  /** Those that their lanes wait for. */
  const attended = new Map<Ticker, readonly Tracked[]>();
  const fillLog = createFillLog(log);
  let submitted = 0;

  const inquiry = createOrderInquiry({
    clock,
    broker,
    queue,
    log,
    settings,
    isTracked: (tracked) => index.byClientId(tracked.intent.clientOrderId) === tracked,
    found: (tracked, order) => learned(tracked, reportOf(order, clock.now())),
    absent: ({ intent }) => events.onVerdict(intent.symbol, intent.clientOrderId, { kind: 'absent' }),
  });

  const succession = createOrderSuccession({
    ...{ clock, broker, queue, log, settings, index },
    learned: (tracked, report) => learned(tracked, report, true),
    succeeded: (old, successor, carried) =>
      events.onSuccessor(old.symbol, old.clientOrderId, successor, carried),
  });

  const sweep = createOrderSweep({
    clock,
    broker,
    queue,
    settings,
    index,
    listed: (found) => void listed(found, clock.now()),
  });

  // --- hearing --------------------------------------------------------------------------------------------------------

  /** A report, from wherever, on an order of ours. `insist`: its lane is told whatever it was told before. */
  function learned(tracked: Tracked, report: ExecutionReport, insist = false): void {
    if (tracked.brokerOrderId !== report.brokerOrderId) index.name(tracked, report.brokerOrderId);
    const ends = isEnd(report.status);
    prove(tracked, ends);
    if (ends) {
      tracked.ended = true;
      tracked.endedAs ??= report.status;
    }
    if (report.cumQty >= tracked.totals.cumQty)
      tracked.totals = { cumQty: report.cumQty, cumNotional: report.cumNotional };
    if (report.status === 'replaced' && report.replacedBy !== null && !index.byBrokerId(report.replacedBy))
      succession.follow(tracked, report.replacedBy);
    tell(tracked, report, insist);
    // After the lane was told: it may have had an exit to send.
    noteNews(tracked, `${report.status} ${report.cumQty}`);
    fillLog.note(tracked.intent, report);
    if (!ends && tracked.cancel === 'wanted') sendCancel(tracked);
  }

  function prove(tracked: Tracked, ends: boolean): void {
    const { phase, intent } = tracked;
    if (phase === 'proven') return;
    tracked.phase = 'proven';
    if (phase === 'unknown') {
      log.info('order.unknown.settled', { ...nameOf(tracked), verdict: 'accepted' });
      events.onVerdict(intent.symbol, intent.clientOrderId, { kind: 'accepted' });
    }
    if (!ends && (phase === 'absent' || phase === 'refused'))
      log.error('order.undead', { ...nameOf(tracked), text: `was held for ${phase}, and lives` });
  }

  function turn(tracked: Tracked, isAttended: boolean): void {
    tracked.attended = isAttended;
    tracked.pause = settings.pollFirst;
    if (isAttended && tracked.timer === null && !tracked.asking) inquiry.arm(tracked, settings.silenceMax);
  }

  /** News starts the pauses anew. */
  function noteNews(tracked: Tracked, said: string): void {
    if (said === tracked.heard) return;
    tracked.heard = said;
    tracked.pause = settings.pollFirst;
    if (tracked.attended && !tracked.asking) inquiry.arm(tracked, settings.silenceMax);
  }

  function tell(tracked: Tracked, report: ExecutionReport, insist: boolean): void {
    const { clientOrderId, symbol } = tracked.intent;
    const said = `${report.status} ${report.cumQty}`;
    // The lane may wait for exactly this answer a second time; otherwise a repetition is noise.
    if (!insist && report.source === 'query' && said === tracked.told && !tracked.attended) return;
    // A total on the stream may include executions whose frames were lost: the next query has to tell it again.
    tracked.told = report.source === 'query' || report.cumQty === 0 ? said : '';
    events.onReport(symbol, { ...report, clientOrderId });
  }

  function find(clientOrderId: ClientOrderId, brokerOrderId: BrokerOrderId): Tracked | null {
    return index.byClientId(clientOrderId) ?? index.byBrokerId(brokerOrderId) ?? null;
  }

  function noteForeign(id: BrokerOrderId, clientOrderId: ClientOrderId, symbol: Ticker, what: string): void {
    if (foreign.has(id)) return;
    foreign.add(id);
    const ours = parseClientOrderId(clientOrderId) !== null;
    log.warn(ours ? 'order.stray' : 'order.foreign', {
      symbol,
      clientOrderId,
      brokerOrderId: id,
      text: what,
    });
    events.onForeign(symbol);
  }

  // --- canceling --------------------------------------------------------------------------------------------------------

  function sendCancel(tracked: Tracked): void {
    const id = tracked.brokerOrderId;
    if (id === null || tracked.cancel === 'queued') return;
    tracked.cancel = 'queued';
    queue.add({
      priority: tracked.cancelPriority,
      cost: 1,
      expiresAt: null,
      expired: () => undefined,
      async send() {
        if (tracked.ended) {
          tracked.cancel = 'none';
          return { kind: 'unsent' };
        }
        const outcome = await broker.cancel(id);
        if (outcome.kind === 'unknown' && outcome.failure.code === 'rateLimited')
          return { kind: 'again', retryAt: outcome.failure.retryAt };
        tracked.cancel = 'none';
        log.debug('order.cancel.answered', { ...nameOf(tracked), outcome: outcome.kind });
        // Only `requested` leaves the word to the stream; after everything else only the order itself is believed.
        if (outcome.kind !== 'requested') inquiry.ask(tracked);
        return { kind: 'answered' };
      },
    });
  }

  // --- listings -----------------------------------------------------------------------------------------------------------

  function listed(found: readonly BrokerOrder[], receivedAt: Micros): readonly BrokerOrder[] {
    const others: BrokerOrder[] = [];
    for (const order of found) {
      const tracked = find(order.clientOrderId, order.brokerOrderId);
      const replaces = order.replaces === null ? undefined : index.byBrokerId(order.replaces);
      if (tracked !== null) {
        if (tracked.brokerOrderId === null) index.name(tracked, order.brokerOrderId);
        if (isOpen(tracked) || tracked.attended) learned(tracked, reportOf(order, receivedAt));
      } else if (replaces !== undefined && order.status !== 'rejected')
        succession.follow(replaces, order.brokerOrderId);
      else others.push(order);
    }
    return others;
  }

  function reset(): void {
    succession.stop();
    index.clear();
    foreign.clear();
    attended.clear();
    fillLog.reset();
    submitted = 0;
  }

  return {
    expect: (intent) => void index.add(intent, 'waiting', clock.now()),
    sent(id) {
      const tracked = index.byClientId(id);
      if (tracked === undefined) return;
      submitted += 1;
      tracked.phase = 'sent';
      tracked.sentAt = clock.now();
    },
    settle(id, outcome) {
      const tracked = index.byClientId(id);
      if (tracked === undefined) return true;
      const { symbol } = tracked.intent;
      switch (outcome.kind) {
        case 'accepted':
          if (tracked.phase === 'sent') tracked.phase = 'proven';
          events.onVerdict(symbol, id, { kind: 'accepted' });
          learned(tracked, { ...outcome.report, clientOrderId: id });
          break;
        case 'rejected':
          // The stream may have shown the order while the answer was on its way: then the order is believed.
          if (tracked.phase !== 'sent') {
            inquiry.ask(tracked);
            return false;
          }
          tracked.phase = 'refused';
          break;
        case 'unknown':
          if (tracked.phase !== 'sent') break;
          tracked.phase = 'unknown';
          log.warn('order.unknown', {
            ...nameOf(tracked),
            cause: outcome.failure.code,
            text: outcome.failure.text,
          });
          inquiry.arm(tracked, tracked.pause);
          break;
        default:
          unreachable(outcome);
      }
      return true;
    },
    unsent(id) {
      const tracked = index.byClientId(id);
      if (tracked !== undefined) tracked.phase = 'refused';
    },
    heard(report) {
      const tracked = find(report.clientOrderId, report.brokerOrderId);
      if (tracked !== null) learned(tracked, report, true);
      else if (!succession.hold(report))
        noteForeign(report.brokerOrderId, report.clientOrderId, report.symbol, report.status);
    },
    listed(found, receivedAt) {
      const others = listed(found, receivedAt);
      for (const order of others)
        noteForeign(order.brokerOrderId, order.clientOrderId, order.symbol, order.status);
      return others;
    },
    cancel(id, priority) {
      const tracked = index.byClientId(id);
      if (tracked === undefined) return;
      tracked.cancelPriority = priority;
      if (tracked.ended) inquiry.ask(tracked);
      else if (tracked.brokerOrderId !== null) sendCancel(tracked);
      else {
        tracked.cancel = 'wanted';
        if (tracked.phase === 'unknown' || tracked.phase === 'proven') inquiry.ask(tracked);
      }
    },
    attend(symbol, unsettled) {
      const before = attended.get(symbol) ?? [];
      const now = unsettled
        .filter(({ kind }) => kind !== 'working')
        .flatMap(({ intent }) => index.byClientId(intent.clientOrderId) ?? []);
      if (before.length === 0 && now.length === 0) return;
      attended.set(symbol, now);
      for (const tracked of before) if (!now.includes(tracked)) turn(tracked, false);
      for (const tracked of now) if (!tracked.attended) turn(tracked, true);
    },
    resume(order) {
      const isUnproven = order.kind === 'inFlight' || (order.kind === 'canceling' && !order.proven);
      const tracked = index.add(order.intent, isUnproven ? 'unknown' : 'proven', clock.now());
      tracked.ended = order.kind === 'closing' || order.kind === 'done';
      if (order.kind === 'canceling') tracked.cancel = 'wanted';
      if (isUnproven || tracked.cancel === 'wanted') inquiry.ask(tracked);
    },
    setBlind: sweep.setBlind,
    sweep: sweep.now,
    isTracked: (id) => index.byBrokerId(id) !== undefined,
    clientIdOf: (id) => index.byBrokerId(id)?.intent.clientOrderId ?? null,
    stats: () => ({
      tracked: index.size(),
      unknown: [...index.all()].filter(({ phase }) => phase === 'unknown').length,
      foreign: foreign.size,
      submitted,
      fills: fillLog.count(),
    }),
    reset,
    close() {
      reset();
      sweep.stop();
    },
  };
}

import type { ClientOrderId, Ticker } from '../domain/ids.ts';
import type { Approved, OrderIntent, Purpose } from '../domain/intent.ts';
import { unreachable } from '../domain/invariant.ts';
import type { LaneCommand, SubmitVerdict } from '../domain/lane-types.ts';
import { formatDecimal } from '../domain/money.ts';
import { checkIntent, type RiskLimits, type RiskView } from '../domain/risk.ts';
import { after, between, type Duration, type Micros, micros } from '../domain/time.ts';
import type { Broker, Refusal, SubmitOutcome } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, LogFields } from '../ports/log.ts';
import type { EntryStop } from './entry-stop.ts';
import { type FlattenForecast, type FlattenNeeds, planFlatten } from './flatten-plan.ts';
import type { HeldShares } from './held-shares.ts';
import type { OrderPath } from './order-path.ts';
import type { OrderTracker } from './order-tracker.ts';
import type { Recorder, Written } from './recorder.ts';
import type { Priority, Request, RequestQueue, Sending } from './request-queue.ts';
import { createRungMeter } from './rung-times.ts';
import type { GatewaySettings } from './settings.ts';
import type { TokenBucket } from './token-bucket.ts';

/**
 * The only door through which orders leave.
 *
 * 1. Nothing leaves that `checkIntent` did not approve, and nothing leaves before it is in the journal. While the journal
 *    takes nothing, entries are denied and exits go without.
 * 2. An intent is posted once. Only a 429, which proves that it was not taken, sends the same intent again.
 * 3. Whatever becomes of an intent, its lane hears one verdict; an unknown outcome is none, and is looked up.
 * 4. Exits are never held back by limits, latches or the age of the request.
 * 5. Nothing but cancels is sent into a halt: what waited for its turn is given back to its lane.
 */
export type Gateway = {
  submit(intent: OrderIntent, cause: Cause, path: OrderPath): void;
  cancel(symbol: Ticker, command: Extract<LaneCommand, { kind: 'cancel' }>, cause: Cause): void;
  /** An order of ours has ended: what market sells take is learned from it. */
  ended(id: ClientOrderId, filled: boolean): void;
  /**
   * How long flattening every lane would take from now, with the budget as it is; `entries` more lanes included. What is
   * under way already counts.
   */
  forecastFlatten(now: Micros, entries?: number): FlattenForecast;
  status(now: Micros): GatewayStatus;
};

/** The lane's step that asked for the request: what a restart needs when it finds the request without the step. */
export type Cause = { readonly step: number; readonly event: unknown };

export type GatewayStatus = {
  readonly waiting: number;
  readonly onWire: number;
  readonly free: number;
  readonly freeForEntries: number;
  readonly pausedUntil: Micros | null;
  readonly timeToFlatten: Duration;
  /** Lanes with shares that a halt keeps from being sold, and that the forecast leaves out. */
  readonly lanesStuck: number;
};

export type GatewayEvents = {
  onVerdict(intent: OrderIntent, verdict: SubmitVerdict): void;
};

export type GatewayDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly bucket: TokenBucket;
  readonly queue: RequestQueue;
  readonly tracker: OrderTracker;
  readonly recorder: Recorder;
  readonly heldShares: HeldShares;
  readonly log: Log;
  readonly settings: GatewaySettings;
  readonly limits: RiskLimits;
  readonly events: GatewayEvents;
  /** What is known when the intent is judged. */
  readonly view: (intent: OrderIntent) => RiskView;
  /** An entry was approved, or is over without ever having been at the broker. */
  readonly reserve: (intent: OrderIntent) => void;
  readonly release: (intent: OrderIntent) => void;
  /** Why no entry in the symbol may leave now, whatever it is; `null` when one may. Asked again right before it leaves. */
  readonly entryStop: (symbol: Ticker) => EntryStop | null;
  /** Whether trading in the symbol is halted, by the newest word of the feed. */
  readonly isHalted: (symbol: Ticker) => boolean;
  /** What flattening every lane takes now. `isWaiting`: the intent has not left our queue. */
  readonly flattenNeeds: (isWaiting: (id: ClientOrderId) => boolean) => FlattenNeeds;
  /** The instants between which the flatten must fit; `null` outside a session. */
  readonly flattenSpan: () => { readonly from: Micros; readonly until: Micros } | null;
};

const PRIORITY_OF: Readonly<Record<Purpose, Priority>> = {
  entry: 'entry',
  exit: 'exit',
  bailOut: 'urgent',
  flatten: 'urgent',
};

export function createGateway(deps: GatewayDeps): Gateway {
  const { clock, broker, bucket, queue, tracker, recorder, log, settings, events } = deps;
  /** Intents in the queue: they can be taken back. */
  const waiting = new Map<ClientOrderId, { readonly intent: OrderIntent; readonly request: Request }>();
  const rungs = createRungMeter(settings.rungTime, clock.now);

  // --- judging ---------------------------------------------------------------------------------------------------------

  function judge(intent: OrderIntent): Approved<OrderIntent> | EntryStop {
    const stop = intent.purpose === 'entry' ? (deps.entryStop(intent.symbol) ?? noTime()) : null;
    if (stop !== null) return stop;
    const verdict = checkIntent(intent, deps.limits, deps.view(intent));
    return verdict.kind === 'approved' ? verdict.intent : { code: verdict.code, text: verdict.text };
  }

  function noTime(): EntryStop | null {
    const span = deps.flattenSpan();
    if (span === null) return { code: 'noSession', text: 'entries need a session' };
    const now = clock.now();
    const need = forecastFlatten(now, 1).time;
    const from = Math.max(now, span.from);
    const left = between(micros(from), span.until) - settings.flattenMargin;
    if (need <= left) return null;
    return {
      code: 'noTimeToFlatten',
      text: `flattening every lane must fit before the close: it takes ${need / 1e6} s, there are ${left / 1e6} s`,
    };
  }

  function forecastFlatten(now: Micros, entries = 0): FlattenForecast {
    const needs = deps.flattenNeeds((id) => waiting.has(id));
    const line = { waiting: queue.depth('urgent') + queue.depth('cancel'), entries };
    return planFlatten(now, needs, line, bucket, rungs);
  }

  // --- verdicts --------------------------------------------------------------------------------------------------------

  function conclude(intent: OrderIntent, verdict: SubmitVerdict, path: OrderPath | null = null): void {
    const { clientOrderId, symbol, purpose } = intent;
    deps.release(intent);
    const micros = path === null ? {} : { micros: path.times() };
    void recorder.write('outcome', symbol, { clientOrderId, ...verdict, ...micros });
    const fields = { symbol, clientOrderId, purpose };
    if (verdict.kind === 'denied')
      log[purpose === 'entry' ? 'info' : 'error'](
        purpose === 'entry' ? 'lane.entry.refused' : 'order.denied',
        {
          ...fields,
          code: verdict.code,
          text: verdict.text,
        },
      );
    if (verdict.kind === 'expired') log.info('order.lapsed', { ...fields, text: 'left the queue unsent' });
    if (verdict.kind === 'rejected')
      log.warn('order.rejected', { ...fields, code: verdict.code, text: verdict.text });
    events.onVerdict(intent, verdict);
  }

  function keep(intent: OrderIntent, verdict: SubmitVerdict): void {
    waiting.delete(intent.clientOrderId);
    tracker.unsent(intent.clientOrderId);
    conclude(intent, verdict);
  }

  function refused(intent: OrderIntent, refusal: Refusal, path: OrderPath): void {
    if (!tracker.settle(intent.clientOrderId, { kind: 'rejected', refusal })) return;
    const code = deps.heldShares.repair(intent, refusal);
    conclude(intent, { kind: 'rejected', code, text: refusal.text, available: refusal.available }, path);
  }

  // --- sending ---------------------------------------------------------------------------------------------------------

  function submit(intent: OrderIntent, cause: Cause, path: OrderPath): void {
    tracker.expect(intent);
    const approved = judge(intent);
    if ('code' in approved) {
      keep(intent, { kind: 'denied', ...approved });
      return;
    }
    if (intent.purpose === 'entry') deps.reserve(intent);
    const written = recorder.write('request', intent.symbol, { what: 'submit', intent, ...cause });
    const request: Request = {
      priority: PRIORITY_OF[intent.purpose],
      cost: 1,
      expiresAt: intent.expiresAt,
      expired: () => keep(intent, { kind: 'expired' }),
      send: () => post({ intent: approved, written, request, path }),
    };
    waiting.set(intent.clientOrderId, { intent, request });
    if (!queue.add(request))
      keep(intent, { kind: 'denied', code: 'queueFull', text: 'entries wait in a queue that has room' });
  }

  /** An intent that is on record leaves before this returns. */
  function post(order: Outgoing): Promise<Sending> | Sending {
    const { intent, written } = order;
    waiting.delete(intent.clientOrderId);
    return written === true
      ? leave(order, true)
      : onRecord(intent, written).then((isOnRecord) => leave(order, isOnRecord));
  }

  function leave(order: Outgoing, isOnRecord: boolean): Promise<Sending> | Sending {
    const { intent, path } = order;
    const stop = heldBack(intent, isOnRecord);
    if (stop !== null) {
      // A sell that a halt keeps is no mistake of its lane: it decides again after the resume.
      keep(intent, intent.side === 'buy' ? { kind: 'denied', ...stop } : { kind: 'expired' });
      return { kind: 'unsent' };
    }
    // A slow disk holds an entry as the queue does: it must not arrive late. The disk's own patience, which is our machine's
    // and not the market's, is granted to it, or a fast clock would let no entry through.
    if (intent.expiresAt !== null && clock.now() >= after(intent.expiresAt, settings.journalPatience)) {
      keep(intent, { kind: 'expired' });
      return { kind: 'unsent' };
    }
    tracker.sent(intent.clientOrderId);
    const sentAt = clock.now();
    if (PRIORITY_OF[intent.purpose] === 'urgent') rungs.left(intent.clientOrderId, sentAt);
    path.leaves();
    const submitted = broker.submit(intent);
    path.sent();
    log.info('order.submitted', { ...describe(intent), ...spentOn(path) });
    return submitted.then((outcome) => answered(order, outcome, sentAt));
  }

  function answered({ intent, request, path }: Outgoing, outcome: SubmitOutcome, sentAt: Micros): Sending {
    path.answered();
    if (outcome.kind !== 'unknown') rungs.answered(between(sentAt, clock.now()));
    const tell = (body: object): void =>
      void recorder.write('outcome', intent.symbol, {
        clientOrderId: intent.clientOrderId,
        ...body,
        micros: path.times(),
      });
    switch (outcome.kind) {
      case 'accepted':
        tracker.settle(intent.clientOrderId, outcome);
        tell({ kind: 'accepted', brokerOrderId: outcome.report.brokerOrderId });
        return { kind: 'answered' };
      case 'rejected':
        refused(intent, outcome.refusal, path);
        return { kind: 'answered' };
      case 'unknown':
        tell({ kind: 'unknown', cause: outcome.failure.code });
        tracker.settle(intent.clientOrderId, outcome);
        return { kind: 'answered' };
      case 'notSent':
        waiting.set(intent.clientOrderId, { intent, request });
        log.warn('gateway.rateLimited', { ...describe(intent), text: outcome.failure.text });
        return { kind: 'again', retryAt: outcome.failure.retryAt };
      default:
        return unreachable(outcome);
    }
  }

  /** The last look before the request leaves. */
  function heldBack(intent: OrderIntent, isOnRecord: boolean): EntryStop | null {
    if (intent.purpose !== 'entry') return halted(intent);
    if (!isOnRecord) return { code: 'journalFailed', text: 'an entry is in the journal before it leaves' };
    return deps.entryStop(intent.symbol) ?? halted(intent);
  }

  const halted = ({ symbol }: OrderIntent): EntryStop | null =>
    deps.isHalted(symbol) ? { code: 'halted', text: 'nothing but cancels is sent into a halt' } : null;

  /** Exits wait for the journal, but not for long: a slow disk must not hold shares. */
  function onRecord({ purpose }: OrderIntent, written: Promise<boolean>): Promise<boolean> {
    if (purpose === 'entry') return written;
    return new Promise((resolve) => {
      const timer = clock.at(after(clock.now(), settings.journalPatience), () => {
        log.error('journal.slow', { text: 'an exit left before its journal record' });
        resolve(false);
      });
      void written.then((isWritten) => {
        timer.cancel();
        resolve(isWritten);
      });
    });
  }

  return {
    submit,
    cancel(symbol, command, cause) {
      const { clientOrderId, purpose } = command;
      void recorder.write('request', symbol, { what: 'cancel', clientOrderId, purpose, ...cause });
      log.info('order.cancel', { symbol, clientOrderId, purpose });
      const unsent = waiting.get(clientOrderId);
      if (unsent !== undefined && queue.withdraw(unsent.request)) keep(unsent.intent, { kind: 'expired' });
      else
        tracker.cancel(
          clientOrderId,
          purpose === 'patience' || purpose === 'entryStop' ? 'cancel' : 'urgent',
        );
    },
    ended: (id, filled) => rungs.ended(id, filled, clock.now()),
    forecastFlatten,
    status(now) {
      const { time, stuck } = forecastFlatten(now);
      return {
        waiting: waiting.size,
        onWire: queue.inFlight('urgent') + queue.inFlight('exit') + queue.inFlight('entry'),
        free: bucket.free(now, true),
        freeForEntries: bucket.free(now, false),
        pausedUntil: bucket.pausedUntil(),
        timeToFlatten: time,
        lanesStuck: stuck,
      };
    },
  };
}

/** An approved intent with its request and what is known of it. */
type Outgoing = {
  readonly intent: Approved<OrderIntent>;
  readonly written: Written;
  readonly request: Request;
  readonly path: OrderPath;
};

/** Where its milliseconds went, for the log. */
function spentOn(path: OrderPath): LogFields {
  const times = path.times();
  if (times === null) return {};
  const { by, decode, decide, release, send } = times;
  return {
    by,
    micros: decode + decide + release + send,
    decodeMicros: decode,
    decideMicros: decide,
    releaseMicros: release,
    sendMicros: send,
  };
}

const describe = (intent: OrderIntent) => ({
  symbol: intent.symbol,
  clientOrderId: intent.clientOrderId,
  purpose: intent.purpose,
  side: intent.side,
  qty: intent.qty,
  limit: intent.price.type === 'limit' ? formatDecimal(intent.price.limit) : null,
});

import { isEnd } from '../domain/execution.ts';
import type { ClientOrderId, Ticker } from '../domain/ids.ts';
import { unreachable } from '../domain/invariant.ts';
import { type Lane, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { LaneCommand, RoundTrip, SubmitVerdict } from '../domain/lane-types.ts';
import { cash, formatDecimal } from '../domain/money.ts';
import type { SessionPlan } from '../domain/session.ts';
import { between, type Duration, formatInstant, type Micros, minutes, seconds } from '../domain/time.ts';
import type { BrokerAccount, Read } from '../ports/broker.ts';
import { STOPPED } from '../ports/clock.ts';
import type { LaneInputMessage, LaneStep } from '../ports/lane-protocol.ts';
import type { LogFields } from '../ports/log.ts';
import { NO_FEES } from '../sim/fees.ts';
import { createBlotter } from './blotter.ts';
import type { EngineDeps } from './engine-types.ts';
import { createEntryGates } from './entry-gates.ts';
import { createEntryStop } from './entry-stop.ts';
import { createFeedHub } from './feed-hub.ts';
import { createFlattenWatch } from './flatten-watch.ts';
import { createGateway } from './gateway.ts';
import { createHeldShares } from './held-shares.ts';
import { inquire } from './inquiry.ts';
import { createKillSwitch } from './kill-switch.ts';
import { laneRecord, updatedBarRecord } from './lane-records.ts';
import { createLaneModes, type ModeSource } from './modes.ts';
import { createPathMeter } from './order-path.ts';
import { createOrderTracker } from './order-tracker.ts';
import { createReconciler } from './reconciler.ts';
import { createRecorder } from './recorder.ts';
import { createRequestQueue } from './request-queue.ts';
import { createRiskDesk } from './risk-desk.ts';
import { createSupervisor, type Seating, type Taken } from './supervisor.ts';
import { createTokenBucket } from './token-bucket.ts';

/** What the loop asks of whoever runs it. */
export type LoopHooks = {
  readonly plan: () => SessionPlan | null;
  /** Whether trading is being ended. */
  readonly stopping: () => boolean;
  readonly onSettled: (symbol: Ticker) => void;
};

const RATE_WINDOW = minutes(1);
const CRASH_LOOP: ModeSource = { reason: 'crashLoop', mode: 'exitOnly', by: 'supervisor: lost too often' };

export type Loop = ReturnType<typeof createLoop>;

/**
 * The loop: what the feeds bring goes to the lanes, what the lanes decide leaves by the gateway, what becomes of it comes
 * back to the lanes. One thread, one clock; only the lanes may live elsewhere.
 */
export function createLoop(deps: EngineDeps, hooks: LoopHooks) {
  const { clock, broker, journal, log, settings } = deps;
  const symbols = settings.lanes.map(({ symbol }) => symbol);
  const { limits } = settings.risk;
  const { requestsPerMinute, exitReserve } = settings.gateway;
  let account: BrokerAccount | null = null;
  let lossDue = false;

  const bucket = createTokenBucket({ limit: requestsPerMinute, reserve: exitReserve, window: RATE_WINDOW });
  for (let made = 0; made < (deps.requestsMade ?? 0); made += 1)
    bucket.take(clock.now(), false)?.spent(clock.now());
  const queue = createRequestQueue(clock, bucket, settings.gateway, (until) =>
    log.warn('gateway.paused', {
      until: formatInstant(until),
      text: 'the broker takes no more requests (429); what waits goes then, exits first',
    }),
  );
  const paths = createPathMeter(deps.stopwatch ?? STOPPED);
  const recorder = createRecorder(clock, journal, log, journalMended);
  const blotter = createBlotter(NO_FEES);
  const asks = { clock, broker, queue, log };

  const modes = createLaneModes(symbols, (symbol, mode, by) => {
    log.info('lane.mode', { symbol, mode, by });
    if (mode === 'flattening') flattening.soon();
    deliver(symbol, { kind: 'modeChanged', at: clock.now(), mode, by });
  });
  const gates = createEntryGates(symbols, (symbol, gate) =>
    deliver(symbol, { kind: 'gateChanged', at: clock.now(), gate }),
  );
  const hub = createFeedHub({
    ...asks,
    symbols,
    settings: settings.feed,
    events: {
      onInput: deliver,
      onMark: (symbol, mark) => supervisor.host.setMark(symbol, mark),
      onUpdatedBar: (bar) => void recorder.write('input', bar.symbol, updatedBarRecord(bar)),
    },
  });
  const tracker = createOrderTracker({
    ...asks,
    settings: settings.tracker,
    events: {
      onReport: (symbol, report) => deliver(symbol, { kind: 'reported', at: clock.now(), report }),
      onVerdict: settle,
      onSuccessor: (symbol, clientOrderId, successor, carried) =>
        deliver(symbol, { kind: 'succeeded', at: clock.now(), clientOrderId, successor, carried }),
      onForeign: () => reconciler.soon(),
    },
  });
  const supervisor = createSupervisor({
    clock,
    log,
    settings: settings.supervisor,
    strategy: settings.strategy,
    openHost: deps.laneHost,
    marks: { read: hub.mark },
    bars: hub.bars,
    events: {
      onSeated,
      onStep,
      onSettled,
      onRetired: (symbol) => modes.set(symbol, CRASH_LOOP),
      onBroken: (error) => deps.events.onBroken?.(error),
    },
  });
  const desk = createRiskDesk({
    lanes: supervisor.lanes,
    lane: supervisor.lane,
    mark: hub.mark,
    band: hub.band,
    isHalted: hub.isHalted,
  });
  const killSwitch = createKillSwitch({ clock, modes, recorder, log, limits, symbols });
  const gateway = createGateway({
    ...asks,
    bucket,
    tracker,
    recorder,
    limits,
    settings: settings.gateway,
    heldShares: createHeldShares({ ...asks, tracker }),
    events: { onVerdict: ({ symbol, clientOrderId }, verdict) => settle(symbol, clientOrderId, verdict) },
    view: (intent) => desk.view(intent, killSwitch.latches()),
    reserve: (intent) => desk.reserve(intent),
    release: (intent) => desk.release(intent.clientOrderId),
    entryStop: createEntryStop({ clock, recorder, modes, gates, ...hooks }),
    isHalted: hub.isHalted,
    flattenNeeds: (isWaiting) => desk.flattenNeeds(isWaiting),
    flattenSpan,
  });
  const flattening = createFlattenWatch({
    clock,
    log,
    lanes: supervisor.lanes,
    reasonOf: (symbol) => modes.reasons(symbol).find(({ mode }) => mode === 'flattening')?.reason ?? null,
    forecast: (now) => gateway.forecastFlatten(now),
    lookEvery: settings.risk.checkEvery,
  });
  const reconciler = createReconciler({
    ...asks,
    tracker,
    modes,
    recorder,
    settings: settings.reconcile,
    lanes: () => supervisor.lanes(),
    inSession: () => hooks.plan() !== null,
    onGone: (symbol, shares, averagePx) =>
      deliver(symbol, { kind: 'released', at: clock.now(), qty: shares, averagePx }),
    onLook(begunAt, agreed) {
      gates.agreed(agreed, begunAt);
      readAccount();
    },
  });

  function deliver(symbol: Ticker, input: LaneInputMessage): void {
    paths.delivered(symbol);
    supervisor.deliver(symbol, input);
  }

  function settle(symbol: Ticker, clientOrderId: ClientOrderId, verdict: SubmitVerdict): void {
    if (verdict.kind !== 'accepted') desk.release(clientOrderId);
    deliver(symbol, { kind: 'submitSettled', at: clock.now(), clientOrderId, verdict });
  }

  /** From here on the day's journal tells everything that happens to this lane, and all that it starts from. */
  function onSeated(symbol: Ticker, seating: Seating): void {
    void recorder.write('session', symbol, laneRecord(seating, settings.strategy));
  }

  /** Orders first; the journal of the step after them. */
  function onStep(symbol: Ticker, step: LaneStep, { number, by }: Taken, lane: Lane): void {
    const { event, commands } = step;
    for (const command of commands) act(symbol, command, { step: number, event }, by);
    if (event.kind === 'reported' && isEnd(event.report.status))
      gateway.ended(event.report.clientOrderId, event.report.status === 'filled');
    void recorder.write('input', symbol, { step: number, event });
    if (commands.length > 0) void recorder.write('decision', symbol, { step: number, commands });
    blotter.book(symbol, step, lane);
  }

  function act(
    symbol: Ticker,
    command: LaneCommand,
    cause: { step: number; event: LaneStep['event'] },
    by: Taken['by'],
  ): void {
    switch (command.kind) {
      case 'submit':
        gateway.submit(command.intent, cause, paths.decided(symbol, by));
        break;
      case 'cancel':
        gateway.cancel(symbol, command, cause);
        break;
      case 'entryRefused':
        log.info('lane.entry.refused', { symbol, code: command.code, text: command.detail });
        break;
      case 'roundTripClosed':
        log.info('lane.roundTrip', describeTrip(command.trip));
        break;
      case 'alarm':
        log.error('lane.alarm', { symbol, code: command.code, text: command.detail });
        break;
      default:
        unreachable(command);
    }
  }

  function onSettled(symbol: Ticker, lane: Lane): void {
    tracker.attend(symbol, unsettledOrders(lane));
    if (sharesHeld(lane) !== 0) watchLossSoon();
    flattening.settled(symbol, lane);
    hooks.onSettled(symbol);
  }

  /** Once for all lanes that act in one instant: the look goes over all of them, and exits go first. */
  function watchLossSoon(): void {
    if (lossDue) return;
    lossDue = true;
    clock.at(clock.now(), () => {
      lossDue = false;
      watchLoss();
    });
  }

  function watchLoss(): void {
    killSwitch.watch(desk.knownPnl());
  }

  /** What the journal missed it will never know; what is now, it is told anew. */
  function journalMended(): void {
    supervisor.reseat();
    killSwitch.journalMended();
  }

  function flattenSpan(): { readonly from: Micros; readonly until: Micros } | null {
    const plan = hooks.plan();
    return plan === null ? null : { from: plan.flattenAt, until: plan.closeAt };
  }

  function readAccount(): void {
    const done = desk.reading();
    inquire(
      queue,
      { priority: 'query', cost: 1 },
      () => broker.account(),
      (answer: Read<BrokerAccount>) => knowAccount(answer.kind === 'ok' ? answer.value : null, done),
    );
  }

  function knowAccount(read: BrokerAccount | null, done = desk.reading()): void {
    if (read !== null) account = read;
    done(read?.buyingPower ?? null);
  }

  return {
    symbols,
    bucket,
    queue,
    recorder,
    paths,
    blotter,
    modes,
    gates,
    hub,
    tracker,
    supervisor,
    desk,
    killSwitch,
    gateway,
    flattening,
    reconciler,
    deliver,
    watchLoss,
    knowAccount,
    account: () => account,
  };
}

function describeTrip(trip: RoundTrip): LogFields {
  const length: Duration = between(trip.openedAt, trip.closedAt);
  return {
    symbol: trip.symbol,
    qty: trip.qty,
    cost: formatDecimal(trip.cost),
    proceeds: formatDecimal(trip.proceeds),
    pnl: formatDecimal(cash(trip.proceeds - trip.cost)),
    exit: trip.exitKind,
    heldSeconds: Math.round(length / seconds(1)),
  };
}

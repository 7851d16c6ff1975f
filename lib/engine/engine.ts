import type { Ticker } from '../domain/ids.ts';
import { type Lane, ordersOf, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { Mark } from '../domain/market.ts';
import type { SessionPlan } from '../domain/session.ts';
import {
  after,
  before,
  between,
  type Duration,
  type Micros,
  minutes,
  type SessionDay,
  seconds,
} from '../domain/time.ts';
import type { BrokerAsset } from '../ports/broker.ts';
import type { Timer } from '../ports/clock.ts';
import { feesOn } from '../sim/fees.ts';
import { createAdoption } from './adoption.ts';
import { askLane } from './ask-lane.ts';
import { statusOf } from './engine-status.ts';
import type {
  EndReport,
  Engine,
  EngineDeps,
  EngineStatus,
  StartOutcome,
  StopPolicy,
} from './engine-types.ts';
import { evidenceOf } from './evidence.ts';
import { createFeedKeeper } from './feed-keeper.ts';
import { assetRequestsOf, printRequestsOf } from './inquiry.ts';
import { createLoop } from './loop.ts';
import { checkAccount, checkLots, findLanes, insist, pauseFor, untradable } from './opening.ts';
import type { Picture } from './reconciler.ts';
import { makeReport, type SessionReport } from './report.ts';
import { createSessionKeeper } from './session-keeper.ts';

export type * from './engine-types.ts';

/** A day's orders may have been sent long before its open. */
const LISTING_LEAD = minutes(12 * 60);
/** A start in mid-session waits so long for the bars so far; what comes later is given to lanes that live. */
const HISTORY_PATIENCE = seconds(10);

/** The engine's life: it finds out where things stand, begins and ends sessions, and stops. The loop does the rest. */
export function createEngine(deps: EngineDeps): Engine {
  const { clock, broker, journal, log, settings, build = 'unknown' } = deps;
  let state: EngineStatus['state'] = 'starting';
  let riskTimer: Timer | null = null;
  let checkQuiet: (() => void) | null = null;
  let quietDue = false;
  /** The session that the hub has been told of. */
  let hubDay: SessionDay | null = null;

  const loop = createLoop(deps, {
    plan: () => keeper.plan(),
    stopping: () => state === 'stopping' || state === 'stopped',
    onSettled(symbol) {
      if (checkQuiet !== null) checkQuietSoon();
      deps.events.onProgress?.(symbol);
    },
  });
  const keeper = createSessionKeeper({
    clock,
    broker,
    log,
    queue: loop.queue,
    settings: settings.session,
    holdMax: Math.max(0, ...settings.lanes.map(({ holdMax }) => holdMax)) as Duration,
    events: {
      onBegin: beginSession,
      onEnd: (plan) => void endSession(plan),
      onDrift: (drift) => deps.events.onDrift?.(drift),
    },
  });
  const { symbols, recorder, blotter, modes, gates, hub, tracker, supervisor, killSwitch, reconciler } = loop;
  const feeds = createFeedKeeper(deps, loop);
  const adopt = createAdoption({
    ...loop,
    clock,
    broker,
    log,
    lane: supervisor.lane,
    plan: () => keeper.plan(),
    stopping: () => state === 'stopping' || state === 'stopped',
  });

  // --- starting --------------------------------------------------------------------------------------------------------

  async function start(): Promise<StartOutcome> {
    const account = await insist(clock, loop.queue, settings.session, () => broker.account());
    if (account.kind === 'failed') return account;
    const blocked = checkAccount(account.value);
    if (blocked !== null) return blocked;
    loop.knowAccount(account.value);
    await checkSymbols();

    const { plan, pastDays } = await keeper.open();
    const day = plan?.day ?? keeper.next()?.day;
    if (day !== undefined) recorder.openDay(day);
    const unread = await startLanes(plan, pastDays);
    if (unread !== null) {
      await close();
      return unread;
    }
    // Lanes take a while to start: a session that began meanwhile found none of them.
    const current = keeper.plan();
    if (current !== null) enterSession(current);
    modes.tellAll('start', (symbol) => supervisor.lane(symbol).mode);
    gates.tellAll((symbol) => supervisor.lane(symbol).gate);
    feeds.open();
    reconciler.start();
    armRisk();
    state = current === null ? 'waiting' : 'trading';
    await feeds.live(settings.session.startPatience);
    const refusal = feeds.refusal();
    if (refusal !== null) {
      await close();
      return { kind: 'failed', code: 'unauthorized', text: refusal };
    }
    log.info('engine.ready', { symbols: symbols.length, session: plan?.day ?? null });
    return { kind: 'ready', session: plan, next: keeper.next() };
  }

  async function checkSymbols(): Promise<void> {
    const assets = await insist<readonly BrokerAsset[]>(
      clock,
      loop.queue,
      settings.session,
      () => broker.assets(symbols),
      { cost: assetRequestsOf(symbols.length) },
    );
    if (assets.kind === 'ok')
      for (const symbol of untradable(settings.lanes, assets.value, log))
        modes.set(symbol, { reason: 'notTradable', mode: 'exitOnly', by: 'start: not tradable' });
    const marks = await insist<ReadonlyMap<Ticker, Mark>>(
      clock,
      loop.queue,
      settings.session,
      () => broker.latestPrints(symbols),
      { host: 'data', cost: printRequestsOf(symbols.length) },
    );
    if (marks.kind !== 'ok') return;
    for (const [symbol, mark] of marks.value) hub.seedMark(symbol, mark);
    checkLots(settings.lanes, marks.value, log);
  }

  async function startLanes(
    plan: SessionPlan | null,
    pastDays: readonly SessionDay[],
  ): Promise<Extract<StartOutcome, { kind: 'failed' }> | null> {
    if (plan !== null) {
      reconciler.openSession(before(plan.openAt, LISTING_LEAD));
      blotter.openSession(feesFor(plan.day));
    }
    const picture = plan === null ? null : await insistOnPicture(patience());
    const found = await findLanes({
      params: settings.lanes,
      plan,
      day: recorder.day(),
      pastDays,
      journal,
      picture,
      clock,
      log,
      onStep: blotter.book,
    });
    // Neither journal nor broker: such a lane could hold shares, and would give its ids a second time.
    if (found.unproven.length > 0)
      return {
        kind: 'failed',
        code: 'notConnected',
        text: `orders and positions must be read before lanes without a journal start: ${found.unproven.join(', ')}`,
      };
    if (recorder.day() !== null)
      void recorder.write('session', null, {
        what: 'started',
        build,
        strategy: settings.strategy,
        symbols,
        fromBroker: found.fromBroker,
      });
    killSwitch.restore(found.operator);
    // A latch of an earlier day is in this day's journal too, or the start after this one would not find it.
    if (recorder.day() !== null) killSwitch.openDay();
    for (const { params, trading } of found.lanes)
      if (trading.kind === 'halted') hub.seedHalt(params.symbol, trading.since);
    if (plan !== null && found.atRest) await readHistory(plan);
    await supervisor.start(found.lanes);
    for (const lane of found.lanes) for (const order of ordersOf(lane)) tracker.resume(order);
    if (picture !== null) tracker.listed(picture.ordersSince, picture.takenAt);
    return null;
  }

  /** The session's bars so far, for lanes to start with: to lanes that live, each bar would be a step of its own. */
  async function readHistory(plan: SessionPlan): Promise<void> {
    openHub(plan);
    await orLate(hub.caughtUp(), after(clock.now(), HISTORY_PATIENCE));
  }

  const patience = (): Micros => after(clock.now(), settings.session.startPatience);

  /** Asks until then and no longer: a broker that does not answer must not hold up the end. */
  async function insistOnPicture(until: Micros): Promise<Picture | null> {
    for (;;) {
      const picture = await orLate(reconciler.picture(), until);
      if (picture !== null || clock.now() >= until) return picture;
      await pauseFor(clock, settings.session.retryFirst);
    }
  }

  function orLate<T>(asked: Promise<T>, until: Micros): Promise<T | null> {
    return new Promise((resolve) => {
      const timer = clock.at(until, () => resolve(null));
      void asked.then((answer) => {
        timer.cancel();
        resolve(answer);
      });
    });
  }

  // --- sessions --------------------------------------------------------------------------------------------------------

  const feesFor = (day: SessionDay) => settings.fees ?? feesOn(day);

  /** A later session of the same run; the first one is entered by `start`. */
  function beginSession(plan: SessionPlan): void {
    recorder.openDay(plan.day);
    blotter.openSession(feesFor(plan.day));
    tracker.reset();
    // What a session left unsettled is still asked about, and can still be canceled.
    for (const lane of supervisor.lanes()) for (const order of unsettledOrders(lane)) tracker.resume(order);
    reconciler.openSession(before(plan.openAt, LISTING_LEAD));
    killSwitch.openDay();
    supervisor.openSession();
    enterSession(plan);
    state = 'trading';
    reconciler.soon();
  }

  function enterSession(plan: SessionPlan): void {
    void recorder.write('session', null, { what: 'began', plan, symbols, build });
    openHub(plan);
    loop.flattening.openSession(plan);
    for (const symbol of symbols) loop.deliver(symbol, { kind: 'sessionOpened', at: clock.now(), plan });
  }

  function openHub(plan: SessionPlan): void {
    if (hubDay === plan.day) return;
    hubDay = plan.day;
    hub.openSession(plan);
  }

  async function endSession(plan: SessionPlan): Promise<void> {
    if (state === 'stopping' || state === 'stopped') return;
    state = 'waiting';
    const report = await sessionReport(plan.day, patience(), 'checked');
    // A stop that came meanwhile makes the report of the end.
    if (state !== 'waiting') return;
    if (!report.flat) log.error('session.notFlat', { day: plan.day, open: report.open });
    void recorder.write('session', null, { what: 'ended', report });
    deps.events.onSessionEnded(report);
  }

  /** `checked`: the broker has come to rest, and whatever its last picture shows counts. */
  async function sessionReport(
    day: SessionDay | null,
    until: Micros,
    picturing: 'checked' | 'asIs' = 'asIs',
  ): Promise<SessionReport> {
    const picture = await insistOnPicture(until);
    await leaveEvidence(picture, until);
    return makeReport({
      day,
      lanes: supervisor.lanes(),
      trips: blotter.trips(),
      feesOf: blotter.feesOf,
      counts: blotter.counts,
      discrepancies:
        picture !== null && picturing === 'checked' ? reconciler.check(picture) : reconciler.discrepancies(),
      brokerOrders: picture?.openOrders ?? null,
      brokerPositions: picture?.positions ?? null,
    });
  }

  /** What the end was judged by, for whoever judges it again. A slow disk must not hold up the end either. */
  async function leaveEvidence(picture: Picture | null, until: Micros): Promise<void> {
    if (recorder.day() === null) return;
    const written = evidenceOf(supervisor.lanes(), picture, clock.now()).map(([symbol, evidence]) =>
      recorder.write('session', symbol, evidence),
    );
    await orLate(Promise.all(written), until);
  }

  function armRisk(): void {
    riskTimer = clock.at(after(clock.now(), settings.risk.checkEvery), () => {
      loop.watchLoss();
      armRisk();
    });
  }

  // --- stopping --------------------------------------------------------------------------------------------------------

  async function stop(policy: StopPolicy, deadline: Micros): Promise<EndReport> {
    state = 'stopping';
    const day = recorder.day();
    log.warn('engine.stopping', { policy });
    const mode = policy === 'flatten' ? 'flattening' : 'exitOnly';
    modes.set(null, { reason: 'shutdown', mode, by: `shutdown: ${policy}` });
    // The proof of flatness takes a moment more than getting flat; ten percent, whatever the clock's speed.
    const lastWordBy = after(deadline, Math.max(0, between(clock.now(), deadline) / 10) as Duration);
    const inTime = await quiet(policy, deadline);
    const report = await sessionReport(day, lastWordBy);
    void recorder.write('session', null, { what: 'stopped', policy, report });
    await close();
    log.info('engine.stopped', { flat: report.flat, open: report.open, inTime });
    return { ...report, policy, inTime };
  }

  async function close(): Promise<void> {
    state = 'stopped';
    riskTimer?.cancel();
    loop.flattening.stop();
    keeper.stop();
    reconciler.stop();
    await feeds.close();
    hub.stop();
    tracker.close();
    await supervisor.stop();
  }

  /** Waits until every lane is where the policy wants it; `false` when the deadline came first. */
  function quiet(policy: StopPolicy, deadline: Micros): Promise<boolean> {
    const isQuiet = policy === 'flatten' ? isOut : isResting;
    return new Promise((resolve) => {
      const done = (inTime: boolean): void => {
        checkQuiet = null;
        timer.cancel();
        resolve(inTime);
      };
      const timer = clock.at(deadline, () => done(false));
      checkQuiet = () => {
        // An entry that a thread decided before it heard of the end may still be on its way to us.
        if (supervisor.isAnswered() && supervisor.lanes().every(isQuiet)) done(true);
      };
      checkQuiet();
    });
  }

  /** Once for all lanes that act in one instant: the look goes over all of them. */
  function checkQuietSoon(): void {
    if (quietDue) return;
    quietDue = true;
    clock.at(clock.now(), () => {
      quietDue = false;
      checkQuiet?.();
    });
  }

  /** Out of everything, or with shares that no market is open for. */
  function isOut(lane: Lane): boolean {
    const plan = keeper.plan();
    const now = clock.now();
    const isOpen = plan !== null && now >= plan.openAt && now < plan.closeAt;
    return unsettledOrders(lane).length === 0 && (sharesHeld(lane) === 0 || !isOpen);
  }

  /** Nothing but resting exits is left at the broker, and no shares without one. */
  function isResting(lane: Lane): boolean {
    const orders = unsettledOrders(lane);
    if (orders.length === 0) return isOut(lane);
    return orders.every(({ kind, intent }) => kind === 'working' && intent.side === 'sell');
  }

  return {
    start,
    status: () =>
      statusOf(
        loop,
        {
          state,
          dataFeed: feeds.data(),
          tradeFeed: feeds.trade(),
          overloadedSince: feeds.overloadedSince(),
          session: keeper.plan(),
          next: keeper.next(),
        },
        clock.now(),
      ),
    askLane: (symbol) => askLane({ clock, symbols, supervisor, settings: settings.supervisor }, symbol),
    pause: killSwitch.pause,
    resume: killSwitch.resume,
    flatten: killSwitch.flatten,
    kill: killSwitch.kill,
    adopt,
    stop,
    observeRate: (seen) => loop.bucket.observe(clock.now(), seen),
  };
}

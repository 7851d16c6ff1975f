import type { Ticker } from '../domain/ids.ts';
import { type Lane, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { Price, Qty } from '../domain/money.ts';
import {
  beliefOf,
  type Finding,
  forget,
  type LaneBelief,
  NO_SUSPICION,
  reconcile,
  type Suspicion,
} from '../domain/reconcile.ts';
import { after, type Duration, type Micros } from '../domain/time.ts';
import type { Broker, BrokerFill, BrokerOrder, BrokerPosition, Read } from '../ports/broker.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { createFillBook } from './fill-book.ts';
import { inquire, pagesOf } from './inquiry.ts';
import type { LaneModes } from './modes.ts';
import type { OrderTracker } from './order-tracker.ts';
import type { Recorder } from './recorder.ts';
import type { RequestQueue } from './request-queue.ts';
import type { ReconcileSettings } from './settings.ts';

/**
 * Compares the lanes with the broker and acts on what the pure comparison finds. A failed read is no picture: an error is
 * not an empty list, and nothing is concluded from it.
 *
 * A look costs three requests or more. The account's fills cost one more per hundred and are read when they can tell
 * something: in the first look of a session, in looks that something called for (a gap of the trade feed, an order of
 * others), as long as orders and positions do not agree, and whole in a picture for a start or an end. The looks in
 * between, while everything agrees, go without.
 */
export type Reconciler = {
  /** Looks now, and again every so often. */
  start(): void;
  /** Something happened that a look should follow: a gap of the trade feed, an order that is not ours. */
  soon(): void;
  /** Reads the broker, fills included, without concluding anything; `null` when it could not be read in full. */
  picture(): Promise<Picture | null>;
  /** Everything in this picture that does not agree, persistent or not: for the last picture of a session. */
  check(picture: Picture): readonly Discrepancy[];
  /** What stands, by symbol. */
  discrepancies(): readonly Discrepancy[];
  /** Listings reach back to here. */
  openSession(from: Micros): void;
  stop(): void;
};

/** Complete answers of the broker. */
export type Picture = {
  readonly takenAt: Micros;
  readonly openOrders: readonly BrokerOrder[];
  readonly ordersSince: readonly BrokerOrder[];
  readonly positions: readonly BrokerPosition[];
  /** Every fill since `ordersSince` begins; `null` when they were not asked for. */
  readonly fills: readonly BrokerFill[] | null;
};

export type Discrepancy = { readonly symbol: Ticker; readonly code: string; readonly evidence: string };

export type ReconcilerDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly tracker: OrderTracker;
  readonly modes: LaneModes;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly settings: ReconcileSettings;
  readonly lanes: () => readonly Lane[];
  /** Whether a session is under way, or about to open. */
  readonly inSession: () => boolean;
  /** After each complete look: `begunAt` is when it began, `agreed` names the symbols without an open suspicion. */
  readonly onLook: (begunAt: Micros, agreed: readonly Ticker[]) => void;
  /** Others are proven to have sold so many of the lane's shares, at this average. */
  readonly onGone: (symbol: Ticker, shares: Qty, averagePx: Price) => void;
};

const BY = 'reconciliation';
/** Tries for each listing of one picture. */
const TRIES = 3;

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { clock, broker, queue, tracker, modes, recorder, log, settings } = deps;
  let suspicion: Suspicion = NO_SUSPICION;
  let standing = new Map<Ticker, readonly Discrepancy[]>();
  let from: Micros | null = null;
  let timer: Timer | null = null;
  let looking = false;
  let lookedAt: Micros | null = null;
  let again = false;
  let stopped = false;
  /** Failed looks in a row. */
  let failures = 0;
  let wantsFills = true;

  const fillBook = createFillBook((since, pages) => read(pages, () => broker.fillsSince(since)));

  // --- the picture -----------------------------------------------------------------------------------------------------

  function readOnce<T>(cost: number, ask: () => Promise<Read<T>>): Promise<Read<T>> {
    return new Promise((resolve) =>
      inquire(queue, { priority: 'query', cost }, ask, (answer: Read<T>) => resolve(answer)),
    );
  }

  /** A listing that failed is asked for again by itself: the other two need not be thrown away for it. */
  async function read<T>(cost: number, ask: () => Promise<Read<T>>): Promise<Read<T>> {
    let answer = await readOnce(cost, ask);
    for (let tries = 1; tries < TRIES && answer.kind === 'failed' && !stopped; tries += 1) {
      await new Promise<void>((resolve) => clock.at(after(clock.now(), settings.retryAfter), resolve));
      answer = await readOnce(cost, ask);
    }
    return answer;
  }

  async function takePicture(since: Micros, fills: 'none' | 'new' | 'whole'): Promise<Picture | null> {
    // Positions last: an order that fills in between shows as shares we do not know yet, which a second look clears.
    const pages = pagesOf(tracker.stats().tracked);
    const [open, past, filled, positions] = await Promise.all([
      read<readonly BrokerOrder[]>(1, () => broker.openOrders()),
      read<readonly BrokerOrder[]>(pages, () => broker.ordersSince(since)),
      fills === 'none' ? null : fillBook.read(fills === 'whole', clock.now()),
      read<readonly BrokerPosition[]>(1, () => broker.positions()),
    ]);
    for (const answer of [open, past, filled, positions])
      if (answer?.kind === 'failed')
        log.warn('reconcile.unread', { text: answer.failure.text, code: answer.failure.code });
    if (open.kind !== 'ok' || past.kind !== 'ok' || positions.kind !== 'ok' || filled?.kind === 'failed')
      return null;
    return {
      takenAt: clock.now(),
      openOrders: open.value,
      ordersSince: past.value,
      positions: positions.value,
      fills: filled?.value ?? null,
    };
  }

  // --- a look ----------------------------------------------------------------------------------------------------------

  /** `sure`: nothing is merely suspected. */
  async function look(since: Micros): Promise<'unread' | 'unsure' | 'sure'> {
    const begunAt = clock.now();
    const withFills = wantsFills;
    const picture = await takePicture(since, withFills ? 'new' : 'none');
    if (picture === null || stopped) return 'unread';
    // Another session began meanwhile: this is a picture of the one before.
    if (since !== from) return 'unsure';
    tracker.listed(picture.ordersSince, picture.takenAt);
    const lanes = deps.lanes();
    const result = reconcile(
      beliefs(lanes, picture),
      picture,
      suspicion,
      settings.passes,
      settings.recheckAfter,
    );
    suspicion = result.suspicion;
    const own = new Set(lanes.map(({ params }) => params.symbol));
    for (const { symbol, findings } of result.symbols) if (own.has(symbol)) follow(symbol, findings);
    const agreed = result.symbols.filter(({ findings }) => !findings.some(isSuspicion));
    deps.onLook(
      begunAt,
      agreed.map(({ symbol }) => symbol),
    );
    const sure = agreed.length === result.symbols.length;
    // A contradiction that only fills show would seem to be gone in a look without them.
    if (sure && withFills === wantsFills)
      wantsFills = [...standing.values()].flat().some(({ code }) => code === 'fillsContradict');
    else wantsFills = true;
    return sure ? 'sure' : 'unsure';
  }

  function follow(symbol: Ticker, findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding.kind === 'behind') for (const report of finding.reports) tracker.heard(report);
      if (finding.kind === 'gone') {
        log.error('reconcile.gone', { symbol, shares: finding.shares, text: finding.evidence });
        void recorder.write('reconciliation', symbol, { code: 'gone', evidence: finding.evidence });
        suspicion = forget(suspicion, symbol);
        deps.onGone(symbol, finding.shares, finding.averagePx);
      }
      if (finding.kind === 'suspected')
        log.debug('reconcile.suspected', { symbol, code: finding.code, text: finding.evidence });
    }
    const stands = discrepanciesIn(symbol, findings);
    const suspects = findings.some(isSuspicion);
    // A figure that moved is suspected anew; what stood stands until a look agrees.
    if (stands.length > 0 || !suspects) note(symbol, stands);
    enforce(symbol, 'foreign', stands, suspects);
    enforce(symbol, 'discrepancy', stands, suspects);
  }

  /** Tells what is new, once. */
  function note(symbol: Ticker, stands: readonly Discrepancy[]): void {
    const known = new Set((standing.get(symbol) ?? []).map(({ code }) => code));
    for (const { code, evidence } of stands) {
      if (known.has(code)) continue;
      log.error('reconcile.discrepancy', { symbol, code, text: evidence });
      void recorder.write('reconciliation', symbol, { code, evidence });
    }
    if (stands.length === 0) standing.delete(symbol);
    else standing.set(symbol, stands);
  }

  /** Sets the lane's mode by what stands, and lifts it after a clean look; a suspicion changes nothing yet. */
  function enforce(
    symbol: Ticker,
    reason: 'foreign' | 'discrepancy',
    stands: readonly Discrepancy[],
    suspects: boolean,
  ): void {
    const mine = stands.find(({ code }) => (code === 'foreign') === (reason === 'foreign'));
    if (mine === undefined) {
      if (!suspects && modes.has(symbol, reason)) {
        log.info('reconcile.agreed', { symbol, text: `no longer: ${reason}` });
        modes.lift(symbol, reason, BY);
      }
      return;
    }
    // What the lane holds by its own fills is still sold in both.
    const mode = reason === 'foreign' ? 'halted' : 'exitOnly';
    modes.set(symbol, { reason, mode, by: `${BY}: ${mine.code}` });
  }

  // --- when ------------------------------------------------------------------------------------------------------------

  function lookNow(): void {
    timer?.cancel();
    timer = null;
    if (looking || from === null || stopped) return;
    looking = true;
    lookedAt = clock.now();
    void look(from).then((outcome) => {
      looking = false;
      if (stopped) return;
      failures = outcome === 'unread' ? failures + 1 : 0;
      const wait = outcome === 'sure' ? pauseWhenSure() : recheckPause();
      if (again) soon();
      else timer = clock.at(after(clock.now(), wait), lookNow);
    });
  }

  /** A night in which nothing is at stake is not worth a look every half minute. */
  const pauseWhenSure = (): Duration =>
    deps.inSession() || deps.lanes().some(isOpen) ? settings.every : settings.everyIdle;

  /** Grows while the broker does not answer. */
  const recheckPause = (): Duration =>
    Math.min(
      settings.recheckAfter * 2 ** Math.min(Math.max(0, failures - 1), 10),
      settings.every,
    ) as Duration;

  function soon(): void {
    wantsFills = true;
    // A look under way began before what called for this one.
    again = looking;
    if (looking) return;
    timer?.cancel();
    // Whatever calls for looks in a row, a person trading by hand for one, must not spend the budget on them.
    const at = lookedAt === null ? clock.now() : after(lookedAt, settings.retryAfter);
    if (at <= clock.now()) lookNow();
    else timer = clock.at(at, lookNow);
  }

  return {
    start: soon,
    soon,
    // Before the first session only what is open counts: there is nothing of the day to list.
    picture: () => takePicture(from ?? clock.now(), from === null ? 'none' : 'whole'),
    check(picture) {
      const { symbols } = reconcile(beliefs(deps.lanes(), picture), picture, NO_SUSPICION, 1);
      const own = new Set(deps.lanes().map(({ params }) => params.symbol));
      return symbols
        .filter(({ symbol }) => own.has(symbol))
        .flatMap(({ symbol, findings }) => discrepanciesIn(symbol, findings));
    },
    discrepancies: () => [...standing.values()].flat(),
    openSession(begin) {
      from = begin;
      suspicion = NO_SUSPICION;
      standing = new Map();
      wantsFills = true;
      fillBook.open(begin);
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** What the lanes believe, without orders in flight that the broker does not show: looking those up is the tracker's work. */
function beliefs(lanes: readonly Lane[], picture: Picture): readonly LaneBelief[] {
  const seen = new Set([...picture.openOrders, ...picture.ordersSince].map((order) => order.clientOrderId));
  return lanes.map(beliefOf).map((belief) => ({
    ...belief,
    orders: belief.orders.filter(
      ({ state, clientOrderId }) => state !== 'inFlight' || seen.has(clientOrderId),
    ),
  }));
}

const isOpen = (lane: Lane): boolean => sharesHeld(lane) !== 0 || unsettledOrders(lane).length > 0;

const isSuspicion = ({ kind }: Finding): boolean => kind === 'suspected';

const discrepanciesIn = (symbol: Ticker, findings: readonly Finding[]): readonly Discrepancy[] =>
  findings.flatMap((finding): readonly Discrepancy[] => {
    if (finding.kind === 'foreign') return [{ symbol, code: 'foreign', evidence: finding.evidence }];
    if (finding.kind === 'discrepancy') return [{ symbol, code: finding.code, evidence: finding.evidence }];
    return [];
  });

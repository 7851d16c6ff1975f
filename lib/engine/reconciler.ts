import type { Ticker } from '../domain/ids.ts';
import type { Lane } from '../domain/lane.ts';
import { sharesHeld, unsettledOrders } from '../domain/lane.ts';
import {
  beliefOf,
  type Finding,
  type LaneBelief,
  NO_SUSPICION,
  reconcile,
  type Suspicion,
} from '../domain/reconcile.ts';
import { after, type Duration, type Micros } from '../domain/time.ts';
import type { Broker, BrokerOrder, BrokerPosition, Read } from '../ports/broker.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { inquire, pagesOf } from './inquiry.ts';
import type { LaneModes } from './modes.ts';
import type { OrderTracker } from './order-tracker.ts';
import type { Recorder } from './recorder.ts';
import type { RequestQueue } from './request-queue.ts';
import type { ReconcileSettings } from './settings.ts';

/**
 * Compares the lanes with the broker and acts on what the pure comparison finds. A failed read is no picture: an error is
 * not an empty list, and nothing is concluded from it.
 */
export type Reconciler = {
  /** Looks now, and again every so often. */
  start(): void;
  /** Something happened that a look should follow: a gap of the trade feed, an order that is not ours. */
  soon(): void;
  /** Reads the broker without concluding anything; `null` when it could not be read in full. */
  picture(): Promise<Picture | null>;
  /** What stands, by symbol. */
  discrepancies(): readonly Discrepancy[];
  /** Listings reach back to here. */
  openSession(from: Micros): void;
  stop(): void;
};

/** Three complete answers of the broker. */
export type Picture = {
  readonly takenAt: Micros;
  readonly openOrders: readonly BrokerOrder[];
  readonly ordersSince: readonly BrokerOrder[];
  readonly positions: readonly BrokerPosition[];
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
  /** After each complete look: `begunAt` is when it began, `agreed` names the symbols without an open suspicion. */
  readonly onLook: (begunAt: Micros, agreed: readonly Ticker[]) => void;
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
  let again = false;
  let stopped = false;

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

  async function takePicture(since: Micros): Promise<Picture | null> {
    // Positions last: an order that fills in between shows as shares we do not know yet, which a second look clears.
    const pages = pagesOf(tracker.stats().tracked);
    const [open, past, positions] = await Promise.all([
      read<readonly BrokerOrder[]>(1, () => broker.openOrders()),
      read<readonly BrokerOrder[]>(pages, () => broker.ordersSince(since)),
      read<readonly BrokerPosition[]>(1, () => broker.positions()),
    ]);
    for (const answer of [open, past, positions])
      if (answer.kind === 'failed')
        log.warn('reconcile.unread', { text: answer.failure.text, code: answer.failure.code });
    if (open.kind !== 'ok' || past.kind !== 'ok' || positions.kind !== 'ok') return null;
    return {
      takenAt: clock.now(),
      openOrders: open.value,
      ordersSince: past.value,
      positions: positions.value,
    };
  }

  // --- a look ----------------------------------------------------------------------------------------------------------

  /** Whether everything was read and nothing is merely suspected. */
  async function look(since: Micros): Promise<boolean> {
    const begunAt = clock.now();
    const picture = await takePicture(since);
    if (picture === null || stopped) return false;
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
    for (const { symbol, findings } of result.symbols) {
      const lane = lanes.find(({ params }) => params.symbol === symbol);
      if (lane !== undefined) follow(symbol, lane, findings);
    }
    const agreed = result.symbols.filter(({ findings }) => !findings.some(isSuspicion));
    deps.onLook(
      begunAt,
      agreed.map(({ symbol }) => symbol),
    );
    return agreed.length === result.symbols.length;
  }

  function follow(symbol: Ticker, lane: Lane, findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding.kind === 'behind') for (const report of finding.reports) tracker.heard(report);
      if (finding.kind === 'suspected')
        log.debug('reconcile.suspected', { symbol, code: finding.code, text: finding.evidence });
    }
    const stands = findings.flatMap((finding): readonly Discrepancy[] => {
      if (finding.kind === 'foreign') return [{ symbol, code: 'foreign', evidence: finding.evidence }];
      if (finding.kind === 'discrepancy') return [{ symbol, code: finding.code, evidence: finding.evidence }];
      return [];
    });
    const suspects = findings.some(isSuspicion);
    note(symbol, stands);
    enforce(symbol, lane, 'foreign', stands, suspects);
    enforce(symbol, lane, 'discrepancy', stands, suspects);
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
    lane: Lane,
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
    // What the lane holds by its own fills is still sold; only then is the symbol left alone altogether.
    const holds = sharesHeld(lane) !== 0 || unsettledOrders(lane).length > 0;
    const mode = reason === 'foreign' && !holds ? 'halted' : 'exitOnly';
    modes.set(symbol, { reason, mode, by: `${BY}: ${mine.code}` });
  }

  // --- when ------------------------------------------------------------------------------------------------------------

  function lookAndPlan(): void {
    timer?.cancel();
    timer = null;
    if (looking || from === null) {
      // A look under way began before what called for this one.
      again = looking;
      return;
    }
    looking = true;
    void look(from).then((sure) => {
      looking = false;
      if (stopped) return;
      const wait = again ? (0 as Duration) : sure ? settings.every : settings.recheckAfter;
      again = false;
      timer = clock.at(after(clock.now(), wait), lookAndPlan);
    });
  }

  return {
    start: lookAndPlan,
    soon: lookAndPlan,
    // Before the first session only what is open counts: there is nothing of the day to list.
    picture: () => takePicture(from ?? clock.now()),
    discrepancies: () => [...standing.values()].flat(),
    openSession(begin) {
      from = begin;
      suspicion = NO_SUSPICION;
      standing = new Map();
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

const isSuspicion = ({ kind }: Finding): boolean => kind === 'suspected';

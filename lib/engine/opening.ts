import type { Ticker } from '../domain/ids.ts';
import type { Lane } from '../domain/lane.ts';
import { openLane, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { LaneParams } from '../domain/lane-types.ts';
import type { Mark } from '../domain/market.ts';
import { formatDecimal } from '../domain/money.ts';
import { partsOf } from '../domain/picture-parts.ts';
import type { SessionPlan } from '../domain/session.ts';
import { after, type Duration, type SessionDay } from '../domain/time.ts';
import type { BrokerAccount, BrokerAsset, BrokerFailure, Read } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal, StoredRecord } from '../ports/journal.ts';
import type { LaneStep } from '../ports/lane-protocol.ts';
import type { Log } from '../ports/log.ts';
import type { StartFailure } from './engine-types.ts';
import { type Inquiry, inquire } from './inquiry.ts';
import { laneFromBroker, missesOrders } from './lane-from-broker.ts';
import type { Picture } from './reconciler.ts';
import type { RequestQueue } from './request-queue.ts';
import { foldDay } from './restore.ts';
import type { SessionSettings } from './settings.ts';

/** What has to be known before the first lane starts: the account, the symbols, and what an earlier run left behind. */

export const pauseFor = (clock: Clock, wait: Duration): Promise<void> =>
  new Promise((resolve) => clock.at(after(clock.now(), wait), resolve));

export type Insisted<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'failed'; readonly code: StartFailure; readonly text: string };

/** A wrong key stays wrong: so many refusals in a row are believed. A single one may be a gateway in trouble. */
const REFUSALS_MAX = 3;

/** Asks until there is an answer or patience ends. */
export async function insist<T>(
  clock: Clock,
  queue: RequestQueue,
  settings: SessionSettings,
  ask: () => Promise<Read<T>>,
  { host = 'trading', cost = 1 }: Partial<Pick<Inquiry, 'host' | 'cost'>> = {},
): Promise<Insisted<T>> {
  const until = after(clock.now(), settings.startPatience);
  let pause = settings.retryFirst;
  let refusals = 0;
  for (;;) {
    const answer = await new Promise<Read<T>>((resolve) =>
      inquire(queue, { priority: 'query', cost, host }, ask, (read: Read<T>) => resolve(read)),
    );
    if (answer.kind === 'ok') return answer;
    const failure = failureOf(answer.failure);
    refusals = failure.code === 'unauthorized' ? refusals + 1 : 0;
    if (refusals >= REFUSALS_MAX || after(clock.now(), pause) > until) return failure;
    await pauseFor(clock, pause);
    pause = Math.min(pause * 2, settings.retryMax) as Duration;
  }
}

const failureOf = ({ code, text }: BrokerFailure): Extract<Insisted<never>, { kind: 'failed' }> => ({
  kind: 'failed',
  code: code === 'unauthorized' ? 'unauthorized' : 'notConnected',
  text,
});

/** An account that may not trade is told before anything starts. */
export function checkAccount(account: BrokerAccount): Extract<Insisted<never>, { kind: 'failed' }> | null {
  if (account.active && account.blocks.length === 0) return null;
  const found = account.active ? account.blocks.join(', ') : 'not active';
  return { kind: 'failed', code: 'accountBlocked', text: `the account must be free to trade: ${found}` };
}

/** Symbols the broker does not trade; each is told. */
export function untradable(
  lanes: readonly LaneParams[],
  assets: readonly BrokerAsset[],
  log: Log,
): readonly Ticker[] {
  const bySymbol = new Map(assets.map((asset) => [asset.symbol, asset]));
  const bad = lanes
    .map(({ symbol }) => symbol)
    .filter((symbol) => {
      const asset = bySymbol.get(symbol);
      return asset === undefined || !asset.active || !asset.tradable;
    });
  for (const symbol of bad)
    log.error('symbol.notTradable', { symbol, consequence: 'its lane opens nothing' });
  return bad;
}

/** Every lot that does not buy one share is told at the start, not at every signal. */
export function checkLots(lanes: readonly LaneParams[], marks: ReadonlyMap<Ticker, Mark>, log: Log): void {
  for (const { symbol, lot } of lanes) {
    const mark = marks.get(symbol);
    if (mark === undefined || Math.floor(lot / mark.price) > 0) continue;
    log.warn('lot.zeroShares', {
      symbol,
      lot: formatDecimal(lot),
      price: formatDecimal(mark.price),
      text: 'the lot must buy at least one share; every signal will be refused',
    });
  }
}

export type Found = {
  readonly lanes: readonly Lane[];
  /** No lane has shares, orders, or a halt that a bar may prove to be over: their start can wait for bars. */
  readonly atRest: boolean;
  readonly operator: readonly StoredRecord[];
  /** Symbols of a session under way that neither the journal nor the broker told anything of. */
  readonly unproven: readonly Ticker[];
  /** Lanes that were made from our own orders at the broker. */
  readonly fromBroker: readonly Ticker[];
};

/**
 * The lanes to begin with: from the day's journal; else with what the session before left open; else from our own orders at
 * the broker; else fresh.
 */
export async function findLanes(deps: {
  readonly params: readonly LaneParams[];
  readonly plan: SessionPlan | null;
  /** The session's day, or that of the next one: what an operator says while waiting is written there. */
  readonly day: SessionDay | null;
  readonly pastDays: readonly SessionDay[];
  readonly journal: Journal;
  readonly picture: Picture | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly onStep: (symbol: Ticker, step: LaneStep, after: Lane) => void;
}): Promise<Found> {
  const { params, plan, pastDays, journal, picture, clock, log } = deps;
  const today = deps.day === null ? [] : await journal.read(deps.day);
  const folded = foldDay(today, deps.onStep);
  const earlier = await sinceLastSession(journal, pastDays);
  const carried = foldDay(earlier, () => undefined);
  for (const text of [...folded.damages, ...carried.damages]) log.error('journal.damaged', { text });

  const partOf = picture === null ? null : partsOf(picture);
  const fromBroker: Ticker[] = [];
  function takenFromBroker(own: LaneParams, plan: SessionPlan, picture: Picture): Lane {
    fromBroker.push(own.symbol);
    return laneFromBroker(own, plan, picture, clock.now());
  }
  const unproven: Ticker[] = [];
  const lanes = params.map((own): Lane => {
    const known = folded.lanes.get(own.symbol);
    const picture = partOf === null ? null : partOf(own.symbol);
    // What was written while waiting for the session tells of what it found, and proves nothing of the session itself.
    if (known !== undefined && (plan === null || known.plan?.day === plan.day || isOpen(known))) {
      const isWhole = !folded.doubtful.has(own.symbol);
      if (plan === null || (picture === null && isWhole)) return { ...known, params: own };
      if (picture === null) {
        unproven.push(own.symbol);
        return openLane(own);
      }
      if (isWhole && !missesOrders(known, plan.day, picture)) return { ...known, params: own };
      // An exit may have left without its record. What the broker has under our ids is proven; such a journal is not.
      log.error('journal.incomplete', {
        symbol: own.symbol,
        text: "a journal knows every order of ours: the lane is taken from the broker's",
      });
      return takenFromBroker(own, plan, picture);
    }
    const old = carried.lanes.get(own.symbol);
    if (old !== undefined && isOpen(old)) {
      log.warn('lane.carried', {
        symbol: own.symbol,
        shares: sharesHeld(old),
        text: 'left open by an earlier session',
      });
      return { ...old, params: own };
    }
    if (plan === null) return openLane(own);
    if (picture !== null) return takenFromBroker(own, plan, picture);
    unproven.push(own.symbol);
    return openLane(own);
  });
  // What an operator ordered outlives its day, until he lifts it.
  const operator = [...earlier.filter(isStandingOrder), ...today];
  return { lanes, atRest: lanes.every(isAtRest), operator, unproven, fromBroker };
}

const isAtRest = (lane: Lane): boolean => !isOpen(lane) && lane.trading.kind === 'trading';

const isOpen = (lane: Lane): boolean => sharesHeld(lane) !== 0 || unsettledOrders(lane).length > 0;

/**
 * Records from the newest day on which a session began, oldest first. That day's journal holds every latch that was on, for
 * each is written again before a session begins; a day that only saw an operator's word holds that word alone.
 */
async function sinceLastSession(
  journal: Journal,
  days: readonly SessionDay[],
): Promise<readonly StoredRecord[]> {
  let records: readonly StoredRecord[] = [];
  for (const day of days) {
    const ofDay = await journal.read(day);
    records = [...ofDay, ...records];
    if (ofDay.some(isBegin)) break;
  }
  return records;
}

const isBegin = ({ kind, body }: StoredRecord): boolean =>
  kind === 'session' && (body as { readonly what?: unknown } | null)?.what === 'began';

const STANDING: readonly unknown[] = ['kill', 'dailyLoss', 'pause', 'flatten', 'resume', 'stands'];

const isStandingOrder = ({ kind, body }: StoredRecord): boolean =>
  kind === 'operator' && STANDING.includes((body as { readonly what?: unknown } | null)?.what);

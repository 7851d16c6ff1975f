import { type AdoptionRefusal, planAdoption, refused } from '../domain/adoption.ts';
import { isEnd } from '../domain/execution.ts';
import type { BrokerOrderId, Ticker } from '../domain/ids.ts';
import { type Lane, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import { formatDecimal, type Price, qty } from '../domain/money.ts';
import { averageEntry } from '../domain/position.ts';
import { beliefOf, type SeenOrder } from '../domain/reconcile.ts';
import type { SessionPlan } from '../domain/session.ts';
import { after, before, type Duration, formatInstant, type Micros, seconds } from '../domain/time.ts';
import type { Broker, BrokerPosition, CancelOutcome, Lookup, Read } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { LaneInputMessage } from '../ports/lane-protocol.ts';
import type { Log } from '../ports/log.ts';
import { inquire } from './inquiry.ts';
import type { OperatorOrder } from './kill-switch.ts';
import type { Picture, Reconciler } from './reconciler.ts';
import type { Recorder } from './recorder.ts';
import type { RequestQueue } from './request-queue.ts';

/**
 * Takes shares and orders of others over at an operator's word: the orders are canceled, the shares become the lane's own at
 * the broker's average price, and leave by its ladder as if it had bought them now.
 *
 * 1. Only what reconciliation has confirmed is taken: a position list that lags must not make shares.
 * 2. Orders go first, and what they still filled is counted. A share is taken once the position shows exactly that.
 * 3. Shares that the lane believes in and the broker has not are given up in the same way: the broker's position is the
 *    lane's afterwards.
 * 4. It ends within `PATIENCE`, with a refusal that says what is in the way. What was canceled by then stays canceled.
 */
export type Adoption = (
  order: Omit<OperatorOrder, 'symbol'> & { readonly symbol: Ticker },
) => Promise<AdoptAnswer>;

export type AdoptAnswer =
  | {
      readonly kind: 'done';
      readonly symbol: Ticker;
      /** Shares taken over; negative: given up. */
      readonly shares: number;
      readonly averagePx: Price;
      readonly canceled: readonly BrokerOrderId[];
    }
  | { readonly kind: 'refused'; readonly code: AdoptionRefusal; readonly text: string };

export type AdoptionDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly reconciler: Reconciler;
  readonly symbols: readonly Ticker[];
  readonly lane: (symbol: Ticker) => Lane;
  readonly deliver: (symbol: Ticker, input: LaneInputMessage) => void;
  readonly plan: () => SessionPlan | null;
  readonly stopping: () => boolean;
};

/** Positions trail the fills. Source: reports of up to 10 s between the two endpoints. */
const POSITIONS_LAG = seconds(12);
/** Longer than that, shorter than an operator's line waits. */
const PATIENCE = seconds(20);
const PAUSE_FIRST = seconds(0.5);
const PAUSE_MAX = seconds(4);
/** No sell leaves in the last second of a session. */
const LAST_SELL = seconds(1);

type Refused = Extract<AdoptAnswer, { kind: 'refused' }>;

export function createAdoption(deps: AdoptionDeps): Adoption {
  const { clock, broker, queue, log, recorder, reconciler } = deps;
  const underWay = new Set<Ticker>();

  /** Asks with growing pauses until there is an answer that counts, or until time is up. */
  async function until<T>(deadline: Micros, ask: () => Promise<T | null>): Promise<T | null> {
    for (let pause = PAUSE_FIRST; ; pause = Math.min(pause * 2, PAUSE_MAX) as Duration) {
      const answer = await ask();
      if (answer !== null || after(clock.now(), pause) > deadline) return answer;
      await new Promise<void>((resolve) => clock.at(after(clock.now(), pause), resolve));
    }
  }

  function notNow(symbol: Ticker): Refused | null {
    if (!deps.symbols.includes(symbol))
      return refused('unknownSymbol', `a command names a symbol of this daemon: ${symbol}`);
    if (deps.stopping()) return refused('stopping', 'nothing is taken over while the daemon stops');
    const plan = deps.plan();
    const now = clock.now();
    if (plan === null || now < plan.openAt || now >= before(plan.closeAt, LAST_SELL))
      return refused(
        'sessionClosed',
        `shares are taken over in an open session, where they can be sold: it is ${formatInstant(now)}`,
      );
    return underWay.has(symbol)
      ? refused('busy', `one adoption of a symbol at a time: ${symbol} is being taken over`)
      : null;
  }

  /** `null` once it has ended, with the shares it filled since it was seen. */
  async function cancel(order: SeenOrder, deadline: Micros): Promise<number | null> {
    await new Promise<void>((resolve) => {
      const added = queue.add({
        priority: 'urgent',
        cost: 1,
        expiresAt: null,
        expired: () => undefined,
        async send() {
          const outcome: CancelOutcome = await broker.cancel(order.brokerOrderId);
          if (outcome.kind === 'unknown' && outcome.failure.code === 'rateLimited')
            return { kind: 'again', retryAt: outcome.failure.retryAt };
          resolve();
          return { kind: 'answered' };
        },
      });
      if (!added) resolve();
    });
    // Whatever the cancel was answered: only the order itself is believed.
    const ended = await until(deadline, async () => {
      const seen = await asked<Lookup>('urgent', () => broker.orderById(order.brokerOrderId));
      return seen.kind === 'found' && isEnd(seen.order.status) ? seen.order : null;
    });
    if (ended === null) return null;
    const filled = ended.cumQty - order.cumQty;
    return order.side === 'buy' ? filled : -filled;
  }

  function asked<Answer extends { readonly kind: string }>(
    priority: 'urgent' | 'exit',
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    return new Promise((resolve) =>
      inquire(queue, { priority, cost: 1 }, ask, (answer) => resolve(answer as Answer)),
    );
  }

  /** A picture whose positions know of all fills: they are listed at once, positions trail them. */
  async function settledPicture(symbol: Ticker, deadline: Micros): Promise<Picture | Refused> {
    for (;;) {
      const picture = await reconciler.picture();
      if (picture === null)
        return refused('brokerUnread', 'orders and positions must be read before shares are taken over');
      const filledAt = Math.max(
        0,
        ...[...picture.ordersSince, ...picture.openOrders]
          .filter((order) => order.symbol === symbol && order.cumQty > 0)
          .map(({ updatedAt }) => updatedAt),
      ) as Micros;
      const knownAt = after(filledAt, POSITIONS_LAG);
      if (picture.takenAt >= knownAt) return picture;
      if (knownAt > deadline)
        return refused('positionUnclear', 'fills of this symbol are too new: ask again in a minute');
      await new Promise<void>((resolve) => clock.at(knownAt, resolve));
    }
  }

  async function takeOver(symbol: Ticker, by: string, why: string): Promise<AdoptAnswer> {
    const deadline = after(clock.now(), PATIENCE);
    const known = deps.lane(symbol);
    const picture = await settledPicture(symbol, deadline);
    if ('code' in picture) return picture;
    const plan = planAdoption(beliefOf(known), picture);
    if (plan.kind === 'refused') return plan;
    if (!reconciler.discrepancies().some((each) => each.symbol === symbol))
      return refused(
        'notConfirmed',
        'what is taken over has been seen by several looks at the broker: ask again in a minute',
      );
    const canceled = plan.cancel.map(({ brokerOrderId }) => brokerOrderId);
    log.warn('operator.adopt', { symbol, by, why, shares: plan.position, cancels: canceled });
    void recorder.write('operator', symbol, { what: 'adopt', by, why, position: plan.position, canceled });
    const filled = await Promise.all(plan.cancel.map((order) => cancel(order, deadline)));
    if (filled.includes(null))
      return refused('ordersRemain', `orders of others end before their shares are taken over: ${canceled}`);
    const expected = filled.reduce<number>((sum, each) => sum + (each ?? 0), plan.position);
    return take(symbol, known, expected, canceled, deadline);
  }

  async function take(
    symbol: Ticker,
    known: Lane,
    expected: number,
    canceled: readonly BrokerOrderId[],
    deadline: Micros,
  ): Promise<AdoptAnswer> {
    const seen = await until(deadline, async () => {
      const read = await asked<Read<readonly BrokerPosition[]>>('exit', () => broker.positions());
      if (read.kind !== 'ok') return null;
      const position = read.value.find((each) => each.symbol === symbol);
      return (position?.shares ?? 0) === expected ? { averagePx: position?.averagePx ?? null } : null;
    });
    if (seen === null)
      return refused('positionUnclear', `the position becomes what the orders make it: ${expected} shares`);
    const lane = deps.lane(symbol);
    if (deps.stopping() || unsettledOrders(lane).length > 0 || sharesHeld(lane) !== sharesHeld(known))
      return refused('laneNotSettled', 'a lane that takes shares over has nothing else under way');
    const shares = expected - sharesHeld(lane);
    const averagePx = seen.averagePx ?? averageEntry(lane.position) ?? (0 as Price);
    const at = clock.now();
    if (shares > 0) deps.deliver(symbol, { kind: 'adopted', at, qty: qty(shares), averagePx, heldSince: at });
    // Nobody tells what they brought: at their cost they make neither profit nor loss.
    if (shares < 0)
      deps.deliver(symbol, {
        kind: 'released',
        at,
        qty: qty(-shares),
        averagePx: averageEntry(lane.position) ?? averagePx,
      });
    log.warn('operator.adopted', { symbol, shares, px: formatDecimal(averagePx), canceled });
    reconciler.soon();
    return { kind: 'done', symbol, shares, averagePx, canceled };
  }

  return async ({ symbol, by, why }) => {
    const no = notNow(symbol);
    if (no !== null) return no;
    underWay.add(symbol);
    try {
      const answer = await takeOver(symbol, by, why);
      void recorder.write('operator', symbol, { what: 'adoptAnswered', by, ...answer });
      return answer;
    } finally {
      underWay.delete(symbol);
    }
  };
}

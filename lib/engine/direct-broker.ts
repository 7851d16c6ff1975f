import type { ClientOrderId, ExecutionId } from '../domain/ids.ts';
import type { Mark } from '../domain/market.ts';
import { price, qty } from '../domain/money.ts';
import { reportOf } from '../domain/reconcile.ts';
import { after, type Duration, micros } from '../domain/time.ts';
import type { Broker, BrokerFailure, CancelOutcome, Lookup, Read, SubmitOutcome } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { Answer, Exchange, OrdersQuery, SimOrder } from '../sim/exchange-api.ts';
import type { Faults, RestFault } from '../sim/faults.ts';
import { orderOf, refusalOf, requestOf } from './direct-orders.ts';

/**
 * The direct door: the broker port straight on an embedded exchange, in the same thread, on the same virtual time. What the
 * loopback server does to requests by a fault plan, happens here as well, as far as a port can show it.
 */
export type DirectBrokerOptions = {
  readonly clock: Clock;
  readonly exchange: Exchange;
  /** How long each request takes to get there; nothing when absent. */
  readonly outward?: () => Duration;
  /** From the request's arrival to its answer. */
  readonly latency: Duration;
  /** How long a request without an answer is waited for. */
  readonly timeout: Duration;
  readonly faults: Faults | null;
};

const EVERYTHING: OrdersQuery = {
  status: 'all',
  limit: Number.MAX_SAFE_INTEGER,
  after: null,
  until: null,
  direction: 'asc',
  symbols: null,
  side: null,
  nested: false,
  beforeOrderId: null,
  afterOrderId: null,
};

type Failed = { readonly kind: 'failed'; readonly failure: BrokerFailure };
type Question = {
  readonly method: string;
  readonly path: string;
  readonly intent?: Parameters<Broker['submit']>[0];
};

export function createDirectBroker({
  clock,
  exchange,
  outward,
  latency,
  timeout,
  faults,
}: DirectBrokerOptions): Broker {
  const wait = (length: Duration): Promise<void> =>
    new Promise((resolve) => clock.at(after(clock.now(), length), resolve));

  /** Treats a request as the network and the fault plan will have it. */
  async function request<T>(question: Question, treat: () => T): Promise<T | Failed> {
    const { method, path, intent } = question;
    if (outward !== undefined) await wait(outward());
    const side = intent?.side ?? null;
    const asked = { method, path, side, symbol: intent?.symbol ?? null };
    const fault: RestFault = faults?.onRequest(asked, clock.now()) ?? { kind: 'pass' };
    if (fault.kind === 'pass' || fault.kind === 'delay') {
      if (fault.kind === 'delay') await wait(fault.delay as Duration);
      const value = treat();
      await wait(latency);
      return value;
    }
    if (fault.accept) treat();
    await wait(fault.kind === 'silence' ? timeout : latency);
    return { kind: 'failed', failure: failureOf(fault) };
  }

  function failureOf(fault: Exclude<RestFault, { kind: 'pass' | 'delay' }>): BrokerFailure {
    const base = { text: fault.kind, httpStatus: null, requestId: null, retryAt: null };
    if (fault.kind === 'silence') return { ...base, code: 'timeout' };
    if (fault.kind === 'reset') return { ...base, code: 'connection' };
    const { status, body, message } = fault;
    const code =
      status === 429
        ? 'rateLimited'
        : status === 401
          ? 'unauthorized'
          : status >= 500
            ? 'serverError'
            : body === 'json'
              ? 'refused'
              : 'unreadable';
    return { ...base, code, httpStatus: status, text: message };
  }

  const read = <T>(path: string, take: () => T): Promise<Read<T>> =>
    request({ method: 'GET', path }, () => ({ kind: 'ok' as const, value: take() }));

  const list = (query: Partial<OrdersQuery>): readonly SimOrder[] => {
    const answer = exchange.orders({ ...EVERYTHING, ...query });
    return answer.ok ? answer.value : [];
  };

  const lookUp = (path: string, take: () => Answer<SimOrder>): Promise<Lookup> =>
    request({ method: 'GET', path }, (): Lookup => {
      const answer = take();
      return answer.ok ? { kind: 'found', order: orderOf(answer.value) } : { kind: 'absent' };
    });

  return {
    async submit(intent): Promise<SubmitOutcome> {
      const answer = await request({ method: 'POST', path: '/v2/orders', intent }, (): SubmitOutcome => {
        const taken = exchange.submitOrder(requestOf(intent));
        if (taken.ok) return { kind: 'accepted', report: reportOf(orderOf(taken.value), clock.now()) };
        const failure: BrokerFailure = {
          code: 'refused',
          text: taken.message,
          httpStatus: taken.status,
          requestId: null,
          retryAt: null,
        };
        // An order by that id exists already: that proves no refusal.
        if (/client_order_id must be unique/.test(taken.message)) return { kind: 'unknown', failure };
        return { kind: 'rejected', refusal: refusalOf(taken) };
      });
      if (answer.kind !== 'failed') return answer;
      const { failure } = answer;
      return failure.code === 'rateLimited' ? { kind: 'notSent', failure } : { kind: 'unknown', failure };
    },
    async cancel(id): Promise<CancelOutcome> {
      const answer = await request({ method: 'DELETE', path: `/v2/orders/${id}` }, (): CancelOutcome => {
        const taken = exchange.cancelOrder(id);
        if (taken.ok) return { kind: 'requested' };
        return taken.status === 404 ? { kind: 'absent' } : { kind: 'refused', text: taken.message };
      });
      return answer.kind === 'failed' ? { kind: 'unknown', failure: answer.failure } : answer;
    },
    orderByClientOrderId: (id: ClientOrderId) =>
      lookUp('/v2/orders:by_client_order_id', () => exchange.orderByClientOrderId(id)),
    orderById: (id) => lookUp(`/v2/orders/${id}`, () => exchange.order(id)),
    openOrders: () => read('/v2/orders', () => list({ status: 'open' }).map(orderOf)),
    ordersSince: (from) => read('/v2/orders', () => list({ after: from }).map(orderOf)),
    fillsSince: (from) =>
      read('/v2/account/activities', () =>
        exchange
          .fills()
          .filter(({ at }) => at > from)
          .map((fill) => ({
            activityId: fill.executionId as string,
            executionId: fill.executionId as ExecutionId,
            brokerOrderId: fill.orderId,
            symbol: fill.symbol,
            side: fill.side,
            qty: qty(Math.floor(fill.qty)),
            px: price(fill.price),
            cumQty: qty(Math.floor(fill.cumQty)),
            at: fill.at,
          })),
      ),
    positions: () =>
      read('/v2/positions', () =>
        exchange.positions().map(({ symbol, qty: shares, available, averagePrice }) => ({
          symbol,
          shares,
          available,
          averagePx: averagePrice,
        })),
      ),
    account: () =>
      read('/v2/account', () => {
        const { id, cash, equity, buyingPower } = exchange.account();
        return { id, active: true, blocks: [], cash, equity, buyingPower };
      }),
    clock: () => read('/v2/clock', () => ({ ...exchange.clock(), speed: null })),
    calendar: (from, to) => read('/v2/calendar', () => exchange.calendar(from, to)),
    assets: (symbols) =>
      read('/v2/assets', () =>
        exchange
          .assets()
          .filter(({ symbol }) => symbols.includes(symbol))
          .map(({ symbol, tradable }) => ({ symbol, tradable, active: true })),
      ),
    bars: (symbols, from, to) =>
      read(
        '/v2/stocks/bars',
        () => new Map(symbols.map((symbol) => [symbol, exchange.bars(symbol, from, micros(to - 1))])),
      ),
    latestPrints: (symbols) =>
      read('/v2/stocks/trades/latest', () => {
        const marks = new Map<(typeof symbols)[number], Mark>();
        for (const symbol of symbols) {
          const print = exchange.latestPrint(symbol);
          if (print !== null) marks.set(symbol, { price: print.price, at: print.at });
        }
        return marks;
      }),
  };
}

import { expect } from 'chai';
import fc from 'fast-check';
import type { OrdersPage } from '../../lib/adapters/alpaca/codec-decode-orders.ts';
import {
  allFills,
  allOrders,
  FILLS_PAGE,
  ORDERS_PAGE,
  type OrdersFrom,
} from '../../lib/adapters/alpaca/paging.ts';
import { openBroker } from '../../lib/adapters/alpaca/rest.ts';
import { startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import type { BrokerOrderId, ClientOrderId, ExecutionId, Ticker } from '../../lib/domain/ids.ts';
import { price, qty } from '../../lib/domain/money.ts';
import { after as later, type Micros, micros, minutes, parseInstant } from '../../lib/domain/time.ts';
import type { BrokerFill, BrokerOrder, Read } from '../../lib/ports/broker.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';
import { exchangeOptions, OPEN, steadyMarket, TEN } from '../doors/support.ts';
import { intentOf, orderFor } from '../engine/support.ts';
import { foreignRequest } from '../parity/foreign-request.ts';

const SPY = 'SPY' as Ticker;

/** A list of orders as a server keeps it, which answers one page at a time and may change between two. */
function ordersServer(
  instants: readonly number[],
  whatHappens: (orders: BrokerOrder[], page: number) => void,
) {
  const template = orderFor(intentOf('entry', 1), 'new');
  const make = (index: number, at: number): BrokerOrder => ({
    ...template,
    brokerOrderId: `b${index}` as BrokerOrderId,
    clientOrderId: `c${index}` as ClientOrderId,
    submittedAt: micros(TEN + at),
  });
  const orders = instants.map((at, index) => make(index, at));
  let pages = 0;
  async function page(from: OrdersFrom): Promise<Read<OrdersPage>> {
    const wanted = orders.filter(({ submittedAt, brokerOrderId }) => {
      if (from === null) return true;
      return 'after' in from
        ? submittedAt > (parseInstant(from.after) ?? 0)
        : orders.findIndex((each) => each.brokerOrderId === brokerOrderId) >
            orders.findIndex((each) => each.brokerOrderId === from.afterOrderId);
    });
    const rows = wanted.slice(0, ORDERS_PAGE);
    const last = rows.at(-1);
    pages += 1;
    whatHappens(orders, pages);
    return {
      kind: 'ok',
      value: {
        orders: rows,
        rows: rows.length,
        last: last === undefined ? null : { id: last.brokerOrderId, submittedAt: last.submittedAt },
      },
    };
  }
  return { orders, make, page, pages: () => pages };
}

describe('pages of a listing', () => {
  it('of orders: every one once, however many share an instant and whatever changes while it is read', async () => {
    let crowded = 0;
    const steps = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 1, 5), {
      minLength: 450,
      maxLength: 1_800,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 700 }), fc.boolean(), async (gaps, crowd, early) => {
        let at = 0;
        const instants = gaps.map((gap, index) => {
          // A crowd at one instant, larger than a page more often than not.
          at += index < crowd ? 0 : gap;
          return at;
        });
        const server = ordersServer(instants, (orders, page) => {
          const first = orders[0];
          if (page === 1 && first !== undefined) orders[0] = { ...first, status: 'canceled' };
          if (page < 3) orders.push(server.make(orders.length, at + page));
        });
        const before = server.orders.length;
        const read = await allOrders(early ? micros(TEN - 1) : null, server.page);
        if (read.kind !== 'ok') throw new Error(read.failure.text);
        const ids = read.value.map(({ brokerOrderId }) => brokerOrderId as string);
        expect(new Set(ids).size).to.equal(ids.length);
        for (let index = 0; index < before; index += 1) expect(ids).to.include(`b${index}`);
        if (server.pages() > 2) crowded += 1;
      }),
      { numRuns: 40 },
    );
    expect(crowded, 'several pages were read').to.be.greaterThan(10);
  });

  it('of orders: a page that shares its instant is followed by the order, not by the time', async () => {
    const asked: OrdersFrom[] = [];
    const server = ordersServer(new Array<number>(1_200).fill(7), () => undefined);
    const read = await allOrders(micros(TEN), (from) => {
      asked.push(from);
      return server.page(from);
    });
    expect(read.kind === 'ok' && read.value).to.have.length(1_200);
    expect(asked.filter((from) => from !== null && 'afterOrderId' in from)).to.have.length(2);
    for (const from of asked) expect(Object.keys(from ?? {}), 'never both').to.have.length(1);
  });

  it('of fills: every one once, while new ones arrive', async () => {
    const fill = (index: number): BrokerFill => ({
      activityId: `a${index}`,
      executionId: `x${index}` as ExecutionId,
      brokerOrderId: 'b' as BrokerOrderId,
      symbol: SPY,
      side: 'buy',
      qty: qty(1),
      px: price(1_000_000),
      cumQty: qty(1),
      // Many share an instant: the token, not the time, says where a page begins.
      at: (TEN + Math.floor(index / 150)) as Micros,
    });
    const fills = Array.from({ length: 300 }, (_, index) => fill(index));
    const read = await allFills(async (token) => {
      const start = token === null ? 0 : fills.findIndex(({ activityId }) => activityId === token) + 1;
      const value = fills.slice(start, start + FILLS_PAGE);
      if (fills.length < 330) fills.push(...Array.from({ length: 15 }, () => fill(fills.length)));
      return { kind: 'ok', value };
    });
    const ids = read.kind === 'ok' ? read.value.map(({ activityId }) => activityId) : [];
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids.slice(0, 300)).to.deep.equal(Array.from({ length: 300 }, (_, index) => `a${index}`));
  });

  it('against the embedded exchange: more orders and fills than pages hold, many at one instant', async () => {
    const items = steadyMarket([SPY], OPEN, later(TEN, minutes(30)));
    const exchange = createExchange(exchangeOptions(), tapeFromItems([SPY], [items]));
    exchange.advanceTo(TEN);
    const buy = (limitPrice: string | null): void => {
      const taken = exchange.submitOrder(foreignRequest({ symbol: SPY, side: 'buy', qty: '1', limitPrice }));
      if (!taken.ok) throw new Error(taken.message);
    };
    for (let i = 0; i < 620; i += 1) buy('1.00');
    for (let i = 0; i < 230; i += 1) {
      if (i % 50 === 0) exchange.advanceTo(later(exchange.now(), minutes(1)));
      buy(null);
    }
    exchange.advanceTo(later(exchange.now(), minutes(5)));
    const server = await startExchangeServer({ exchange, speed: 1, plan: { symbolLimit: 30 } });
    const broker = openBroker({
      baseUrl: server.url,
      dataUrl: server.url,
      keyId: 'PKTEST',
      secret: 'secret',
      feed: 'iex',
      now: () => exchange.now(),
    });
    try {
      const truth = exchange.ledger();
      const idsOf = (read: Read<readonly BrokerOrder[]>): readonly string[] =>
        read.kind === 'ok' ? read.value.map(({ brokerOrderId }) => brokerOrderId) : [read.failure.text];
      expect(idsOf(await broker.ordersSince(OPEN))).to.deep.equal(truth.orders.map(({ id }) => id));
      expect(idsOf(await broker.openOrders())).to.deep.equal(
        truth.orders.filter(({ filledAt }) => filledAt === null).map(({ id }) => id),
      );
      const fills = await broker.fillsSince(OPEN);
      expect(truth.fills.length, 'more than two pages').to.be.greaterThan(2 * FILLS_PAGE);
      expect(fills.kind === 'ok' && fills.value.map(({ executionId }) => executionId)).to.deep.equal(
        truth.fills.map(({ executionId }) => executionId),
      );
      // Exclusive: nothing of the very instant it begins at.
      const first = truth.fills[0]?.at ?? micros(0);
      const rest = await broker.fillsSince(first);
      expect(rest.kind === 'ok' && rest.value.some(({ at }) => at <= first)).to.equal(false);
    } finally {
      await broker.close();
      await server.close();
    }
  });
});

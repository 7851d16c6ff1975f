import type { Ticker } from '../../domain/ids.ts';
import type { Bar } from '../../domain/market.ts';
import { before, type Duration, formatInstant, type Micros } from '../../domain/time.ts';
import type { BrokerFill, BrokerOrder, Read } from '../../ports/broker.ts';
import type { OrdersPage } from './codec-decode-orders.ts';

/** Listings that come in pages, read to their end. A page that fails fails the whole: half a list is no list. */

/** A bound on every loop below; no account and no day comes near it. */
const PAGES_MAX = 1_000;

export const ORDERS_PAGE = 500;
export const FILLS_PAGE = 100;

const tooMany = (what: string): Read<never> => ({
  kind: 'failed',
  failure: {
    code: 'unreadable',
    text: `the pages of ${what} come to an end`,
    httpStatus: null,
    requestId: null,
    retryAt: null,
  },
});

/** Where a page of orders begins: after an instant, or after an order; the server takes only one of them. */
export type OrdersFrom = { readonly after: string } | { readonly afterOrderId: string } | null;

/**
 * Orders, oldest first. The list has no page token and is cut by submission time, exclusive; several orders may share
 * an instant, so each page begins a microsecond early and what is known already is left out. Only when that leads no
 * further, because a whole page shares its instant, pages begin after the last order of the one before.
 *
 * An order that changes between two pages is shown once, as it was last seen. One that ends meanwhile stays in the answer:
 * time cuts the list, not its place in it.
 */
export async function allOrders(
  from: Micros | null,
  page: (from: OrdersFrom) => Promise<Read<OrdersPage>>,
): Promise<Read<readonly BrokerOrder[]>> {
  const known = new Map<string, BrokerOrder>();
  let next: OrdersFrom = from === null ? null : { after: formatInstant(from) };
  let lastId: string | null = null;
  for (let i = 0; i < PAGES_MAX; i += 1) {
    const read = await page(next);
    if (read.kind === 'failed') return read;
    for (const order of read.value.orders) known.set(order.brokerOrderId, order);
    const { rows, last } = read.value;
    if (rows < ORDERS_PAGE || last === null) return { kind: 'ok', value: [...known.values()] };
    const byId: boolean = next !== null && 'afterOrderId' in next;
    const isStuck = last.id === lastId;
    if (isStuck && byId) return tooMany('orders');
    lastId = last.id;
    next =
      isStuck || byId
        ? { afterOrderId: last.id }
        : { after: formatInstant(before(last.submittedAt, 1 as Duration)) };
  }
  return tooMany('orders');
}

/** Fills, oldest first; the next page is asked for by the id of the last item. */
export async function allFills(
  page: (token: string | null) => Promise<Read<readonly BrokerFill[]>>,
): Promise<Read<readonly BrokerFill[]>> {
  const known = new Map<string, BrokerFill>();
  let token: string | null = null;
  for (let i = 0; i < PAGES_MAX; i += 1) {
    const read: Read<readonly BrokerFill[]> = await page(token);
    if (read.kind === 'failed') return read;
    for (const fill of read.value) known.set(fill.activityId, fill);
    const last = read.value.at(-1);
    if (last === undefined || read.value.length < FILLS_PAGE)
      return { kind: 'ok', value: [...known.values()] };
    if (last.activityId === token) return tooMany('fills');
    token = last.activityId;
  }
  return tooMany('fills');
}

export type BarsPage = {
  readonly bars: ReadonlyMap<Ticker, readonly Bar[]>;
  readonly nextPage: string | null;
};

/** Bars by symbol, in time order. A page may be shorter than asked for with more to come: only the token tells. */
export async function allBars(
  page: (token: string | null) => Promise<Read<BarsPage>>,
): Promise<Read<ReadonlyMap<Ticker, readonly Bar[]>>> {
  const bySymbol = new Map<Ticker, Map<Micros, Bar>>();
  let token: string | null = null;
  for (let i = 0; i < PAGES_MAX; i += 1) {
    const read: Read<BarsPage> = await page(token);
    if (read.kind === 'failed') return read;
    for (const [symbol, bars] of read.value.bars) {
      const known = bySymbol.get(symbol) ?? new Map<Micros, Bar>();
      for (const bar of bars) known.set(bar.startAt, bar);
      bySymbol.set(symbol, known);
    }
    if (read.value.nextPage === null) return { kind: 'ok', value: sorted(bySymbol) };
    if (read.value.nextPage === token) return tooMany('bars');
    token = read.value.nextPage;
  }
  return tooMany('bars');
}

function sorted(
  bySymbol: ReadonlyMap<Ticker, ReadonlyMap<Micros, Bar>>,
): ReadonlyMap<Ticker, readonly Bar[]> {
  return new Map(
    [...bySymbol].map(([symbol, bars]) => [symbol, [...bars.values()].sort((a, b) => a.startAt - b.startAt)]),
  );
}

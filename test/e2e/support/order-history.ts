import { expect } from 'chai';
import { duplicated, type JudgedOrder, overlapping } from '../../../lib/app/drills/judge.ts';
import { type Micros, parseInstant } from '../../../lib/domain/time.ts';
import type { Exchange } from './exchange.ts';

/** An order as any client of the exchange reads it, stripped of what these tests do not ask. */
export type HistoricOrder = {
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: 'limit' | 'market';
  readonly status: string;
  readonly clientOrderId: string;
  readonly qty: number;
  readonly filledQty: number;
  readonly from: string;
  /** `null` while it is open. */
  readonly until: string | null;
};

const ENDS = ['filled_at', 'canceled_at', 'expired_at', 'failed_at'] as const;
const PAGE = 500;

/** Every order the account ever had, oldest first. */
export async function readOrders(exchange: Exchange): Promise<readonly HistoricOrder[]> {
  const found = new Map<string, HistoricOrder>();
  for (let after = ''; ; ) {
    const page = (await exchange.get(`/v2/orders?status=all&limit=${PAGE}&direction=asc${after}`)) as Record<
      string,
      string
    >[];
    for (const order of page) found.set(String(order.id), toHistoric(order));
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return [...found.values()];
    // `after` leaves out the instant itself, which the next page's first orders may share.
    after = `&after=${new Date(Date.parse(String(last.submitted_at)) - 1).toISOString()}`;
  }
}

const toHistoric = (order: Readonly<Record<string, string>>): HistoricOrder => ({
  symbol: String(order.symbol),
  side: order.side as 'buy' | 'sell',
  type: order.type as 'limit' | 'market',
  status: String(order.status),
  clientOrderId: String(order.client_order_id),
  qty: Number(order.qty),
  filledQty: Number(order.filled_qty),
  from: String(order.submitted_at),
  until: ENDS.map((name) => order[name]).find((at) => typeof at === 'string') ?? null,
});

/** Shares held, by symbol. */
export async function readPositions(exchange: Exchange): Promise<Readonly<Record<string, number>>> {
  const positions = (await exchange.get('/v2/positions')) as { symbol: string; qty: string }[];
  return Object.fromEntries(positions.map(({ symbol, qty }) => [symbol, Number(qty)]));
}

/**
 * What holds for every history that one scalpd wrote, however often it was killed: its own ids, each once; one order of a
 * symbol at a time; never more sold than bought.
 */
export function expectSoundHistory(orders: readonly HistoricOrder[]): void {
  const judged = orders.map(
    (order): JudgedOrder => ({
      ...order,
      rejected: order.status === 'rejected',
      from: instant(order.from),
      until: order.until === null ? null : instant(order.until),
    }),
  );
  expect(duplicated(judged)).to.equal(null);
  expect(overlapping(judged)).to.equal(null);
  const held = new Map<string, number>();
  for (const { symbol, side, filledQty, clientOrderId } of orders) {
    const shares = (held.get(symbol) ?? 0) + (side === 'buy' ? filledQty : -filledQty);
    held.set(symbol, shares);
    expect(shares, `${symbol} after ${clientOrderId}`).to.be.at.least(0);
  }
}

function instant(text: string): Micros {
  const at = parseInstant(text);
  if (at === null) throw new Error(`an order's instant must be RFC 3339. Found: ${text}`);
  return at;
}

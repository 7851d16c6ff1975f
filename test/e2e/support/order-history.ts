import { expect } from 'chai';
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
  const orders = (await exchange.get(`/v2/orders?status=all&limit=${PAGE}&direction=asc`)) as Record<
    string,
    string
  >[];
  expect(orders.length, 'all orders fit on one page').to.be.below(PAGE);
  return orders.map((order) => ({
    symbol: String(order.symbol),
    side: order.side as 'buy' | 'sell',
    type: order.type as 'limit' | 'market',
    status: String(order.status),
    clientOrderId: String(order.client_order_id),
    qty: Number(order.qty),
    filledQty: Number(order.filled_qty),
    from: String(order.submitted_at),
    until: ENDS.map((name) => order[name]).find((at) => typeof at === 'string') ?? null,
  }));
}

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
  const ids = orders.map(({ clientOrderId }) => clientOrderId);
  expect(new Set(ids).size).to.equal(ids.length);
  for (const id of ids) expect(id).to.match(/^scalpd-\d{8}-/);
  for (const symbol of new Set(orders.map((order) => order.symbol))) {
    const own = orders.filter((order) => order.symbol === symbol);
    let held = 0;
    for (const [index, order] of own.entries()) {
      const before = own[index - 1];
      const story = `${before?.clientOrderId} until ${before?.until}, ${order.clientOrderId} from ${order.from}`;
      if (before !== undefined)
        expect(before.until !== null && before.until <= order.from, story).to.equal(true);
      held += order.side === 'buy' ? order.filledQty : -order.filledQty;
      expect(held, `${symbol} after ${order.clientOrderId}`).to.be.at.least(0);
    }
  }
}

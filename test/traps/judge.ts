import type { Side } from '../../lib/domain/execution.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { SimOrder } from '../../lib/sim/exchange-api.ts';
import { formatDecision } from '../parity/decisions.ts';
import type { Day } from './day.ts';

/** What a judge looks at: the exchange's own books, and what went over the wire. */
type Books = Pick<Day, 'exchange'>;

/** Requests about orders, as lines: `14:52:00.5 buy 19 AAA @ 100.20`. */
export const linesOf = ({ decisions }: Pick<Day, 'decisions'>, symbol?: Ticker): readonly string[] =>
  decisions.filter((decision) => symbol === undefined || decision.symbol === symbol).map(formatDecision);

/** Shares the account holds by the exchange's books. */
export const positionOf = ({ exchange }: Books, symbol: Ticker): number =>
  exchange.ledger().positions.get(symbol) ?? 0;

/** The lowest position the account ever had: below 0 is a short. */
export function lowestPosition({ exchange }: Books, symbol: Ticker): number {
  let shares = 0;
  let lowest = 0;
  for (const fill of exchange.ledger().fills) {
    if (fill.symbol !== symbol) continue;
    shares += fill.side === 'buy' ? fill.qty : -fill.qty;
    lowest = Math.min(lowest, shares);
  }
  return lowest;
}

/** Shares that orders with ids of ours bought or sold. */
export const sharesOf = ({ exchange }: Books, symbol: Ticker, side: Side): number =>
  exchange
    .ledger()
    .fills.filter((fill) => fill.symbol === symbol && fill.side === side && isOurs(fill))
    .reduce((sum, { qty }) => sum + qty, 0);

/** Every order of ours the exchange took, in the order it took them. */
export const ordersOf = ({ exchange }: Books, symbol?: Ticker): readonly SimOrder[] =>
  exchange
    .ledger()
    .orders.filter((order) => isOurs(order) && (symbol === undefined || order.symbol === symbol));

const isOurs = ({ clientOrderId }: { readonly clientOrderId: string }): boolean =>
  clientOrderId.startsWith('scalpd-');

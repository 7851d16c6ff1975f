/**
 * Child process: `exchange SYMBOLS SPEED` serves the embedded exchange on loopback with the market of `market.ts`, and
 * tells its parent by IPC of every order and every fill, with the instant. Asked for its books, it judges them.
 */
import { startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import { cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { after, minutes } from '../../lib/domain/time.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { NO_FEES } from '../../lib/sim/fees.ts';
import { planOf, tickers } from '../parts/lane-starts.ts';
import { deathlyTape } from './market.ts';
import { machineMillis } from './mortal.ts';

export type Told =
  | { readonly kind: 'served'; readonly url: string }
  | {
      readonly kind: 'order' | 'part' | 'filled';
      readonly symbol: string;
      readonly side: string;
      readonly at: number;
    }
  | { readonly kind: 'books'; readonly wrong: readonly string[]; readonly open: readonly string[] };

const [symbolsText, speedText] = process.argv.slice(2);
const symbols = tickers(Number(symbolsText));
const plan = planOf(0);
const PER_MINUTE = 1_000_000;
const tell = (told: Told): void => void process.send?.(told);

const exchange = createExchange(
  defaultExchangeOptions(
    { seed: 1, startAt: after(plan.openAt, minutes(1)), sessions: [plan, planOf(1)] },
    {
      account: { cash: cash(10_000_000 * UNITS_PER_USD), multiplier: 4, shorting: true },
      latencyIn: 0,
      latencyOut: 0,
      partialFillShare: 0,
      queueAhead: 0,
      barDelay: 0,
      // Whoever sells what it does not hold is let, and found out.
      oversell: 'allow',
      fees: NO_FEES,
    },
  ),
  deathlyTape(symbols, plan),
);
const watched: Exchange = {
  ...exchange,
  submitOrder(request) {
    tell({ kind: 'order', symbol: request.symbol ?? '', side: `${request.side}`, at: machineMillis() });
    return exchange.submitOrder(request);
  },
};
const server = await startExchangeServer({
  exchange: watched,
  speed: Number(speedText),
  tradingPerMinute: PER_MINUTE,
  dataPerMinute: PER_MINUTE,
});
// Listeners are called in order: this one stands behind the socket's, so its frame has been handed to the kernel.
exchange.onTradeUpdate(({ event, order: { symbol, side } }) => {
  const kind = event === 'fill' ? 'filled' : event === 'partial_fill' ? 'part' : null;
  if (kind !== null) tell({ kind, symbol, side, at: machineMillis() });
});

/** What no history of one daemon may show, however often its threads died. */
function judge(): Extract<Told, { kind: 'books' }> {
  const { orders, fills, positions } = exchange.ledger();
  const wrong: string[] = [];
  const ids = orders.map(({ clientOrderId }) => clientOrderId);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`sent twice: ${id}`);
  const held = new Map<string, number>();
  for (const { symbol, side, qty } of [...fills].sort((a, b) => a.at - b.at)) {
    const shares = (held.get(symbol) ?? 0) + (side === 'buy' ? qty : -qty);
    held.set(symbol, shares);
    if (shares < 0) wrong.push(`${symbol}: sold ${-shares} more than it held`);
  }
  const endOf = new Map<string, number>();
  for (const order of [...orders].sort((a, b) => a.submittedAt - b.submittedAt)) {
    const end = order.filledAt ?? order.canceledAt ?? order.expiredAt ?? order.failedAt ?? Infinity;
    if (order.submittedAt < (endOf.get(order.symbol) ?? 0)) wrong.push(`${order.symbol}: two live orders`);
    endOf.set(order.symbol, end);
  }
  const open = [...positions].flatMap(([symbol, shares]) => (shares === 0 ? [] : [`${symbol} ${shares}`]));
  return { kind: 'books', wrong, open };
}

process.on('message', () => server.driver.whenCurrent(() => tell(judge())));
process.on('disconnect', () => process.exit());
tell({ kind: 'served', url: server.url });

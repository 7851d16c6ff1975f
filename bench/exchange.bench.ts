import type { Side } from '../lib/domain/execution.ts';
import type { Ticker } from '../lib/domain/ids.ts';
import { cash, formatDecimal, type Price, roundDownToTick, UNITS_PER_USD } from '../lib/domain/money.ts';
import { after, before, minutes, seconds } from '../lib/domain/time.ts';
import { defaultExchangeOptions } from '../lib/sim/default-options.ts';
import { createExchange } from '../lib/sim/exchange.ts';
import type { Exchange, OrderRequest, TapeItem } from '../lib/sim/exchange-api.ts';
import { type Benchmark, interleave, spreadOf } from './figure.ts';
import { planOf, tickers } from './parts/lane-starts.ts';
import { recordMarket, replay } from './parts/recorded-market.ts';

const RESTING_PER_SYMBOL = 10;

/**
 * The embedded exchange in process: a session of 50 symbols, ten resting orders in each book and one at the touch that
 * is sent anew, on the other side, each time it fills. An event is an item of the tape: a print, a quote or a bar.
 */
const exchange: Benchmark = {
  name: 'exchange',
  async run({ quick }, report) {
    const symbols = quick ? 2 : 50;
    const items = recordMarket(symbols, quick ? 100 : 6_000);
    const rounds = await interleave(quick ? 1 : 5, {
      trading: async () => playExchange(symbols, items),
      iterating: async () => iterate(symbols, items),
    });
    const perSecond = (took: readonly { readonly ms: number }[]) =>
      spreadOf(took.map(({ ms }) => (items.length / ms) * 1_000));
    report({
      name: `tape events through the exchange, ${symbols} symbols`,
      unit: 'events/s',
      measured: perSecond(rounds.trading),
      floor: { name: 'iterating the same tape', ...perSecond(rounds.iterating) },
    });
    report({
      name: `fills of such a session, ${symbols} symbols`,
      unit: 'fills',
      measured: spreadOf(rounds.trading.map(({ fills }) => fills)),
      floor: null,
    });
  },
};
export default exchange;

function iterate(symbols: number, items: readonly TapeItem[]) {
  const tape = replay(symbols, items);
  const startedAt = performance.now();
  let last = 0;
  for (let item = tape.take(); item !== null; item = tape.take()) last = Math.max(last, item.at);
  return { ms: performance.now() - startedAt, fills: 0, last };
}

function playExchange(symbolCount: number, items: readonly TapeItem[]) {
  const plan = planOf(0);
  const options = defaultExchangeOptions(
    { seed: 7, startAt: before(plan.openAt, seconds(1)), sessions: [plan] },
    // Enough money for every order at once: what is measured is matching, not refusing.
    { account: { cash: cash(1_000_000_000 * UNITS_PER_USD), multiplier: 4, shorting: true } },
  );
  const exchange = createExchange(options, replay(symbolCount, items));
  let fills = 0;
  exchange.onTradeUpdate(({ event, order }) => {
    if (event !== 'fill') return;
    fills += 1;
    sendAtTouch(exchange, order.symbol, order.side === 'buy' ? 'sell' : 'buy');
  });
  const startedAt = performance.now();
  exchange.advanceTo(after(plan.openAt, minutes(1)));
  for (const symbol of tickers(symbolCount)) {
    const last = exchange.latestPrint(symbol)?.price;
    if (last === undefined) continue;
    for (let n = 1; n <= RESTING_PER_SYMBOL; n++) {
      const limit = roundDownToTick(Math.round(last * (1 - n / 40)) as Price);
      exchange.submitOrder(limitOrder(symbol, 'buy', limit));
    }
    sendAtTouch(exchange, symbol, 'buy');
  }
  exchange.advanceTo(plan.closeAt);
  return { ms: performance.now() - startedAt, fills };
}

function sendAtTouch(exchange: Exchange, symbol: Ticker, side: Side): void {
  const print = exchange.latestPrint(symbol);
  if (print !== null) exchange.submitOrder(limitOrder(symbol, side, roundDownToTick(print.price)));
}

const limitOrder = (symbol: Ticker, side: Side, limit: Price): OrderRequest => ({
  symbol,
  qty: '10',
  notional: null,
  side,
  type: 'limit',
  timeInForce: 'day',
  limitPrice: formatDecimal(limit),
  stopPrice: null,
  trailPrice: null,
  trailPercent: null,
  extendedHours: false,
  clientOrderId: null,
  orderClass: null,
  takeProfit: null,
  stopLoss: null,
  positionIntent: null,
});

/**
 * Child process of the exit-path benchmark: `exit-exchange SYMBOLS SPEED` serves two embedded exchanges on loopback, one
 * for the engine and one for the floor, and tells its parent by IPC, for each buy that filled, how long it took from the
 * frame that said so until the sell was there.
 */
import { startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import { cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { after, type Duration, minutes } from '../../lib/domain/time.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { NO_FEES } from '../../lib/sim/fees.ts';
import { beatingTape, ENGINE_BEATS, FLOOR_BEATS } from './exit-market.ts';
import { planOf, tickers } from './lane-starts.ts';

export type Served = { readonly kind: 'served'; readonly engineUrl: string; readonly floorUrl: string };
export type Exited = {
  readonly kind: 'exited';
  readonly who: 'engine' | 'floor';
  /** Minutes of the session at the fill. */
  readonly minute: number;
  readonly micros: number;
};

const [symbolsText, speedText] = process.argv.slice(2);
const symbols = tickers(Number(symbolsText));
const speed = Number(speedText);
const plan = planOf(0);
const BUDGET = 1_000_000;

async function serve(who: Exited['who'], beats: readonly Duration[]): Promise<string> {
  const options = defaultExchangeOptions(
    { seed: 1, startAt: after(plan.openAt, minutes(1)), sessions: [plan, planOf(1)] },
    {
      account: { cash: cash(10_000_000 * UNITS_PER_USD), multiplier: 4, shorting: false },
      latencyIn: 0,
      latencyOut: 0,
      partialFillShare: 0,
      fees: NO_FEES,
      fillModel: 'print',
    },
  );
  const exchange = createExchange(options, beatingTape(symbols, plan, beats));
  const { watched, watchFills } = watchExits(exchange, who);
  const server = await startExchangeServer({
    exchange: watched,
    speed,
    tradingPerMinute: BUDGET,
    dataPerMinute: BUDGET,
  });
  // Listeners are called in order: this one stands behind the socket's, so its frame has been handed to the kernel.
  watchFills();
  return server.url;
}

function watchExits(exchange: Exchange, who: Exited['who']) {
  const filledAt = new Map<string, number>();
  const watched: Exchange = {
    ...exchange,
    submitOrder(request) {
      const sentAt = request.side === 'sell' ? filledAt.get(request.symbol ?? '') : undefined;
      if (sentAt !== undefined) {
        const micros = (performance.now() - sentAt) * 1_000;
        const minute = Math.floor((exchange.now() - plan.openAt) / minutes(1));
        filledAt.delete(request.symbol ?? '');
        process.send?.({ kind: 'exited', who, minute, micros } satisfies Exited);
      }
      return exchange.submitOrder(request);
    },
  };
  const watchFills = (): void => {
    exchange.onTradeUpdate(({ event, order }) => {
      if (event === 'fill' && order.side === 'buy') filledAt.set(order.symbol, performance.now());
    });
  };
  return { watched, watchFills };
}

const [engineUrl, floorUrl] = await Promise.all([serve('engine', ENGINE_BEATS), serve('floor', FLOOR_BEATS)]);
process.send?.({ kind: 'served', engineUrl, floorUrl } satisfies Served);
process.on('disconnect', () => process.exit());

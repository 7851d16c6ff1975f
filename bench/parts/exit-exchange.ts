/**
 * Child process of the exit benchmarks: `exit-exchange SPEC` serves an embedded exchange on loopback for each party, all
 * with the same market but for its beats, and tells its parent by IPC, for each buy that filled, how long it took from the
 * frame that said so until the sell was there.
 */
import { startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import { cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { after, minutes, seconds } from '../../lib/domain/time.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { NO_FEES } from '../../lib/sim/fees.ts';
import { type Beat, beatingTape, EXIT_PLAN } from './exit-market.ts';
import { planOf, tickers } from './lane-starts.ts';
import { wallNow } from './wall.ts';

export type ExchangeSpec = {
  readonly symbols: number;
  /** Exchange seconds per wall second. */
  readonly speed: number;
  readonly parties: readonly PartySpec[];
};
export type PartySpec = {
  readonly who: string;
  /** Seconds of exchange time by which this party's minutes begin later than those of a party with 0. */
  readonly shift: number;
  readonly beats: readonly Beat[];
};

export type Served = { readonly kind: 'served'; readonly parties: readonly ServedParty[] };
export type ServedParty = {
  readonly who: string;
  readonly url: string;
  /** Exchange time in micros at this wall instant. */
  readonly at: number;
  readonly wallAt: number;
};
export type Exits = { readonly kind: 'exits'; readonly exits: readonly Exit[] };
export type Exit = {
  readonly who: string;
  /** Minutes of the session when the exit arrived. */
  readonly minute: number;
  /** Wall instant of its arrival. */
  readonly wallAt: number;
  readonly micros: number;
};

const { symbols: count, speed, parties } = JSON.parse(process.argv[2] ?? '') as ExchangeSpec;
const symbols = tickers(count);
const BUDGET = 1_000_000;
/** They are told in bundles, empty ones too: a message for each would cost the exchange as much time as the exit itself. */
const TELL_EVERY_MS = 250;
let untold: Exit[] = [];

async function serve({ who, shift, beats }: PartySpec): Promise<ServedParty> {
  const startAt = after(EXIT_PLAN.openAt, seconds(120 - shift));
  const options = defaultExchangeOptions(
    { seed: 1, startAt, sessions: [EXIT_PLAN, planOf(1)] },
    {
      account: { cash: cash(10_000_000 * UNITS_PER_USD), multiplier: 4, shorting: false },
      latencyIn: 0,
      latencyOut: 0,
      partialFillShare: 0,
      fees: NO_FEES,
      fillModel: 'print',
    },
  );
  const exchange = createExchange(options, beatingTape(symbols, beats));
  const { watched, watchFills } = watchExits(exchange, who);
  const server = await startExchangeServer({
    exchange: watched,
    speed,
    tradingPerMinute: BUDGET,
    dataPerMinute: BUDGET,
  });
  // Listeners are called in order: this one stands behind the socket's, so its frame has been handed to the kernel.
  watchFills();
  return { who, url: server.url, at: server.driver.now(), wallAt: wallNow() };
}

function watchExits(exchange: Exchange, who: string) {
  const filledAt = new Map<string, number>();
  const watched: Exchange = {
    ...exchange,
    submitOrder(request) {
      const symbol = request.symbol ?? '';
      const sentAt = request.side === 'sell' ? filledAt.get(symbol) : undefined;
      if (sentAt !== undefined) {
        const wallAt = wallNow();
        const minute = Math.floor((exchange.now() - EXIT_PLAN.openAt) / minutes(1));
        filledAt.delete(symbol);
        untold.push({ who, minute, wallAt, micros: (wallAt - sentAt) * 1_000 });
      }
      return exchange.submitOrder(request);
    },
  };
  const watchFills = (): void => {
    exchange.onTradeUpdate(({ event, order }) => {
      if (event === 'fill' && order.side === 'buy') filledAt.set(order.symbol, wallNow());
    });
  };
  return { watched, watchFills };
}

const served = await Promise.all(parties.map(serve));
process.send?.({ kind: 'served', parties: served } satisfies Served);
setInterval(() => {
  process.send?.({ kind: 'exits', exits: untold } satisfies Exits);
  untold = [];
}, TELL_EVERY_MS);
process.on('disconnect', () => process.exit());

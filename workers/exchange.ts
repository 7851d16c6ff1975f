import { parentPort, workerData } from 'node:worker_threads';
import { type ExchangeServer, startExchangeServer } from '../lib/adapters/exchange/server.ts';
import { buildExchange } from '../lib/app/exchange-options.ts';
import type {
  ExchangeAsk,
  ExchangeSaying,
  ExchangeThreadData,
  FullBooks,
  LedgerView,
} from '../lib/app/exchange-thread.ts';
import { createExchange } from '../lib/sim/exchange.ts';
import type { Exchange } from '../lib/sim/exchange-api.ts';
import { createFaults, type Faults } from '../lib/sim/faults.ts';
import { createRandom } from '../lib/sim/random.ts';

/** The embedded exchange in a thread of its own: a daemon that hangs does not stop the market. */

const data = workerData as ExchangeThreadData;
const say = (saying: ExchangeSaying): void => parentPort?.postMessage(saying);

type Opened = {
  readonly exchange: Exchange;
  readonly server: ExchangeServer;
  readonly faults: Faults | null;
};

async function open(): Promise<Opened | null> {
  const built = await buildExchange(data.facts);
  if (!built.ok) {
    say({ kind: 'failed', mistakes: built.mistakes });
    return null;
  }
  const exchange = createExchange(built.options, built.tape);
  const faults =
    data.faults === null ? null : createFaults(data.faults, createRandom(`faults/${data.facts.seed}`));
  const server = await startExchangeServer({
    ...data.server,
    skips: built.skips,
    exchange,
    faults,
    onError: (error) => say({ kind: 'log', level: 'error', text: textOf(error) }),
  });
  if (data.tellFills === true)
    exchange.onTradeUpdate((update) => {
      const fill = exchange.fills().findLast(({ executionId }) => executionId === update.executionId);
      if (fill) say({ kind: 'fill', fill });
    });
  say({
    kind: 'listening',
    url: server.url,
    tradeStreamUrl: server.tradeStreamUrl,
    dataStreamUrl: server.dataStreamUrl,
    symbols: built.symbols,
    sessions: built.sessions,
    startAt: built.options.startAt,
  });
  return { exchange, server, faults };
}

function viewOf(exchange: Exchange): LedgerView {
  const ledger = exchange.ledger();
  const open = exchange.orders({
    status: 'open',
    limit: 500,
    after: null,
    until: null,
    direction: 'asc',
    symbols: null,
    side: null,
    nested: false,
    beforeOrderId: null,
    afterOrderId: null,
  });
  return {
    at: exchange.now(),
    positions: [...ledger.positions].map(([symbol, shares]) => ({ symbol, shares })),
    openOrders: open.ok
      ? open.value.map(({ id, clientOrderId, symbol }) => ({ id, clientOrderId, symbol }))
      : [],
    cash: ledger.cash,
    feesPaid: ledger.feesPaid,
    equity: exchange.account().equity,
    orders: ledger.orders.length,
    fills: ledger.fills.length,
  };
}

function fullBooksOf({ exchange, server, faults }: Opened): FullBooks {
  const { orders, fills } = exchange.ledger();
  return {
    ...viewOf(exchange),
    history: orders,
    executions: fills,
    hits: Object.fromEntries(faults?.hits ?? []),
    requestPeak: server.requestPeak(),
  };
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

const opened = await open().catch((error: unknown) => {
  say({ kind: 'failed', mistakes: [error instanceof Error ? error.message : String(error)] });
  return null;
});

if (opened === null) parentPort?.close();
else {
  const { exchange, server, faults } = opened;
  parentPort?.on('message', (ask: ExchangeAsk) => {
    switch (ask.kind) {
      case 'ledger':
        server.driver.whenCurrent(() => say({ kind: 'ledger', id: ask.id, ledger: viewOf(exchange) }));
        return;
      case 'books':
        server.driver.whenCurrent(() => say({ kind: 'books', id: ask.id, books: fullBooksOf(opened) }));
        return;
      case 'strike':
        faults?.add(ask.fault);
        return;
      case 'lift':
        faults?.lift();
        return;
      case 'act':
        server.driver.whenCurrent(() => exchange.act(ask.action));
        return;
      case 'stop':
        void server.close().then(() => {
          say({ kind: 'stopped' });
          parentPort?.close();
        });
    }
  });
}

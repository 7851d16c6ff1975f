import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ExchangeServerOptions } from '../adapters/exchange/server.ts';
import type { BrokerOrderId, Ticker } from '../domain/ids.ts';
import type { Cash } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import type { Micros } from '../domain/time.ts';
import type { ExchangeAction, SimFill, SimOrder } from '../sim/exchange-api.ts';
import type { FaultKind, ScriptedFault } from '../sim/fault-types.ts';
import type { FaultPlan } from '../sim/faults.ts';
import type { ExchangeFacts } from './exchange-options.ts';

/** The embedded exchange in its own thread, and how to talk to it. Everything here is plain data. */
export type ExchangeThreadData = {
  readonly facts: ExchangeFacts;
  readonly server: Omit<ExchangeServerOptions, 'exchange' | 'faults' | 'onError' | 'wall'>;
  readonly faults: FaultPlan | null;
  /** Every execution is told as it happens. */
  readonly tellFills?: boolean;
};

export type ExchangeAsk =
  | { readonly kind: 'ledger'; readonly id: number }
  | { readonly kind: 'books'; readonly id: number }
  /** Adds to the script of an exchange that was given a fault plan. */
  | { readonly kind: 'strike'; readonly fault: ScriptedFault }
  /** Ends every scripted fault. */
  | { readonly kind: 'lift' }
  /** What a person or the venue does; for demonstrations and tests. */
  | { readonly kind: 'act'; readonly action: ExchangeAction }
  | { readonly kind: 'stop' };

export type Listening = {
  readonly url: string;
  readonly tradeStreamUrl: string;
  readonly dataStreamUrl: string;
  readonly symbols: readonly Ticker[];
  /** The sessions that are played. */
  readonly sessions: readonly Session[];
  readonly startAt: Micros;
};

export type ExchangeSaying =
  | ({ readonly kind: 'listening' } & Listening)
  /** It could not start; each mistake is a line for people. */
  | { readonly kind: 'failed'; readonly mistakes: readonly string[] }
  | { readonly kind: 'ledger'; readonly id: number; readonly ledger: LedgerView }
  | { readonly kind: 'books'; readonly id: number; readonly books: FullBooks }
  | { readonly kind: 'fill'; readonly fill: SimFill }
  | { readonly kind: 'log'; readonly level: 'info' | 'error'; readonly text: string }
  | { readonly kind: 'stopped' };

/** The exchange's own books at an instant, for the comparison at the end. */
export type LedgerView = {
  readonly at: Micros;
  readonly positions: readonly { readonly symbol: Ticker; readonly shares: number }[];
  readonly openOrders: readonly {
    readonly id: BrokerOrderId;
    readonly clientOrderId: string;
    readonly symbol: Ticker;
  }[];
  readonly cash: Cash;
  readonly feesPaid: Cash;
  readonly equity: Cash;
  readonly orders: number;
  readonly fills: number;
};

/** Everything the exchange knows of the account, for judges. */
export type FullBooks = LedgerView & {
  readonly history: readonly SimOrder[];
  readonly executions: readonly SimFill[];
  /** How often each fault has struck. */
  readonly hits: Readonly<Partial<Record<FaultKind, number>>>;
  /** Most trading requests within any 60 s. */
  readonly requestPeak: number;
};

export type ExchangeThread = {
  readonly listening: Listening;
  ledger(): Promise<LedgerView>;
  books(): Promise<FullBooks>;
  act(action: ExchangeAction): void;
  strike(fault: ScriptedFault): void;
  lift(): void;
  /** Closes the sockets and ends the thread; at once when it does not answer. */
  stop(): Promise<void>;
};

export type StartedThread =
  | { readonly ok: true; readonly thread: ExchangeThread }
  | { readonly ok: false; readonly mistakes: readonly string[] };

export type ExchangeThreadEvents = {
  onLog(level: 'info' | 'error', text: string): void;
  /** The thread ended without being asked to. */
  onLost(cause: string): void;
  onFill?(fill: SimFill): void;
};

const STOP_GRACE_MS = 3_000;

export async function startExchangeThread(
  data: ExchangeThreadData,
  events: ExchangeThreadEvents,
): Promise<StartedThread> {
  const worker = new Worker(new URL('../../workers/exchange.js', import.meta.url), { workerData: data });
  const waiting = new Map<
    number,
    { resolve(view: LedgerView | FullBooks): void; reject(error: Error): void }
  >();
  let asked = 0;
  let stopping = false;
  let cause = 'it ended by itself';
  const first = await firstWord(worker);
  if (first.kind === 'failed') {
    await worker.terminate();
    return { ok: false, mistakes: first.mistakes };
  }
  worker.on('message', (saying: ExchangeSaying) => {
    if (saying.kind === 'log') events.onLog(saying.level, saying.text);
    else if (saying.kind === 'fill') events.onFill?.(saying.fill);
    else if (saying.kind === 'ledger' || saying.kind === 'books') {
      waiting.get(saying.id)?.resolve(saying.kind === 'books' ? saying.books : saying.ledger);
      waiting.delete(saying.id);
    }
  });
  worker.on('error', (error) => {
    cause = error.message;
  });
  worker.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`The exchange is gone: ${cause}.`));
    waiting.clear();
    if (!stopping) events.onLost(cause);
    stopping = true;
  });
  const { kind: _, ...listening } = first;
  const tell = (ask: ExchangeAsk): void => worker.postMessage(ask);
  const ask = <V extends LedgerView>(kind: 'ledger' | 'books'): Promise<V> =>
    new Promise((resolve, reject) => {
      if (stopping) {
        reject(new Error(`The exchange is gone: ${cause}.`));
        return;
      }
      asked += 1;
      // The thread answers a question of one kind with that kind.
      waiting.set(asked, { resolve: (view) => resolve(view as V), reject });
      tell({ kind, id: asked });
    });
  return {
    ok: true,
    thread: {
      listening,
      ledger: () => ask<LedgerView>('ledger'),
      books: () => ask<FullBooks>('books'),
      act: (action) => tell({ kind: 'act', action }),
      strike: (fault) => tell({ kind: 'strike', fault }),
      lift: () => tell({ kind: 'lift' }),
      stop: async () => {
        if (stopping) return;
        stopping = true;
        const exited = once(worker, 'exit');
        tell({ kind: 'stop' });
        const grace = setTimeout(() => void worker.terminate(), STOP_GRACE_MS);
        await exited;
        clearTimeout(grace);
      },
    },
  };
}

/** `listening` or `failed`; a thread that dies before either has failed too. */
function firstWord(worker: Worker): Promise<Extract<ExchangeSaying, { kind: 'listening' | 'failed' }>> {
  return new Promise((resolve) => {
    const settle = (saying: Extract<ExchangeSaying, { kind: 'listening' | 'failed' }>): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
      resolve(saying);
    };
    const onMessage = (saying: ExchangeSaying): void => {
      if (saying.kind === 'listening' || saying.kind === 'failed') settle(saying);
    };
    const onError = (error: Error): void => settle({ kind: 'failed', mistakes: [error.message] });
    const onExit = (code: number): void =>
      settle({ kind: 'failed', mistakes: [`The exchange's thread ended with ${code} before it listened.`] });
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
  });
}

import { type Endpoints, embeddedEndpoints } from '../adapters/alpaca/endpoints.ts';
import type { Config } from '../adapters/config/config.ts';
import { MICROS_PER_SECOND } from '../domain/time.ts';
import type { ExchangeFacts } from './exchange-options.ts';
import { type ExchangeThread, startExchangeThread } from './exchange-thread.ts';

export type Embedded =
  | {
      readonly ok: true;
      readonly endpoints: Endpoints;
      readonly thread: ExchangeThread;
    }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** What the configuration's `exchange` section says, as facts for an exchange. */
export function factsOf({ exchange, symbols }: Config): ExchangeFacts {
  return {
    tapePaths: exchange.tape,
    symbols: symbols.map(({ symbol }) => symbol),
    seed: exchange.seed,
    startAt: hourAndMinute(exchange.start),
    day: exchange.tape.length > 0 ? null : exchange.day,
    cashUsd: exchange.cash / 10_000,
  };
}

/** Starts an exchange in a thread of this process and says where it listens. */
export async function startEmbeddedExchange(
  facts: ExchangeFacts,
  {
    speed,
    feed,
    tell,
  }: { readonly speed: number; readonly feed: Config['feed']; readonly tell: (line: string) => void },
): Promise<Embedded> {
  const started = await startExchangeThread(
    { facts, server: { speed }, faults: null },
    {
      onLog: (_level, text) => tell(`scalpd: the embedded exchange: ${text}`),
      onLost: (cause) => tell(`scalpd: the embedded exchange is gone: ${cause}`),
    },
  );
  if (!started.ok) return started;
  const { thread } = started;
  return { ok: true, thread, endpoints: embeddedEndpoints(Number(new URL(thread.listening.url).port), feed) };
}

/** `HH:MM` of a time since midnight. */
export function hourAndMinute(sinceMidnight: number): string {
  const minutes = Math.floor(sinceMidnight / MICROS_PER_SECOND / 60);
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

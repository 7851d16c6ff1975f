import type { Brand } from './brand.ts';
import type { SessionDay } from './time.ts';

/** A US equity symbol as Alpaca spells it: `SPY`, `BRK.B`. */
export type Ticker = Brand<string, 'Ticker'>;
/** The id we give an order; at most 128 characters, never used twice. */
export type ClientOrderId = Brand<string, 'ClientOrderId'>;
/** The id the broker gives an order (a UUID at Alpaca). */
export type BrokerOrderId = Brand<string, 'BrokerOrderId'>;
/** One execution; a broker may report it more than once, it counts once. */
export type ExecutionId = Brand<string, 'ExecutionId'>;

const PREFIX = 'scalpd-';

/** What a derived client order id says. `sequence` counts a lane's intents of the day, `attempt` the re-sends. */
export type ClientOrderKey = {
  readonly day: SessionDay;
  readonly symbol: Ticker;
  readonly sequence: number;
  readonly attempt: number;
};

/** `scalpd-20261005-SPY-17-0`. Derived, so that a retry or a replay says the same thing. */
export function formatClientOrderId(key: ClientOrderKey): ClientOrderId {
  return `${PREFIX}${key.day.replaceAll('-', '')}-${key.symbol}-${key.sequence}-${key.attempt}` as ClientOrderId;
}

const DERIVED = /^scalpd-(\d{4})(\d\d)(\d\d)-([A-Z][A-Z0-9./]*)-(\d+)-(\d+)$/;

/** The inverse; `null` for an id that is not ours. */
export function parseClientOrderId(id: string): ClientOrderKey | null {
  const match = DERIVED.exec(id);
  if (match === null) return null;
  const [, year, month, day, symbol, sequence, attempt] = match;
  return {
    day: `${year}-${month}-${day}` as SessionDay,
    symbol: symbol as Ticker,
    sequence: Number(sequence),
    attempt: Number(attempt),
  };
}

/** Whether an order carries an id that scalpd derives. Everything else at the broker is somebody else's. */
export const isOurs = (id: string): boolean => parseClientOrderId(id) !== null;

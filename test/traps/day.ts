import type { Session } from '../../lib/domain/session.ts';
import { type Duration, millis } from '../../lib/domain/time.ts';
import type { Engine } from '../../lib/engine/engine.ts';
import type { Journal } from '../../lib/ports/journal.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange, ExchangeOptions, TapeItem } from '../../lib/sim/exchange-api.ts';
import type { ScriptedFault } from '../../lib/sim/fault-types.ts';
import { type Daemon, type LogLine, settingsFrom, startDaemon } from '../parity/daemon.ts';
import type { Decision } from '../parity/decisions.ts';
import { plainOptions } from '../parity/exchange-of.ts';
import { FULL_DAY, tapeOf, utc } from './minutes.ts';

/** A trading day set up for one trap: a market, an exchange that misbehaves as asked, and the whole engine on it. */
export type Day = {
  readonly exchange: Exchange;
  readonly decisions: readonly Decision[];
  engine(): Engine;
  journal(): Journal;
  /** Lets everything happen up to this UTC time of day. */
  until(time: string): Promise<void>;
  fail(fault: ScriptedFault): void;
  kill(): void;
  restart(journal: 'kept' | 'lost'): void;
  lines(): readonly LogLine[];
  /** The first log line of that event, or `null`. */
  logged(event: string): LogLine | null;
};

export function openDay(options: {
  readonly items: readonly TapeItem[];
  readonly startAt: string;
  readonly session?: Session;
  readonly exchange?: Partial<ExchangeOptions>;
  readonly lotUsd?: number;
  readonly positionsLag?: Duration;
}): Day {
  const { items, session = FULL_DAY, lotUsd = 2_000, positionsLag = millis(0) } = options;
  const tape = tapeOf(items);
  const exchange = createExchange(
    { ...plainOptions(session, utc(options.startAt)), ...options.exchange },
    tape,
  );
  const settings = settingsFrom(
    [
      'symbols:',
      ...tape.symbols.map((symbol) => `  - { symbol: ${symbol}, lot: ${lotUsd} }`),
      'exit: { markup: 0.01 }',
    ].join('\n'),
  );
  const daemon: Daemon = startDaemon({ exchange, settings, script: [], positionsLag });
  return {
    exchange,
    decisions: daemon.decisions,
    engine: daemon.engine,
    journal: daemon.journal,
    until: (time) => daemon.until(utc(time)),
    fail: (fault) => daemon.faults.add(fault),
    kill: daemon.kill,
    restart: daemon.restart,
    lines: () => daemon.log,
    logged: (event) => daemon.log.find((line) => line.event === event) ?? null,
  };
}

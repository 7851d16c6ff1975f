import type { Ticker } from '../domain/ids.ts';
import type { Micros, SessionDay } from '../domain/time.ts';

export type JournalKind =
  | 'session' // a session began or ended: plan, settings, build
  | 'input' // an event a lane was fed
  | 'decision' // the commands that came of it
  | 'request' // an order request or cancel about to leave
  | 'outcome' // what became of a request
  | 'report' // an execution report as received
  | 'operator' // pause, flatten, kill: who and why
  | 'reconciliation'; // findings

export type JournalRecord = {
  readonly day: SessionDay;
  readonly at: Micros;
  readonly kind: JournalKind;
  readonly symbol: Ticker | null;
  /** JSON-serializable; the record's own shape by kind. */
  readonly body: unknown;
};

export type StoredRecord = JournalRecord & { readonly id: number };

/**
 * Append-only. `append` never blocks: the promise settles when the record survives a kill of the process, and
 * rejects when it could not be written (disk full, read-only): then entries stop and exits go on.
 */
export type Journal = {
  append(record: JournalRecord): Promise<void>;
  /** All records of a day in append order. */
  read(day: SessionDay): Promise<readonly StoredRecord[]>;
  /** Flushes and closes; later appends reject. */
  close(): Promise<void>;
};

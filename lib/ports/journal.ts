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
  | 'reconciliation' // findings
  | 'gap'; // records that could not be written are missing before this one

export type JournalRecord = {
  readonly day: SessionDay;
  readonly at: Micros;
  readonly kind: JournalKind;
  readonly symbol: Ticker | null;
  /** JSON-serializable; the record's own shape by kind. */
  readonly body: unknown;
};

/**
 * The version of the bodies that this build writes; stored with each record. It rises when a body's meaning changes, and
 * records of a newer version are refused, not guessed at.
 */
export const RECORD_VERSION = 1;

export type StoredRecord = JournalRecord & { readonly id: number };

/**
 * The last record of the journal. `hash` is 64 hexadecimal digits and covers the record and, through the hash before it,
 * every earlier one: who knows it can tell whether anything before it was changed since.
 */
export type JournalHead = { readonly id: number; readonly hash: string };

/** Body of a `gap` record: so many records about its symbol were refused between two instants. */
export type GapBody = {
  readonly what: 'lost';
  readonly records: number;
  readonly from: Micros;
  readonly to: Micros;
  /** Why, as the first refusal said. */
  readonly cause: string;
};

/** What `append` returns for a record that survives a kill already: this very promise, so that nobody has to wait to know. */
export const RECORDED: Promise<void> = Promise.resolve();

/**
 * Append-only. `append` never waits: the promise settles when the record survives a kill of the process, and
 * rejects when it could not be written (disk full, read-only): then entries stop and exits go on. A `request` survives
 * it, with everything before it, as soon as `append` has returned `RECORDED`.
 */
export type Journal = {
  append(record: JournalRecord): Promise<void>;
  /** All records of a day in append order. */
  read(day: SessionDay): Promise<readonly StoredRecord[]>;
  /** The newest durable record, appends that were made before this call included; `null` while there is none. */
  head(): Promise<JournalHead | null>;
  /** Flushes and closes; later appends reject. */
  close(): Promise<void>;
};

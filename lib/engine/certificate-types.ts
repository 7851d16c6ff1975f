import type { Side } from '../domain/execution.ts';
import type { Ticker } from '../domain/ids.ts';
import type { Lane } from '../domain/lane.ts';
import type { SessionDay } from '../domain/time.ts';

/**
 * The flat certificate of a day: every share from its intent through client order id and executions to zero, by the
 * journal, the stream, the broker's orders and its positions. It follows from the journal's records alone, so that anybody
 * who has them can derive it again.
 *
 * `flat` is `true` only when everything that was asked agrees; `false` with the evidence when something contradicts it;
 * `null` with the reasons when it is not known.
 */
export type Certificate = {
  readonly format: 1;
  readonly day: SessionDay;
  readonly flat: boolean | null;
  /** When the broker was looked at last, in UTC. */
  readonly takenAt: string | null;
  /** The newest record it covers, its hash, and how many records of the day it was derived from. */
  readonly journal: { readonly id: number; readonly hash: string; readonly records: number };
  readonly symbols: readonly SymbolCertificate[];
};

export type SymbolCertificate = {
  readonly symbol: Ticker;
  readonly flat: boolean | null;
  /** Every share has its intent in the journal. */
  readonly traced: boolean;
  /** Shares brought into the day, and shares that came or went by somebody's hand. */
  readonly opening: number;
  readonly byHand: number;
  readonly orders: readonly CertifiedOrder[];
  readonly sources: {
    /** Our own books: the fold of the day's records. */
    readonly journal: { readonly shares: number | null; readonly unsettled: number };
    readonly stream: Moved;
    /** `null`: not read. */
    readonly orders: (Moved & { readonly open: number }) | null;
    readonly fills: Moved | null;
    readonly positions: { readonly shares: number } | null;
  };
  /** Why it is not flat, or which sources contradict each other. */
  readonly evidence: readonly string[];
  /** Why it cannot be said. */
  readonly unproven: readonly string[];
  /** What a reader should know, and what changes nothing. */
  readonly remarks: readonly string[];
};

export type Moved = { readonly bought: number; readonly sold: number };

export type CertifiedOrder = {
  readonly clientOrderId: string;
  readonly brokerOrderId: string | null;
  readonly side: Side;
  readonly qty: number;
  readonly purpose: string | null;
  /** The record of the intent; `null` when there is none. */
  readonly intent: number | null;
  /** The broker's word, or that of our own house on an order that never was at the broker. */
  readonly status: string;
  /** What it filled: by the broker's order, by the stream's executions, by the account's fills. */
  readonly filled: number | null;
  readonly streamed: number;
  readonly listed: number | null;
  readonly executions: readonly {
    readonly executionId: string;
    readonly qty: number;
    readonly record: number;
  }[];
};

/** What the journal folds to, or why it says nothing about a lane. */
export type Books =
  | { readonly kind: 'folded'; readonly lane: Lane }
  | { readonly kind: 'unknown'; readonly text: string };

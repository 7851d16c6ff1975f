import type { JournalHead } from '../../ports/journal.ts';
import type { JournalErrorCode } from './journal-error.ts';
import type { NumberedRow, StoredRow } from './row.ts';

/** Most rows that one commit takes: bounds how long the first of them waits for its answer. */
export const BATCH_MAX = 2_000;

/** Main thread to writer. Appends are answered in the order they were sent, many by one answer. */
export type JournalDownlink =
  | { readonly kind: 'append'; readonly rows: readonly NumberedRow[] }
  | {
      readonly kind: 'read';
      readonly id: number;
      readonly day: string;
      readonly after: number;
      readonly limit: number;
    }
  | { readonly kind: 'head'; readonly id: number }
  | { readonly kind: 'close' };

/** What the writer found when it opened the file. */
export type Opening = {
  /** Records of an older scalpd that were chained on the way. */
  readonly chained: number;
  /** Records that a killed process had written beside the journal and that are in it now. */
  readonly recovered: number;
  /** The highest number that was ever committed. */
  readonly number: number;
  readonly head: JournalHead | null;
};

/** Writer to main thread. `count` appends, the oldest unanswered ones, have met the same fate. */
export type JournalUplink =
  | ({ readonly kind: 'opened' } & Opening)
  | { readonly kind: 'committed'; readonly count: number }
  | {
      readonly kind: 'refused';
      readonly count: number;
      readonly code: JournalErrorCode;
      readonly text: string;
    }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly StoredRow[] }
  | { readonly kind: 'newest'; readonly id: number; readonly head: JournalHead | null }
  /** A read or a question for the head that found no answer. */
  | { readonly kind: 'unread'; readonly id: number; readonly code: JournalErrorCode; readonly text: string }
  | { readonly kind: 'failedToOpen'; readonly code: JournalErrorCode; readonly text: string }
  | { readonly kind: 'closed' };

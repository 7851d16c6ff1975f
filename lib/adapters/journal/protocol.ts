import type { JournalErrorCode } from './journal-error.ts';
import type { Row, StoredRow } from './store.ts';

/** Main thread to writer. Appends are answered in the order they were sent, many by one answer. */
export type JournalDownlink =
  | { readonly kind: 'append'; readonly row: Row }
  | {
      readonly kind: 'read';
      readonly id: number;
      readonly day: string;
      readonly after: number;
      readonly limit: number;
    }
  | { readonly kind: 'close' };

/** Writer to main thread. `count` appends, the oldest unanswered ones, have met the same fate. */
export type JournalUplink =
  | { readonly kind: 'opened' }
  | { readonly kind: 'committed'; readonly count: number }
  | {
      readonly kind: 'refused';
      readonly count: number;
      readonly code: JournalErrorCode;
      readonly text: string;
    }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly StoredRow[] }
  | { readonly kind: 'unread'; readonly id: number; readonly code: JournalErrorCode; readonly text: string }
  | { readonly kind: 'failedToOpen'; readonly code: JournalErrorCode; readonly text: string }
  | { readonly kind: 'closed' };

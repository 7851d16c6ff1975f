import type { Ticker } from '../../domain/ids.ts';
import type { Micros, SessionDay } from '../../domain/time.ts';
import type { JournalKind, StoredRecord } from '../../ports/journal.ts';
import type { StoredRow } from './row.ts';

export function fromRow([id, day, at, kind, symbol, body]: StoredRow): StoredRecord {
  return {
    id,
    day: day as SessionDay,
    at: at as Micros,
    kind: kind as JournalKind,
    symbol: symbol as Ticker | null,
    body: bodyOf(body),
  };
}

/** A damaged body is no body; whoever folds the record says so. */
function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

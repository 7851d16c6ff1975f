import { after, type Duration, type Micros, type SessionDay } from '../../lib/domain/time.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Journal, JournalRecord, StoredRecord } from '../../lib/ports/journal.ts';

/** The journal's file: it outlives the processes that write to it. One line of JSON a record, as a digest is made of them. */
export type PaperTrail = {
  readonly lines: readonly string[];
  read(day: SessionDay): readonly StoredRecord[];
  /** What the disk does from now on. */
  disk(state: DiskState): void;
  /** Records that a full disk refused. */
  refused(): number;
  /** A process's hand on the file. */
  open(clock: Clock, hooks: JournalHooks): Journal;
};

export type DiskState =
  | { readonly kind: 'well' }
  | { readonly kind: 'full' }
  | { readonly kind: 'slow'; readonly delay: Duration };

export type JournalHooks = {
  /** Whether the process lives, asked before and after each record is on disk. */
  readonly lives: (side: 'before' | 'after') => boolean;
};

/** The chain is the file's business; here the lines themselves are compared. */
const UNHASHED = '0'.repeat(64);

export function createPaperTrail(usualDelay: Duration): PaperTrail {
  const lines: string[] = [];
  const days: SessionDay[] = [];
  let state: DiskState = { kind: 'well' };
  let refused = 0;
  const delay = (): Duration => (state.kind === 'slow' ? state.delay : usualDelay);

  function open(clock: Clock, { lives }: JournalHooks): Journal {
    let writtenAt = clock.now();

    /** Refused or on disk; what the process is not told it does not know. */
    function commit(
      day: SessionDay,
      json: string,
      settle: { done(): void; failed(cause: Error): void },
    ): void {
      if (!lives('before')) return;
      if (state.kind === 'full') {
        refused += 1;
        settle.failed(new Error('no space left on device'));
        return;
      }
      lines.push(`{"id":${lines.length + 1},${json.slice(1)}`);
      days.push(day);
      if (lives('after')) settle.done();
    }

    return {
      append: (record: JournalRecord) =>
        new Promise((resolve, reject) => {
          // As it is now: whatever changes later is not part of it.
          const json = JSON.stringify(record);
          const settle = { done: resolve, failed: reject };
          const due = Math.max(writtenAt, after(clock.now(), delay())) as Micros;
          writtenAt = due;
          if (due <= clock.now()) commit(record.day, json, settle);
          else clock.at(due, () => commit(record.day, json, settle));
        }),
      read: async (day) => read(day),
      head: async () => (lines.length === 0 ? null : { id: lines.length, hash: UNHASHED }),
      async close() {},
    };
  }

  const read = (day: SessionDay): readonly StoredRecord[] =>
    lines.filter((_, index) => days[index] === day).map((line) => JSON.parse(line) as StoredRecord);

  return {
    lines,
    read,
    disk(next) {
      state = next;
    },
    refused: () => refused,
    open,
  };
}

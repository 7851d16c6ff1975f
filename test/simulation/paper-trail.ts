import { after, type Duration, type Micros, type SessionDay } from '../../lib/domain/time.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import {
  type Journal,
  type JournalKind,
  type JournalRecord,
  RECORDED,
  type StoredRecord,
} from '../../lib/ports/journal.ts';

/**
 * The journal's file: it outlives the processes that write to it. One line of JSON a record, as a digest is made of them. On a
 * disk that is well it takes what is wanted at once in the call, with everything before it, as the real one's spool does.
 */
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

const AT_ONCE: ReadonlySet<JournalKind> = new Set(['request', 'operator']);

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
    /** Records on their way to the disk, oldest first. */
    const underWay: (() => void)[] = [];
    const commitFirst = (count: number): void => {
      for (const each of underWay.splice(0, count)) each();
    };

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
      append(record: JournalRecord) {
        // As it is now: whatever changes later is not part of it.
        const json = JSON.stringify(record);
        let recorded = false;
        const appended = new Promise<void>((resolve, reject) => {
          const done = (): void => {
            recorded = true;
            resolve();
          };
          const put = (): void => commit(record.day, json, { done, failed: reject });
          underWay.push(put);
          const due = Math.max(writtenAt, after(clock.now(), delay())) as Micros;
          writtenAt = due;
          const isDue = due <= clock.now() || (AT_ONCE.has(record.kind) && state.kind === 'well');
          if (isDue) commitFirst(underWay.length);
          else clock.at(due, () => commitFirst(underWay.indexOf(put) + 1));
        });
        return recorded && AT_ONCE.has(record.kind) ? RECORDED : appended;
      },
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

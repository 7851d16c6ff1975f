import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { SessionDay } from '../../domain/time.ts';
import { type OpenJournal, type OpenJournalOptions, openJournal } from './journal.ts';
import { JournalError, type JournalErrorCode, toJournalError } from './journal-error.ts';
import { type Hold, takeHold } from './store.ts';
import { readHead, readTold } from './told.ts';

export type StandbyOptions = OpenJournalOptions & {
  /** It was opened after all. */
  readonly onOpened?: (journal: OpenJournal) => void;
};

export type StandbyJournal = OpenJournal & {
  /** Why the journal could not be opened for writing at the start; `null` when it could. */
  readonly waitingFor: JournalError | null;
};

/** What passes when the disk does, or when a thread can be started again. Everything else needs a person. */
const PASSING: ReadonlySet<JournalErrorCode> = new Set([
  'journal.full',
  'journal.readOnly',
  'journal.io',
  'journal.busy',
  'journal.cannotOpen',
  'journal.writerLost',
]);
const RETRY_MILLIS = 1_000;
/** A disk that takes this takes a while of records. */
const PROBE_BYTES = 256 * 1024;
/** Any day: whether the file reads is the question. */
const SOME_DAY = '1970-01-01' as SessionDay;

/**
 * Opens the journal; and where it is there, and reads, but cannot be written just now, stands in for it: held shares must
 * not wait for a disk. It reads what was told, refuses every record with the disk's own error, and hands over to the
 * journal as soon as that can be opened.
 *
 * Rejects with a `JournalError` as `openJournal` does for what does not pass by itself, and for a journal that cannot be
 * read either: what an operator has latched would be forgotten.
 */
export async function openJournalOrWait(options: StandbyOptions): Promise<StandbyJournal> {
  try {
    return waitingNoMore(await openJournal(options));
  } catch (cause) {
    const error = toJournalError(cause);
    if (!PASSING.has(error.code) || !existsSync(options.path)) throw error;
    try {
      readTold(options.path, SOME_DAY);
    } catch (unread) {
      const { code } = toJournalError(unread);
      throw PASSING.has(code) || code === 'journal.absent' ? error : unread;
    }
    return standIn(options, error);
  }
}

const waitingNoMore = (journal: OpenJournal): StandbyJournal => ({ ...journal, waitingFor: null });

function standIn(options: StandbyOptions, first: JournalError): StandbyJournal {
  const { path, restartMillis = RETRY_MILLIS } = options;
  let error = first;
  let journal: OpenJournal | null = null;
  let closing: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let attempt: Promise<void> = Promise.resolve();
  // Nobody else may begin to write meanwhile; a disk that cannot even keep the lock's file cannot be locked.
  let hold: Hold | null = tryHold(path);

  function retryLater(): void {
    timer = setTimeout(() => {
      attempt = retry();
    }, restartMillis);
  }

  async function retry(): Promise<void> {
    if (await takesRecords(path)) {
      hold?.release();
      hold = null;
      try {
        const opened = await openJournal(options);
        journal = opened;
        options.onOpened?.(opened);
        return;
      } catch (cause) {
        error = toJournalError(cause);
        hold = tryHold(path);
      }
    }
    if (closing === null) retryLater();
  }

  function guarded<T>(read: () => T): Promise<T> {
    try {
      return Promise.resolve(read());
    } catch (cause) {
      return Promise.reject(toJournalError(cause));
    }
  }

  retryLater();
  return {
    append: (record) =>
      journal?.append(record) ?? Promise.reject(new JournalError(error.code, error.message)),
    read: (day) => journal?.read(day) ?? guarded(() => readTold(path, day)),
    head: () => journal?.head() ?? guarded(() => readHead(path)),
    backlog: () => journal?.backlog() ?? 0,
    get chained() {
      return journal?.chained ?? 0;
    },
    get recovered() {
      return journal?.recovered ?? 0;
    },
    waitingFor: first,
    close() {
      closing ??= (async () => {
        if (timer !== null) clearTimeout(timer);
        await attempt;
        hold?.release();
        await journal?.close();
      })();
      return closing;
    },
  };
}

function tryHold(path: string): Hold | null {
  try {
    return takeHold(path);
  } catch {
    return null;
  }
}

/** Tried beside the journal: opening it means letting go of the lock for a moment. */
async function takesRecords(path: string): Promise<boolean> {
  const probe = `${path}.probe`;
  try {
    await writeFile(probe, Buffer.alloc(PROBE_BYTES));
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

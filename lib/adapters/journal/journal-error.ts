/** Stable codes: why a record could not be written, or a journal not be opened. */
export type JournalErrorCode =
  | 'journal.full' // no room on the disk
  | 'journal.readOnly'
  | 'journal.busy' // another program holds the file's write lock
  | 'journal.corrupt' // not a database, or a damaged one
  | 'journal.cannotOpen'
  | 'journal.io'
  | 'journal.inUse' // another scalpd writes it
  | 'journal.newer' // written by a newer scalpd
  | 'journal.unchained' // written by an older scalpd, which chained nothing
  | 'journal.absent' // there is no such file
  | 'journal.foreign' // a database of another program
  | 'journal.moved' // the file was deleted or replaced while it was open
  | 'journal.backlog' // the writer is too far behind
  | 'journal.unserializable' // the record cannot be stored at all
  | 'journal.writerLost' // the writer's thread ended; a new one is started
  | 'journal.closed'
  | 'journal.failed';

export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly code: JournalErrorCode;

  constructor(code: JournalErrorCode, text: string) {
    super(text);
    this.code = code;
  }
}

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html; extended ones begin with the same name. */
const CODES: readonly (readonly [prefix: string, code: JournalErrorCode, primary: number])[] = [
  ['SQLITE_FULL', 'journal.full', 13],
  ['SQLITE_READONLY', 'journal.readOnly', 8],
  ['SQLITE_BUSY', 'journal.busy', 5],
  ['SQLITE_LOCKED', 'journal.busy', 6],
  ['SQLITE_CORRUPT', 'journal.corrupt', 11],
  ['SQLITE_NOTADB', 'journal.corrupt', 26],
  ['SQLITE_CANTOPEN', 'journal.cannotOpen', 14],
  ['SQLITE_PERM', 'journal.cannotOpen', 3],
  ['SQLITE_IOERR', 'journal.io', 10],
];

/** Anything the driver or the file system throws, as one of ours. */
export function toJournalError(cause: unknown): JournalError {
  if (cause instanceof JournalError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const theirs = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (theirs === 'ENOSPC' || theirs === 'EDQUOT') return new JournalError('journal.full', text);
  if (theirs === 'EROFS') return new JournalError('journal.readOnly', text);
  if (/^E[A-Z]+$/.test(theirs)) return new JournalError('journal.cannotOpen', text);
  // The driver reports a failed open without a code.
  if (theirs === '' && text.includes('Unable to open')) return new JournalError('journal.cannotOpen', text);
  // The driver names few of the extended codes; the lowest byte of the others is the primary one.
  const unnamed = /^UNKNOWN_SQLITE_ERROR_(\d+)$/.exec(theirs);
  const known =
    unnamed === null
      ? CODES.find(([prefix]) => theirs.startsWith(prefix))
      : CODES.find(([, , primary]) => primary === (Number(unnamed[1]) & 0xff));
  return new JournalError(known?.[1] ?? 'journal.failed', theirs === '' ? text : `${text} (${theirs})`);
}

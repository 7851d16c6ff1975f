import { Worker } from 'node:worker_threads';
import { unreachable } from '../../domain/invariant.ts';
import type { Journal, JournalHead, JournalKind, JournalRecord, StoredRecord } from '../../ports/journal.ts';
import { fromRow } from './from-row.ts';
import { JournalError, type JournalErrorCode, toJournalError } from './journal-error.ts';
import { createOutbox } from './outbox.ts';
import type { JournalDownlink, JournalUplink, Opening } from './protocol.ts';
import type { Row, StoredRow } from './row.ts';
import { openSpool } from './spool.ts';

export type OpenJournalOptions = {
  /** The SQLite file; its folder is made when missing. */
  readonly path: string;
  /** Appends that may wait for their answer; more are refused at once. */
  readonly backlogMax?: number;
  /** The writer's thread has ended by itself; appends in flight were rejected, a new thread is started with the next. */
  readonly onWriterLost?: (text: string) => void;
  /** The writer's module, and the shortest wall time between two starts of it: other than the usual in tests. */
  readonly writer?: URL;
  readonly restartMillis?: number;
};

export type OpenJournal = Journal & {
  /** Appends that wait for their answer. */
  backlog(): number;
  /** Records of an older scalpd that were chained when the file was opened. */
  readonly chained: number;
  /** Records that a killed process had promised, and that are in the journal now. */
  readonly recovered: number;
};

type Reading = { resolve(answer: Answer): void; reject(error: JournalError): void };
type Answer = Extract<JournalUplink, { kind: 'rows' | 'newest' }>;
type Question =
  | { readonly kind: 'read'; readonly day: string; readonly after: number; readonly limit: number }
  | { readonly kind: 'head' };

const BACKLOG_MAX = 50_000;
const PAGE = 2_000;
const CLOSE_MILLIS = 5_000;
/** A writer that cannot live is not started more often than this. */
const RESTART_MILLIS = 1_000;
const WRITER = new URL('../../../workers/journal.js', import.meta.url);
/** What leads to something that cannot be taken back, or was promised to an operator, is on record before `append` returns. */
const AT_ONCE: ReadonlySet<JournalKind> = new Set(['request', 'operator']);

/**
 * Opens the journal and starts its writer; rejects with a `JournalError` when it cannot be used.
 *
 * Records go to the writer's thread together, in the first lull after them, when whatever they led to has left: waking a
 * thread costs more than writing. Those that must be durable earlier are spooled.
 */
export async function openJournal(options: OpenJournalOptions): Promise<OpenJournal> {
  const backlogMax = options.backlogMax ?? BACKLOG_MAX;
  const restartMillis = options.restartMillis ?? RESTART_MILLIS;
  const readings = new Map<number, Reading>();
  let readCount = 0;
  let startedAt = Number.NEGATIVE_INFINITY;
  let writer: Worker | null = null;
  let closing: Promise<void> | null = null;
  let whenOpen: { resolve(opening: Opening): void; reject(error: JournalError): void } | null = null;
  let whenClosed: (() => void) | null = null;

  const takeReading = (id: number): Reading | undefined => {
    const reading = readings.get(id);
    readings.delete(id);
    return reading;
  };

  const lose = (error: JournalError): void => {
    writer = null;
    whenOpen?.reject(error);
    for (const reading of readings.values()) reading.reject(error);
    readings.clear();
    outbox?.lost(error);
    whenClosed?.();
  };

  const receive = (message: JournalUplink): void => {
    switch (message.kind) {
      case 'opened':
        whenOpen?.resolve(message);
        break;
      case 'committed':
        outbox?.committed(message.count);
        break;
      case 'refused':
        outbox?.refused(message.count, new JournalError(message.code, message.text));
        break;
      case 'rows':
      case 'newest':
        takeReading(message.id)?.resolve(message);
        break;
      case 'unread':
        takeReading(message.id)?.reject(new JournalError(message.code, message.text));
        break;
      case 'failedToOpen':
        lose(new JournalError(message.code, message.text));
        break;
      case 'closed':
        break;
      default:
        unreachable(message);
    }
  };

  const start = (): Worker => {
    startedAt = performance.now();
    const started = new Worker(options.writer ?? WRITER, {
      workerData: { path: options.path },
      name: 'journal',
    });
    let trouble = 'it ended';
    started.on('message', receive);
    started.on('error', (error) => {
      trouble = error instanceof Error ? error.message : String(error);
    });
    started.on('exit', () => {
      if (writer !== started) return;
      const error = new JournalError(
        'journal.writerLost',
        `the journal's writer must keep running: ${trouble}`,
      );
      lose(error);
      if (closing === null) options.onWriterLost?.(trouble);
    });
    return started;
  };

  /** `false`: there is no writer, and the last one was started too short a time ago. */
  const post = (message: JournalDownlink): boolean => {
    if (writer === null && performance.now() - startedAt < restartMillis) return false;
    writer ??= start();
    writer.postMessage(message);
    return true;
  };

  const ask = (question: Question): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = readCount++;
      readings.set(id, { resolve, reject });
      outbox?.ask({ ...question, id }, () => takeReading(id)?.reject(noWriter()));
    });

  const readPage = async (day: string, after: number): Promise<readonly StoredRow[]> => {
    const answer = await ask({ kind: 'read', day, after, limit: PAGE });
    return answer.kind === 'rows' ? answer.rows : [];
  };

  let outbox: ReturnType<typeof createOutbox> | null = null;
  const opening = await new Promise<Opening>((resolve, reject) => {
    whenOpen = { resolve, reject };
    writer = start();
  });
  whenOpen = null;
  const { chained, recovered, number, head } = opening;
  const box = createOutbox({ post, noWriter, retryMillis: restartMillis, number, spool: spoolFor(head) });
  outbox = box;

  function spoolFor(head: JournalHead | null) {
    try {
      return openSpool(options.path, head);
    } catch (cause) {
      // It lets go of the lock when it is told to; nobody could take it from a thread that was ended.
      const left = writer;
      writer = null;
      left?.postMessage({ kind: 'close' } satisfies JournalDownlink);
      throw toJournalError(cause);
    }
  }

  return {
    append(record) {
      if (closing !== null) return refuse('journal.closed', 'a closed journal takes no records');
      if (box.size() >= backlogMax)
        return refuse('journal.backlog', `the writer must keep up; ${box.size()} records are waiting`);
      const row = toRow(record);
      return row === null
        ? refuse('journal.unserializable', `a record must be plain data: ${record.kind}`)
        : box.append(row, AT_ONCE.has(record.kind));
    },
    async read(day) {
      if (closing !== null) return refuse('journal.closed', 'a closed journal cannot be read');
      const records: StoredRecord[] = [];
      for (;;) {
        const rows = await readPage(day, records.at(-1)?.id ?? 0);
        records.push(...rows.map(fromRow));
        if (rows.length < PAGE) return records;
      }
    },
    async head(): Promise<JournalHead | null> {
      if (closing !== null) return refuse('journal.closed', 'a closed journal cannot be read');
      const answer = await ask({ kind: 'head' });
      return answer.kind === 'newest' ? answer.head : null;
    },
    backlog: box.size,
    chained,
    recovered,
    close() {
      closing ??= new Promise((resolve) => {
        const stuck = setTimeout(() => void writer?.terminate(), CLOSE_MILLIS);
        whenClosed = () => {
          clearTimeout(stuck);
          box.close();
          resolve();
        };
        box.whenTried(() => {
          if (writer === null || !post({ kind: 'close' })) whenClosed?.();
        });
      });
      return closing;
    },
  };
}

const noWriter = (): JournalError =>
  new JournalError('journal.writerLost', "the journal's writer must be running; it is started again shortly");

const refuse = (code: JournalErrorCode, text: string): Promise<never> =>
  Promise.reject(new JournalError(code, text));

/** The body becomes text here and now: what the caller does with it later does not change the record. */
function toRow(record: JournalRecord): Row | null {
  try {
    const body = JSON.stringify(record.body) ?? 'null';
    if (!Number.isSafeInteger(record.at)) return null;
    return [record.day, record.at, record.kind, record.symbol, body];
  } catch {
    return null;
  }
}

import { Worker } from 'node:worker_threads';
import type { Ticker } from '../../domain/ids.ts';
import { unreachable } from '../../domain/invariant.ts';
import type { Micros, SessionDay } from '../../domain/time.ts';
import type { Journal, JournalKind, JournalRecord, StoredRecord } from '../../ports/journal.ts';
import { JournalError, type JournalErrorCode } from './journal-error.ts';
import type { JournalDownlink, JournalUplink } from './protocol.ts';
import type { Row, StoredRow } from './store.ts';

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
};

type Waiting = { readonly resolve: () => void; readonly reject: (error: JournalError) => void };
type Reading = { resolve(rows: readonly StoredRow[]): void; reject(error: JournalError): void };

const BACKLOG_MAX = 50_000;
const PAGE = 2_000;
const CLOSE_MILLIS = 5_000;
/** A writer that cannot live is not started more often than this. */
const RESTART_MILLIS = 1_000;
const WRITER = new URL('../../../workers/journal.js', import.meta.url);

/** Opens the journal and starts its writer; rejects with a `JournalError` when it cannot be used. */
export async function openJournal(options: OpenJournalOptions): Promise<OpenJournal> {
  const backlogMax = options.backlogMax ?? BACKLOG_MAX;
  const restartMillis = options.restartMillis ?? RESTART_MILLIS;
  const waiting: Waiting[] = [];
  const readings = new Map<number, Reading>();
  let readCount = 0;
  let startedAt = Number.NEGATIVE_INFINITY;
  let writer: Worker | null = null;
  let closing: Promise<void> | null = null;
  let whenOpen: Waiting | null = null;
  let whenClosed: (() => void) | null = null;

  const settle = (count: number, error: JournalError | null): void => {
    for (const { resolve, reject } of waiting.splice(0, count)) {
      if (error === null) resolve();
      else reject(error);
    }
  };

  const takeReading = (id: number): Reading | undefined => {
    const reading = readings.get(id);
    readings.delete(id);
    return reading;
  };

  const lose = (error: JournalError): void => {
    writer = null;
    whenOpen?.reject(error);
    settle(waiting.length, error);
    for (const reading of readings.values()) reading.reject(error);
    readings.clear();
    whenClosed?.();
  };

  const receive = (message: JournalUplink): void => {
    switch (message.kind) {
      case 'opened':
        whenOpen?.resolve();
        break;
      case 'committed':
        settle(message.count, null);
        break;
      case 'refused':
        settle(message.count, new JournalError(message.code, message.text));
        break;
      case 'rows':
        takeReading(message.id)?.resolve(message.rows);
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

  const readPage = (day: string, after: number): Promise<readonly StoredRow[]> =>
    new Promise((resolve, reject) => {
      const id = readCount++;
      if (post({ kind: 'read', id, day, after, limit: PAGE })) readings.set(id, { resolve, reject });
      else reject(noWriter());
    });

  await new Promise<void>((resolve, reject) => {
    whenOpen = { resolve, reject };
    writer = start();
  });
  whenOpen = null;

  return {
    append(record) {
      if (closing !== null) return refuse('journal.closed', 'a closed journal takes no records');
      if (waiting.length >= backlogMax)
        return refuse('journal.backlog', `the writer must keep up; ${waiting.length} records are waiting`);
      const row = toRow(record);
      if (row === null)
        return refuse('journal.unserializable', `a record must be plain data: ${record.kind}`);
      return new Promise((resolve, reject) => {
        if (post({ kind: 'append', row })) waiting.push({ resolve, reject });
        else reject(noWriter());
      });
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
    backlog: () => waiting.length,
    close() {
      closing ??= new Promise((resolve) => {
        if (writer === null) return resolve();
        const stuck = setTimeout(() => void writer?.terminate(), CLOSE_MILLIS);
        whenClosed = () => {
          clearTimeout(stuck);
          resolve();
        };
        post({ kind: 'close' });
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

function fromRow([id, day, at, kind, symbol, body]: StoredRow): StoredRecord {
  return {
    id,
    day: day as SessionDay,
    at: at as Micros,
    kind: kind as JournalKind,
    symbol: symbol as Ticker | null,
    body: JSON.parse(body),
  };
}

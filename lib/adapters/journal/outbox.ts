import { RECORDED } from '../../ports/journal.ts';
import { createLull } from '../time/lull.ts';
import type { JournalError } from './journal-error.ts';
import { BATCH_MAX, type JournalDownlink } from './protocol.ts';
import type { NumberedRow, Row } from './row.ts';
import type { Spool } from './spool.ts';

/**
 * Records on their way from the main thread to the writer's.
 *
 * 1. They are committed in the order they were appended. One batch is under way at a time, so that none can pass another
 *    that was refused.
 * 2. A record is answered once: with the writer's answer, or, where it has to be durable at once, as soon as it is in the
 *    spool together with everything before it that is not committed yet.
 * 3. What was promised is not dropped: refused, or lost with a thread, it goes ahead of everything else, again and again.
 * 4. What was not promised and is refused is the caller's to know about, as before.
 */
export type Outbox = {
  append(row: Row, atOnce: boolean): Promise<void>;
  /** Asks the writer something once everything appended so far is under way to it. */
  ask(question: JournalDownlink, onNoWriter: () => void): void;
  /** The writer's word on the oldest `count` records under way. */
  committed(count: number): void;
  refused(count: number, error: JournalError): void;
  /** The writer's thread is gone. */
  lost(error: JournalError): void;
  /** Records that are not committed yet. */
  size(): number;
  /** Called once every record was offered to the writer, whatever the writer said. */
  whenTried(then: () => void): void;
  close(): void;
};

export type OutboxDeps = {
  /** `false`: there is no writer just now. */
  readonly post: (message: JournalDownlink) => boolean;
  readonly noWriter: () => JournalError;
  /** Wall time before what was promised and refused is offered again, when nothing else is. */
  readonly retryMillis: number;
  /** The highest number in use. */
  readonly number: number;
  readonly spool: Spool;
};

type Waiting = {
  readonly row: NumberedRow;
  /** `null`: answered already, by a promise. */
  answer: { readonly resolve: () => void; readonly reject: (error: JournalError) => void } | null;
  tried: boolean;
};

/** Waking the writer's thread takes time from whatever is being done: it waits until a burst of exits is over. */
const SOON = { quietMillis: 5, mostMillis: 250 };
/** A spool is cut when it has grown to this; shorter ones do no harm. */
const CUT_BYTES = 1024 * 1024;

export function createOutbox({ post, noWriter, retryMillis, spool, ...deps }: OutboxDeps): Outbox {
  let { number } = deps;
  let waiting: Waiting[] = [];
  let underWay: Waiting[] = [];
  /** Neither committed nor in the spool, in order. */
  let unspooled: Waiting[] = [];
  let questions: { readonly question: JournalDownlink; readonly onNoWriter: () => void }[] = [];
  let retry: NodeJS.Timeout | null = null;
  let onTried: (() => void) | null = null;
  let lastSpooled = 0;
  /** A record that no file could take waits for the writer, and somebody for it. */
  let urgent = false;

  function pump(): void {
    if (underWay.length === 0 && waiting.length > 0) send();
    if (waiting.length === 0) {
      for (const { question, onNoWriter } of questions) if (!post(question)) onNoWriter();
      questions = [];
    }
    if (underWay.length === 0 && waiting.every(({ tried }) => tried)) tellTried();
  }

  function tellTried(): void {
    const then = onTried;
    onTried = null;
    then?.();
  }

  function send(): void {
    const batch = waiting.slice(0, BATCH_MAX);
    for (const each of batch) each.tried = true;
    if (!post({ kind: 'append', rows: batch.map(({ row }) => row) })) {
      for (const each of waiting) each.tried = true;
      drop(waiting, noWriter());
      waiting = promised(waiting);
      for (const { onNoWriter } of questions) onNoWriter();
      questions = [];
      retryLater();
      return;
    }
    waiting = waiting.slice(batch.length);
    underWay = batch;
    if (waiting.length === 0) urgent = false;
  }

  const soon = createLull(SOON, pump);

  /** Nobody else may come to offer what is owed. */
  function retryLater(): void {
    if (retry !== null || waiting.length === 0) return;
    retry = setTimeout(() => {
      retry = null;
      pump();
    }, retryMillis).unref();
  }

  const promised = (list: readonly Waiting[]): Waiting[] => list.filter(({ answer }) => answer === null);

  /** To those who still wait for an answer. */
  function drop(list: readonly Waiting[], error: JournalError): void {
    const gone = new Set<Waiting>();
    for (const each of list) {
      if (each.answer === null) continue;
      each.answer.reject(error);
      gone.add(each);
    }
    unspooled = unspooled.filter((each) => !gone.has(each));
  }

  /** Everything up to here that a kill would lose goes to the spool, in one write. */
  function spoolAll(): boolean {
    if (!spool.write(unspooled.map(({ row }) => row))) return false;
    unspooled = [];
    lastSpooled = number;
    return true;
  }

  return {
    append(row, atOnce) {
      number += 1;
      const each: Waiting = { row: [number, ...row], answer: null, tried: false };
      waiting.push(each);
      unspooled.push(each);
      soon.ask();
      if (atOnce && spoolAll()) return RECORDED;
      const answer = new Promise<void>((resolve, reject) => {
        each.answer = { resolve, reject };
      });
      // Somebody waits for it, and no file can stand in for the writer.
      if (atOnce) {
        urgent = true;
        pump();
      }
      return answer;
    },
    ask(question, onNoWriter) {
      questions.push({ question, onNoWriter });
      pump();
    },
    committed(count) {
      const done = underWay.slice(0, count);
      underWay = underWay.slice(count);
      const upTo = done.at(-1)?.row[0] ?? 0;
      let first = 0;
      while (first < unspooled.length && (unspooled[first]?.row[0] ?? 0) <= upTo) first += 1;
      if (first > 0) unspooled = unspooled.slice(first);
      for (const { answer } of done) answer?.resolve();
      if (upTo >= lastSpooled && spool.size() > CUT_BYTES) spool.cut();
      if (!soon.isDue() || urgent || waiting.length >= BATCH_MAX) pump();
    },
    refused(count, error) {
      const back = underWay.slice(0, count);
      underWay = underWay.slice(count);
      waiting = [...promised(back), ...waiting];
      drop(back, error);
      if (waiting.some(({ tried }) => !tried)) pump();
      else {
        retryLater();
        // Not again at once: a full disk is not emptier than before.
        tellTried();
      }
    },
    lost(error) {
      const back = underWay;
      underWay = [];
      waiting = [...promised(back), ...waiting];
      drop(back, error);
      if (waiting.length > 0) soon.ask();
    },
    size: () => waiting.length + underWay.length,
    whenTried(then) {
      onTried = then;
      pump();
    },
    close() {
      soon.cancel();
      if (retry !== null) clearTimeout(retry);
      spool.close(waiting.length === 0 && underWay.length === 0);
    },
  };
}

import { join } from 'node:path';
import { Writable } from 'node:stream';
import winston from 'winston';
import type { Micros } from '../../domain/time.ts';
import { formatInstant } from '../../domain/time.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import { createLull } from '../time/lull.ts';
import { consoleSink } from './console-sink.ts';
import { createLineQueue, type LineQueue } from './line-sink.ts';
import {
  LOG_LEVELS,
  type LogLevel,
  type LogRecord,
  type ReadableStyle,
  toJsonLine,
  toReadable,
} from './record.ts';
import { createRedactor, type Redactor } from './redact.ts';
import { rotatingFile } from './rotating-file.ts';

export type OpenLogOptions = {
  readonly level: LogLevel;
  /** `scalpd.log` lies in here; `null` writes no file. */
  readonly dir: string | null;
  readonly fileBytesMax: number;
  readonly filesMax: number;
  /** A descriptor (1: standard output) with readable lines or JSON ones; `null` prints nothing. */
  readonly console: {
    readonly descriptor: number;
    readonly style: 'json' | ReadableStyle;
    /** Less than this is not printed: `warn` under pm2, which keeps what it sees unrotated. */
    readonly level?: LogLevel;
  } | null;
  /** Exchange time. */
  readonly now: () => Micros;
  /** Wall time, in microseconds: lines carry it as `wall` when it is more than a second away from exchange time. */
  readonly wallNow: () => Micros;
  readonly redactor?: Redactor;
};

export type OpenLog = Log & {
  readonly redactor: Redactor;
  /** The clock is known only after the broker has answered: lines before that carry wall time. */
  setNow(now: () => Micros): void;
  /** Resolves when everything logged so far is out, or after two seconds. */
  flush(): Promise<void>;
  /** For a process that ends at once: blocks until the file has what is left. */
  flushSync(): void;
  close(): Promise<void>;
};

export const LOG_FILE = 'scalpd.log';

const RECORDS_MAX = 20_000;
const PER_TURN = 200;
const TURN_MILLIS = 10;
/** Lines are formatted when a burst of exits has left. */
const LULL = { quietMillis: 10, mostMillis: 250 };
const LINES_BYTES_MAX = 8 * 1024 * 1024;
const FLUSH_MILLIS = 2_000;
const WALL_SHOWN_FROM = 1_000_000;

/**
 * winston, fed off the hot path: a call only stamps the record and queues it; formatting and handing on happen in later
 * turns of the event loop, `PER_TURN` at a time.
 *
 * The file is not written by winston's own file transport: rotating under a burst of 20,000 lines it lost 12 % of them,
 * and it never wrote again after a full disk.
 */
export function openLog(options: OpenLogOptions): OpenLog {
  const redactor = options.redactor ?? createRedactor();
  const outlets: LineQueue[] = [];
  let threshold = LOG_LEVELS.indexOf(options.level);
  let now = options.now;
  let records: LogRecord[] = [];
  let lost = 0;
  let scheduled: NodeJS.Timeout | null = null;

  const droppedLine = (count: number, code: string): string =>
    toJsonLine(
      { at: now(), level: 'error', event: 'log.dropped', fields: { lines: count, code } },
      redactor.scrub,
    );
  const json = (record: LogRecord): string => toJsonLine(record, redactor.scrub);
  const transports: winston.transport[] = [];
  const addOutlet = (
    queue: LineQueue,
    format: (record: LogRecord) => string,
    level: LogLevel = 'debug',
  ): void => {
    outlets.push(queue);
    transports.push(transportTo(queue, format, level));
  };

  if (options.dir !== null) {
    const file = {
      path: join(options.dir, LOG_FILE),
      bytesMax: options.fileBytesMax,
      filesMax: options.filesMax,
    };
    const common = { bytesMax: LINES_BYTES_MAX, retryMillis: 1_000, droppedLine };
    addOutlet(createLineQueue({ ...common, sink: rotatingFile(file), isFinal: () => false }), json);
  }
  if (options.console !== null) {
    const { descriptor, style, level } = options.console;
    const readable = (record: LogRecord): string =>
      redactor.scrub(toReadable(record, style === 'json' ? { color: false } : style));
    const queue = createLineQueue({
      sink: consoleSink(descriptor),
      bytesMax: LINES_BYTES_MAX,
      retryMillis: 1_000,
      isFinal: () => true,
      droppedLine,
    });
    addOutlet(queue, style === 'json' ? json : readable, level);
  }
  const logger = winston.createLogger({ level: 'debug', transports, silent: transports.length === 0 });

  const handOn = (count: number): void => {
    const batch = records.slice(0, count);
    records = records.slice(count);
    for (const record of batch) logger.log({ level: record.level, message: record.event, record });
  };
  const admitLost = (): void => {
    if (lost === 0) return;
    records.push({ at: now(), level: 'error', event: 'log.dropped', fields: { lines: lost, code: 'burst' } });
    lost = 0;
  };
  const handOnAll = (): void => {
    handOn(records.length);
    admitLost();
    handOn(records.length);
  };
  const turn = (): void => {
    handOn(PER_TURN);
    if (records.length === 0) admitLost();
    scheduled = records.length > 0 ? setTimeout(turn, TURN_MILLIS) : null;
  };
  const lull = createLull(LULL, turn);
  const schedule = (): void => {
    if (scheduled === null) lull.ask();
  };

  const write = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < threshold) return;
    if (records.length >= RECORDS_MAX) {
      lost += 1;
      return;
    }
    try {
      const at = now();
      const wall = options.wallNow();
      const stamped =
        Math.abs(wall - at) > WALL_SHOWN_FROM ? { ...fields, wall: formatInstant(wall) } : fields;
      records.push({ at, level, event, fields: stamped });
      schedule();
    } catch {
      // A log line must never be the reason that an exit does not leave.
      lost += 1;
    }
  };

  const flush = async (): Promise<void> => {
    handOnAll();
    await Promise.all(outlets.map((outlet) => outlet.flush(FLUSH_MILLIS)));
  };
  return {
    redactor,
    debug: (event, fields) => write('debug', event, fields),
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    error: (event, fields) => write('error', event, fields),
    setNow(next) {
      now = next;
    },
    flush,
    flushSync() {
      handOnAll();
      for (const outlet of outlets) outlet.flushSync();
    },
    async close() {
      await flush();
      threshold = LOG_LEVELS.length;
      logger.close();
      await Promise.all(outlets.map((outlet) => outlet.close(FLUSH_MILLIS)));
    },
  };
}

/** winston's end of a queue. Always ready for more: the queue has its own bound. */
function transportTo(
  queue: LineQueue,
  format: (record: LogRecord) => string,
  level: LogLevel,
): winston.transport {
  const line = (record: LogRecord): string => {
    try {
      return format(record);
    } catch (cause) {
      const fields = { event: record.event, text: String(cause) };
      return toJsonLine({ ...record, event: 'log.unreadable', fields }, (text) => text);
    }
  };
  const stream = new Writable({
    decodeStrings: false,
    write(text, _encoding, next) {
      queue.push(String(text));
      next();
    },
  });
  return new winston.transports.Stream({
    stream,
    level,
    eol: '',
    format: winston.format.printf(({ record }) => line(record as LogRecord)),
  });
}

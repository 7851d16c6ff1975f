/** Where lines end up. `write` takes bytes of whole lines and says how many it took; `reopen` starts over after an error. */
export type ByteSink = {
  write(bytes: Uint8Array): Promise<number>;
  /** Last words of a process that is about to end: blocks, and may throw. */
  writeSync(bytes: Uint8Array): void;
  /** Forgets what is open, so that the next `write` opens it afresh. */
  reopen(): Promise<void>;
  close(): Promise<void>;
};

export type LineQueueOptions = {
  readonly sink: ByteSink;
  /** Lines beyond this are dropped and counted. */
  readonly bytesMax: number;
  /** Pause after an error before the next try. */
  readonly retryMillis: number;
  /** An error after which the sink is given up for good (a console whose reader has gone). */
  readonly isFinal: (code: string) => boolean;
  /** The line that tells of lines dropped. */
  readonly droppedLine: (count: number, code: string) => string;
};

export type LineQueue = {
  /** Never throws, never waits. */
  push(line: string): void;
  /** Resolves when all that was pushed is out, or after `millis`. */
  flush(millis: number): Promise<void>;
  flushSync(): void;
  /** Flushes for at most `millis`, then closes the sink. */
  close(millis: number): Promise<void>;
};

const BATCH_BYTES = 64 * 1024;

/**
 * Lines on their way to something that may be slow, full or gone. One write is under way at a time; what a failed write
 * did not take is written after the pause, from the byte where it stopped.
 */
export function createLineQueue(options: LineQueueOptions): LineQueue {
  const encoder = new TextEncoder();
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let underWay: Uint8Array | null = null;
  let dropped = 0;
  let lastCode = 'none';
  let state: 'open' | 'pumping' | 'paused' | 'gone' = 'open';
  let retry: NodeJS.Timeout | null = null;
  let idle: (() => void)[] = [];

  const settle = (): void => {
    const callers = idle;
    idle = [];
    for (const call of callers) call();
  };

  const nextBatch = (): Uint8Array | null => {
    if (waiting.length === 0) return null;
    let bytes = 0;
    let count = 0;
    for (const line of waiting) {
      if (count > 0 && bytes + line.length > BATCH_BYTES) break;
      bytes += line.length;
      count += 1;
    }
    const batch = Buffer.concat(waiting.slice(0, count), bytes);
    waiting = waiting.slice(count);
    waitingBytes -= bytes;
    return batch;
  };

  const enqueue = (line: string): void => {
    const bytes = encoder.encode(`${line}\n`);
    waiting.push(bytes);
    waitingBytes += bytes.length;
  };

  const admitDropped = (): void => {
    if (dropped === 0 || waitingBytes > options.bytesMax / 2) return;
    enqueue(options.droppedLine(dropped, lastCode));
    dropped = 0;
  };

  const hasGone = (): boolean => state === 'gone';

  async function pump(): Promise<void> {
    if (state !== 'open') return;
    state = 'pumping';
    try {
      for (;;) {
        underWay ??= nextBatch();
        if (underWay === null) break;
        const taken = await options.sink.write(underWay);
        underWay = taken < underWay.length ? underWay.subarray(taken) : null;
        // Closed meanwhile: what is left was given up there, and the sink must not be opened again.
        if (hasGone()) return;
        admitDropped();
      }
      state = 'open';
      settle();
    } catch (cause) {
      if (!hasGone()) await recover(codeOf(cause));
    }
  }

  async function recover(code: string): Promise<void> {
    lastCode = code;
    if (options.isFinal(code)) {
      state = 'gone';
      waiting = [];
      underWay = null;
      settle();
      return;
    }
    await options.sink.reopen().catch(() => undefined);
    if (hasGone()) return;
    state = 'paused';
    retry = setTimeout(() => {
      state = 'open';
      void pump();
    }, options.retryMillis);
    retry.unref();
  }

  const flush = (millis: number): Promise<void> =>
    new Promise((resolve) => {
      if (state === 'gone' || (underWay === null && waiting.length === 0)) return resolve();
      const deadline = setTimeout(resolve, millis);
      idle.push(() => {
        clearTimeout(deadline);
        resolve();
      });
    });

  return {
    push(line) {
      if (state === 'gone') return;
      if (waitingBytes > options.bytesMax) {
        dropped += 1;
        return;
      }
      enqueue(line);
      void pump();
    },
    flush,
    flushSync() {
      const rest = Buffer.concat([...(underWay === null ? [] : [underWay]), ...waiting]);
      waiting = [];
      waitingBytes = 0;
      if (state === 'gone' || rest.length === 0) return;
      try {
        options.sink.writeSync(rest);
      } catch {
        // Nobody is left to tell.
      }
    },
    async close(millis) {
      await flush(millis);
      if (retry !== null) clearTimeout(retry);
      state = 'gone';
      await options.sink.close().catch(() => undefined);
    },
  };
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';

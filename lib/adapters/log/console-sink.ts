import { write, writeSync } from 'node:fs';
import type { ByteSink } from './line-sink.ts';

const RETRY_MILLIS = 20;

/**
 * A terminal or pipe by its descriptor. Written through the thread pool: `process.stdout` blocks the whole process on
 * Linux while a terminal is held with Ctrl-S or a pipe's reader has stopped, and exits must not wait for a screen.
 */
export function consoleSink(descriptor: number): ByteSink {
  const once = (bytes: Uint8Array): Promise<number> =>
    new Promise((resolve, reject) => {
      write(descriptor, bytes, (error, taken) => (error === null ? resolve(taken) : reject(error)));
    });
  return {
    async write(bytes) {
      for (;;) {
        try {
          return await once(bytes);
        } catch (cause) {
          // A pipe that another part of the process has set to non-blocking is full for the moment.
          if (!(cause instanceof Error && 'code' in cause && cause.code === 'EAGAIN')) throw cause;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
        }
      }
    },
    writeSync: (bytes) => void writeSync(descriptor, bytes),
    reopen: async () => {},
    // The descriptor is not ours to close.
    close: async () => {},
  };
}

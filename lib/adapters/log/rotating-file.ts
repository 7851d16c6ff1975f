import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteSink } from './line-sink.ts';

export type RotatingFileOptions = {
  readonly path: string;
  /** A batch that would make the file longer than this goes to a new file. */
  readonly bytesMax: number;
  /** Files kept, the current one included. */
  readonly filesMax: number;
};

/** `scalpd.log`, and the older ones as `scalpd.log.1` (the youngest), `scalpd.log.2` and so on. */
export function rotatingFile(options: RotatingFileOptions): ByteSink {
  let file: { readonly handle: FileHandle; size: number } | null = null;
  let closed = false;

  async function openFile(): Promise<{ readonly handle: FileHandle; size: number }> {
    await mkdir(dirname(options.path), { recursive: true });
    const handle = await open(options.path, 'a', 0o640);
    try {
      return { handle, size: (await handle.stat()).size };
    } catch (cause) {
      await handle.close();
      throw cause;
    }
  }

  async function rotate(): Promise<void> {
    await forget();
    if (options.filesMax <= 1) await rm(options.path, { force: true });
    else await rm(`${options.path}.${options.filesMax - 1}`, { force: true });
    for (let age = options.filesMax - 2; age >= 0; age--) {
      const name = age === 0 ? options.path : `${options.path}.${age}`;
      await rename(name, `${options.path}.${age + 1}`).catch(ignoreAbsent);
    }
  }

  async function forget(): Promise<void> {
    const handle = file?.handle;
    file = null;
    await handle?.close();
  }

  return {
    async write(bytes) {
      file ??= await openFile();
      if (closed) {
        await forget();
        return bytes.length;
      }
      if (file.size > 0 && file.size + bytes.length > options.bytesMax) {
        await rotate();
        file = await openFile();
      }
      const { bytesWritten } = await file.handle.write(bytes);
      file.size += bytesWritten;
      return bytesWritten;
    },
    writeSync(bytes) {
      mkdirSync(dirname(options.path), { recursive: true });
      const descriptor = openSync(options.path, 'a', 0o640);
      writeSync(descriptor, bytes);
      closeSync(descriptor);
    },
    reopen: forget,
    async close() {
      closed = true;
      await forget();
    },
  };
}

function ignoreAbsent(cause: unknown): void {
  if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause;
}

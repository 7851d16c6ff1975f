import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type LogRecord, parseLine } from './record.ts';

export type Accept = (record: LogRecord) => boolean;

const FILES_MAX = 1_000;

/** The last `count` accepted records, oldest first; goes back through rotated files as far as it must. */
export async function readLast(path: string, count: number, accept: Accept): Promise<readonly LogRecord[]> {
  let found: readonly LogRecord[] = [];
  for (let age = 0; age < FILES_MAX && found.length < count; age++) {
    const older = await readAll(age === 0 ? path : `${path}.${age}`, count - found.length, accept);
    if (older === null) break;
    found = [...older, ...found];
  }
  return found;
}

/** `null` when there is no such file. Keeps no more than `count` records in memory. */
async function readAll(path: string, count: number, accept: Accept): Promise<readonly LogRecord[] | null> {
  if ((await stat(path).catch(() => null)) === null) return null;
  let kept: LogRecord[] = [];
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const record = parseLine(line);
    if (record === null || !accept(record)) continue;
    kept.push(record);
    if (kept.length > 2 * count + 100) kept = kept.slice(-count);
  }
  return count === 0 ? [] : kept.slice(-count);
}

export type FollowOptions = {
  readonly path: string;
  readonly onRecord: (record: LogRecord) => void;
  /** Waits a little between looks at the file; resolves early, or never again, when `stop` is aborted. */
  readonly pause: () => Promise<void>;
  readonly stop: AbortSignal;
};

const CHUNK_BYTES = 64 * 1024;

/**
 * Tells of every record appended from now on, through rotations: what was still written to the old file after the last
 * look is read from it first. Resolves when `stop` is aborted.
 */
export async function follow({ path, onRecord, pause, stop }: FollowOptions): Promise<void> {
  let file = await openAt(path, 'end');
  while (!stop.aborted) {
    if (file === null) file = await openAt(path, 'start');
    else {
      await drain(file, onRecord);
      const current = await stat(path).catch(() => null);
      const moved = current === null || current.ino !== file.ino;
      if (moved) await drain(file, onRecord);
      // Cut short by hand: what follows is new.
      else if (current.size < file.position) file.position = 0;
      if (moved) {
        await file.handle.close();
        file = await openAt(path, 'start');
        if (file !== null) continue;
      }
    }
    await pause();
  }
  await file?.handle.close();
}

type Followed = {
  readonly handle: Awaited<ReturnType<typeof open>>;
  readonly ino: number;
  position: number;
  partial: Buffer;
};

async function openAt(path: string, from: 'start' | 'end'): Promise<Followed | null> {
  const handle = await open(path, 'r').catch(() => null);
  if (handle === null) return null;
  const { ino, size } = await handle.stat();
  return { handle, ino, position: from === 'end' ? size : 0, partial: Buffer.alloc(0) };
}

async function drain(file: Followed, onRecord: (record: LogRecord) => void): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await file.handle.read(chunk, 0, chunk.length, file.position);
    if (bytesRead === 0) return;
    file.position += bytesRead;
    const bytes = Buffer.concat([file.partial, chunk.subarray(0, bytesRead)]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    file.partial = Buffer.from(bytes.subarray(end));
    for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
      const record = parseLine(line);
      if (record !== null) onRecord(record);
    }
  }
}

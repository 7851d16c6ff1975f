import {
  closeSync,
  constants,
  type FSWatcher,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
  watch,
} from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname } from 'node:path';

/**
 * A file that is the kill switch: as soon as anything lies at its path, everything is flattened, and its first line says why.
 * For those who can reach the machine's disk and nothing else: a cron job, a monitoring agent, a person with `touch`.
 *
 * 1. Whatever is there counts, readable or not: when in doubt it kills.
 * 2. It is looked for every second; the file system's own notice only makes that quicker, for it can fail silently.
 * 3. Taking it away clears nothing.
 */
export type KillFile = {
  /** Whether it lay there when it was looked for last. */
  isThere(): boolean;
  close(): void;
};

export type KillFileEvents = {
  /** It appeared, or was there at the start. */
  onSeen(found: { readonly by: string; readonly why: string }): void;
  /** It was taken away. */
  onGone(): void;
};

const LOOK_MILLIS = 1_000;
const READ_BYTES_MAX = 4_096;
const WHY_MAX = 200;

/** Looks at once, then on and on. `lookMillis`: wall time between two looks. */
export function watchKillFile(
  path: string,
  events: KillFileEvents,
  lookMillis: number = LOOK_MILLIS,
): KillFile {
  let there = false;

  const look = (): void => {
    const found = statOf(path);
    if (found !== null && !there) {
      there = true;
      events.onSeen({ by: ownerOf(found), why: reasonIn(path, found) });
    } else if (found === null && there) {
      there = false;
      events.onGone();
    }
  };

  const timer = setInterval(look, lookMillis);
  timer.unref();
  const watcher = watchFolder(path, look);
  look();
  return {
    isThere: () => there,
    close() {
      clearInterval(timer);
      watcher?.close();
    },
  };
}

/** `null`: nothing is there. A place that cannot be looked at is none where somebody put a file. */
function statOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

function watchFolder(path: string, look: () => void): FSWatcher | null {
  try {
    const name = basename(path);
    const watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
      if (changed === null || changed === name) look();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    // No folder yet, or no notices left to give: the look every second remains.
    return null;
  }
}

function ownerOf({ uid }: Stats): string {
  const own = process.getuid?.();
  try {
    if (uid === own) return `${userInfo().username} (kill file)`;
  } catch {
    // A user id without an entry in the password file.
  }
  return `uid ${uid} (kill file)`;
}

/** Its first line. Only a plain file is read: anything else could block, or lead elsewhere. */
function reasonIn(path: string, found: Stats): string {
  if (!found.isFile()) return 'the kill file is there, and is no plain file';
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return 'the kill file is there, and is no plain file';
    const bytes = Buffer.alloc(READ_BYTES_MAX);
    const length = readSync(descriptor, bytes, 0, READ_BYTES_MAX, 0);
    const [first = ''] = bytes.subarray(0, length).toString('utf8').trim().split('\n');
    const why = first
      .replace(/\p{Cc}/gu, ' ')
      .trim()
      .slice(0, WHY_MAX);
    return why === '' ? 'the kill file is there, and says nothing' : why;
  } catch {
    return 'the kill file is there, and cannot be read';
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

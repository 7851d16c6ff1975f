import { invariant } from '../../domain/invariant.ts';

/**
 * How many threads a number of lanes gets. One lane per thread as long as that is sound, beyond that packs of about ten.
 * A pack shares its fate: what kills or hangs the thread takes all its lanes.
 */

/** Open files per worker thread (Linux, Node 20): its event loop's descriptors. 251 workers fail under a limit of 1,024. */
const FILES_PER_THREAD = 4.2;
/** Kept for sockets to the broker, the journal, logs, modules being loaded and the operator's door. */
const FILES_RESERVED = 104;
/** Resident memory of one lane's thread; threads may take half of the machine. */
const BYTES_PER_THREAD = 10 * 2 ** 20;
/** Past this a whole market's bar close wakes more threads than two cores serve in time; see docs/PERFORMANCE.md. */
const THREADS_SENSIBLE = 250;
/** Beyond the wall. More threads cost memory and wake-ups and start no sooner; measured in docs/PERFORMANCE.md. */
const PACKED_THREADS = 50;

export type ThreadLimits = {
  /** The soft limit of open files of this process. */
  readonly openFiles: number;
  /** Memory of the machine, or of its container. */
  readonly memoryBytes: number;
};

export type ThreadCap = {
  readonly maxThreads: number;
  /** What set it: the configuration, or the first wall. */
  readonly cause: 'setting' | 'openFiles' | 'memory' | 'sense';
};

/** The most threads to use. `setting` is `lanes.maxThreads`, `null` when the configuration leaves it open. */
export function capThreads(setting: number | null, limits: ThreadLimits): ThreadCap {
  if (setting !== null) {
    invariant(
      Number.isSafeInteger(setting) && setting > 0,
      'maxThreads is a whole number, 1 or more',
      setting,
    );
    return { maxThreads: setting, cause: 'setting' };
  }
  const walls: readonly ThreadCap[] = [
    { maxThreads: THREADS_SENSIBLE, cause: 'sense' },
    { maxThreads: Math.floor((limits.openFiles - FILES_RESERVED) / FILES_PER_THREAD), cause: 'openFiles' },
    { maxThreads: Math.floor(limits.memoryBytes / 2 / BYTES_PER_THREAD), cause: 'memory' },
  ];
  const first = walls.reduce((low, wall) => (wall.maxThreads < low.maxThreads ? wall : low));
  return { ...first, maxThreads: Math.max(1, first.maxThreads) };
}

export type PackPlan = {
  readonly threads: number;
  readonly lanesPerThreadMax: number;
  /** One line for the log. */
  readonly sentence: string;
};

/**
 * A thread each while they fit. Beyond that the operator's number, or as few threads as keep the wake-ups of a bar's close
 * affordable: packing evenly into all that the wall allows would wake nearly as many threads, for a pack that shares its fate
 * all the same.
 */
export function planThreads(lanes: number, cap: ThreadCap): PackPlan {
  const beyond = cap.cause === 'setting' ? cap.maxThreads : Math.min(cap.maxThreads, PACKED_THREADS);
  const threads = lanes <= cap.maxThreads ? lanes : beyond;
  const lanesPerThreadMax = threads === 0 ? 0 : Math.ceil(lanes / threads);
  const packed = `${lanes} lanes in ${threads} threads, up to ${lanesPerThreadMax} lanes in each: ${WALLS[cap.cause]}`;
  const sentence =
    lanesPerThreadMax > 1
      ? `${packed} allows ${cap.cause === 'setting' ? '' : 'a thread each up to '}${cap.maxThreads}`
      : `${lanes} lanes, a thread each`;
  return { threads, lanesPerThreadMax, sentence };
}

const WALLS: Readonly<Record<ThreadCap['cause'], string>> = {
  setting: 'lanes.maxThreads',
  openFiles: 'the limit of open files (ulimit -n)',
  memory: 'the memory of this machine',
  sense: 'what wakes up in time at a bar close',
};

/** Cuts items into `threads` runs of neighbors whose sizes differ by one at most; fewer when there are fewer items. */
export function packEvenly<T>(items: readonly T[], threads: number): readonly (readonly T[])[] {
  const packs = Math.min(threads, items.length);
  const edge = (pack: number): number => Math.floor((pack * items.length) / packs);
  return Array.from({ length: packs }, (_, pack) => items.slice(edge(pack), edge(pack + 1)));
}

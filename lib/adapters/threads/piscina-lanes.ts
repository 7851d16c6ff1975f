import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Piscina } from 'piscina';
import type { Ticker } from '../../domain/ids.ts';
import { invariant } from '../../domain/invariant.ts';
import type { LaneHost, LaneHostEvents, LaneLoss } from '../../ports/lane-host.ts';
import type { LaneStart } from '../../ports/lane-protocol.ts';
import { absentControl } from './lane-line.ts';
import { createSeating } from './lane-seating.ts';
import { type LaneThreadHandle, startLaneThread } from './lane-thread-handle.ts';
import { packEvenly } from './pack-plan.ts';
import { createSharedMarks, openMarkWriter } from './shared-marks.ts';
import { createStallWatch } from './stall-watch.ts';
import type { LaneThreadTask } from './thread-protocol.ts';

export type PiscinaLanesOptions = {
  /** Threads alive at a time; more lanes than that are packed. See `capThreads`. */
  readonly maxThreads: number;
  /** Most symbols ever given a mark. */
  readonly marksCapacity: number;
  /** Threads being started at a time. Starting all at once blocks the main thread for half of the total time. */
  readonly startConcurrency: number;
  /**
   * Threads opened before their lanes are known: a daemon that starts has one core to spare while it loads and asks the
   * broker. Those that the first `start` has no use for end.
   */
  readonly threadsAhead: number;
  /** The compiled `workers/lane.js`, or the bundle made of it. */
  readonly workerUrl: URL;
  /**
   * Wall time without a pulse after which a thread has stalled; noticed within 1.25 of it. Its lanes are lost in that
   * moment, whether the thread can be terminated at once or, because it waits for a child process, only later. A
   * strategy that thinks about one bar for longer than 0.75 of it will be taken for one that hangs.
   */
  readonly stallMs: number;
  /** Wall time a lane may take to say `ready`. */
  readonly startTimeoutMs: number;
  /** Wall time a lane may take to say `gone`, and all threads together to end. */
  readonly stopTimeoutMs: number;
  /**
   * Old-space limit of a thread. Many objects end that thread alone (`outOfMemory`), before they cost the machine its
   * memory; without a limit a leak is stopped at some 2 to 4 GB, by then often by the system, which ends the process.
   * One single allocation above the limit ends the process at once, which is why it is far above what lanes need; the
   * start after that finds the shares. Buffers are not counted.
   */
  readonly heapLimitMb: number;
  /** Errors of the pool that no lane can be blamed for. */
  readonly onError: (error: unknown) => void;
};

export const PISCINA_LANES_DEFAULTS = {
  startConcurrency: 4,
  threadsAhead: 0,
  workerUrl: laneWorker(),
  stallMs: 600,
  startTimeoutMs: 30_000,
  stopTimeoutMs: 2_000,
  heapLimitMb: 256,
} as const;

/** One file of all its modules where the build made one: a thread is ready in half the time. */
function laneWorker(): URL {
  const bundle = new URL('../../../workers/lane.cjs', import.meta.url);
  return existsSync(bundle) ? bundle : new URL('../../../workers/lane.js', import.meta.url);
}

/** Not every lane could be started; those not named here are ready. */
export class LaneStartError extends Error {
  override readonly name = 'LaneStartError';
  readonly failures: ReadonlyMap<Ticker, LaneLoss>;

  constructor(failures: ReadonlyMap<Ticker, LaneLoss>) {
    const each = [...failures].map(([symbol, loss]) => `${symbol}: ${loss.text} (${loss.code})`);
    super(`every lane must start. Failed: ${each.join('; ')}`);
    this.failures = failures;
  }
}

/**
 * Lanes in worker threads. A lane that throws is lost alone; a thread that dies or stalls loses all its lanes, each
 * reported once. A lane that ends after `stop` or `close` is not reported as lost, however it ended.
 */
export function openPiscinaLanes(
  given: Pick<PiscinaLanesOptions, 'maxThreads' | 'marksCapacity' | 'onError'> & Partial<PiscinaLanesOptions>,
  events: LaneHostEvents,
): LaneHost {
  const options: PiscinaLanesOptions = { ...PISCINA_LANES_DEFAULTS, ...given };
  const { maxThreads, startTimeoutMs, stopTimeoutMs } = options;
  const memory = createSharedMarks(options.marksCapacity);
  const marks = openMarkWriter(memory);
  const slots = new Map<Ticker, number>();
  const seating = createSeating(startTimeoutMs, events);
  const threads = new Set<LaneThreadHandle>();
  let planned = 0; // threads that a running `start` has still to open
  let ahead: LaneThreadHandle[] = []; // opened, and waiting for the first `start`
  let started = false;
  let closing: Promise<void> | null = null;
  const pool = openPool(options, (error) => {
    // A worker that cannot boot belongs to no task: without this the task it was made for would wait for ever.
    const unborn = [...threads].filter((thread) => thread.threadId() === null);
    const text = `its thread could not be started: ${error instanceof Error ? error.message : error}`;
    for (const thread of unborn) thread.abort({ code: 'exited', text });
    if (unborn.length === 0) options.onError(error);
  });

  const watch = createStallWatch<LaneThreadHandle>(options.stallMs);
  const watchdog = setInterval(() => {
    const text = `its thread gave no sign of life for ${options.stallMs} ms`;
    for (const thread of watch.look(performance.now(), threads)) thread.abort({ code: 'stalled', text });
  }, watch.lookEveryMs).unref();

  function slotOf(symbol: Ticker): number {
    const known = slots.get(symbol);
    if (known !== undefined) return known;
    const slot = slots.size;
    invariant(slot < marks.capacity, 'marks have room for every symbol', symbol);
    slots.set(symbol, slot);
    return slot;
  }

  function openThread(): LaneThreadHandle {
    const thread = startLaneThread(pool, memory, watch.lookEveryMs, (loss) => {
      threads.delete(thread);
      seating.evacuate(thread, loss);
    });
    threads.add(thread);
    return thread;
  }

  const hospitable = (): readonly LaneThreadHandle[] => [...threads].filter((thread) => !thread.isEnding());
  const emptiest = (): LaneThreadHandle =>
    hospitable().reduce<LaneThreadHandle | null>(
      (low, thread) => (low === null || thread.lanes.size < low.lanes.size ? thread : low),
      null,
    ) ?? openThread();

  async function openAhead(): Promise<void> {
    if (started || closing !== null) return;
    const thread = openThread();
    ahead.push(thread);
    await thread.arrival;
  }

  /** Packs into threads of their own while there is room for threads; past it, lane by lane into those that live. */
  function planStart(starts: readonly LaneStart[]): readonly StartJob[] {
    const waiting = ahead.filter((thread) => !thread.isEnding());
    ahead = [];
    const room = maxThreads - hospitable().length - planned + waiting.length;
    if (room <= 0) return starts.map((start) => ({ starts: [start], target: emptiest }));
    const packs = packEvenly(starts, room);
    for (const thread of waiting.splice(packs.length)) thread.end();
    planned += packs.length - waiting.length;
    return packs.map((pack, index) => ({
      starts: pack,
      target() {
        const thread = waiting[index];
        if (thread === undefined) planned -= 1;
        return thread === undefined || thread.isEnding() ? openThread() : thread;
      },
    }));
  }

  async function run(job: StartJob, failures: Map<Ticker, LaneLoss>): Promise<void> {
    const thread = job.target();
    if (closing !== null) thread.abort({ code: 'aborted', text: 'the host is closing' });
    const settled = job.starts.map(async (start) => {
      const loss = await seating.seat(start, slotOf(start.symbol), thread);
      if (loss !== null) failures.set(start.symbol, loss);
    });
    await Promise.all(settled);
    thread.watch();
  }

  async function closeAll(): Promise<void> {
    await Promise.all(seating.lanes().map((lane) => lane.stop(stopTimeoutMs)));
    clearInterval(watchdog);
    const deadline = AbortSignal.timeout(stopTimeoutMs);
    await Promise.race([
      pool.destroy(),
      new Promise((resolve) => deadline.addEventListener('abort', resolve, { once: true })),
    ]);
  }

  const early = Math.min(options.threadsAhead, maxThreads);
  void runSpread(
    Array.from({ length: early }, () => openAhead),
    options.startConcurrency,
  );

  return {
    async start(starts) {
      invariant(closing === null, 'nothing starts in a host that is closing');
      started = true;
      for (const { symbol } of starts) {
        invariant(seating.lane(symbol) === undefined, 'a symbol has one lane', symbol);
        slotOf(symbol);
      }
      const failures = new Map<Ticker, LaneLoss>();
      const jobs = planStart(starts).map((job) => () => run(job, failures));
      await runSpread(jobs, options.startConcurrency);
      if (failures.size > 0) throw new LaneStartError(failures);
    },
    post: (symbol, input) => seating.lane(symbol)?.line.post(input) ?? 0,
    repeat: (symbol, step) => seating.lane(symbol)?.line.repeat(step) ?? 0,
    ping: (symbol) => seating.lane(symbol)?.line.ping() ?? 0,
    setMark: (symbol, mark) => marks.set(slotOf(symbol), mark),
    control: (symbol) => seating.lane(symbol)?.line.control ?? absentControl(symbol),
    threadOf: (symbol) => seating.lane(symbol)?.thread.threadId() ?? null,
    stop: async (symbol) => seating.lane(symbol)?.stop(stopTimeoutMs),
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}

type StartJob = { readonly starts: readonly LaneStart[]; readonly target: () => LaneThreadHandle };

/** At most `atOnce` jobs under way, and a turn of the event loop before each: creating a worker blocks for milliseconds. */
async function runSpread(jobs: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const running = new Set<Promise<void>>();
  for (const job of jobs) {
    if (running.size >= atOnce) await Promise.race(running);
    await nextTurn();
    const done: Promise<void> = job().finally(() => running.delete(done));
    running.add(done);
  }
  await Promise.all(running);
}

/**
 * A task here never ends by itself, so the pool needs neither queue nor spare threads: a worker comes with its task
 * and is terminated when that ends. The host counts threads; the pool's own limit would leave tasks in its queue.
 */
function openPool(
  options: PiscinaLanesOptions,
  onError: (error: unknown) => void,
): Piscina<LaneThreadTask, void> {
  const pool = new Piscina<LaneThreadTask, void>({
    filename: options.workerUrl.href,
    minThreads: 0,
    maxThreads: Number.MAX_SAFE_INTEGER,
    idleTimeout: 0,
    concurrentTasksPerWorker: 1,
    // An idle worker that parks in Atomics.wait is deaf on all ports but Piscina's own.
    atomics: 'disabled',
    recordTiming: false,
    resourceLimits: { maxOldGenerationSizeMb: options.heapLimitMb },
    // The broker's keys are in the environment; strategies are other people's code.
    env: {},
  });
  pool.on('error', onError);
  return pool;
}

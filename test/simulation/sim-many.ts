import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { table } from '../../lib/app/table.ts';
import { drawScenario } from './draw-scenario.ts';
import type { SeedResult } from './run-seed.ts';
import { type Options, say, tellShrunk, violationLine } from './sim-one.ts';
import { addResult, createTally, holesIn, type Tally } from './tally.ts';

/** From so many seeds on a kind of fault that never struck is a hole in the test, and a failure. */
const HOLES_COUNT_FROM = 1_000;
/** Failures told in full; beyond that only their seeds. */
const FAILURES_TOLD = 10;

/** Runs a range of seeds in threads, and says what they came to. Returns the exit code. */
export async function runMany(options: Options): Promise<number> {
  const tally = createTally();
  const startedAt = performance.now();
  const progress = createProgress(options, startedAt);
  await runAll(options, (result) => {
    addResult(tally, result);
    if (result.violations.length > 0 && tally.failed.length <= FAILURES_TOLD) {
      progress.clear();
      tellFailure(result);
    }
    progress.tell(tally);
  });
  progress.clear();
  tally.failed.sort((a, b) => a.seed - b.seed);
  const seconds = (performance.now() - startedAt) / 1_000;
  const isHoley = options.seeds >= HOLES_COUNT_FROM && holesIn(tally).length > 0;
  if (options.json) process.stdout.write(`${JSON.stringify(asJson(tally, seconds, options))}\n`);
  else for (const line of report(tally, seconds, options)) process.stdout.write(`${line}\n`);
  const [first] = tally.failed;
  if (first !== undefined && options.shrink) await tellShrunk(drawScenario(first.seed), first);
  return tally.failed.length > 0 || isHoley ? 1 : 0;
}

/** Deals the seeds out to threads; each takes the next one when it is done. */
async function runAll(
  { from, seeds, jobs, checkRepeat, first }: Options,
  onResult: (result: SeedResult) => void,
): Promise<void> {
  let next = from;
  const end = from + seeds;
  const workerOf = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./sim-worker.js', import.meta.url));
      const deal = (): void => {
        if (next >= end) void worker.terminate().then(() => resolve());
        else worker.postMessage({ seed: next++, checkRepeat });
      };
      worker.on('message', (result: SeedResult) => {
        onResult(result);
        if (first && result.violations.length > 0) next = end;
        deal();
      });
      worker.on('error', reject);
      deal();
    });
  await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, workerOf));
}

function tellFailure({ seed, violations }: SeedResult): void {
  say(`seed ${seed} fails; run it again: npm run sim -- --seed ${seed}`);
  for (const violation of violations.slice(0, 5)) say(`  ${violationLine(violation)}`);
  if (violations.length > 5) say(`  and ${violations.length - 5} more`);
}

function createProgress({ seeds, plain, json }: Options, startedAt: number) {
  const inPlace = process.stderr.isTTY && !plain && !json;
  let toldAt = startedAt;
  return {
    tell({ seeds: done, failed }: Tally): void {
      const now = performance.now();
      if (now - toldAt < (inPlace ? 500 : 10_000)) return;
      toldAt = now;
      const left = ((now - startedAt) / done) * (seeds - done);
      const text = `${done} of ${seeds} seeds, ${failed.length} failed, ${clockOf(left)} left`;
      if (inPlace) process.stderr.write(`\r\x1b[K${text}`);
      else say(text);
    },
    clear(): void {
      if (inPlace) process.stderr.write('\r\x1b[K');
    },
  };
}

const clockOf = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

function report(tally: Tally, seconds: number, { from, seeds, checkRepeat }: Options): readonly string[] {
  const rows = [...tally.strikes].map(([kind, { hits, seeds: struck }]) => [kind, hits, struck]);
  const holes = holesIn(tally);
  return [
    ...table([['fault', 'hits', 'seeds'], ...rows]),
    '',
    `seeds ${tally.seeds} (${from} to ${from + seeds - 1}) in ${clockOf(seconds * 1_000)}`,
    `exchange events ${tally.events}, orders ${tally.orders}, fills ${tally.fills}`,
    `restarts survived ${tally.restarts}`,
    ...(checkRepeat ? ['every seed ran twice; a journal that differs is a violation'] : []),
    `digest of all journals ${digestOfAll(tally)}`,
    ...(holes.length > 0 ? [`never struck: ${holes.join(', ')}`] : []),
    tally.failed.length === 0
      ? 'violations none'
      : `violations in ${tally.failed.length} seeds: ${tally.failed.map(({ seed }) => seed).join(' ')}`,
  ];
}

function asJson(tally: Tally, seconds: number, options: Options): unknown {
  const { seeds, events, orders, fills, restarts, failed } = tally;
  return {
    seeds,
    from: options.from,
    seconds: Math.round(seconds),
    violations: failed.map(({ seed, violations }) => ({ seed, violations })),
    events,
    orders,
    fills,
    restarts,
    digest: digestOfAll(tally),
    strikes: Object.fromEntries(tally.strikes),
    neverStruck: holesIn(tally),
    ...(options.digests ? { digests: Object.fromEntries(tally.digests) } : {}),
  };
}

/** One number for a whole run, whatever order its seeds ended in. */
function digestOfAll({ digests }: Tally): string {
  const hash = createHash('sha256');
  for (const [seed, digest] of [...digests].sort(([a], [b]) => a - b)) hash.update(`${seed} ${digest}\n`);
  return hash.digest('hex');
}

/**
 * Child process of the benchmark with thousands of symbols: `many-daemon SPEC` is the daemon but for its commands, from its
 * configuration file to its journal, packed as it thinks fit. It tells its parent what happens to it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { resolveEndpoints } from '../../lib/adapters/alpaca/endpoints.ts';
import { loadConfig } from '../../lib/adapters/config/load.ts';
import { openLog } from '../../lib/adapters/log/open-log.ts';
import { openDaemon } from '../../lib/app/daemon.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { after, type Micros, seconds } from '../../lib/domain/time.ts';
import { marketSymbols } from '../../lib/sim/universe.ts';
import { wallNow } from './wall.ts';

export type DaemonSpec = {
  readonly url: string;
  readonly dataStream: string;
  readonly symbols: number;
  /** Bars that history holds for each symbol by now, at the least. */
  readonly barsMin: number;
};

export type Word =
  /** Answered when so many trades have reached the hub, or after `PATIENCE_MS`. */
  { readonly kind: 'stand'; readonly trades: number } | { readonly kind: 'count' } | { readonly kind: 'end' };

export type Told = Warm | Standing | Decided | Ended;
/** Every lane has seen the session so far. Wall instants in milliseconds. */
export type Warm = {
  readonly kind: 'warm';
  readonly readyAt: number;
  readonly warmAt: number;
  readonly threads: number;
  readonly rssMb: number;
  readonly deafMs: number;
  readonly lostRecords: number;
};
/** Answer to `stand`. */
export type Standing = {
  readonly kind: 'standing';
  /** Trades that reached the hub, and the newest price of each symbol there. */
  readonly trades: number;
  readonly marks: ReadonlyMap<string, number>;
  readonly rssMb: number;
  /** Since the last `stand`: the longest that the main thread heard nothing, and the share of time that it worked. */
  readonly deafMs: number;
  readonly busy: number;
  readonly lostRecords: number;
  readonly orders: number;
};
/** Every lane has decided on a bar since the last `count`. */
export type Decided = { readonly kind: 'decided'; readonly wallAt: number };
export type Ended = { readonly kind: 'ended'; readonly flat: boolean };

const { url, dataStream, symbols: count, barsMin } = JSON.parse(process.argv[2] ?? '') as DaemonSpec;
const symbols = marketSymbols(count);
const dir = mkdtempSync(join(tmpdir(), 'scalpd-many-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const tell = (told: Told): void => void process.send?.(told);
const wallMicros = (): Micros => (Date.now() * 1_000) as Micros;
const rssMb = (): number => process.memoryUsage.rss() / 2 ** 20;

const file = join(dir, 'scalpd.yaml');
await writeFile(
  file,
  [
    'account: { mode: paper }',
    'feed: sip',
    'risk: { grossExposureMax: 10000000, dailyLossMax: 1000000 }',
    'symbols:',
    ...symbols.map((symbol) => `  - { symbol: ${symbol}, lot: 2000 }`),
    '',
  ].join('\n'),
);
const load = await loadConfig(file);
if (!load.ok) throw new Error(`the configuration is right. Found: ${JSON.stringify(load.mistakes)}`);
const resolved = resolveEndpoints(
  {
    APCA_API_KEY_ID: 'many',
    APCA_API_SECRET_KEY: 'many',
    APCA_API_BASE_URL: url,
    APCA_API_STREAM_URL: dataStream,
  },
  'paper',
  'sip',
);
if (!resolved.ok) throw new Error(`the endpoints are right. Found: ${JSON.stringify(resolved.mistakes)}`);

let threads = 0;
const opened = openLog({
  level: 'info',
  dir: join(dir, 'logs'),
  fileBytesMax: 2 ** 24,
  filesMax: 1,
  console: null,
  now: wallMicros,
  wallNow: wallMicros,
});
const log: typeof opened = {
  ...opened,
  info(event, fields) {
    if (event === 'lanes.planned') threads = Number(fields?.threads);
    opened.info(event, fields);
  },
  error(event, fields) {
    // Nobody sees the log of a benchmark, and nothing goes wrong in one.
    console.error(event, fields);
    opened.error(event, fields);
  },
};

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let decided = new Set<Ticker>();
let lastProgressAt = 0;
let counting = false;
const outcome = await openDaemon({
  config: load.config,
  endpoints: resolved.endpoints,
  journalPath: join(dir, 'scalpd.db'),
  baseDir: dir,
  openLog: opened,
  log,
  stop: new AbortController().signal,
  events: {
    onSessionEnded: () => {},
    onProgress(symbol) {
      lastProgressAt = wallNow();
      if (!counting) return;
      decided.add(symbol);
      if (decided.size < count) return;
      counting = false;
      tell({ kind: 'decided', wallAt: lastProgressAt });
    },
  },
});
if (outcome.kind === 'failed') throw new Error(`the daemon opens. Found: ${outcome.text}`);
const { engine, clock, close } = outcome.daemon;
const started = await engine.start();
if (started.kind === 'failed') throw new Error(`the engine starts. Found: ${started.text}`);
const readyAt = wallNow();
await untilWarm();
tell({
  kind: 'warm',
  readyAt,
  warmAt: lastProgressAt,
  threads,
  rssMb: rssMb(),
  deafMs: delay.max / 1e6,
  lostRecords: engine.status().journalLost,
});

/** History is in, and the lanes have come to rest on it: asking each of them meanwhile would be part of what is measured. */
async function untilWarm(): Promise<void> {
  const QUIET_MS = 300;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    const { backfilled, filling } = engine.status().feed;
    if (filling > 0 || backfilled < barsMin * count || wallNow() - lastProgressAt < QUIET_MS) continue;
    break;
  }
  for (const symbol of symbols) {
    const answer = await engine.askLane(symbol);
    const seen = answer.kind === 'seen' ? answer.view.barsSeen : 0;
    if (seen < barsMin) throw new Error(`every lane has seen the session's bars. Found: ${symbol} ${seen}`);
  }
}

let load0 = performance.eventLoopUtilization();
const PATIENCE_MS = 5_000;
async function stand(wanted: number): Promise<void> {
  const until = wallNow() + PATIENCE_MS;
  while (engine.status().feed.prints < wanted && wallNow() < until)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const { feed, lanes, orders, journalLost } = engine.status();
  const now = performance.eventLoopUtilization();
  tell({
    kind: 'standing',
    trades: feed.prints,
    marks: new Map(lanes.flatMap(({ symbol, mark }) => (mark === null ? [] : [[symbol, mark.price]]))),
    rssMb: rssMb(),
    deafMs: delay.max / 1e6,
    busy: performance.eventLoopUtilization(now, load0).utilization,
    lostRecords: journalLost,
    orders: orders.submitted,
  });
  load0 = performance.eventLoopUtilization();
  delay.reset();
}

async function end(): Promise<void> {
  const { flat } = await engine.stop('flatten', after(clock.now(), seconds(1)));
  await close();
  await opened.close();
  tell({ kind: 'ended', flat });
  process.disconnect();
}

process.on('message', (word: Word) => {
  if (word.kind === 'stand') void stand(word.trades);
  else if (word.kind === 'end') void end();
  else {
    decided = new Set();
    counting = true;
  }
});
process.on('disconnect', () => process.exit());

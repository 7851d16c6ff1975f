import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PISCINA_LANES_DEFAULTS } from '../lib/adapters/threads/piscina-lanes.ts';
import { type Benchmark, interleave, spreadOf } from './figure.ts';
import type { DaemonSpec, Standing, Told, Warm, Word } from './parts/many-daemon.ts';
import type { BarsSent, Flooded, FloodOrder, MarketServed, MarketSpec } from './parts/many-market.ts';
import type { EmptyWorkers } from './parts/start-empty.ts';
import { openChild, type TalkingChild } from './parts/talking-child.ts';
import { wallNow } from './parts/wall.ts';

/**
 * A daemon with thousands of symbols, packed as it chooses, in a process of its own: how long it takes to start in mid-session,
 * what memory it keeps, whether it loses trades, and how a minute's bars for all of them are decided. The floor is a process
 * that starts as many empty workers as the daemon has threads.
 */
const many: Benchmark = {
  name: 'many',
  async run({ quick }, report) {
    const size = quick ? QUICK : FULL;
    const rounds = await starts(size);
    const { symbols } = size;
    const figure = (name: string, unit: string, of: (start: Start) => number, floor = true): void =>
      report({
        name: `${name}, ${symbols} symbols`,
        unit,
        measured: spreadOf(rounds.daemon.map(of)),
        floor: floor ? { name: 'as many empty workers as threads', ...spreadOf(rounds.empty.map(of)) } : null,
      });
    figure('exec to ready', 'ms', ({ readyMs }) => readyMs);
    figure('exec to every lane warmed up', 'ms', ({ warmMs }) => warmMs);
    figure('memory when ready', 'MB', ({ rssMb }) => rssMb);
    figure('main thread deaf at most while starting', 'ms', ({ deafMs }) => deafMs, false);
    figure('threads', 'threads', ({ threads }) => threads, false);

    const day = await trade(size);
    const alone = (name: string, unit: string, value: number): void =>
      report({ name: `${name}, ${symbols} symbols`, unit, measured: spreadOf([value]), floor: null });
    alone('trades taken without loss, of as many sent', 'trades/s', day.tradesPerSecond);
    alone('main thread busy during that', 'share', day.busy);
    alone('main thread deaf at most during that', 'ms', day.deafMs);
    alone("a minute's bars to the last decision", 'ms', day.barsMs);
    alone('main thread deaf at most during that minute', 'ms', day.barsDeafMs);
    alone('memory after that minute', 'MB', day.rssMb);
  },
};
export default many;

type Size = {
  readonly symbols: number;
  readonly rounds: number;
  /** Minutes of the session that are over when daemons start. */
  readonly minutesOver: number;
  readonly flood: FloodOrder;
  /** Exchange seconds per wall second. */
  readonly speed: number;
  /** Where in its minute the exchange begins, so that the minute ends not long after the flood. */
  readonly second: number;
};
const FULL: Size = {
  symbols: 5_000,
  rounds: 5,
  minutesOver: 60,
  flood: { perSecond: 50_000, seconds: 10 },
  speed: 1,
  second: 25,
};
const QUICK: Size = {
  symbols: 20,
  rounds: 1,
  minutesOver: 30,
  flood: { perSecond: 10_000, seconds: 0.2 },
  speed: 10,
  second: 20,
};

// --- starts --------------------------------------------------------------------------------------------------------------

type Start = Pick<Warm, 'threads' | 'rssMb' | 'deafMs'> & {
  readonly readyMs: number;
  readonly warmMs: number;
};

async function starts(size: Size) {
  let threads = 1;
  return interleave<'daemon' | 'empty', Start>(
    size.rounds,
    {
      async daemon() {
        // A market of its own: what the daemon before had bought and not sold yet would have to be seen to first.
        const market = await openMarket(size);
        try {
          const { start, daemon } = await openDaemon(size, market.served);
          threads = start.threads;
          await end(daemon);
          return start;
        } finally {
          await market.child.end();
        }
      },
      empty: () => startEmpty(threads),
    },
    false,
  );
}

async function startEmpty(threads: number): Promise<Start> {
  const file = fileURLToPath(new URL('./parts/start-empty.js', import.meta.url));
  const startedAt = wallNow();
  const child = fork(file, [String(threads), String(PISCINA_LANES_DEFAULTS.startConcurrency)]);
  const ended = once(child, 'exit');
  const [{ rssMb }] = (await once(child, 'message')) as [EmptyWorkers];
  const tookMs = wallNow() - startedAt;
  await ended;
  return { readyMs: tookMs, warmMs: tookMs, rssMb, threads, deafMs: 0 };
}

type Market = {
  readonly child: TalkingChild<MarketServed | Flooded | BarsSent>;
  readonly served: MarketServed;
};
type Daemon = TalkingChild<Told>;

async function openMarket({ symbols, minutesOver, second, speed }: Size): Promise<Market> {
  const spec: MarketSpec = { symbols, minutesOver, second, speed };
  const child: Market['child'] = openChild('many-market', spec);
  return { child, served: await child.next('served') };
}

async function openDaemon({ symbols, minutesOver }: Size, { url, dataStream }: MarketServed) {
  const spec: DaemonSpec = { url, dataStream, symbols, barsMin: minutesOver };
  const startedAt = wallNow();
  const daemon: Daemon = openChild('many-daemon', spec);
  const { readyAt, warmAt, threads, rssMb, deafMs, lostRecords } = await daemon.next('warm');
  if (lostRecords > 0) throw new Error(`every record is written. Found: ${lostRecords} lost`);
  // The last lane may have come to rest before the engine called itself ready.
  const start: Start = {
    readyMs: readyAt - startedAt,
    warmMs: Math.max(readyAt, warmAt) - startedAt,
    threads,
    rssMb,
    deafMs,
  };
  return { start, daemon };
}

async function end(daemon: Daemon): Promise<void> {
  const ended = daemon.next('ended');
  daemon.say({ kind: 'end' } satisfies Word);
  await ended;
  await daemon.end();
}

// --- trading -------------------------------------------------------------------------------------------------------------

async function trade(size: Size) {
  const market = await openMarket(size);
  const { daemon } = await openDaemon(size, market.served);
  try {
    const before = await stand(daemon, 0);
    const flooded = market.child.next('flooded');
    market.child.say(size.flood);
    const flood = await flooded;
    const after = await stand(daemon, before.trades + flood.trades);
    insistOnAll(flood, after, after.trades - before.trades);

    const sent = market.child.next('barsSent');
    const decided = daemon.next('decided');
    daemon.say({ kind: 'count' } satisfies Word);
    const bars = await sent;
    const last = await decided;
    const then = await stand(daemon, 0);
    if (then.lostRecords > 0) throw new Error(`every record is written. Found: ${then.lostRecords} lost`);
    return {
      tradesPerSecond: (flood.trades / flood.tookMs) * 1_000,
      busy: after.busy,
      deafMs: after.deafMs,
      barsMs: last.wallAt - bars.wallAt,
      barsDeafMs: then.deafMs,
      rssMb: then.rssMb,
    };
  } finally {
    await end(daemon);
    await market.child.end();
  }
}

/** How the daemon stands as soon as it has taken so many trades, or when it has had time enough for that. */
async function stand(daemon: Daemon, trades: number): Promise<Standing> {
  const standing = daemon.next('standing');
  daemon.say({ kind: 'stand', trades } satisfies Word);
  return standing;
}

function insistOnAll(flood: Flooded, { marks }: Standing, taken: number): void {
  if (taken !== flood.trades) throw new Error(`every trade is taken. Found: ${taken} of ${flood.trades}`);
  for (const [symbol, price] of flood.marks)
    if (marks.get(symbol) !== price)
      throw new Error(`every mark is the last trade's. Found: ${symbol} ${marks.get(symbol)} and ${price}`);
}

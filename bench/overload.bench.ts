import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type Duration, millis, minutes } from '../lib/domain/time.ts';
import type { Engine, EngineStatus } from '../lib/engine/engine-types.ts';
import type { OverloadSettings } from '../lib/engine/overload.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../lib/engine/settings.ts';
import { type Benchmark, type Figure, latenciesOf, quantile, spreadOf } from './figure.ts';
import { startEngine } from './parts/exit-engine.ts';
import type { ExchangeSpec, Exits, Served } from './parts/exit-exchange.ts';
import type { Flooded, FloodOrder, Proxying } from './parts/flood-proxy.ts';
import { tickers } from './parts/lane-starts.ts';
import { wallNow } from './parts/wall.ts';

type Plan = {
  readonly symbols: number;
  /** Exchange seconds per wall second. */
  readonly speed: number;
  readonly rounds: number;
  /** Bursts of exits, one per minute of the exchange, in each stretch without and with the flood. */
  readonly bursts: number;
  /** How long the capacity is measured, and how long the gate is watched, milliseconds. */
  readonly millis: number;
  /** Trades wanted per second, as a multiple of what was taken when all came that could. */
  readonly load: number;
  /** Wall time. */
  readonly gate: OverloadSettings;
};

const QUICK = { symbols: 2, speed: 120, rounds: 1, bursts: 1, millis: 300, load: 0.1 };
const FULL = { symbols: 8, speed: 60, rounds: 5, bursts: 2, millis: 1_500, load: 2 };
const NEVER = minutes(24 * 60);
/** Seconds into every minute at which entries fill, exits fill, and a last trade is made for the entries of the next. */
const BEATS = [40, 50, 59];
const SAMPLE_MILLIS = 10;
const PATIENCE_MILLIS = 60_000;

/**
 * Twice the market data that the daemon can take, through its real sockets, with everything running: what that does to
 * exits, marks and memory while positions are open, and then, with the settings of life, how soon it shuts the entries. The
 * floor of each figure is the same without the flood.
 */
const overload: Benchmark = {
  name: 'overload',
  async run({ quick }, report) {
    const plan: Plan = quick
      ? { ...QUICK, gate: { shutAfter: millis(20), calmAfter: millis(40) } }
      : { ...FULL, gate: DEFAULT_ENGINE_SETTINGS.overload };
    const exchange = await openExchange(plan);
    try {
      for (const figure of await watchExits(plan, exchange)) report(figure);
      for (const figure of await watchGate(plan, exchange)) report(figure);
    } finally {
      await endChildren();
    }
  },
};
export default overload;

// --- exits, marks and memory ---------------------------------------------------------------------------------------------

type Stretch = {
  readonly exits: readonly number[];
  readonly markAges: readonly number[];
  readonly rssMb: number;
  readonly tradesPerSecond: number;
};

async function watchExits(plan: Plan, exchange: ExchangeChild): Promise<readonly Figure[]> {
  // Entries stay open here, or nothing would be there to exit from.
  const stand = await openStand(plan, exchange, { shutAfter: NEVER, calmAfter: NEVER });
  await exchange.exits(plan.symbols);
  const capacity = await measureCapacity(plan, stand);
  const calm: Stretch[] = [];
  const flooded: Stretch[] = [];
  let owedSeconds = 0;
  for (let round = 0; round < plan.rounds; round += 1) {
    calm.push(await watch(plan, stand, exchange));
    stand.flood(capacity * plan.load);
    flooded.push(await watch(plan, stand, exchange));
    const { owed } = await stand.endFlood();
    owedSeconds = Math.max(owedSeconds, owed / capacity);
  }
  await stand.close();
  const load = `${plan.load} times the load that can be taken`;
  const figure = (name: string, unit: string, of: (stretch: Stretch) => number): Figure => ({
    name: `${name} at ${load}`,
    unit,
    measured: spreadOf(flooded.map(of)),
    floor: { name: 'no load', ...spreadOf(calm.map(of)) },
  });
  const age = (share: number) => (stretch: Stretch) =>
    quantile(
      [...stretch.markAges].sort((a, b) => a - b),
      share,
    );
  return [
    {
      name: 'trades taken when all come that can',
      unit: 'trades/s',
      measured: spreadOf([capacity]),
      floor: null,
    },
    {
      name: `trades taken at ${load}`,
      unit: 'trades/s',
      measured: spreadOf(flooded.map(({ tradesPerSecond }) => tradesPerSecond)),
      floor: null,
    },
    figure('fill to exit p50', 'us', ({ exits }) => latenciesOf(exits).p50),
    figure('fill to exit p99', 'us', ({ exits }) => latenciesOf(exits).p99),
    { ...figure('age of marks p50', 'ms', age(0.5)), floor: null },
    { ...figure('age of marks p99', 'ms', age(0.99)), floor: null },
    figure('memory', 'MB', ({ rssMb }) => rssMb),
  ];
}

async function measureCapacity({ millis }: Plan, stand: Stand): Promise<number> {
  stand.flood(null);
  await pause(millis / 3);
  const before = stand.status().feed.prints;
  const startedAt = performance.now();
  await pause(millis);
  const perSecond = ((stand.status().feed.prints - before) * 1_000) / (performance.now() - startedAt);
  await stand.endFlood();
  return perSecond;
}

/** So many bursts of exits, and what marks and memory were meanwhile. */
async function watch(plan: Plan, stand: Stand, exchange: ExchangeChild): Promise<Stretch> {
  const markAges: number[] = [];
  let rss = 0;
  const sampler = setInterval(() => {
    const { at, lanes } = stand.status();
    rss = Math.max(rss, process.memoryUsage.rss());
    for (const { mark } of lanes)
      if (mark !== null) markAges.push(Math.max(0.001, (at - mark.at) / plan.speed / 1_000));
  }, SAMPLE_MILLIS);
  const startedAt = performance.now();
  const before = stand.status().feed.prints;
  const exits = await exchange.exits(plan.symbols * plan.bursts);
  clearInterval(sampler);
  const tradesPerSecond = ((stand.status().feed.prints - before) * 1_000) / (performance.now() - startedAt);
  return { exits, markAges, rssMb: rss / 2 ** 20, tradesPerSecond };
}

// --- the gate --------------------------------------------------------------------------------------------------------------

async function watchGate(plan: Plan, exchange: ExchangeChild): Promise<readonly Figure[]> {
  const wall = (duration: Duration): Duration => (duration * plan.speed) as Duration;
  const { shutAfter, calmAfter } = plan.gate;
  const stand = await openStand(plan, exchange, { shutAfter: wall(shutAfter), calmAfter: wall(calmAfter) });
  await exchange.exits(plan.symbols);
  const startedAt = performance.now();
  stand.flood(null);
  await stand.said('feed.overloaded');
  const shutAfterMs = performance.now() - startedAt;
  await stand.refused(plan.symbols);
  await stand.endFlood();
  const endedAt = performance.now();
  await stand.said('feed.caughtUp');
  const openAfterMs = performance.now() - endedAt;
  await stand.close();
  const alone = (name: string, unit: string, value: number): Figure => ({
    name,
    unit,
    measured: spreadOf([value]),
    floor: null,
  });
  return [
    alone('from the start of a flood until entries are shut', 'ms', shutAfterMs),
    alone('from the end of the flood until they are open again', 'ms', openAfterMs),
  ];
}

// --- the parts -------------------------------------------------------------------------------------------------------------

type ExchangeChild = {
  readonly url: string;
  /** The next so many exits: microseconds from the fill's frame to the exit order. */
  exits(count: number): Promise<readonly number[]>;
};

async function openExchange({ symbols, speed }: Plan): Promise<ExchangeChild> {
  const beats = BEATS.map((second) => ({ second, symbols: tickers(symbols) }));
  const spec: ExchangeSpec = { symbols, speed, parties: [{ who: 'engine', shift: 0, beats }] };
  const child = forkPart('exit-exchange', [JSON.stringify(spec)]);
  const [served] = (await nextMessage<Served>(child)).parties;
  if (served === undefined) throw new Error('the exchange serves its one party');
  let take: (exits: Exits['exits']) => void = () => {};
  child.on('message', (message: Exits) => {
    if (message.kind === 'exits') take(message.exits);
  });
  return {
    url: served.url,
    exits: (count) =>
      within(`${count} exits`, (done) => {
        const found: number[] = [];
        const from = wallNow();
        take = (exits) => {
          for (const { wallAt, micros } of exits) if (wallAt >= from) found.push(micros);
          if (found.length >= count) done(found);
        };
      }),
  };
}

type Stand = {
  status(): EngineStatus;
  /** `null`: as many as are taken. */
  flood(perSecond: number | null): void;
  endFlood(): Promise<Flooded>;
  /** Resolves with the next such line of the log. */
  said(event: string): Promise<void>;
  /** Resolves when so many entries were refused because of the load. */
  refused(count: number): Promise<void>;
  close(): Promise<void>;
};

async function openStand(
  { symbols, speed }: Plan,
  exchange: ExchangeChild,
  overload: OverloadSettings,
): Promise<Stand> {
  const wanted = tickers(symbols);
  const proxy = forkPart('flood-proxy', [exchange.url.replace('http', 'ws'), ...wanted]);
  const { url } = await nextMessage<Proxying>(proxy);
  let engine: Engine | null = null;
  let refusals = 0;
  const heard = new Map<string, () => void>();
  let onRefused: () => void = () => {};
  const stop = await startEngine(exchange.url, wanted, speed, {
    dataStream: url,
    overload,
    onEngine: (opened) => {
      engine = opened;
    },
    onLine(event, fields) {
      heard.get(event)?.();
      if (event !== 'lane.entry.refused' || fields.code !== 'overloaded') return;
      refusals += 1;
      onRefused();
    },
  });
  const status = (): EngineStatus => {
    if (engine === null) throw new Error('a started engine has a status');
    return engine.status();
  };
  return {
    status,
    flood(perSecond) {
      proxy.send({
        kind: 'flood',
        perSecond,
        exchangeAt: status().at,
        wallAt: wallNow(),
        speed,
      } satisfies FloodOrder);
    },
    async endFlood() {
      proxy.send({ kind: 'stop' } satisfies FloodOrder);
      return nextMessage<Flooded>(proxy);
    },
    said: (event) => within(event, (done) => void heard.set(event, done)),
    refused: (count) =>
      within(`${count} entries refused`, (done) => {
        onRefused = () => refusals >= count && done();
      }),
    async close() {
      await stop();
    },
  };
}

const children: ChildProcess[] = [];

function forkPart(part: string, args: readonly string[]): ChildProcess {
  const child = fork(new URL(`./parts/${part}.js`, import.meta.url), args);
  children.push(child);
  return child;
}

async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const [message] = await once(child, 'message');
  return message as T;
}

async function endChildren(): Promise<void> {
  await Promise.all(
    children.splice(0).map(async (child) => {
      const ended = once(child, 'exit');
      if (child.kill()) await ended;
    }),
  );
}

/** Fails by its name when it does not come. */
function within<T>(what: string, begin: (done: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it comes within a minute: ${what}`)), PATIENCE_MILLIS);
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

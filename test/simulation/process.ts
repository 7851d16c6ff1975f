import type { LaneParams } from '../../lib/domain/lane-types.ts';
import { type Cash, type Price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import { after, type Duration, type Micros, millis, minutes, seconds } from '../../lib/domain/time.ts';
import { createDirectBroker } from '../../lib/engine/direct-broker.ts';
import { createDirectFeeds, type SocketDoors } from '../../lib/engine/direct-feeds.ts';
import { createEngine, type Engine } from '../../lib/engine/engine.ts';
import { createInProcessLanes, type InProcessLanes } from '../../lib/engine/in-process-lanes.ts';
import { DEFAULT_ENGINE_SETTINGS, type EngineSettings } from '../../lib/engine/settings.ts';
import type { VirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Broker } from '../../lib/ports/broker.ts';
import type { Journal } from '../../lib/ports/journal.ts';
import type { Log, LogFields } from '../../lib/ports/log.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import type { Random } from '../../lib/sim/random.ts';
import { smaCross } from '../../lib/strategy/sma-cross.ts';
import { type Life, watchedBroker, watchedDataFeed, watchedTradeFeed } from './doors.ts';
import type { PaperTrail } from './paper-trail.ts';
import { createProcessClock } from './process-clock.ts';
import type { Kill, Scenario } from './scenario.ts';
import type { Weather } from './weather.ts';
import { DIVERGED, noteSituation, type Witness } from './witness.ts';

/** What every process of a run shares. */
export type World = {
  readonly scenario: Scenario;
  readonly exchange: Exchange;
  /** The same exchange as REST shows it. */
  readonly shown: Exchange;
  readonly clock: VirtualClock;
  readonly weather: Weather;
  /** The exchange's side of both sockets. */
  readonly doors: SocketDoors;
  readonly trail: PaperTrail;
  readonly witness: Witness;
  readonly random: Random;
  /** Spoils the broker on purpose, to see that it is noticed. */
  readonly sabotage: ((broker: Broker) => Broker) | null;
  readonly onLog: LogSink | null;
};

export type LogSink = (at: Micros, level: string, event: string, fields: LogFields) => void;

export type Process = {
  readonly engine: Engine;
  readonly lanes: InProcessLanes;
  alive(): boolean;
  die(): void;
};

/** From the start of a connection to `live`, when nothing is in its way. */
export const CONNECTING = millis(300);

/** One daemon process on the world's exchange, journal and clock. `kill` says when it dies; `onDeath` is told. */
export function startProcess(world: World, number: number, kill: Kill | null, onDeath: () => void): Process {
  const { scenario, exchange, clock, trail, witness, weather } = world;
  const own = createProcessClock(clock, scenario.skew);
  const random = world.random.fork(`process ${number}`);
  const counts = { request: 0, answer: 0, report: 0, record: 0 };
  let living = true;
  let lanes: InProcessLanes | null = null;

  function die(): void {
    if (!living) return;
    living = false;
    own.die();
    feeds.abandon();
    onDeath();
  }

  /** Counts an event before it happens; the n-th one is the last thing the process does, or tries to. */
  function pass(on: keyof typeof counts, side: 'before' | 'after'): boolean {
    if (!living) return false;
    if (side === 'before') counts[on] += 1;
    if (kill === null || kill.on !== on || kill.side !== side || counts[on] !== kill.nth) return true;
    if (!leavesTime(scenario, kill, clock.now())) return true;
    noteSituation(witness, `killed ${side} ${on}`);
    die();
    return false;
  }

  if (kill?.on === 'second')
    own.at(after(own.now(), seconds(kill.nth)), () => {
      if (!leavesTime(scenario, kill, clock.now())) return;
      noteSituation(witness, 'killed at an instant');
      die();
    });

  const life: Life = { process: number, now: clock.now, alive: () => living, pass };
  const feeds = createDirectFeeds({
    clock: own,
    exchange,
    connecting: CONNECTING,
    faults: weather,
    doors: mortalDoors(world.doors, () => living),
    random: () => random.uniform(),
  });
  const engine = createEngine({
    clock: own,
    broker: brokerOf(world, life),
    journal: mortal(trail.open(own, { lives: (side) => pass('record', side) }), () => living),
    log: logOf(world, () => living),
    laneHost: (events) => {
      lanes = createInProcessLanes(
        { clock: own, strategyOf: () => smaCross, crossing: scenario.wire.crossing },
        events,
      );
      return lanes;
    },
    openDataFeed: watchedDataFeed(feeds.openDataFeed, life, witness),
    openTradeFeed: watchedTradeFeed(feeds.openTradeFeed, life, witness),
    settings: settingsOf(scenario),
    events: {
      onSessionEnded: (report) => {
        if (living) witness.reports.push({ at: clock.now(), report });
      },
      onDrift: own.follow,
    },
  });
  if (lanes === null) throw new Error('the engine opens its lane host at once');
  return { engine, lanes, alive: () => living, die };
}

/** What a daemon needs to start and to get out of everything it holds. */
const TIME_TO_RECOVER = minutes(2);

/** Nobody is killed so late that no successor could get flat, nor after a close: then there is nothing left to lose. */
const leavesTime = ({ sessions }: Scenario, { downFor }: Kill, now: Micros): boolean =>
  sessions.some(
    ({ openAt, closeAt }) =>
      now > openAt - 600_000_000 && after(after(now, downFor), TIME_TO_RECOVER) < closeAt,
  );

function brokerOf({ scenario, shown, clock, weather, witness, random, sabotage }: World, life: Life): Broker {
  const { outward, jitter, back, timeout } = scenario.wire;
  // The network outlives the process: a request that left arrives.
  const direct = createDirectBroker({
    clock,
    exchange: shown,
    outward: () => (outward + Math.round(jitter * random.uniform())) as Duration,
    latency: back,
    timeout,
    faults: weather,
  });
  return watchedBroker(sabotage === null ? direct : sabotage(direct), life, witness);
}

/** A process that dies within a call opens no connection in what is left of that call. */
function mortalDoors({ data, trade }: SocketDoors, alive: () => boolean): SocketDoors {
  const inert = { send: () => undefined, ping: () => undefined, close: () => undefined };
  return {
    data: { ...data, connect: (events) => (alive() ? data.connect(events) : inert) },
    trade: { ...trade, connect: (events) => (alive() ? trade.connect(events) : inert) },
  };
}

/** Nothing a dead process still says is written. */
const mortal = (journal: Journal, alive: () => boolean): Journal => ({
  ...journal,
  append: (record) => (alive() ? journal.append(record) : new Promise(() => undefined)),
});

function logOf({ witness, onLog, clock }: World, alive: () => boolean): Log {
  const pass =
    (level: string) =>
    (event: string, fields: LogFields = {}): void => {
      if (alive()) onLog?.(clock.now(), level, event, fields);
    };
  const [warn, error] = [pass('warn'), pass('error')];
  return {
    debug: pass('debug'),
    info: pass('info'),
    warn(event, fields) {
      warn(event, fields);
      if (alive()) noteSituation(witness, `warn ${event}`);
    },
    error(event, fields = {}) {
      error(event, fields);
      if (!alive()) return;
      const found = witness.errors.get(event) ?? { count: 0, last: '' };
      const { symbol = '', code = '', text = '' } = fields as Record<string, unknown>;
      if (code === 'diverged') noteSituation(witness, DIVERGED);
      witness.errors.set(event, { count: found.count + 1, last: `${symbol} ${code} ${text}`.trim() });
    },
  };
}

function settingsOf({ symbols, trading }: Scenario): EngineSettings {
  const base = DEFAULT_ENGINE_SETTINGS;
  return {
    ...base,
    lanes: symbols.map((symbol) => paramsOf(symbol, trading)),
    strategy: { name: 'sma-cross', period: trading.period },
    risk: { limits: DEFAULT_RISK_LIMITS, checkEvery: seconds(5) },
    gateway: { ...base.gateway, requestsPerMinute: trading.requestsPerMinute },
    // Heartbeats are half of all events of a day; what they find is found as well at a slower beat.
    supervisor: { ...base.supervisor, pingEvery: seconds(4), stallAfter: seconds(6) },
  };
}

const paramsOf = (symbol: LaneParams['symbol'], trading: Scenario['trading']): LaneParams => ({
  symbol,
  lot: (trading.lotUsd * UNITS_PER_USD) as Cash,
  entryPatience: trading.entryPatience,
  entryQueueMax: seconds(5),
  lastTradeMaxAge: seconds(15),
  exitMarkup: Math.round(trading.markupUsd * UNITS_PER_USD) as Price,
  holdMax: trading.holdMax,
  exitRetryFirst: seconds(1),
  exitRetryMax: seconds(30),
  cancelRetry: seconds(5),
  entriesMax: 1_000,
  lossesMax: 1_000,
  coolOff: minutes(5),
});

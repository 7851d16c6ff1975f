import type { Session } from '../../lib/domain/session.ts';
import {
  after,
  formatInstant,
  type Micros,
  micros,
  minutes,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';
import { createSocketDoors } from '../../lib/engine/direct-feeds.ts';
import { runLockstep } from '../../lib/engine/lockstep.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Broker } from '../../lib/ports/broker.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { createRateLimiter } from '../../lib/sim/rate-limit.ts';
import { syntheticTape } from '../../lib/sim/synthetic.ts';
import { watchedDoors } from './doors.ts';
import { withLaggingListings } from './lagging-listings.ts';
import { withCorrectedBars } from './late-bars.ts';
import { makeHappen } from './make-happen.ts';
import { createPaperTrail, type PaperTrail } from './paper-trail.ts';
import { CONNECTING, type LogSink, type Process, startProcess, type World } from './process.ts';
import type { Scenario } from './scenario.ts';
import { createWeather, type Weather } from './weather.ts';
import { createWitness, noteSituation, type Witness } from './witness.ts';

/** What is left of a run for its judge. */
export type Run = {
  readonly scenario: Scenario;
  readonly exchange: Exchange;
  readonly trail: PaperTrail;
  readonly witness: Witness;
  readonly weather: Weather;
  /** Market events and trade updates that the exchange told. */
  readonly events: number;
  /** Errors that our code let escape; none is expected, ever. */
  readonly crashes: readonly string[];
};

/** After the last close: the report, and whatever still wants to happen. */
const AFTERMATH = minutes(4);
/** How long the exchange holds the slot of a data session whose process died. Source: Alpaca, about 90 s; less, for speed. */
const STALE_SLOT = seconds(20);
const STATUS_AFTER_CLOSE = minutes(3);
/** What the process manager waits before it starts a daemon again that could not start. */
const START_AGAIN_AFTER = seconds(5);

export type RunOptions = {
  /** Spoils the broker on purpose, to see that it is noticed. */
  readonly sabotage?: (broker: Broker) => Broker;
  /** Every line the daemon logs, for people. */
  readonly onLog?: LogSink;
};

/** Runs a scenario to its end. Equal scenarios give equal runs, to the last byte of the journal. */
export async function runScenario(scenario: Scenario, { sabotage, onLog }: RunOptions = {}): Promise<Run> {
  const { seed, startAt, sessions } = scenario;
  const lastSession = sessions.at(-1);
  if (lastSession === undefined) throw new RangeError('a scenario has a session');
  const exchange = openExchange(scenario);
  const witness = createWitness();
  const random = createRandom(`run/${seed}`);
  const limiter = createRateLimiter(scenario.trading.requestsPerMinute);
  const clock = createVirtualClock(startAt);
  const weather = createWeather(scenario, random.fork('faults'), limiter, witness);
  const world: World = {
    scenario,
    exchange,
    shown: withLaggingListings(exchange, scenario.wire.listingsLag, () =>
      noteSituation(witness, 'order not listed yet'),
    ),
    clock,
    weather,
    doors: watchedDoors(
      createSocketDoors({ clock, exchange, faults: weather, connecting: CONNECTING, staleSlot: STALE_SLOT }),
      clock,
      witness,
    ),
    trail: createPaperTrail(scenario.journalDelay),
    witness,
    random: random.fork('wire'),
    sabotage: sabotage ?? null,
    onLog: onLog ?? null,
  };
  let events = 0;
  exchange.onMarketEvent(({ kind }) => {
    events += 1;
    if (kind === 'updatedBar') noteSituation(witness, 'bar corrected');
  });
  exchange.onTradeUpdate(({ event }) => {
    events += 1;
    if (event === 'order_cancel_rejected') noteSituation(witness, 'cancel answered 204, then refused');
  });

  const crashes: string[] = [];
  const crashed = (cause: unknown): void =>
    void crashes.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  let running: Process | null = null;
  let killsDone = 0;

  function start(): void {
    const kill = scenario.kills[killsDone] ?? null;
    const number = witness.processes.length;
    const life = {
      startedAt: clock.now(),
      readyAt: null as Micros | null,
      endedAt: null as Micros | null,
      outcome: 'starting',
    };
    witness.processes.push(life);
    const mine = startProcess(world, number, kill, () => {
      life.endedAt = clock.now();
      if (life.outcome === 'starting' || life.outcome === 'ready') life.outcome = 'killed';
      running = null;
      killsDone += 1;
      clock.at(after(clock.now(), kill?.downFor ?? START_AGAIN_AFTER), start);
    });
    if (!mine.alive()) return;
    running = mine;
    mine.engine.start().then((outcome) => {
      if (!mine.alive()) return;
      life.readyAt = clock.now();
      life.outcome = outcome.kind === 'ready' ? 'ready' : outcome.code;
      if (outcome.kind === 'ready') return;
      killsDone -= 1;
      mine.die();
    }, crashed);
  }

  for (const happening of scenario.happenings)
    clock.at(happening.at, () =>
      makeHappen(happening, { world, limiter, process: running, running: () => running, now: clock.now() }),
    );
  for (const { closeAt } of sessions)
    clock.at(after(closeAt, STATUS_AFTER_CLOSE), () => {
      if (running !== null) witness.statuses.push({ at: clock.now(), status: running.engine.status() });
    });
  start();
  process.on('unhandledRejection', crashed);
  try {
    await runLockstep(exchange, clock, after(lastSession.closeAt, AFTERMATH), settle);
  } catch (cause) {
    crashed(cause);
  } finally {
    process.off('unhandledRejection', crashed);
  }
  return { scenario, exchange, trail: world.trail, witness, weather, events, crashes };
}

function openExchange(scenario: Scenario): Exchange {
  const { seed, startAt, sessions, symbols, printsPerDay } = scenario;
  const tape = syntheticTape({ seed, symbols, sessions, printsPerDay });
  const random = createRandom(`corrections/${seed}`);
  return createExchange(
    defaultExchangeOptions(
      { seed, startAt, sessions: [...sessions, sessionAfter(sessions)] },
      scenario.exchange,
    ),
    withCorrectedBars(tape, sessions, random, scenario.correctedBars),
  );
}

/** There is always a next session in the calendar, though it is not played. */
function sessionAfter(sessions: readonly Session[]): Session {
  const openAt = after(sessions.at(-1)?.openAt ?? micros(0), minutes(3 * 24 * 60));
  const day = formatInstant(openAt).slice(0, 10) as SessionDay;
  return { day, openAt, closeAt: after(openAt, minutes(390)), halfDay: false };
}

/** Longer than any chain of promises between two timers; a turn of the event loop would cost more than the day itself. */
const HOPS = 24;

async function settle(): Promise<void> {
  for (let hop = 0; hop < HOPS; hop += 1) await null;
}

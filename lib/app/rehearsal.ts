import { memoryJournal } from '../adapters/journal/memory.ts';
import type { Ticker } from '../domain/ids.ts';
import type { LaneParams } from '../domain/lane-types.ts';
import { cash, price, UNITS_PER_USD } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import { after, micros, millis, minutes, type SessionDay, seconds } from '../domain/time.ts';
import { createDirectFeeds } from '../engine/direct-feeds.ts';
import { createEngine } from '../engine/engine.ts';
import { createInProcessLanes } from '../engine/in-process-lanes.ts';
import { runLockstep } from '../engine/lockstep.ts';
import { DEFAULT_ENGINE_SETTINGS, type EngineSettings } from '../engine/settings.ts';
import { createVirtualClock } from '../engine/virtual-clock.ts';
import type { Stopwatch } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { defaultExchangeOptions } from '../sim/default-options.ts';
import { createExchange } from '../sim/exchange.ts';
import type { TapeItem } from '../sim/exchange-api.ts';
import { NO_FEES } from '../sim/fees.ts';
import { tapeFromItems } from '../sim/tape.ts';
import type { Strategy } from '../strategy/contract.ts';
import { createRehearsalBroker, rehearsalTradeFeed } from './rehearsal-broker.ts';

/**
 * A rehearsal: the whole loop from frame to order plays some minutes of a made-up market in memory, so that the code of the
 * first real exit has been run, and compiled, before. It touches no journal, no log, no network and nothing that outlives
 * it; all it leaves behind is warm code. Apart from the time that it takes, one is like the other.
 */
export type Rehearsed = { readonly orders: number; readonly minutes: number };

const SYMBOLS = ['AA', 'BB', 'CC', 'DD', 'EE', 'FF', 'GG', 'HH'] as readonly string[] as readonly Ticker[];
/** 2026-10-05, 09:30 in New York: an instant is needed, none is special. */
const OPEN_AT = micros(1_791_207_000_000_000);
const SESSION: Session = {
  day: '2026-10-05' as SessionDay,
  openAt: OPEN_AT,
  closeAt: after(OPEN_AT, minutes(390)),
  halfDay: false,
};
const PX = price(100 * UNITS_PER_USD);
/** In each minute: the entry fills with the first of these prints, the exit with the second; the last one is the next mark. */
const BEATS = [seconds(20), seconds(40), seconds(59)];

/** Plays up to `minutesMax` minutes, a round trip of each symbol in each, but not beyond `within` microseconds. */
export async function rehearse(minutesMax: number, within: number, stopwatch: Stopwatch): Promise<Rehearsed> {
  const startAt = after(OPEN_AT, minutes(1));
  const exchange = createExchange(
    defaultExchangeOptions(
      { seed: 1, startAt, sessions: [SESSION] },
      { latencyIn: 0, latencyOut: 0, partialFillShare: 0, fees: NO_FEES, fillModel: 'print' },
    ),
    { ...tapeFromItems(SYMBOLS, [prints(minutesMax + 2)]), complete: true },
  );
  const clock = createVirtualClock(startAt);
  const feeds = createDirectFeeds({ clock, exchange, connecting: millis(1), faults: null });
  let started = '';
  const engine = createEngine({
    clock,
    broker: createRehearsalBroker(clock, exchange),
    journal: memoryJournal(),
    log: SILENT,
    laneHost: (events) => createInProcessLanes({ clock, strategyOf: () => ALWAYS }, events),
    openDataFeed: feeds.openDataFeed,
    openTradeFeed: rehearsalTradeFeed(clock, exchange, stopwatch),
    settings: SETTINGS,
    events: { onSessionEnded: () => undefined },
    stopwatch,
  });
  void engine.start().then(
    (outcome) => {
      started = outcome.kind;
    },
    (error: unknown) => {
      started = String(error);
    },
  );

  const until = stopwatch() + within;
  let played = 0;
  while (played < minutesMax && stopwatch() < until) {
    played += 1;
    await runLockstep(exchange, clock, after(startAt, minutes(played)), settle, () => stopwatch() < until);
  }
  const isCutShort = started === '' && stopwatch() >= until;
  if (started !== 'ready' && !isCutShort)
    throw new Error(`a rehearsal starts. Found: ${started === '' ? 'no end of it' : started}`);
  return { orders: engine.status().roundTrips * 2, minutes: played };
}

function* prints(count: number): Generator<TapeItem> {
  let id = 0;
  for (let minute = 0; minute < count; minute += 1)
    for (const beat of BEATS)
      for (const symbol of SYMBOLS) {
        id += 1;
        const at = after(after(OPEN_AT, minutes(minute)), beat);
        yield {
          kind: 'print',
          at,
          print: { symbol, at, price: PX, size: 100, exchange: 'V', conditions: ['@'], id: `${id}` },
        };
      }
}

/** Every promise that can go on has gone on; what waits for the process's own events has its turn. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const nothing = (): void => undefined;
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const ALWAYS: Strategy<null> = {
  name: 'rehearsal',
  check: () => [],
  open: () => null,
  onBar: () => ({ state: null, signal: 'enter', facts: {} }),
};

const laneOf = (symbol: Ticker): LaneParams => ({
  symbol,
  lot: cash(2_000 * UNITS_PER_USD),
  entryPatience: seconds(120),
  entryQueueMax: seconds(5),
  lastTradeMaxAge: seconds(15),
  exitMarkup: price(0),
  holdMax: seconds(120),
  exitRetryFirst: seconds(1),
  exitRetryMax: seconds(30),
  cancelRetry: seconds(5),
  entriesMax: 1_000,
  lossesMax: 1_000,
  coolOff: minutes(15),
});

const UNLIMITED = cash(1_000_000_000 * UNITS_PER_USD);
/** What merely looks after things would make up most of a rehearsal. */
const SELDOM = minutes(60);
const { gateway, reconcile, supervisor, tracker } = DEFAULT_ENGINE_SETTINGS;
const SETTINGS: EngineSettings = {
  ...DEFAULT_ENGINE_SETTINGS,
  supervisor: { ...supervisor, pingEvery: SELDOM, stallAfter: SELDOM },
  tracker: { ...tracker, sweepEvery: SELDOM },
  reconcile: { ...reconcile, every: SELDOM },
  lanes: SYMBOLS.map(laneOf),
  strategy: { name: ALWAYS.name },
  gateway: { ...gateway, requestsPerMinute: 10_000 },
  risk: {
    limits: {
      sharesPerOrderMax: 10_000,
      notionalPerOrderMax: UNLIMITED,
      collarBps: 100,
      grossExposureMax: UNLIMITED,
      dailyLossMax: UNLIMITED,
    },
    checkEvery: SELDOM,
  },
};

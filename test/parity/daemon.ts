import { NO_COMMAND_LINE, parseConfig } from '../../lib/adapters/config/load.ts';
import { toEngineSettings } from '../../lib/adapters/config/to-engine-settings.ts';
import { memoryJournal } from '../../lib/adapters/journal/memory.ts';
import { type Duration, type Micros, micros, millis, seconds } from '../../lib/domain/time.ts';
import { createDirectBroker } from '../../lib/engine/direct-broker.ts';
import { createDirectFeeds, type DirectFeeds } from '../../lib/engine/direct-feeds.ts';
import { createEngine, type Engine } from '../../lib/engine/engine.ts';
import { createInProcessLanes } from '../../lib/engine/in-process-lanes.ts';
import { runLockstep } from '../../lib/engine/lockstep.ts';
import type { EngineSettings } from '../../lib/engine/settings.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Journal } from '../../lib/ports/journal.ts';
import type { Log, LogFields } from '../../lib/ports/log.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { NO_FAULTS, type ScriptedFault } from '../../lib/sim/fault-types.ts';
import { createFaults, type Faults } from '../../lib/sim/faults.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { smaCross } from '../../lib/strategy/sma-cross.ts';
import { lagging } from '../traps/lagging.ts';
import type { Decision } from './decisions.ts';
import { recordDecisions } from './record.ts';

export type LogLine = { readonly at: Micros; readonly level: string; readonly event: string } & LogFields;

/** How long a broken socket takes to be back, subscribed and live. */
const RECONNECT_AFTER = seconds(1);

/** The whole engine on an embedded exchange, in one thread and in virtual time. */
export type Daemon = {
  readonly exchange: Exchange;
  readonly decisions: readonly Decision[];
  readonly log: readonly LogLine[];
  readonly faults: Faults;
  journal(): Journal;
  engine(): Engine;
  now(): Micros;
  /** Lets everything happen that is due up to and including `at`. */
  until(at: Micros): Promise<void>;
  /** The process is gone: nothing it had planned happens any more. */
  kill(): void;
  /** A new process on the same account, with the old journal or with an empty one. */
  restart(journal: 'kept' | 'lost'): void;
};

export type DaemonOptions = {
  readonly exchange: Exchange;
  readonly settings: EngineSettings;
  readonly script: readonly ScriptedFault[];
  /** How far the positions the broker tells lag behind its fills. */
  readonly positionsLag: Duration;
};

/** Settings as the configuration file gives them; what the text does not name is the product's default. */
export function settingsFrom(yaml: string): EngineSettings {
  const loaded = parseConfig('test', new TextEncoder().encode(yaml), NO_COMMAND_LINE);
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ rule, found }) => `${rule}: ${found}`).join('\n'));
  return toEngineSettings(loaded.config, 1);
}

export function startDaemon({ exchange, settings, script, positionsLag }: DaemonOptions): Daemon {
  const faults = createFaults({ ...NO_FAULTS, script }, createRandom(1));
  const decisions: Decision[] = [];
  const log: LogLine[] = [];
  let journal = memoryJournal();
  let running: Process | null = null;

  function start(): void {
    const clock = createVirtualClock(exchange.now());
    const unlistens: (() => void)[] = [];
    // What a killed process listened to must not reach it any more.
    const heard: Exchange = {
      ...exchange,
      onTradeUpdate: (listener) => keep(unlistens, exchange.onTradeUpdate(listener)),
      onMarketEvent: (listener) => keep(unlistens, exchange.onMarketEvent(listener)),
    };
    const feeds = createDirectFeeds({ clock, exchange: heard, connecting: millis(1), faults });
    const direct = createDirectBroker({
      clock,
      exchange: lagging(exchange, positionsLag),
      latency: millis(0),
      timeout: seconds(10),
      faults,
    });
    const broker = recordDecisions(direct, clock, exchange, decisions);
    const engine = createEngine({
      clock,
      broker,
      journal,
      log: logInto(log, clock),
      laneHost: (events) => createInProcessLanes({ clock, strategyOf: () => smaCross }, events),
      openDataFeed: feeds.openDataFeed,
      openTradeFeed: feeds.openTradeFeed,
      settings,
      events: { onSessionEnded: () => undefined },
    });
    void engine.start();
    running = { clock, engine, feeds, unlistens };
  }

  function processNow(): Process {
    if (running === null) throw new Error('the daemon is not running');
    return running;
  }

  /** Timed faults are their own step: everything up to their instant happens first. */
  async function until(at: Micros): Promise<void> {
    for (let due = faults.nextDueAt(); due !== null && due <= at; due = faults.nextDueAt()) {
      await advance(micros(Math.max(due, exchange.now())));
      for (const fault of faults.due(exchange.now())) {
        if (fault.kind === 'act') exchange.act(fault.action);
        if (fault.kind === 'drop')
          running?.feeds.cut(fault.target === 'data' ? 'data' : 'trade', RECONNECT_AFTER);
      }
    }
    await advance(at);
  }

  async function advance(at: Micros): Promise<void> {
    if (running === null) exchange.advanceTo(at);
    else await runLockstep(exchange, running.clock, at, settle);
  }

  start();
  return {
    exchange,
    decisions,
    log,
    faults,
    journal: () => journal,
    engine: () => processNow().engine,
    now: () => exchange.now(),
    until,
    kill() {
      for (const unlisten of processNow().unlistens) unlisten();
      running = null;
    },
    restart(kept) {
      if (kept === 'lost') journal = memoryJournal();
      start();
    },
  };
}

type Process = {
  readonly clock: VirtualClock;
  readonly engine: Engine;
  readonly feeds: DirectFeeds;
  readonly unlistens: (() => void)[];
};

function keep(unlistens: (() => void)[], unlisten: () => void): () => void {
  unlistens.push(unlisten);
  return unlisten;
}

/** Every promise that can go on has gone on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function logInto(lines: LogLine[], clock: VirtualClock): Log {
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}): void => {
      lines.push({ ...fields, at: clock.now(), level, event });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

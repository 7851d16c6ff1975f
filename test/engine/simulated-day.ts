import type { Ticker } from '../../lib/domain/ids.ts';
import type { LaneParams } from '../../lib/domain/lane-types.ts';
import { type Cash, type Price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import type { Session } from '../../lib/domain/session.ts';
import {
  after,
  before,
  type Duration,
  type Micros,
  micros,
  millis,
  minutes,
  parseInstant,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';
import { createDirectBroker } from '../../lib/engine/direct-broker.ts';
import {
  createDirectFeeds,
  createSocketDoors,
  type DirectFeeds,
  type DirectFeedsOptions,
} from '../../lib/engine/direct-feeds.ts';
import { createEngine, type Engine, type StartOutcome } from '../../lib/engine/engine.ts';
import { createInProcessLanes, type InProcessLanes } from '../../lib/engine/in-process-lanes.ts';
import { runLockstep } from '../../lib/engine/lockstep.ts';
import type { SessionReport } from '../../lib/engine/report.ts';
import { DEFAULT_ENGINE_SETTINGS, type EngineSettings } from '../../lib/engine/settings.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Broker } from '../../lib/ports/broker.ts';
import { type Journal, type JournalRecord, RECORDED, type StoredRecord } from '../../lib/ports/journal.ts';
import type { LogFields } from '../../lib/ports/log.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange, ExchangeOptions, Tape } from '../../lib/sim/exchange-api.ts';
import { createFaults, type FaultPlan, type Faults } from '../../lib/sim/faults.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { createRequestMeter, type RequestMeter } from '../../lib/sim/rate-limit.ts';
import { syntheticTape } from '../../lib/sim/synthetic.ts';
import type { Strategy } from '../../lib/strategy/contract.ts';
import { smaCross } from '../../lib/strategy/sma-cross.ts';

/** A whole session of the whole engine in one thread and on virtual time, judged by the exchange's own books. */

export const DAY = '2026-10-05' as SessionDay;
export const SYMBOLS = ['SPY', 'AAPL', 'BAC', 'F', 'INTC'] as Ticker[];

export function sessionOf(opensAt: string, closesAt: string, day = DAY): Session {
  const at = (text: string): Micros => parseInstant(`${day}T${text}:00-04:00`) ?? micros(0);
  return { day, openAt: at(opensAt), closeAt: at(closesAt), halfDay: closesAt < '16:00' };
}

export type LogLine = {
  readonly level: string;
  readonly event: string;
  readonly at: Micros;
  readonly fields: LogFields;
};

export type SimulatedDay = {
  readonly exchange: Exchange;
  readonly clock: VirtualClock;
  readonly feeds: DirectFeeds;
  readonly faults: Faults | null;
  readonly log: readonly LogLine[];
  readonly journal: MemoryJournal;
  /** Requests that reached the exchange, by instant. */
  readonly requests: readonly { readonly at: Micros; readonly what: string }[];
  /** Most requests to the trading host within any 60 s, as the exchange saw them come. */
  requestPeak(): number;
  readonly reports: readonly SessionReport[];
  readonly session: Session;
  engine(): Engine;
  lanes(): InProcessLanes;
  /** Runs everything due until then. */
  runTo(at: Micros): Promise<void>;
  /** Through the end of the session and its report. */
  finish(): Promise<SessionReport>;
  /** What became of the first start. */
  started(): Promise<StartOutcome>;
  /** The process is gone; a new one starts with the same journal and account. */
  restart(): Promise<void>;
};

export type DayOptions = {
  readonly seed: number;
  readonly symbols?: readonly Ticker[];
  readonly session?: Session;
  /** Sessions after the first. */
  readonly more?: readonly Session[];
  readonly startAt?: Micros;
  readonly faults?: FaultPlan;
  readonly exchange?: Partial<ExchangeOptions>;
  readonly settings?: Partial<EngineSettings>;
  readonly params?: Partial<LaneParams>;
  readonly printsPerDay?: number;
  /** The sma-cross when absent. */
  readonly strategy?: Strategy;
  readonly feeds?: Partial<DirectFeedsOptions>;
  /** Questions to the broker that are never answered. */
  readonly mute?: (what: string) => boolean;
  /** What becomes of the invented tape before the exchange plays it. */
  readonly tape?: (tape: Tape) => Tape;
};

export function laneParams(symbol: Ticker, over: Partial<LaneParams> = {}): LaneParams {
  return {
    symbol,
    lot: (2_000 * UNITS_PER_USD) as Cash,
    entryPatience: minutes(2),
    entryQueueMax: seconds(5),
    lastTradeMaxAge: seconds(15),
    exitMarkup: 0 as Price,
    holdMax: minutes(2),
    exitRetryFirst: seconds(1),
    exitRetryMax: seconds(30),
    cancelRetry: seconds(5),
    entriesMax: 1_000,
    lossesMax: 1_000,
    coolOff: minutes(5),
    ...over,
  };
}

export async function startDay(options: DayOptions): Promise<SimulatedDay> {
  const session = options.session ?? sessionOf('09:30', '16:00');
  const symbols = options.symbols ?? SYMBOLS;
  const startAt = options.startAt ?? before(session.openAt, minutes(5));
  const tape = syntheticTape({
    seed: options.seed,
    symbols,
    sessions: [session, ...(options.more ?? [])],
    printsPerDay: options.printsPerDay ?? 1_500,
  });
  const exchange = createExchange(
    defaultExchangeOptions(
      { seed: options.seed, startAt, sessions: [session, ...(options.more ?? [])] },
      options.exchange,
    ),
    options.tape?.(tape) ?? tape,
  );
  const random = createRandom(options.seed);
  const faults = options.faults === undefined ? null : createFaults(options.faults, random.fork('faults'));
  const settings: EngineSettings = {
    ...DEFAULT_ENGINE_SETTINGS,
    lanes: symbols.map((symbol) => laneParams(symbol, options.params)),
    strategy: { name: 'sma-cross', period: 20 },
    risk: { limits: DEFAULT_RISK_LIMITS, checkEvery: seconds(1) },
    ...options.settings,
  };

  const log: LogLine[] = [];
  const requests: { at: Micros; what: string }[] = [];
  const reports: SessionReport[] = [];
  const journal = memoryJournal();
  const clock = createVirtualClock(startAt);
  const sockets = { exchange, connecting: seconds(1), faults, ...options.feeds };
  const doors = createSocketDoors({ clock, ...sockets });
  const meter = createRequestMeter();
  let run = boot();

  function boot() {
    // A clock of its own per process: what a dead one had planned never happens.
    const own = deadableClock(clock);
    const feeds = createDirectFeeds({ clock: own, doors, ...sockets });
    const broker = createDirectBroker({
      clock: own,
      exchange: metered(exchange, meter),
      latency: millis(20),
      timeout: seconds(10),
      faults,
    });
    let lanes: InProcessLanes | null = null;
    const say =
      (level: string) =>
      (event: string, fields: LogFields = {}): void =>
        void log.push({ level, event, at: clock.now(), fields });
    const engine = createEngine({
      clock: own,
      broker: counted(broker, requests, clock, options.mute),
      journal,
      log: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
      laneHost: (events) => {
        lanes = createInProcessLanes(
          { clock: own, strategyOf: () => options.strategy ?? smaCross, crossing: 100 as Duration },
          events,
        );
        return lanes;
      },
      openDataFeed: feeds.openDataFeed,
      openTradeFeed: feeds.openTradeFeed,
      settings,
      events: { onSessionEnded: (report) => reports.push(report) },
    });
    if (lanes === null) throw new Error('the engine opens its lane host at once');
    return { engine, feeds, lanes: lanes as InProcessLanes, own };
  }

  const runTo = (at: Micros): Promise<void> => runLockstep(exchange, clock, at, settle);
  const started = run.engine.start();
  await runLockstep(exchange, clock, after(startAt, seconds(90)), settle, untilDone(started));

  return {
    exchange,
    clock,
    get feeds() {
      return run.feeds;
    },
    faults,
    log,
    journal,
    requests,
    requestPeak: meter.peak,
    reports,
    session,
    engine: () => run.engine,
    lanes: () => run.lanes,
    runTo,
    async finish() {
      await runTo(after(session.closeAt, minutes(3)));
      const report = reports.at(-1);
      if (report === undefined) throw new Error('a session ends with a report');
      return report;
    },
    started: () => started,
    async restart() {
      run.own.die();
      run.feeds.abandon();
      run = boot();
      const again = run.engine.start();
      await runLockstep(exchange, clock, after(clock.now(), seconds(90)), settle, untilDone(again));
    },
  };
}

/** Promises that can go on go on; a turn of the event loop runs all of them to the end. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function untilDone(promise: Promise<unknown>): () => boolean {
  let done = false;
  void promise.finally(() => {
    done = true;
  });
  return () => !done;
}

function deadableClock(clock: VirtualClock) {
  let alive = true;
  return {
    now: clock.now,
    at: (at: Micros, task: () => void) =>
      clock.at(at, () => {
        if (alive) task();
      }),
    die() {
      alive = false;
    },
  };
}

/** What each request to the trading host comes to at the exchange. */
const TRADING_CALLS: readonly string[] = [
  'submitOrder',
  'cancelOrder',
  'order',
  'orderByClientOrderId',
  'orders',
  'positions',
  'account',
  'clock',
  'calendar',
  'assets',
  'fills',
];

function metered(exchange: Exchange, meter: RequestMeter): Exchange {
  return new Proxy(exchange, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function' || !TRADING_CALLS.includes(String(name))) return member;
      return (...args: unknown[]) => {
        meter.count(exchange.now());
        return Reflect.apply(member, target, args);
      };
    },
  });
}

function counted(
  broker: Broker,
  requests: { at: Micros; what: string }[],
  clock: VirtualClock,
  mute: (what: string) => boolean = () => false,
): Broker {
  return new Proxy(broker, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        requests.push({ at: clock.now(), what: String(name) });
        if (mute(String(name))) return new Promise(() => undefined);
        return Reflect.apply(member, target, args);
      };
    },
  });
}

export type MemoryJournal = Journal & {
  readonly records: readonly StoredRecord[];
  fail(failing: boolean): void;
  /** Everything written so far is lost. */
  forget(): void;
};

export function memoryJournal(): MemoryJournal {
  const records: StoredRecord[] = [];
  let failing = false;
  return {
    records,
    fail(now) {
      failing = now;
    },
    forget() {
      records.length = 0;
    },
    append(record: JournalRecord) {
      if (failing) return Promise.reject(new Error('disk full'));
      // Through JSON, as a file would: what does not survive it must not be relied on.
      records.push({ ...JSON.parse(JSON.stringify(record)), id: records.length + 1 });
      return RECORDED;
    },
    async read(day) {
      return records.filter((record) => record.day === day);
    },
    head: async () =>
      records.length === 0 ? null : { id: records.length, hash: String(records.length).padStart(64, '0') },
    async close() {},
  };
}

/** What every day must show, whatever was done to it. */
export function judge(day: SimulatedDay): string[] {
  const { exchange, session } = day;
  const { orders, fills, positions } = exchange.ledger();
  const found: string[] = [];
  const cutoff = session.closeAt - 7 * 60_000_000;
  for (const [symbol, shares] of positions) if (shares !== 0) found.push(`${symbol}: ${shares} shares left`);
  const held = new Map<string, number>();
  for (const { symbol, side, qty } of [...fills].sort((a, b) => a.at - b.at)) {
    const shares = (held.get(symbol) ?? 0) + (side === 'buy' ? qty : -qty);
    held.set(symbol, shares);
    if (shares < 0) found.push(`${symbol}: short ${shares}`);
  }
  for (const order of orders)
    if (order.side === 'buy' && order.submittedAt > cutoff + 1_000_000)
      found.push(`${order.symbol}: entry after cutoff`);
  found.push(...overlaps(orders));
  found.push(...overRate(day.requests, 200));
  const ids = orders.map(({ clientOrderId }) => clientOrderId);
  if (new Set(ids).size !== ids.length) found.push('a client order id was used twice');
  return found;
}

/** Orders of one symbol that were live at the same time. */
function overlaps(orders: ReturnType<Exchange['ledger']>['orders']): string[] {
  const lastEnd = new Map<string, number>();
  const found: string[] = [];
  for (const order of [...orders].sort((a, b) => a.submittedAt - b.submittedAt)) {
    const end =
      order.filledAt ?? order.canceledAt ?? order.expiredAt ?? order.failedAt ?? order.replacedAt ?? Infinity;
    if (order.submittedAt < (lastEnd.get(order.symbol) ?? 0)) found.push(`${order.symbol}: two live orders`);
    lastEnd.set(order.symbol, end);
  }
  return found;
}

/** Spans of 60 s with more requests than allowed. */
function overRate(requests: readonly { readonly at: Micros }[], limit: number): string[] {
  for (let i = limit; i < requests.length; i += 1) {
    const first = requests[i - limit]?.at ?? 0;
    const last = requests[i]?.at ?? 0;
    if (last - first < 60_000_000) return [`${limit + 1} requests in ${(last - first) / 1e6} s`];
  }
  return [];
}

import { openDataFeed } from '../../lib/adapters/alpaca/data-feed.ts';
import { openTradeFeed } from '../../lib/adapters/alpaca/trade-feed.ts';
import { createRedactor } from '../../lib/adapters/log/redact.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Cash, type Price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS, type RiskLimits } from '../../lib/domain/risk.ts';
import { after, before, type Duration, millis, minutes, seconds } from '../../lib/domain/time.ts';
import { createDirectBroker } from '../../lib/engine/direct-broker.ts';
import { createSocketDoors } from '../../lib/engine/direct-feeds.ts';
import { createEngine, type EngineStatus } from '../../lib/engine/engine.ts';
import { createInProcessLanes } from '../../lib/engine/in-process-lanes.ts';
import { runLockstep } from '../../lib/engine/lockstep.ts';
import type { SessionReport } from '../../lib/engine/report.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { PrintTaker } from '../../lib/ports/feeds.ts';
import type { LogFields } from '../../lib/ports/log.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { createRequestMeter } from '../../lib/sim/rate-limit.ts';
import { syntheticTape } from '../../lib/sim/synthetic.ts';
import { laneParams, memoryJournal, SYMBOLS, sessionOf } from '../engine/simulated-day.ts';
import enterAlways from '../threads/fixtures/enter-always.ts';
import { createBeliefs } from './beliefs.ts';
import { KEY, SECRET } from './corpus.ts';
import { isPolluted, type Report, showsSecret, textOf } from './finding.ts';
import { DATA_WIRE, TRADE_WIRE } from './frames.ts';
import { judgeDay } from './judge-day.ts';
import { createStorm, isReadableUpdate, SOON } from './storm.ts';
import { dataSockets, tradeSockets } from './wire-feeds.ts';

/**
 * A short session of the whole engine behind both feeds' real decoders, with lanes that enter whenever they may, while the
 * lines are spoiled. In an honest day no spoiled order frame can be read, so that only the market lies; in the others fills
 * are told that never were.
 */
export type FuzzedDay = {
  readonly dataFrames: number;
  readonly tradeFrames: number;
  readonly orders: number;
  readonly fills: number;
  readonly status: EngineStatus;
  readonly said: ReadonlyMap<string, number>;
};

/** A made-up price is a made-up loss: in most days it must not end the trading. */
const NO_DAY_LIMITS: RiskLimits = {
  ...DEFAULT_RISK_LIMITS,
  dailyLossMax: (10_000_000 * UNITS_PER_USD) as Cash,
};

/** Everything a day may be told of its seed. */
export async function runFuzzedDay(seed: string, report: Report): Promise<FuzzedDay> {
  const random = createRandom(seed);
  const lies = random.chance(0.6);
  const session = sessionOf('09:30', '10:45');
  const calmFrom = before(session.closeAt, minutes(random.pick([2, 6, 12] as const)));
  const startAt = before(session.openAt, minutes(2));
  const exchange = createExchange(
    defaultExchangeOptions(
      { seed: random.u32(), startAt, sessions: [session] },
      { partialFillShare: 0.3, queueAhead: 100, latencyIn: 20_000, latencyOut: 30_000 },
    ),
    syntheticTape({ seed: random.u32(), symbols: SYMBOLS, sessions: [session], printsPerDay: 600 }),
  );
  const clock = createVirtualClock(startAt);
  const doors = createSocketDoors({ clock, exchange, connecting: millis(30), faults: null });
  const spoil = { clock, random, within: SOON, until: calmFrom };
  const dataStorm = createStorm({
    ...spoil,
    wire: DATA_WIRE,
    spoiled: random.pick([0, 0.05, 0.3] as const),
    copies: random.between(0.5, 5),
    isSpared: () => false,
  });
  const tradeStorm = createStorm({
    ...spoil,
    wire: TRADE_WIRE,
    spoiled: random.pick([0, 0.05, 0.3] as const),
    copies: random.between(2, 12),
    isSpared: (frame) => !lies && isReadableUpdate(frame),
  });

  const said = new Map<string, number>();
  // As the daemon's log has it.
  const redactor = createRedactor();
  for (const secret of [KEY, SECRET]) redactor.add(secret);
  const say =
    (level: string) =>
    (event: string, fields: LogFields = {}): void => {
      const code = typeof fields.code === 'string' ? ` ${fields.code}` : '';
      const name = `${level} ${event}${code}`;
      said.set(name, (said.get(name) ?? 0) + 1);
      for (const value of Object.values(fields))
        if (typeof value === 'string' && showsSecret(redactor.scrub(value), value))
          report('secretShown', `${event}: ${value}`);
    };
  const lot = (2_000 * UNITS_PER_USD) as Cash;
  const params = SYMBOLS.map((symbol) =>
    laneParams(symbol, { lot, holdMax: seconds(random.pick([20, 60, 120] as const)) }),
  );
  const holdMax = params[0]?.holdMax ?? seconds(0);
  const beliefs = createBeliefs({
    now: clock.now,
    lot,
    cutoffAt: before(session.closeAt, (minutes(5) + holdMax) as Duration),
    lastTradeMaxAge: params[0]?.lastTradeMaxAge ?? 0,
    report,
  });
  const meter = createRequestMeter();
  const common = {
    keyId: KEY,
    secret: SECRET,
    clock,
    speed: 1,
    random: () => random.uniform(),
    onFault: (error: unknown) => report('threw', textOf(error)),
  };
  const reports: SessionReport[] = [];
  const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const engine = createEngine({
    clock,
    broker: beliefs.watch(
      createDirectBroker({
        clock,
        exchange: metered(exchange, () => meter.count(clock.now())),
        latency: millis(20),
        timeout: seconds(10),
        faults: null,
      }),
    ),
    journal: memoryJournal(),
    log,
    laneHost: (events) =>
      createInProcessLanes({ clock, strategyOf: () => enterAlways, crossing: 100 as Duration }, events),
    openDataFeed: (symbols, events) =>
      openDataFeed(
        {
          ...common,
          url: 'ws://127.0.0.1:1/v2/iex',
          run: dataSockets(doors, dataStorm.line),
          onUnreadable: (text) => log.warn('feed.unreadable', { text }),
        },
        symbols,
        {
          ...events,
          onMessage(message) {
            if (message.kind === 'print') beliefs.printed(message.print.symbol, message.print.price);
            events.onMessage(message);
          },
          ...(events.prints && { prints: watched(events.prints, beliefs.printed) }),
        },
      ),
    openTradeFeed: (events) =>
      openTradeFeed(
        { ...common, url: 'ws://127.0.0.1:1/stream', run: tradeSockets(doors, tradeStorm.line) },
        {
          ...events,
          onReport(each, heardAt) {
            beliefs.heard(each);
            events.onReport(each, heardAt);
          },
        },
      ),
    settings: {
      ...DEFAULT_ENGINE_SETTINGS,
      lanes: params,
      strategy: { name: 'enter-always' },
      risk: { limits: random.chance(0.2) ? DEFAULT_RISK_LIMITS : NO_DAY_LIMITS, checkEvery: seconds(1) },
    },
    events: { onSessionEnded: (made) => reports.push(made) },
  });

  await playThrough(exchange, clock, after(session.closeAt, minutes(3)), () => engine.start(), report);
  if (isPolluted()) report('polluted', 'a frame has changed what every object inherits');
  const status = engine.status();
  const ledger = exchange.ledger();
  judgeDay({ exchange, status, made: reports.at(-1) ?? null, lies, said, peak: meter.peak(), report });
  return {
    dataFrames: dataStorm.count(),
    tradeFrames: tradeStorm.count(),
    orders: ledger.orders.length,
    fills: ledger.fills.length,
    status,
    said,
  };
}

async function playThrough(
  exchange: Exchange,
  clock: ReturnType<typeof createVirtualClock>,
  until: ReturnType<typeof after>,
  start: () => Promise<{ readonly kind: string }>,
  report: Report,
): Promise<void> {
  const crashed = (error: unknown): void => report('crashed', textOf(error));
  process.on('unhandledRejection', crashed);
  try {
    start().then(({ kind }) => {
      if (kind !== 'ready') report('notStarted', kind);
    }, crashed);
    await runLockstep(exchange, clock, until, settle);
  } catch (error) {
    crashed(error);
  } finally {
    process.off('unhandledRejection', crashed);
  }
}

/** Longer than any chain of promises between two timers. */
const HOPS = 24;

async function settle(): Promise<void> {
  for (let hop = 0; hop < HOPS; hop += 1) await null;
}

/** What a request to the trading host comes to at the exchange. */
const TRADING: ReadonlySet<PropertyKey> = new Set([
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
]);

function metered(exchange: Exchange, onRequest: () => void): Exchange {
  return new Proxy(exchange, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function' || !TRADING.has(name)) return member;
      return (...args: unknown[]) => {
        onRequest();
        return Reflect.apply(member, target, args);
      };
    },
  });
}

/** Prints that come the quick way are told as well. */
function watched(
  taker: PrintTaker<object>,
  printed: (symbol: Ticker, price: Price) => void,
): PrintTaker<object> {
  const symbols = new Map<object, Ticker>();
  return {
    ...taker,
    lineOf(symbol) {
      const line = taker.lineOf(symbol);
      if (line !== null) symbols.set(line, symbol);
      return line;
    },
    take(line, price, at, isEligible) {
      const symbol = symbols.get(line);
      if (symbol !== undefined) printed(symbol, price);
      taker.take(line, price, at, isEligible);
    },
  };
}

import type { Ticker } from '../../lib/domain/ids.ts';
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
import type { FillRule } from '../../lib/sim/exchange-api.ts';
import { CONNECT_FAULTS, FRAME_FAULTS, REST_FAULTS, type Spread } from '../../lib/sim/fault-types.ts';
import { createRandom, type Random } from '../../lib/sim/random.ts';
import { drawHappenings } from './draw-happenings.ts';
import type { ExchangeTraits, Kill, Scenario, TradingTraits, WireTraits } from './scenario.ts';

/**
 * Everything about one run from one seed. Each trait has a stream of its own: a new one changes none of the others, and the
 * seeds that were kept go on meaning what they meant.
 */
export function drawScenario(seed: number): Scenario {
  const random = createRandom(`scenario/${seed}`);
  const own = <T>(name: string, draw: (random: Random) => T): T => draw(random.fork(name));
  const symbols = own('symbols', drawSymbols);
  const sessions = own('sessions', drawSessions);
  const calmFrom = own('calm', (stream) => drawCalm(stream, sessions));
  const severity = own('severity', (stream) => (stream.chance(0.04) ? 0 : stream.pick([0.3, 0.6, 1, 1, 2])));
  const whenNotQuiet = <T>(quiet: T, loud: T): T => (severity === 0 ? quiet : loud);
  return {
    seed,
    symbols,
    sessions,
    startAt: own('start', (stream) => drawStart(stream, sessions)),
    printsPerDay: own('prints', (stream) => Math.round(stream.between(4_000, 10_000))),
    correctedBars: own('corrected bars', (stream) => stream.pick([0, 0, 0.1])),
    exchange: own('exchange', (stream) => drawExchange(stream, severity === 0)),
    wire: own('wire', drawWire),
    trading: own('trading', drawTrading),
    journalDelay: own('journal', (stream) => millis(stream.chance(0.6) ? 0 : stream.integer(1, 30))),
    skew: own('skew', (stream) => millis(stream.chance(0.75) ? 0 : stream.integer(-8_000, 8_000))),
    rates: own('rates', (stream) => drawRates(stream, severity)),
    lateFills: whenNotQuiet(
      0,
      own('late fills', (stream) => stream.pick([0, 0, 0.1, 0.4])),
    ),
    restDelay: own('rest delay', (stream) => stream.pick(REST_DELAYS)),
    frameDelay: own('frame delay', (stream) => stream.pick(FRAME_DELAYS)),
    connectionLife: own('connection life', (stream) => stream.pick(CONNECTION_LIVES)),
    calmFrom,
    happenings: own('happenings', (stream) =>
      drawHappenings(stream, { symbols, sessions, calmFrom, severity }),
    ),
    kills: whenNotQuiet(
      [],
      own('kills', (stream) => drawKills(stream, severity)),
    ),
  };
}

/** Microseconds. */
const REST_DELAYS: [Spread, ...Spread[]] = [
  [50_000, 3_000_000],
  [10_000, 400_000],
  [500_000, 9_000_000],
];
const FRAME_DELAYS: [Spread, ...Spread[]] = [
  [20_000, 2_000_000],
  [1_000, 200_000],
  [500_000, 8_000_000],
];
const CONNECTION_LIVES: [Spread, ...Spread[]] = [
  [5_000_000, 120_000_000],
  [30_000_000, 600_000_000],
];

const SYMBOLS = ['SPY', 'AAPL', 'BAC', 'F', 'INTC', 'AMD', 'SOFI', 'T'].map((symbol) => symbol as Ticker);

function drawSymbols(random: Random): readonly Ticker[] {
  const count = random.pick([1, 1, 2, 2, 2, 3, 3, 4, 5, 8]);
  const first = random.integer(0, SYMBOLS.length - 1);
  return [...SYMBOLS.slice(first), ...SYMBOLS.slice(0, first)].slice(0, count);
}

const DAYS = ['2026-10-05', '2026-10-06'].map((day) => day as SessionDay);
/** Minutes. A shortened session holds everything a full one does: the average, trades, cutoff, flatten, close. */
const FULL = 390;
const HALF = 210;

function drawSessions(random: Random): readonly Session[] {
  const count = random.chance(0.02) ? 2 : 1;
  return DAYS.slice(0, count).map((day) => {
    const length = random.chance(0.004) ? FULL : random.chance(0.012) ? HALF : random.integer(22, 50);
    const openAt = parseInstant(`${day}T13:30:00Z`) ?? micros(0);
    return { day, openAt, closeAt: after(openAt, minutes(length)), halfDay: length !== FULL };
  });
}

function drawStart(random: Random, sessions: readonly Session[]): Micros {
  const openAt = sessions[0]?.openAt ?? micros(0);
  if (random.chance(0.25)) return after(openAt, millis(random.integer(0, 8 * 60_000)));
  return before(openAt, millis(random.integer(1_000, 150_000)));
}

/** Mostly well before the cutoff, so that a few trades are made in peace; sometimes minutes before the flatten. */
function drawCalm(random: Random, sessions: readonly Session[]): readonly Micros[] {
  return sessions.map(({ openAt, closeAt }) => {
    const lead = random.chance(0.35) ? random.between(5.5, 8) : random.between(9, 13);
    return Math.max(before(closeAt, minutes(lead)), after(openAt, minutes(4))) as Micros;
  });
}

function drawExchange(random: Random, isQuiet: boolean): ExchangeTraits {
  return {
    latencyIn: random.integer(1_000, 40_000),
    latencyOut: random.integer(1_000, 40_000),
    partialFillShare: random.pick([0, 0.1, 0.1, 0.3, 0.7]),
    queueAhead: random.pick([0, 100, 300, 1_000]),
    barDelay: random.integer(50_000, 600_000),
    positionsLag: random.chance(0.7) ? 0 : random.integer(200_000, 10_000_000),
    dayOrderEnd: random.pick(['expired', 'canceled']),
    fillRules: isQuiet ? [] : drawFillRules(random.fork('rules')),
  };
}

function drawFillRules(random: Random): readonly FillRule[] {
  if (random.chance(0.5)) return [];
  const rules: FillRule[] = [];
  const side = (): 'buy' | 'sell' => random.pick(['buy', 'sell']);
  const add = (model: FillRule['model'], times: number): void =>
    void rules.push({ match: { side: side() }, model, times });
  // Such orders trade by their script alone. A market order that waited for a cancel would hold its shares for good.
  const addResting = (model: FillRule['model'], times: number): void =>
    void rules.push({ match: { side: side(), type: 'limit' }, model, times });
  const delay = random.integer(5_000, 4_000_000);
  if (random.chance(0.3)) addResting({ kind: 'cancelRace' }, random.integer(1, 3));
  if (random.chance(0.3)) add({ kind: 'cancelRefused' }, random.integer(1, 3));
  if (random.chance(0.3))
    add({ kind: 'reject', delay: random.integer(1_000, 900_000) }, random.integer(1, 3));
  if (random.chance(0.2))
    add({ kind: 'partial', pieces: random.integer(2, 6), only: null, delay }, random.integer(1, 6));
  if (random.chance(0.2))
    addResting(
      { kind: 'partial', pieces: random.integer(2, 6), only: random.integer(1, 2), delay },
      random.integer(1, 4),
    );
  if (random.chance(0.2)) addResting({ kind: 'never' }, 2);
  return rules;
}

function drawWire(random: Random): WireTraits {
  return {
    outward: millis(random.integer(1, 40)),
    jitter: millis(random.pick([0, 0, 20, 200])),
    back: millis(random.integer(1, 40)),
    timeout: seconds(random.pick([3, 10])),
    listingsLag: random.chance(0.7) ? millis(0) : millis(random.integer(100, 6_000)),
    crossing: random.pick([20, 100, 1_000]) as Duration,
  };
}

function drawTrading(random: Random): TradingTraits {
  return {
    period: random.pick([2, 3, 3, 4, 5]),
    lotUsd: random.pick([700, 700, 1_500, 3_000]),
    holdMax: seconds(random.pick([20, 45, 90, 120])),
    entryPatience: seconds(random.pick([10, 30, 120])),
    requestsPerMinute: random.pick([60, 120, 200, 200, 200]),
    markupUsd: random.pick([0, 0, 0.01, 0.05]),
  };
}

/** Shares of requests, frames and attempts. Each group together stays well below one, or nothing would ever get through. */
function drawRates(random: Random, severity: number): Scenario['rates'] {
  const rates: Record<string, number> = {};
  const groups = [REST_FAULTS, FRAME_FAULTS.slice(0, 5), FRAME_FAULTS.slice(5), CONNECT_FAULTS];
  for (const group of groups) {
    const most = group === CONNECT_FAULTS ? 0.15 : 0.08;
    for (const kind of group)
      if (random.chance(0.25 * severity))
        rates[kind] = round(most * Math.exp(-2.5 * random.uniform()) * severity);
  }
  return rates;
}

const round = (share: number): number => Math.round(share * 1e4) / 1e4;

function drawKills(random: Random, severity: number): readonly Kill[] {
  const count = random.chance(0.35 * Math.min(1, severity)) ? random.pick([1, 1, 1, 2, 2, 3, 5]) : 0;
  return Array.from({ length: count }, () => {
    const on = random.pick(['request', 'answer', 'report', 'record', 'second'] as const);
    const most = { request: 60, answer: 60, report: 20, record: 400, second: 900 }[on];
    return {
      on,
      nth: 1 + Math.floor(most * random.uniform() ** 2),
      side: random.pick(['before', 'after']),
      downFor: millis(random.pick([200, 2_000, 10_000, 45_000])),
    };
  });
}

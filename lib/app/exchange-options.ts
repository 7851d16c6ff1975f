import { isCalendarDate } from '../adapters/alpaca/codec-serve-orders.ts';
import type { Skip } from '../adapters/exchange/driver.ts';
import { loadTape, type TapeWish } from '../adapters/tape/load-tape.ts';
import type { TapeMistake } from '../adapters/tape/tape-file.ts';
import { dayOf, instantOf, sessionsBetween } from '../adapters/time/calendar.ts';
import type { Ticker } from '../domain/ids.ts';
import { cash, UNITS_PER_USD } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import {
  after,
  before,
  type Micros,
  micros,
  millis,
  minutes,
  type SessionDay,
  seconds,
} from '../domain/time.ts';
import type { ExchangeOptions, Tape } from '../sim/exchange-api.ts';
import { feesOn } from '../sim/fees.ts';
import { syntheticTape } from '../sim/synthetic.ts';

/**
 * From what a command line says to an embedded exchange. Plain data in, so that the facts can travel to a thread that
 * builds the exchange there: a tape cannot travel.
 */
export type ExchangeFacts = {
  /** Files or folders; empty for the synthetic market. */
  readonly tapePaths: readonly string[];
  /** Only these symbols; for the synthetic market the ones to invent. */
  readonly symbols?: readonly string[] | null;
  /** How many symbols the synthetic market invents when none are named. */
  readonly symbolCount?: number | null;
  readonly seed: number;
  /** `HH:MM` of exchange time on the first day; a minute and a half before the open when absent. */
  readonly startAt?: string | null;
  /** `YYYY-MM-DD`: the day to play of a tape that has several, or the first day of the synthetic market. */
  readonly day?: string | null;
  /** Trading days of the synthetic market, 1 when absent. */
  readonly days?: number | null;
  /** The hours between two sessions take no time: the exchange's clock steps over them. */
  readonly skipNights?: boolean;
  readonly cashUsd?: number | null;
  readonly multiplier?: 1 | 2 | 4;
  /** Prints of an average symbol in a full session of the synthetic market. */
  readonly printsPerDay?: number;
  /** Anything else of the exchange that somebody sets on purpose. */
  readonly overrides?: Partial<ExchangeOptions>;
};

export type BuiltExchange =
  | {
      readonly ok: true;
      readonly options: ExchangeOptions;
      readonly tape: Tape;
      readonly symbols: readonly Ticker[];
      /** The sessions that the tape plays, in order. */
      readonly sessions: readonly Session[];
      readonly skips: readonly Skip[];
    }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** A Monday of ordinary length: with the same seed the synthetic market is the same on any machine, any day. */
const SYNTHETIC_DAY = '2026-10-05' as SessionDay;
const SYNTHETIC_DAYS_MAX = 60;
const SYMBOLS_MAX = 5_000;
const CASH_USD = 100_000;
const LEAD = seconds(90);
/** What a session needs around it: the morning's preparations, and the reports of the evening. */
const MORNING = minutes(15);
const EVENING = minutes(15);
/** Sessions known beyond the ones played: for the clock's next open, and for calendars asked around the day. */
const CALENDAR_LEAD_DAYS = 10;
const CALENDAR_TAIL_DAYS = 20;
/** Sessions farther apart than this are not one run of days: the clock would have to cross the weeks between. */
const GAP_MAX_DAYS = 7;
const HISTORY_PER_SYMBOL = 20_000;
/** Over all symbols: a day of thousands of them would fill the memory of the process. */
const HISTORY_IN_ALL = 1_000_000;

export async function buildExchange(facts: ExchangeFacts): Promise<BuiltExchange> {
  const mistakes = checkFacts(facts);
  if (mistakes.length > 0) return { ok: false, mistakes };
  const market = facts.tapePaths.length > 0 ? await recorded(facts) : synthetic(facts);
  if (!market.ok) return market;
  const { tape, sessions } = market;
  const [first] = sessions;
  if (first === undefined)
    return { ok: false, mistakes: ['the days to play hold a trading session. Found: none'] };
  const startAt = facts.startAt ? instantOf(first.day, facts.startAt) : before(first.openAt, LEAD);
  const options: ExchangeOptions = {
    ...defaults(facts, sessions, startAt),
    historyPerSymbol: historyFor(tape.symbols.length),
    ...facts.overrides,
  };
  const skips = facts.skipNights === true ? nightsBetween(sessions) : [];
  return { ok: true, options, tape, symbols: tape.symbols, sessions, skips };
}

const historyFor = (symbols: number): number =>
  Math.min(HISTORY_PER_SYMBOL, Math.floor(HISTORY_IN_ALL / Math.max(1, symbols)));

const nightsBetween = (sessions: readonly Session[]): readonly Skip[] =>
  sessions.slice(1).map(({ openAt }, index) => ({
    from: after((sessions[index] as Session).closeAt, EVENING),
    to: before(openAt, MORNING),
  }));

/** What a retail account meets: tens of milliseconds to the book and back, fees of that day, bars half a second late. */
function defaults(facts: ExchangeFacts, sessions: readonly Session[], startAt: Micros): ExchangeOptions {
  const [first, last] = [sessions[0] as Session, sessions.at(-1) as Session];
  return {
    seed: facts.seed,
    startAt,
    sessions: sessionsBetween(shifted(first.day, -CALENDAR_LEAD_DAYS), shifted(last.day, CALENDAR_TAIL_DAYS)),
    account: {
      cash: cash(Math.round((facts.cashUsd ?? CASH_USD) * UNITS_PER_USD)),
      multiplier: facts.multiplier ?? 4,
      shorting: true,
    },
    latencyIn: millis(15),
    latencyOut: millis(15),
    partialFillShare: 0.1,
    queueAhead: 200,
    fees: feesOn(first.day),
    subPenny: 'reject',
    fillModel: 'tape',
    oversell: 'reject',
    fillRules: [],
    barDelay: millis(500),
  };
}

type Market =
  | { readonly ok: true; readonly tape: Tape; readonly sessions: readonly Session[] }
  | { readonly ok: false; readonly mistakes: readonly string[] };

async function recorded(facts: ExchangeFacts): Promise<Market> {
  const wish: TapeWish = {
    paths: facts.tapePaths,
    symbols: symbolsOf(facts),
    day: (facts.day ?? null) as SessionDay | null,
  };
  const loaded = await loadTape(wish);
  if (!loaded.ok) return { ok: false, mistakes: loaded.mistakes.map(formatMistake) };
  const sessions = loaded.days.flatMap((day) => sessionsBetween(day, day));
  const closed = loaded.days.filter((day) => !sessions.some((session) => session.day === day));
  if (closed.length > 0)
    return { ok: false, mistakes: [`every day of a tape is a trading day. Found: ${closed.join(', ')}`] };
  if (sessions.some((session, index) => isFarFrom(sessions[index - 1], session)))
    return {
      ok: false,
      mistakes: [
        `the days of a tape follow each other within ${GAP_MAX_DAYS} days; name one of them. Found: ${loaded.days.join(', ')}`,
      ],
    };
  return { ok: true, tape: loaded.tape, sessions };
}

function synthetic(facts: ExchangeFacts): Market {
  const from = (facts.day ?? SYNTHETIC_DAY) as SessionDay;
  // Two calendar days and a half for each trading day reach over every weekend and holiday.
  const to = shifted(from, Math.ceil((facts.days ?? 1) * 2.5) + 6);
  const sessions = sessionsBetween(from, to).slice(0, facts.days ?? 1);
  const symbols = symbolsOf(facts);
  const tape = syntheticTape({
    seed: facts.seed,
    sessions,
    ...(symbols === null ? {} : { symbols }),
    ...(facts.symbolCount ? { count: facts.symbolCount } : {}),
    ...(facts.printsPerDay === undefined ? {} : { printsPerDay: facts.printsPerDay }),
  });
  return { ok: true, tape, sessions };
}

const symbolsOf = (facts: ExchangeFacts): readonly Ticker[] | null =>
  facts.symbols === undefined || facts.symbols === null || facts.symbols.length === 0
    ? null
    : [...new Set(facts.symbols as readonly Ticker[])];

/** `path:line: rule. Found: …`. */
const formatMistake = (mistake: TapeMistake): string =>
  `${mistake.file}${mistake.line === null ? '' : `:${mistake.line}`}: ${mistake.text}`;

const FIRST_DAY = '2004-01-01';
const WALL = /^([01]\d|2[0-3]):[0-5]\d$/;
const SYMBOL = /^[A-Z][A-Z0-9]{0,9}(?:[./][A-Z0-9]{1,4})?$/;

function checkFacts(facts: ExchangeFacts): readonly string[] {
  const mistakes: string[] = [];
  const check = (holds: boolean, rule: string, found: unknown): void => {
    if (!holds) mistakes.push(`${rule}. Found: ${String(found)}`);
  };
  const { startAt, day, days, symbolCount, cashUsd, seed } = facts;
  check(Number.isSafeInteger(seed), 'a seed is a whole number', seed);
  if (startAt) check(WALL.test(startAt), 'a start is HH:MM in New York', startAt);
  if (day) check(isCalendarDate(day) && day >= FIRST_DAY, 'a day is YYYY-MM-DD, from 2004 on', day);
  if (days) check(isWithin(days, SYNTHETIC_DAYS_MAX), `days are 1 to ${SYNTHETIC_DAYS_MAX}`, days);
  if (symbolCount)
    check(isWithin(symbolCount, SYMBOLS_MAX), `the number of symbols is 1 to ${SYMBOLS_MAX}`, symbolCount);
  if (cashUsd !== undefined && cashUsd !== null)
    check(cashUsd > 0 && cashUsd <= 1e9, 'cash is above 0 and at most 1,000,000,000 dollars', cashUsd);
  for (const symbol of facts.symbols ?? [])
    check(SYMBOL.test(symbol), 'a symbol is written in capitals, as SPY or BRK.B', symbol);
  return mistakes;
}

const isWithin = (value: number, max: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= max;

const DAY_MICROS = 86_400_000_000;

/** Noon never changes its day when the clocks do. */
const shifted = (day: SessionDay, days: number): SessionDay =>
  dayOf(micros(instantOf(day, '12:00') + days * DAY_MICROS));

const isFarFrom = (previous: Session | undefined, next: Session): boolean =>
  previous !== undefined && next.openAt - previous.openAt > GAP_MAX_DAYS * DAY_MICROS;

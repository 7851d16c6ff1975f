import type { Ticker } from '../domain/ids.ts';
import type { Price } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import type { Micros } from '../domain/time.ts';
import type { TapeItem } from './exchange-api.ts';
import { spreadShape, volatilityShape, volumeShape } from './intraday-shape.ts';
import type { Factor } from './market-factor.ts';
import type { Random } from './random.ts';
import type { Listing } from './universe.ts';

/** One symbol's stream as a cursor: `item` is the current one, `next` moves on and says whether there is one. */
export type SymbolMarket = {
  readonly symbol: Ticker;
  readonly previousClose: Price;
  item: TapeItem | null;
  at: number;
  next(): boolean;
};

export type SymbolSetup = {
  readonly listing: Listing;
  readonly random: Random;
  readonly sessions: readonly Session[];
  readonly factors: readonly Factor[];
  readonly printsPerDay: number;
  readonly withQuotes: boolean;
};

const MINUTE = 60_000_000;
const TICK = 100;
const FULL_SESSION = 390;
/** Chances and sizes below are rough figures for liquid US names. */
const JUMPS_PER_DAY = 0.7;
const RUN_SHARE = 0.68;
const ODD_LOT_SHARE = 0.35;
const INSIDE_SHARE = 0.12;
const NOISE_HALF_LIFE = 20_000_000;

const REGULAR: readonly string[] = ['@'];
const SWEEP: readonly string[] = ['@', 'F'];
const ODD_LOT: readonly string[] = ['@', 'I'];
const OPENING: readonly string[] = ['@', 'O'];
const CLOSING: readonly string[] = ['@', '6'];
const VENUES = ['V', 'Q', 'P', 'Z', 'K', 'N', 'D', 'D'] as const;

export function createSymbolMarket(setup: SymbolSetup): SymbolMarket {
  const { listing, random, sessions, factors, withQuotes } = setup;
  const { symbol } = listing;
  const sigma = listing.dailyVolatility / 100;
  const own = Math.sqrt(Math.max(0, 1 - listing.correlation ** 2));
  const beta = sigma * listing.correlation;
  const lot = listing.price < 15 ? 3 : listing.price < 60 ? 1.6 : 1;

  /** The efficient price, the transient noise around it, and the quote, all in 1/10000 USD. */
  let value = Math.round(listing.price * 100 * Math.exp(0.05 * random.normal())) * TICK;
  const previousClose = value as Price;
  let noise = 0;
  let bid = 0;
  let ask = 0;
  let spread = listing.spreadTicks;
  let buying = true;
  let activity = 0;
  let tradeId = 1;
  /** When the price last moved, and where the common factor stood then. */
  let movedAt = 0;
  let common = 0;

  let day = -1;
  let minute = 0;
  let minutes = 0;
  const items: TapeItem[] = [];
  let cursor = 0;

  const print = (at: number, price: number, size: number, conditions: readonly string[]): void => {
    const venue = VENUES[random.u32() & 7] ?? 'V';
    const id = String(tradeId++);
    items.push({
      kind: 'print',
      at: at as Micros,
      print: { symbol, at: at as Micros, price: price as Price, size, exchange: venue, conditions, id },
    });
  };

  const quote = (at: number): void => {
    items.push({
      kind: 'quote',
      at: at as Micros,
      quote: {
        symbol,
        at: at as Micros,
        bid: bid as Price,
        bidSize: shown(random, lot),
        ask: ask as Price,
        askSize: shown(random, lot),
      },
    });
  };

  /** Puts the quote around the price; true when it moved. */
  const requote = (): boolean => {
    const ticks = Math.max(1, Math.round((value + noise) / TICK - spread / 2));
    if (ticks * TICK === bid && (ticks + spread) * TICK === ask) return false;
    bid = ticks * TICK;
    ask = (ticks + spread) * TICK;
    return true;
  };

  const beginDay = (session: Session, factor: Factor): void => {
    minute = 0;
    minutes = Math.max(1, Math.round((session.closeAt - session.openAt) / MINUTE));
    value *= Math.exp(0.4 * (beta * factor.gap + sigma * own * random.normal()));
    noise = 0;
    activity = 0.3 * random.normal();
    spread = listing.spreadTicks;
    movedAt = session.openAt;
    common = factor.valueAt(movedAt);
    requote();
    const at = session.openAt + random.integer(40_000, 900_000);
    if (withQuotes) quote(session.openAt + 1_000);
    print(at, random.chance(0.5) ? bid : ask, 100 * random.integer(20, 120) * Math.ceil(lot), OPENING);
  };

  const playMinute = (session: Session, factor: Factor): void => {
    const startAt = session.openAt + minute * MINUTE;
    const x = (minute + 0.5) / minutes;
    activity = 0.85 * activity + 0.2 * random.normal();
    const lively = Math.exp(activity - 0.13);
    const wild = volatilityShape(x) * Math.exp(0.4 * activity - 0.02);
    const perSecond = (sigma * own * wild) / Math.sqrt(FULL_SESSION * 60);
    const ticksWide = listing.spreadTicks * spreadShape(x) * Math.exp(0.15 * random.normal());
    spread = Math.max(1, Math.round(ticksWide));
    if (random.chance(JUMPS_PER_DAY / FULL_SESSION)) {
      value *= 1 + (random.chance(0.5) ? 1 : -1) * sigma * random.between(0.1, 0.35);
      spread += Math.ceil(spread / 2);
    }
    const count = random.poisson(
      ((setup.printsPerDay * listing.activity) / FULL_SESSION) * volumeShape(x) * lively,
    );
    playEvents(startAt, count, perSecond, factor);
  };

  /** The minute's events at exponential gaps: the price moves, the quote follows, somebody trades. */
  const playEvents = (startAt: number, count: number, perSecond: number, factor: Factor): void => {
    let left = MINUTE - 2_000;
    let at = startAt + 1_000;
    for (let event = 0; event < count; event++) {
      const gap = Math.min(left, (left * random.exponential()) / (count - event + 0.5));
      left -= gap;
      const from = at;
      at = Math.floor(at + gap);
      const now = factor.valueAt(at);
      const passed = Math.max(0, at - movedAt);
      value *= 1 + beta * (now - common) + perSecond * Math.sqrt(passed / 1e6) * random.normal();
      common = now;
      movedAt = at;
      noise = noise * 2 ** (-passed / NOISE_HALF_LIFE) + (buying ? 1 : -1) * 0.06 * spread * TICK;
      if (requote() || random.u32() < 0x30000000) {
        if (withQuotes) quote(at - Math.min(1_500, (at - from) >> 1));
      }
      trade(at);
    }
  };

  const trade = (at: number): void => {
    if (random.uniform() > RUN_SHARE) buying = !buying;
    const inside = spread > 1 && random.uniform() < INSIDE_SHARE;
    const price = inside ? bid + TICK * (1 + (random.u32() % (spread - 1))) : buying ? ask : bid;
    const kind = random.uniform();
    if (kind < ODD_LOT_SHARE) print(at, price, 1 + Math.floor(99 * random.uniform() ** 2), ODD_LOT);
    else if (kind < 0.8) print(at, price, 100 * Math.ceil(lot * random.uniform()), REGULAR);
    else if (kind < 0.995)
      print(at, price, 100 * Math.ceil(lot * 2.5 * random.exponential()), kind < 0.9 ? SWEEP : REGULAR);
    else print(at, price, 1_000 * random.integer(1, 5), REGULAR);
  };

  const closeDay = (session: Session): void => {
    const at = session.closeAt + random.integer(50_000, 400_000);
    print(at, buying ? ask : bid, 100 * random.integer(40, 250) * Math.ceil(lot), CLOSING);
  };

  /** Fills `items` with the next stretch that has any; false at the end of the last day. */
  const refill = (): boolean => {
    items.length = 0;
    cursor = 0;
    while (items.length === 0) {
      if (day < 0 || minute > minutes) {
        day++;
        const [session, factor] = [sessions[day], factors[day]];
        if (session === undefined || factor === undefined) return false;
        beginDay(session, factor);
      }
      const [session, factor] = [sessions[day], factors[day]];
      if (session === undefined || factor === undefined) return false;
      if (minute < minutes) playMinute(session, factor);
      else closeDay(session);
      if (minute === 0) items.sort((a, b) => a.at - b.at);
      minute++;
    }
    return true;
  };

  const market: SymbolMarket = {
    symbol,
    previousClose,
    item: null,
    at: Number.POSITIVE_INFINITY,
    next() {
      if (cursor >= items.length && !refill()) {
        market.item = null;
        market.at = Number.POSITIVE_INFINITY;
        return false;
      }
      const item = items[cursor++] ?? null;
      market.item = item;
      market.at = item === null ? Number.POSITIVE_INFINITY : item.at;
      return item !== null;
    },
  };
  return market;
}

/** Displayed shares: a few round lots, more where shares are cheap. */
function shown(random: Random, lot: number): number {
  return 100 * Math.max(1, Math.ceil(lot * lot * 2.2 * random.exponential()));
}

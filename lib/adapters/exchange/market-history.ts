import type { Ticker } from '../../domain/ids.ts';
import type { Bar } from '../../domain/market.ts';
import type { Price } from '../../domain/money.ts';
import {
  civilFromDays,
  daysFromCivil,
  type Micros,
  micros,
  minutes,
  type SessionDay,
} from '../../domain/time.ts';
import type { Exchange } from '../../sim/exchange-api.ts';
import { encodePageToken, type HistoryQuery, type Timeframe } from '../alpaca/codec-serve-market.ts';
import { dayOf, instantOf } from '../time/calendar.ts';

/** History as pages: sorted by symbol, then by time; `limit` counts all points over all symbols. */
export type HistoryPage<T> = {
  readonly items: ReadonlyMap<Ticker, readonly T[]>;
  readonly nextToken: string | null;
};

/** `read` gives a symbol's items with `from <= instant <= to` in time order. */
export function pageOf<T>(
  query: HistoryQuery,
  bounds: { readonly from: Micros; readonly to: Micros },
  read: (symbol: Ticker, from: Micros, to: Micros) => readonly T[],
  instantOfItem: (item: T) => Micros,
): HistoryPage<T> {
  const items = new Map<Ticker, readonly T[]>();
  const { page, descending } = query;
  let room = query.limit;
  let last: { symbol: Ticker; at: Micros; given: number } | null = null;
  for (const symbol of query.symbols) {
    if (page !== null && symbol < page.symbol) continue;
    const resumed = page !== null && symbol === page.symbol ? page : null;
    const from = resumed !== null && !descending ? resumed.at : bounds.from;
    const to = resumed !== null && descending ? resumed.at : bounds.to;
    const found = to < from ? [] : read(symbol, from, to);
    const ordered = descending ? found.toReversed() : found;
    const rest = resumed === null ? ordered : ordered.slice(alreadyGiven(ordered, resumed, instantOfItem));
    if (rest.length === 0) continue;
    if (room === 0 && last !== null) return { items, nextToken: encodePageToken(last) };
    const taken = rest.slice(0, room);
    items.set(symbol, taken);
    room -= taken.length;
    last = endOf(symbol, taken, resumed, instantOfItem);
    if (taken.length < rest.length) return { items, nextToken: encodePageToken(last) };
  }
  return { items, nextToken: null };
}

/** How many of the first items the page before has given: those of the token's instant, up to its count. */
function alreadyGiven<T>(
  items: readonly T[],
  token: { readonly at: Micros; readonly given: number },
  instantOfItem: (item: T) => Micros,
): number {
  let count = 0;
  for (const item of items) {
    if (count >= token.given || instantOfItem(item) !== token.at) break;
    count += 1;
  }
  return count;
}

function endOf<T>(
  symbol: Ticker,
  taken: readonly T[],
  resumed: { readonly at: Micros; readonly given: number } | null,
  instantOfItem: (item: T) => Micros,
): { symbol: Ticker; at: Micros; given: number } {
  const lastItem = taken[taken.length - 1] as T;
  const at = instantOfItem(lastItem);
  let given = 0;
  for (let i = taken.length - 1; i >= 0 && instantOfItem(taken[i] as T) === at; i -= 1) given += 1;
  const before = resumed !== null && resumed.at === at && given === taken.length ? resumed.given : 0;
  return { symbol, at, given: given + before };
}

/** Bars of any timeframe, built from the minute bars played so far; the last one may still be growing. */
export function barsOf(
  exchange: Exchange,
  timeframe: Timeframe,
): (symbol: Ticker, from: Micros, to: Micros) => readonly Bar[] {
  if (timeframe.unit === 'minute' && timeframe.count === 1)
    return (symbol, from, to) => exchange.bars(symbol, from, to);
  return (symbol, from, to) => {
    const bars: Bar[] = [];
    if (timeframe.unit === 'day') bars.push(...previousDay(exchange, symbol));
    const source = exchange.bars(symbol, bucketStart(from, timeframe), to);
    let group: Bar[] = [];
    let groupStart = micros(-1);
    for (const bar of source) {
      const start = bucketStart(bar.startAt, timeframe);
      if (start !== groupStart && group.length > 0) bars.push(mergeBars(group, groupStart));
      if (start !== groupStart) [group, groupStart] = [[], start];
      group.push(bar);
    }
    if (group.length > 0) bars.push(mergeBars(group, groupStart));
    const byStart = new Map(bars.map((bar) => [bar.startAt, bar]));
    return [...byStart.values()].filter((bar) => bar.startAt >= from && bar.startAt <= to);
  };
}

/** The day before the tape is known as one bar only. Daily bars start at New York midnight. */
function previousDay(exchange: Exchange, symbol: Ticker): readonly Bar[] {
  const bar = exchange.previousDailyBar(symbol);
  return bar === null ? [] : [atMidnight(bar)];
}

export function atMidnight(bar: Bar): Bar {
  return { ...bar, startAt: instantOf(dayOf(bar.startAt), '00:00') };
}

const MINUTE = minutes(1);
const HOUR = minutes(60);

function bucketStart(at: Micros, { unit, count }: Timeframe): Micros {
  const midnight = instantOf(dayOf(at), '00:00');
  switch (unit) {
    case 'minute':
    case 'hour': {
      const width = count * (unit === 'minute' ? MINUTE : HOUR);
      return micros(midnight + Math.floor((at - midnight) / width) * width);
    }
    case 'day':
      return midnight;
    case 'week':
      return weekStart(dayOf(at));
    case 'month': {
      const [year = 1970, month = 1] = dayOf(at).split('-').map(Number);
      const first = Math.floor((month - 1) / count) * count + 1;
      return instantOf(`${year}-${String(first).padStart(2, '0')}-01` as SessionDay, '00:00');
    }
  }
}

/** Monday's midnight. 1970-01-01 was a Thursday. */
function weekStart(day: SessionDay): Micros {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  const days = daysFromCivil(year, month, date);
  const monday = civilFromDays(days - ((days + 3) % 7));
  return instantOf(monday.map((n) => String(n).padStart(2, '0')).join('-') as SessionDay, '00:00');
}

function mergeBars(bars: readonly Bar[], startAt: Micros): Bar {
  const [first] = bars;
  const last = bars[bars.length - 1];
  if (first === undefined || last === undefined) throw new RangeError('A merged bar needs at least one bar.');
  const volume = sum(bars.map((bar) => bar.volume));
  const turnover = sum(bars.map((bar) => bar.vwap * bar.volume));
  return {
    symbol: first.symbol,
    startAt,
    open: first.open,
    high: Math.max(...bars.map((bar) => bar.high)) as Price,
    low: Math.min(...bars.map((bar) => bar.low)) as Price,
    close: last.close,
    volume,
    tradeCount: sum(bars.map((bar) => bar.tradeCount)),
    vwap: (volume === 0 ? last.vwap : Math.round(turnover / volume)) as Price,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

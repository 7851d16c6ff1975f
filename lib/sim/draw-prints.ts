import type { Ticker } from '../domain/ids.ts';
import type { Bar, Print } from '../domain/market.ts';
import { type Price, tickAt } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import type { Tape, TapeItem } from './exchange-api.ts';
import type { Random } from './random.ts';

const MINUTE = 60_000_000;
const PRINTS_MIN = 4;
const PRINTS_MAX = 24;
/** Shares a print stands for where the bar does not say how many there were. */
const SHARES_PER_PRINT = 500;

/**
 * Draws prints that rebuild a bar: same open, high, low, close and volume. The extremes come in the likelier order, low
 * before high when the bar rose. A bar with fewer shares than prices cannot be rebuilt: each of its prices then gets a
 * print of one share, and only the volume differs.
 */
export function drawPrints(bar: Bar, random: Random): readonly Print[] {
  const rose = bar.close > bar.open || (bar.close === bar.open && random.chance(0.5));
  const lowFirst = random.chance(0.7) === rose;
  const extremes = lowFirst ? [bar.low, bar.high] : [bar.high, bar.low];
  const needed = extremes.filter((price) => price !== bar.open && price !== bar.close);
  const single = needed.length === 0 && bar.open === bar.close;
  const anchors = single ? [bar.open] : [bar.open, ...needed, bar.close];
  const wished = bar.tradeCount > 0 ? bar.tradeCount : Math.ceil(bar.volume / SHARES_PER_PRINT);
  const likely = Math.min(PRINTS_MAX, Math.max(PRINTS_MIN, wished));
  const count = Math.max(anchors.length, Math.min(likely, Math.floor(bar.volume)));
  const prices = drawPath(anchors, count, bar, random);
  const sizes = drawSizes(Math.max(count, Math.floor(bar.volume)), count, random);
  const offsets = drawOffsets(count, random);
  return prices.map((price, index) => ({
    symbol: bar.symbol,
    at: (bar.startAt + (offsets[index] ?? 0)) as Micros,
    price,
    size: sizes[index] ?? 1,
    exchange: 'V',
    conditions: [],
    id: String((bar.startAt / MINUTE) * 100 + index),
  }));
}

/** The anchors in order with a noisy walk from each to the next, inside the bar's range. */
function drawPath(anchors: readonly Price[], count: number, bar: Bar, random: Random): Price[] {
  const first = anchors[0] ?? bar.open;
  if (anchors.length === 1) return Array.from({ length: count }, () => first);
  const gaps = anchors.length - 1;
  const between = Array.from({ length: gaps }, () => 0);
  for (let extra = count - anchors.length; extra > 0; extra--) {
    const gap = random.integer(0, gaps - 1);
    between[gap] = (between[gap] ?? 0) + 1;
  }
  const path: Price[] = [first];
  for (let gap = 0; gap < gaps; gap++) {
    const [from, to] = [anchors[gap] ?? first, anchors[gap + 1] ?? first];
    const steps = between[gap] ?? 0;
    for (let step = 1; step <= steps; step++) {
      const noise = 0.25 * (bar.high - bar.low) * (random.uniform() - 0.5);
      path.push(onGrid(from + ((to - from) * step) / (steps + 1) + noise, bar));
    }
    path.push(to);
  }
  return path;
}

function onGrid(price: number, bar: Bar): Price {
  const tick = tickAt(price as Price);
  return Math.min(bar.high, Math.max(bar.low, Math.round(price / tick) * tick)) as Price;
}

/** Whole sizes of at least one share that add up to `total`. */
function drawSizes(total: number, count: number, random: Random): number[] {
  const weights = Array.from({ length: count }, () => 0.2 + random.exponential());
  const sum = weights.reduce((a, b) => a + b, 0);
  const sizes = weights.map((weight) => 1 + Math.floor(((total - count) * weight) / sum));
  const rest = total - sizes.reduce((a, b) => a + b, 0);
  sizes[0] = (sizes[0] ?? 0) + rest;
  return sizes;
}

/** Instants inside the minute, rising. */
function drawOffsets(count: number, random: Random): number[] {
  const gaps = Array.from({ length: count + 1 }, () => 0.05 + random.exponential());
  const scale = (MINUTE - 1) / gaps.reduce((a, b) => a + b, 0);
  let at = 0;
  return gaps.slice(0, count).map((gap) => {
    at += gap * scale;
    return Math.floor(at);
  });
}

/**
 * A tape whose bars have prints: where a recorded bar comes without any in its minute, they are drawn. The tape is read
 * one minute ahead for that, no further.
 */
export function withDrawnPrints(tape: Tape, random: Random): Tape {
  const queue: TapeItem[] = [];
  let head = 0;
  let drawn: { readonly at: Micros; readonly items: TapeItem[]; next: number }[] = [];
  /** The last two minutes in which a symbol printed: a print of the next minute can come before the bar of this one. */
  const printMinutes = new Map<Ticker, readonly [number, number]>();

  const readUntil = (limit: number): void => {
    for (let item = tape.peek(); item !== null && item.at <= limit; item = tape.peek()) {
      tape.take();
      queue.push(item);
      if (item.kind === 'print') notePrint(item.print.symbol, item.at - (item.at % MINUTE));
      if (item.kind === 'bar' && !printMinutes.get(item.bar.symbol)?.includes(item.bar.startAt))
        addDrawn(item.bar);
    }
  };
  const notePrint = (symbol: Ticker, minute: number): void => {
    const [latest, before] = printMinutes.get(symbol) ?? [Number.NaN, Number.NaN];
    if (latest !== minute) printMinutes.set(symbol, [minute, Number.isNaN(latest) ? before : latest]);
  };
  const addDrawn = (bar: Bar): void => {
    const items = drawPrints(bar, random.fork(`${bar.symbol}/${bar.startAt}`)).map(
      (print): TapeItem => ({ kind: 'print', at: print.at, print }),
    );
    drawn.push({ at: bar.startAt, items, next: 0 });
  };
  /** The group with the earliest drawn print, or `null`. */
  const earliest = (): (typeof drawn)[number] | null => {
    let best: (typeof drawn)[number] | null = null;
    let bestAt = Number.POSITIVE_INFINITY;
    for (const group of drawn) {
      const at = group.items[group.next]?.at ?? Number.POSITIVE_INFINITY;
      if (at < bestAt) [best, bestAt] = [group, at];
    }
    return best;
  };
  const front = (): { readonly item: TapeItem; readonly from: (typeof drawn)[number] | null } | null => {
    const waiting = queue[head]?.at ?? tape.peek()?.at;
    if (waiting !== undefined) readUntil(waiting + MINUTE);
    const own = queue[head];
    const group = drawn.length === 0 ? null : earliest();
    const print = group?.items[group.next];
    if (print !== undefined && (own === undefined || print.at <= own.at)) return { item: print, from: group };
    return own === undefined ? null : { item: own, from: null };
  };
  const take = (): TapeItem | null => {
    const next = front();
    if (next === null) return null;
    if (next.from === null) {
      head++;
      if (head > 4_096) {
        queue.splice(0, head);
        head = 0;
      }
    } else {
      next.from.next++;
      if (next.from.next === next.from.items.length) drawn = drawn.filter((group) => group !== next.from);
    }
    return next.item;
  };
  let ahead: TapeItem | null = null;
  return {
    symbols: tape.symbols,
    complete: true,
    peek: () => {
      ahead ??= take();
      return ahead;
    },
    take: () => {
      const item = ahead ?? take();
      ahead = null;
      return item;
    },
    previousClose: (symbol) => tape.previousClose(symbol),
  };
}

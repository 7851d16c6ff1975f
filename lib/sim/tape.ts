import type { Ticker } from '../domain/ids.ts';
import type { Price } from '../domain/money.ts';
import type { Tape, TapeItem } from './exchange-api.ts';

type Source = { readonly order: number; readonly iterator: Iterator<TapeItem>; head: TapeItem };

/**
 * Merges sources, each in time order, into one tape. Items of the same instant keep the order of their sources, so list
 * prints before the bars they add up to. Sources are pulled one item at a time; a day is never held in memory.
 */
export function tapeFromItems(
  symbols: readonly Ticker[],
  sources: readonly Iterable<TapeItem>[],
  previousCloses: ReadonlyMap<Ticker, Price> = new Map(),
): Tape {
  const heap: Source[] = [];
  for (const [order, items] of sources.entries()) {
    const iterator = items[Symbol.iterator]();
    const first = iterator.next();
    if (first.done !== true) heap.push({ order, iterator, head: first.value });
  }
  for (let index = heap.length >> 1; index >= 0; index--) siftDown(heap, index, isBefore);
  return {
    symbols,
    peek: () => heap[0]?.head ?? null,
    take() {
      const source = heap[0];
      if (source === undefined) return null;
      const item = source.head;
      const next = source.iterator.next();
      if (next.done !== true) source.head = next.value;
      else {
        const last = heap.pop();
        if (last !== undefined && last !== source) heap[0] = last;
      }
      siftDown(heap, 0, isBefore);
      return item;
    },
    previousClose: (symbol) => previousCloses.get(symbol) ?? null,
  };
}

export function symbolOf(item: TapeItem): Ticker {
  switch (item.kind) {
    case 'print':
      return item.print.symbol;
    case 'quote':
      return item.quote.symbol;
    case 'bar':
    case 'updatedBar':
      return item.bar.symbol;
    case 'status':
      return item.status.symbol;
    case 'luld':
      return item.band.symbol;
  }
}

const isBefore = (a: Source, b: Source): boolean =>
  a.head.at < b.head.at || (a.head.at === b.head.at && a.order < b.order);

/** Restores the heap below `start` after its entry moved back in time order. */
export function siftDown<T>(heap: T[], start: number, before: (a: T, b: T) => boolean): void {
  const entry = heap[start];
  if (entry === undefined) return;
  let index = start;
  for (;;) {
    let below = 2 * index + 1;
    let child = heap[below];
    if (child === undefined) break;
    const right = heap[below + 1];
    if (right !== undefined && before(right, child)) {
      child = right;
      below++;
    }
    if (!before(child, entry)) break;
    heap[index] = child;
    index = below;
  }
  heap[index] = entry;
}

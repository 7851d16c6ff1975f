import type { Micros } from '../domain/time.ts';

type Entry = { readonly at: Micros; readonly sequence: number; readonly run: () => void };

/** What the exchange has scheduled for itself, by instant; equal instants run in the order they were scheduled. */
export type EventQueue = {
  schedule(at: Micros, run: () => void): void;
  /** The earliest instant, or `Infinity` when empty. */
  nextAt(): number;
  /** Removes and runs the earliest entry. */
  runNext(): void;
};

/** A binary heap. */
export function createEventQueue(): EventQueue {
  const heap: Entry[] = [];
  let sequence = 0;
  return {
    schedule(at, run) {
      heap.push({ at, sequence: sequence++, run });
      siftUp(heap);
    },
    nextAt: () => heap[0]?.at ?? Number.POSITIVE_INFINITY,
    runNext() {
      const first = heap[0];
      const last = heap.pop();
      if (first === undefined || last === undefined) return;
      if (heap.length > 0) {
        heap[0] = last;
        siftDown(heap);
      }
      first.run();
    },
  };
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.sequence < b.sequence);

function siftUp(heap: Entry[]): void {
  let index = heap.length - 1;
  const entry = heap[index];
  if (entry === undefined) return;
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !isBefore(entry, parent)) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = entry;
}

function siftDown(heap: Entry[]): void {
  const entry = heap[0];
  if (entry === undefined) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const right = heap[left + 1];
    let child = heap[left];
    if (child === undefined) break;
    let below = left;
    if (right !== undefined && isBefore(right, child)) {
      child = right;
      below = left + 1;
    }
    if (!isBefore(child, entry)) break;
    heap[index] = child;
    index = below;
  }
  heap[index] = entry;
}

import type { Micros } from '../domain/time.ts';

/** A call that waits for its instant. `order` breaks ties: what was asked for first runs first. */
export type PendingCall = {
  readonly at: Micros;
  readonly order: number;
  readonly task: () => void;
  canceled: boolean;
};

/**
 * Pending calls in time order, a binary heap. Canceled calls stay in the heap until they come up or until they are half
 * of it, so that canceling costs nothing and the heap does not grow with timers that never ran.
 */
export class TimerQueue {
  private heap: PendingCall[] = [];
  private nextOrder = 0;
  private canceled = 0;

  /** Calls that will still run. */
  get size(): number {
    return this.heap.length - this.canceled;
  }

  add(at: Micros, task: () => void): PendingCall {
    const call: PendingCall = { at, order: this.nextOrder, task, canceled: false };
    this.nextOrder += 1;
    this.heap.push(call);
    this.siftUp(this.heap.length - 1);
    return call;
  }

  /** Canceling twice, or after the call was taken, does nothing. */
  cancel(call: PendingCall): void {
    if (call.canceled) return;
    call.canceled = true;
    this.canceled += 1;
    if (this.canceled > 64 && this.canceled * 2 > this.heap.length) this.compact();
  }

  /** When the next call is due, or `null` when none is left. */
  nextAt(): Micros | null {
    this.dropCanceled();
    return this.heap[0]?.at ?? null;
  }

  /** The `order` that the next added call gets. */
  get upcomingOrder(): number {
    return this.nextOrder;
  }

  /** Takes the first call due at or before `now` and asked for before `order`; `null` when there is none. */
  takeDue(now: Micros, order: number = Number.POSITIVE_INFINITY): PendingCall | null {
    this.dropCanceled();
    const first = this.heap[0];
    if (first === undefined || first.at > now || first.order >= order) return null;
    this.removeFirst();
    first.canceled = true;
    return first;
  }

  clear(): void {
    for (const call of this.heap) call.canceled = true;
    this.heap = [];
    this.canceled = 0;
  }

  private dropCanceled(): void {
    while (this.heap[0]?.canceled === true) {
      this.removeFirst();
      this.canceled -= 1;
    }
  }

  private compact(): void {
    const live = this.heap.filter((call) => !call.canceled);
    this.heap = live.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.canceled = 0;
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    this.siftDown(0);
  }

  private siftUp(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  private siftDown(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const child = this.isOrdered(right, left) ? right : left;
      if (!this.swapIfBefore(child, at)) return;
      at = child;
    }
  }

  private isOrdered(a: number, b: number): boolean {
    const first = this.heap[a];
    const second = this.heap[b];
    return first !== undefined && second !== undefined && isBefore(first, second);
  }

  private swapIfBefore(lower: number, upper: number): boolean {
    const below = this.heap[lower];
    const above = this.heap[upper];
    if (below === undefined || above === undefined || !isBefore(below, above)) return false;
    this.heap[upper] = below;
    this.heap[lower] = above;
    return true;
  }
}

const isBefore = (a: PendingCall, b: PendingCall): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);

import type { Ticker } from '../../lib/domain/ids.ts';
import { invariant } from '../../lib/domain/invariant.ts';
import type { Lane } from '../../lib/domain/lane.ts';
import { createLaneRunner, type LaneRunner } from '../../lib/engine/lane-runner.ts';
import type { LaneHost, LaneHostEvents } from '../../lib/ports/lane-host.ts';
import type {
  LaneInputMessage,
  LaneStart,
  LaneStep,
  LaneUplink,
  MarkSource,
} from '../../lib/ports/lane-protocol.ts';
import type { Strategy } from '../../lib/strategy/contract.ts';

type Down =
  | { readonly seq: number; readonly kind: 'input'; readonly input: LaneInputMessage }
  | { readonly seq: number; readonly kind: 'step'; readonly step: LaneStep }
  | { readonly seq: number; readonly kind: 'ping' };

type Seat = {
  readonly runner: LaneRunner;
  readonly down: Down[];
  readonly up: LaneUplink[];
  hangs: boolean;
  /** Settles its `stop`: until then it lives, and may still speak. */
  release: (() => void) | null;
};

type Coming = { readonly start: LaneStart; readonly arrive: (failure: Error | null) => void };

/**
 * Lanes as the worst of threads keep them. Nothing crosses by itself: the test says when a message is read, on either
 * side, and what dies, hangs, wakes up and goes on talking after it was given up.
 */
export class UnrulyLanes implements LaneHost {
  readonly #events: LaneHostEvents;
  readonly #strategy: Strategy;
  readonly #marks: MarkSource;
  readonly #seats = new Map<Ticker, Seat>();
  readonly #coming: Coming[] = [];
  #seq = 0;

  constructor(events: LaneHostEvents, strategy: Strategy, marks: MarkSource) {
    this.#events = events;
    this.#strategy = strategy;
    this.#marks = marks;
  }

  // --- what the supervisor asks ----------------------------------------------------------------------------------------

  async start(starts: readonly LaneStart[]): Promise<void> {
    for (const { symbol } of starts)
      invariant(!this.#seats.has(symbol) && !this.isComing(symbol), 'a symbol has one lane', symbol);
    const arrivals = starts.map(
      (start) =>
        new Promise<void>((resolve, reject) => {
          this.#coming.push({ start, arrive: (failure) => (failure === null ? resolve() : reject(failure)) });
        }),
    );
    await Promise.all(arrivals);
  }

  post(symbol: Ticker, input: LaneInputMessage): number {
    return this.#send(symbol, (seq) => ({ seq, kind: 'input', input }));
  }

  repeat(symbol: Ticker, step: LaneStep): number {
    return this.#send(symbol, (seq) => ({ seq, kind: 'step', step }));
  }

  ping(symbol: Ticker): number {
    return this.#send(symbol, (seq) => ({ seq, kind: 'ping' }));
  }

  async stop(symbol: Ticker): Promise<void> {
    const seat = this.#seats.get(symbol);
    if (seat === undefined) return;
    await new Promise<void>((resolve) => {
      seat.release = resolve;
    });
  }

  setMark(): void {}
  threadOf(): null {
    return null;
  }
  control(): never {
    throw new Error('not asked here');
  }
  async close(): Promise<void> {}

  #send(symbol: Ticker, make: (seq: number) => Down): number {
    this.#seq += 1;
    this.#seats.get(symbol)?.down.push(make(this.#seq));
    return this.#seq;
  }

  // --- what the test does ----------------------------------------------------------------------------------------------

  isComing(symbol: Ticker): boolean {
    return this.#coming.some(({ start }) => start.symbol === symbol);
  }

  /** The oldest start that is under way is there, or has failed. */
  arrive(fails: boolean): void {
    const coming = this.#coming.shift();
    if (coming === undefined) return;
    const { start, arrive } = coming;
    if (fails) {
      arrive(new Error('no thread to be had'));
      return;
    }
    const runner = createLaneRunner(start, this.#strategy, this.#marks);
    this.#seats.set(start.symbol, { runner, down: [], up: [], hangs: false, release: null });
    this.#events.onUplink({ kind: 'ready', symbol: start.symbol });
    arrive(null);
  }

  /** The lane reads its next message, and answers. */
  work(symbol: Ticker): void {
    const seat = this.#seats.get(symbol);
    if (seat === undefined || seat.hangs) return;
    const message = seat.down.shift();
    if (message === undefined) return;
    const ack = message.seq;
    if (message.kind === 'ping') seat.up.push({ kind: 'alive', symbol, ack });
    else if (message.kind === 'input')
      seat.up.push({ kind: 'decided', symbol, ack, steps: seat.runner.feed(message.input) });
    else {
      // What it throws is the end of the test: no lane ever comes to anything else.
      seat.runner.repeat(message.step);
      seat.up.push({ kind: 'decided', symbol, ack, steps: [] });
    }
  }

  /** The main thread reads the lane's next message. Returns what it was. */
  hear(symbol: Ticker): LaneUplink | null {
    const next = this.#seats.get(symbol)?.up.shift() ?? null;
    if (next !== null) this.#events.onUplink(next);
    return next;
  }

  hang(symbol: Ticker, hangs: boolean): void {
    const seat = this.#seats.get(symbol);
    if (seat !== undefined) seat.hangs = hangs;
  }

  /** What it had said is heard first, as far as it came out of the thread; `silent`: nothing did. */
  die(symbol: Ticker, silent: boolean): void {
    const seat = this.#seats.get(symbol);
    if (seat === undefined) return;
    if (!silent) while (this.hear(symbol) !== null);
    this.#seats.delete(symbol);
    const wasWanted = seat.release === null;
    seat.release?.();
    if (wasWanted) this.#events.onLost(symbol, { code: 'threw', text: 'it died' });
  }

  /** A lane that was given up is gone at last. */
  release(symbol: Ticker): void {
    const seat = this.#seats.get(symbol);
    if (seat === undefined || seat.release === null) return;
    this.#seats.delete(symbol);
    seat.release();
  }

  /** Lives, and nobody has given it up. */
  isSeated(symbol: Ticker): boolean {
    return this.#seats.get(symbol)?.release === null;
  }

  isGivenUp(symbol: Ticker): boolean {
    return this.#seats.has(symbol) && !this.isSeated(symbol);
  }

  /** The lane as it sees itself, when nothing is under way to it or from it. */
  settledLane(symbol: Ticker): Lane | null {
    const seat = this.#seats.get(symbol);
    return seat === undefined || seat.down.length + seat.up.length > 0 ? null : seat.runner.lane();
  }
}

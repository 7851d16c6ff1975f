import type { Ticker } from '../../domain/ids.ts';
import { invariant } from '../../domain/invariant.ts';
import type { Mark } from '../../domain/market.ts';
import { price } from '../../domain/money.ts';
import { micros } from '../../domain/time.ts';
import type { MarkSource } from '../../ports/lane-protocol.ts';

/**
 * The newest mark of every symbol, in memory that all threads share: the main thread writes, lanes read the moment
 * they decide. A print costs the main thread one write instead of a message, and can never queue in front of a fill.
 *
 * A slot is a sequence number and two copies of the mark. The writer fills the copy that nobody is sent to and then
 * publishes it by raising the number; its lowest bit names the copy. A reader whose number has moved while it read
 * tries again.
 *
 * 1. One writer. Two would publish each other's halves.
 * 2. A reader never waits for a writer that was put aside by the scheduler: the published copy stays readable, and
 *    each retry means that the writer got on.
 * 3. Every access is atomic: on processors with weak ordering plain stores may pass the number that guards them.
 */
const WORDS_PER_SLOT = 16; // one cache line, so that neighbors do not slow each other down
const COPY_WORDS = 4;
const WORD = 2 ** 32;

export function createSharedMarks(capacity: number): SharedArrayBuffer {
  invariant(
    Number.isSafeInteger(capacity) && capacity > 0,
    'marks have room for at least one symbol',
    capacity,
  );
  return new SharedArrayBuffer(capacity * WORDS_PER_SLOT * Int32Array.BYTES_PER_ELEMENT);
}

export type MarkWriter = {
  /** How many slots there are; indices run from 0. */
  readonly capacity: number;
  set(index: number, mark: Mark): void;
};

export function openMarkWriter(memory: SharedArrayBuffer): MarkWriter {
  const words = new Int32Array(memory);
  const capacity = words.length / WORDS_PER_SLOT;
  return {
    capacity,
    set(index, mark) {
      invariant(index >= 0 && index < capacity, 'a mark has a slot of its own', index);
      const slot = index * WORDS_PER_SLOT;
      const next = following(Atomics.load(words, slot));
      const copy = copyOf(slot, next);
      store(words, copy, mark.price);
      store(words, copy + 2, mark.at);
      Atomics.store(words, slot, next);
    },
  };
}

/** Reads the marks of the symbols that `slots` knows; `null` for all others, and before the first write. */
export function openMarkReader(memory: SharedArrayBuffer, slots: ReadonlyMap<Ticker, number>): MarkSource {
  const words = new Int32Array(memory);
  return {
    read(symbol) {
      const index = slots.get(symbol);
      if (index === undefined) return null;
      const slot = index * WORDS_PER_SLOT;
      for (;;) {
        const sequence = Atomics.load(words, slot);
        if (sequence === 0) return null;
        const copy = copyOf(slot, sequence);
        const units = load(words, copy);
        const at = load(words, copy + 2);
        if (Atomics.load(words, slot) === sequence) return { price: price(units), at: micros(at) };
      }
    },
  };
}

/** 0 means "never written", so the number skips it when it wraps, and keeps its lowest bit alternating. */
function following(sequence: number): number {
  const next = (sequence + 1) | 0;
  return next === 0 ? 2 : next;
}

const copyOf = (slot: number, sequence: number): number => slot + 1 + (sequence & 1) * COPY_WORDS;

/** Integers up to 2^53 as two words; prices pass 2^31 (one share of BRK.A is 7 billion units). */
function store(words: Int32Array, at: number, value: number): void {
  Atomics.store(words, at, value | 0);
  Atomics.store(words, at + 1, Math.floor(value / WORD));
}

function load(words: Int32Array, at: number): number {
  const low = Atomics.load(words, at) >>> 0;
  return Atomics.load(words, at + 1) * WORD + low;
}

/** Buckets of the table, a power of two: the symbols of a subscription, the exchanges and the sale conditions. */
const BUCKETS = 1 << 15;
/** Longer pieces, and whatever no longer fits, are built anew each time. */
const LENGTH_MAX = 64;
const ENTRIES_MAX = BUCKETS / 2;

type Build<T> = (bytes: Uint8Array, start: number, end: number) => T;
type Entry<T> = { readonly bytes: Uint8Array; readonly value: T };

/**
 * Values by the bytes they are decoded from. A feed repeats the same few thousand strings; finding one by its bytes is
 * several times cheaper than building it, and equal strings are one object, which makes later comparisons cheap.
 * Bounded: a feed that sends endlessly new bytes fills it up once and is then decoded without it.
 */
export class InternTable<T> {
  private readonly buckets: (Entry<T> | undefined)[] = new Array(BUCKETS);
  private entries = 0;

  get(bytes: Uint8Array, start: number, end: number, build: Build<T>): T {
    if (end - start > LENGTH_MAX) return build(bytes, start, end);
    // FNV-1a.
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i += 1) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
    for (let probe = 0; probe < 4; probe += 1) {
      const slot = (hash + probe) & (BUCKETS - 1);
      const entry = this.buckets[slot];
      if (entry === undefined) return this.add(slot, bytes, start, end, build);
      if (isSame(entry.bytes, bytes, start, end)) return entry.value;
    }
    return build(bytes, start, end);
  }

  private add(slot: number, bytes: Uint8Array, start: number, end: number, build: Build<T>): T {
    const value = build(bytes, start, end);
    if (this.entries < ENTRIES_MAX) {
      // A copy: the frame's buffer is a view of a larger one that must not be held.
      this.buckets[slot] = { bytes: Uint8Array.prototype.slice.call(bytes, start, end), value };
      this.entries += 1;
    }
    return value;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i += 1) if (known[i] !== bytes[start + i]) return false;
  return true;
}

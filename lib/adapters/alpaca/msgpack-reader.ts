import { InternTable } from './intern-table.ts';

/** Bytes that are no MessagePack, or end too early. */
export class MsgpackError extends Error {}

const DEPTH_MAX = 32;
const TIMESTAMP_EXTENSION = -1;
const MICROS_PER_SECOND = 1_000_000;

/**
 * Reads MessagePack piece by piece, so that a caller can take the few fields it wants and skip the rest without building
 * objects. Every method throws `MsgpackError` at the end of the bytes; the caller catches it once per frame.
 *
 * Source: github.com/msgpack/msgpack `spec.md`; timestamps are extension type -1.
 */
export class MsgpackReader {
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private at = 0;
  private readonly strings = new InternTable<string>();
  private readonly lists = new InternTable<readonly string[] | null>();
  private stringStart = 0;
  private stringEnd = 0;

  /** `view` is of the same bytes. */
  reset(bytes: Uint8Array, view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)): void {
    this.bytes = bytes;
    this.view = view;
    this.at = 0;
  }

  get offset(): number {
    return this.at;
  }

  set offset(at: number) {
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Elements of the list that begins here; -1, and nothing is consumed, when it is no list. */
  listLength(): number {
    const head = this.peek();
    if (head >= 0x90 && head <= 0x9f) return this.consumed(1, head & 0x0f);
    if (head === 0xdc) return this.consumed(3, this.uint16(this.at + 1));
    return head === 0xdd ? this.consumed(5, this.uint32(this.at + 1)) : -1;
  }

  /** Entries of the map that begins here; -1, and nothing is consumed, when it is no map. */
  mapLength(): number {
    const head = this.peek();
    if (head >= 0x80 && head <= 0x8f) return this.consumed(1, head & 0x0f);
    if (head === 0xde) return this.consumed(3, this.uint16(this.at + 1));
    return head === 0xdf ? this.consumed(5, this.uint32(this.at + 1)) : -1;
  }

  /** A map key of one or two ASCII characters as one number (`'vw'` is 0x7677); 0 for any other key. */
  shortKey(): number {
    const head = this.peek();
    if (head === 0xa1) return this.consumed(2, this.byte(this.at + 1));
    if (head === 0xa2) return this.consumed(3, (this.byte(this.at + 1) << 8) | this.byte(this.at + 2));
    this.skip();
    return 0;
  }

  /** A string that repeats (a symbol, an exchange); equal bytes give the same string object. `''` when it is none. */
  internedString(): string {
    if (!this.stringBounds()) {
      this.skip();
      return '';
    }
    return this.strings.get(this.bytes, this.stringStart, this.stringEnd, decodeUtf8);
  }

  /** A list of strings that repeats (sale conditions); equal bytes give the same list object. `null` when it is none. */
  internedList(): readonly string[] | null {
    const start = this.at;
    this.skip();
    const end = this.at;
    return this.lists.get(this.bytes, start, end, this.buildList);
  }

  /** A number of any width; NaN, and the value is consumed, when it is none. */
  number(): number {
    const head = this.peek();
    if (head === 0xcb) return this.float64();
    if (head <= 0x7f) return this.consumed(1, head);
    const value = this.value();
    return typeof value === 'number' ? value : Number.NaN;
  }

  /** A timestamp in whole microseconds since 1970; NaN, and the value is consumed, when it is none. */
  timestampMicros(): number {
    const head = this.peek();
    const type = head === 0xd6 || head === 0xd7 ? this.int8(this.at + 1) : null;
    if (type === TIMESTAMP_EXTENSION && head === 0xd7) {
      const high = this.uint32(this.at + 2);
      const low = this.uint32(this.at + 6);
      const micros = Math.floor((high >>> 2) / 1_000);
      return this.consumed(10, ((high & 3) * 0x1_0000_0000 + low) * MICROS_PER_SECOND + micros);
    }
    if (type === TIMESTAMP_EXTENSION) return this.consumed(6, this.uint32(this.at + 2) * MICROS_PER_SECOND);
    if (head === 0xc7 && this.byte(this.at + 1) === 12 && this.int8(this.at + 2) === TIMESTAMP_EXTENSION) {
      const nanos = this.uint32(this.at + 3);
      const seconds = Number(this.int64(this.at + 7));
      return this.consumed(15, seconds * MICROS_PER_SECOND + Math.floor(nanos / 1_000));
    }
    return Number.NaN;
  }

  /** Whatever is here, as plain data. Integers beyond 2^53 become text, timestamps a number of microseconds. */
  value(depth = 0): unknown {
    if (depth > DEPTH_MAX) throw new MsgpackError(`nesting goes no deeper than ${DEPTH_MAX}`);
    const head = this.peek();
    if (head <= 0x7f) return this.consumed(1, head);
    if (head >= 0xe0) return this.consumed(1, head - 256);
    if (this.stringBounds()) return decodeUtf8(this.bytes, this.stringStart, this.stringEnd);
    const listed = this.listLength();
    if (listed >= 0) return this.list(listed, depth);
    const entries = this.mapLength();
    if (entries >= 0) return this.map(entries, depth);
    return this.scalar(head);
  }

  /** Passes over whatever is here without building it. */
  skip(depth = 0): void {
    if (depth > DEPTH_MAX) throw new MsgpackError(`nesting goes no deeper than ${DEPTH_MAX}`);
    const head = this.peek();
    const width = FIXED_WIDTH[head] ?? 0;
    if (width > 0) this.advance(width);
    else if (width === NESTED) this.skipNested(depth);
    else this.advance(this.variableWidth(head));
  }

  private readonly buildList = (_bytes: Uint8Array, start: number): readonly string[] | null => {
    this.at = start;
    const value = this.value();
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null;
  };

  private list(length: number, depth: number): readonly unknown[] {
    const items: unknown[] = [];
    for (let i = 0; i < length; i += 1) items.push(this.value(depth + 1));
    return items;
  }

  private map(entries: number, depth: number): Readonly<Record<string, unknown>> {
    // No prototype: a key such as `__proto__` is a key like any other.
    const fields: Record<string, unknown> = Object.create(null);
    for (let i = 0; i < entries; i += 1) {
      const key = this.value(depth + 1);
      const value = this.value(depth + 1);
      // No JSON has other keys, so nothing asks for what stands under one.
      if (typeof key === 'string') fields[key] = value;
    }
    return fields;
  }

  private scalar(head: number): unknown {
    switch (head) {
      case 0xc0:
        return this.consumed(1, null);
      case 0xc2:
      case 0xc3:
        return this.consumed(1, head === 0xc3);
      case 0xca:
        return this.consumed(5, this.checked(this.at + 1, 4).getFloat32(this.at + 1));
      case 0xcb:
        return this.float64();
      case 0xcc:
        return this.consumed(2, this.byte(this.at + 1));
      case 0xcd:
        return this.consumed(3, this.uint16(this.at + 1));
      case 0xce:
        return this.consumed(5, this.uint32(this.at + 1));
      case 0xcf:
        return this.consumed(9, exact(this.checked(this.at + 1, 8).getBigUint64(this.at + 1)));
      case 0xd0:
        return this.consumed(2, this.int8(this.at + 1));
      case 0xd1:
        return this.consumed(3, this.checked(this.at + 1, 2).getInt16(this.at + 1));
      case 0xd2:
        return this.consumed(5, this.checked(this.at + 1, 4).getInt32(this.at + 1));
      case 0xd3:
        return this.consumed(9, exact(this.int64(this.at + 1)));
      default:
        return this.extension();
    }
  }

  /** A timestamp in microseconds; any other extension, and binary data, are passed over. */
  private extension(): number | null {
    const stamp = this.timestampMicros();
    if (!Number.isNaN(stamp)) return stamp;
    this.skip();
    return null;
  }

  private float64(): number {
    const value = this.checked(this.at + 1, 8).getFloat64(this.at + 1);
    this.at += 9;
    return value;
  }

  /** Finds the string that begins here and moves past it; `false`, and nothing is consumed, when it is none. */
  private stringBounds(): boolean {
    const head = this.peek();
    let start = this.at + 1;
    let length: number;
    if (head >= 0xa0 && head <= 0xbf) length = head & 0x1f;
    else if (head === 0xd9) {
      length = this.byte(start);
      start += 1;
    } else if (head === 0xda) {
      length = this.uint16(start);
      start += 2;
    } else if (head === 0xdb) {
      length = this.uint32(start);
      start += 4;
    } else return false;
    this.at = start;
    this.advance(length);
    this.stringStart = start;
    this.stringEnd = this.at;
    return true;
  }

  private skipNested(depth: number): void {
    const listed = this.listLength();
    const values = listed >= 0 ? listed : 2 * this.mapLength();
    for (let i = 0; i < values; i += 1) this.skip(depth + 1);
  }

  private variableWidth(head: number): number {
    switch (head) {
      case 0xc4:
      case 0xd9:
        return 2 + this.byte(this.at + 1);
      case 0xc5:
      case 0xda:
        return 3 + this.uint16(this.at + 1);
      case 0xc6:
      case 0xdb:
        return 5 + this.uint32(this.at + 1);
      case 0xc7:
        return 3 + this.byte(this.at + 1);
      case 0xc8:
        return 4 + this.uint16(this.at + 1);
      case 0xc9:
        return 6 + this.uint32(this.at + 1);
      default:
        throw new MsgpackError('0xc1 is never used');
    }
  }

  private peek(): number {
    return this.byte(this.at);
  }

  private byte(at: number): number {
    const value = this.bytes[at];
    if (value === undefined) throw new MsgpackError('the bytes end too early');
    return value;
  }

  private checked(at: number, width: number): DataView {
    if (at + width > this.bytes.length) throw new MsgpackError('the bytes end too early');
    return this.view;
  }

  private uint16(at: number): number {
    return this.checked(at, 2).getUint16(at);
  }

  private uint32(at: number): number {
    return this.checked(at, 4).getUint32(at);
  }

  private int8(at: number): number {
    return this.checked(at, 1).getInt8(at);
  }

  private int64(at: number): bigint {
    return this.checked(at, 8).getBigInt64(at);
  }

  private advance(width: number): void {
    const end = this.at + width;
    if (end > this.bytes.length) throw new MsgpackError('the bytes end too early');
    this.at = end;
  }

  private consumed<T>(width: number, value: T): T {
    this.advance(width);
    return value;
  }
}

/** Lists and maps: their width is that of what is in them. */
const NESTED = -1;

/** Whole width, head included, of a value by its first byte; 0 where the bytes after it tell, -1 for lists and maps. */
export const FIXED_WIDTH: readonly number[] = Array.from({ length: 256 }, (_, head) => {
  if (head <= 0x7f || head >= 0xe0) return 1;
  if (head <= 0x9f || head >= 0xdc) return NESTED;
  if (head <= 0xbf) return 1 + (head & 0x1f);
  return (
    [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3, 4, 6, 10, 18, 0, 0, 0][head - 0xc0] ?? 0
  );
});

function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

const utf8 = new TextDecoder();

function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  return utf8.decode(bytes.subarray(start, end));
}

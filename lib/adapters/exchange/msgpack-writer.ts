import { invariant } from '../../domain/invariant.ts';
import { MICROS_PER_SECOND, type Micros } from '../../domain/time.ts';

/**
 * Writes MessagePack. msgpackr reads what clients send, but it writes instants from `Date`, which ends at milliseconds,
 * and takes other extensions only for the whole process. Here an instant goes out as the timestamp extension (type -1)
 * with its microseconds in the nanosecond field, and maps keep the order of their keys.
 */

/** An instant inside a message; everything else is a plain JSON value. */
export class PackedInstant {
  readonly at: Micros;
  constructor(at: Micros) {
    this.at = at;
  }
}

const START_BYTES = 64 * 1_024;

let buffer = Buffer.allocUnsafe(START_BYTES);
let position = 0;

export function packMessage(value: unknown): Buffer {
  position = 0;
  write(value);
  return Buffer.from(buffer.subarray(0, position));
}

/** The head of an array, for a frame that is put together from messages packed before. */
export function packArrayHead(length: number): Buffer {
  position = 0;
  writeHead(length, 0x90, 15, 0xdc);
  return Buffer.from(buffer.subarray(0, position));
}

function write(value: unknown): void {
  if (value === null || value === undefined) byte(0xc0);
  else if (typeof value === 'string') writeText(value);
  else if (typeof value === 'number') writeNumber(value);
  else if (typeof value === 'boolean') byte(value ? 0xc3 : 0xc2);
  else if (value instanceof PackedInstant) writeInstant(value.at);
  else if (Array.isArray(value)) {
    writeHead(value.length, 0x90, 15, 0xdc);
    for (const item of value) write(item);
  } else if (typeof value === 'object') {
    const entries = Object.entries(value);
    writeHead(entries.length, 0x80, 15, 0xde);
    for (const [key, item] of entries) {
      writeText(key);
      write(item);
    }
  } else invariant(false, 'a message holds JSON values and instants only', typeof value);
}

/** Arrays and maps: a short form with the length in its low bits, then 16 and 32 bits. */
function writeHead(length: number, short: number, shortMax: number, wide: number): void {
  if (length <= shortMax) byte(short | length);
  else if (length <= 0xffff) {
    byte(wide);
    position = reserve(2).writeUInt16BE(length, position);
  } else {
    byte(wide + 1);
    position = reserve(4).writeUInt32BE(length, position);
  }
}

function writeText(text: string): void {
  const length = Buffer.byteLength(text);
  if (length <= 31) byte(0xa0 | length);
  else if (length <= 0xff) {
    byte(0xd9);
    byte(length);
  } else writeHead(length, 0xda, -1, 0xda);
  reserve(length).write(text, position);
  position += length;
}

function writeNumber(value: number): void {
  if (!Number.isInteger(value) || value < -0x8000_0000 || value > 0xffff_ffff) {
    byte(0xcb);
    position = reserve(8).writeDoubleBE(value, position);
  } else if (value < 0) {
    byte(0xd2);
    position = reserve(4).writeInt32BE(value, position);
  } else if (value <= 0x7f) byte(value);
  else if (value <= 0xffff) {
    byte(0xcd);
    position = reserve(2).writeUInt16BE(value, position);
  } else {
    byte(0xce);
    position = reserve(4).writeUInt32BE(value, position);
  }
}

/** 64-bit timestamp: 30 bits of nanoseconds, 34 bits of seconds; holds 1970 to 2514. */
function writeInstant(at: Micros): void {
  const seconds = Math.floor(at / MICROS_PER_SECOND);
  const nanos = (at - seconds * MICROS_PER_SECOND) * 1_000;
  byte(0xd7);
  byte(0xff);
  reserve(8);
  position = buffer.writeUInt32BE(nanos * 4 + Math.floor(seconds / 0x1_0000_0000), position);
  position = buffer.writeUInt32BE(seconds % 0x1_0000_0000, position);
}

function byte(value: number): void {
  reserve(1)[position] = value;
  position += 1;
}

function reserve(bytes: number): Buffer {
  if (position + bytes > buffer.length) {
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, position + bytes));
    buffer.copy(larger, 0, 0, position);
    buffer = larger;
  }
  return buffer;
}

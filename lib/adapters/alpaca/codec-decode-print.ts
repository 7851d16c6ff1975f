import type { Ticker } from '../../domain/ids.ts';
import type { Price } from '../../domain/money.ts';
import { isEligibleLetter } from '../../domain/sale-conditions.ts';
import type { Micros } from '../../domain/time.ts';
import type { PrintTaker } from '../../ports/feeds.ts';
import { PRICE_MAX_UNITS } from './codec-decode-base.ts';
import { isCount } from './codec-decode-market.ts';
import { FIXED_WIDTH } from './msgpack-reader.ts';

/**
 * Reads the trade that begins at `at` and hands it on; returns where it ends. A trade in any shape but the one that Alpaca
 * sends, one that is not valid, one of a symbol without a line, and one too near the end of its frame are not read: -1, and nothing was handed on. Those are
 * for the general decoder.
 *
 * A trade is some 55 bytes and comes by the million. So nothing is built, checked or looked up here that a mark does not
 * need, and the end of the bytes is watched for once per field.
 */
export type PrintReader = (
  bytes: Uint8Array,
  view: DataView,
  at: number,
  prints: PrintTaker<object>,
) => number;

/** Widest field read here: a key of two bytes and a string of 32. */
const FIELD_MAX = 34;
const TICKER_MAX = 8;
const MICROS_PER_SECOND = 1_000_000;
const MICROS_MAX = Number.MAX_SAFE_INTEGER;

const letter = (text: string): number => text.charCodeAt(0);
const SYMBOL = letter('S');
const PRICE = letter('p');
const SIZE = letter('s');
const TIME = letter('t');
const CONDITIONS = letter('c');

/** `T` and `t`, each a string of one character: how a trade begins. */
const TRADE_HEAD = 0xa1_54_a1_74 | 0;

export function createPrintReader(): PrintReader {
  const lineOf = createLineCache();

  return (bytes, view, start, prints) => {
    const lastField = bytes.length - FIELD_MAX;
    if (start > lastField || view.getInt32(start + 1) !== TRADE_HEAD) return -1;
    let entries = (bytes[start] ?? 0) - 0x81;
    if (entries < 0 || entries > 14) return -1;
    let at = start + 5;
    let line: object | null = null;
    let micros = Number.NaN;
    let price = Number.NaN;
    let size = Number.NaN;
    let isEligible = true;

    for (; entries > 0; entries -= 1) {
      if (at > lastField || bytes[at] !== 0xa1) return -1;
      const key = bytes[at + 1];
      const head = bytes[at + 2] ?? 0;
      at += 2;
      switch (key) {
        case SYMBOL: {
          const length = head - 0xa0;
          if (length < 1 || length > TICKER_MAX) return -1;
          line = lineOf(bytes, at + 1, length, prints);
          at += 1 + length;
          break;
        }
        case PRICE:
        case SIZE: {
          const value = numberAt(view, at, head);
          if (key === PRICE) price = Math.round(value * 10_000);
          else size = value;
          at += FIXED_WIDTH[head] ?? 0;
          break;
        }
        case TIME:
          // The timestamp extension of eight bytes: 30 bits of nanoseconds, 34 of seconds.
          if (head !== 0xd7 || bytes[at + 1] !== 0xff) return -1;
          micros = microsAt(view, at + 2);
          at += 10;
          break;
        case CONDITIONS: {
          let items = head === 0xc0 ? 0 : head - 0x90;
          if (items < 0 || items > 15) return -1;
          isEligible = true;
          at += 1;
          for (; items > 0; items -= 1) {
            // The usual letter alone.
            if (at > lastField || bytes[at] !== 0xa1) return -1;
            if (!isEligibleLetter(bytes[at + 1] ?? 0)) isEligible = false;
            at += 2;
          }
          break;
        }
        default: {
          const width = FIXED_WIDTH[head] ?? 0;
          if (width <= 0) return -1;
          at += width;
        }
      }
    }
    const isValid =
      price > 0 && price <= PRICE_MAX_UNITS && isCount(size) && micros > 0 && micros <= MICROS_MAX;
    if (line === null || !isValid) return -1;
    prints.take(line, price as Price, micros as Micros, isEligible);
    return at;
  };
}

/** NaN for what is no number in one of the usual widths. */
function numberAt(view: DataView, at: number, head: number): number {
  if (head === 0xcb) return view.getFloat64(at + 1);
  if (head <= 0x7f) return head;
  if (head === 0xcc) return view.getUint8(at + 1);
  if (head === 0xcd) return view.getUint16(at + 1);
  return head === 0xce ? view.getUint32(at + 1) : Number.NaN;
}

function microsAt(view: DataView, at: number): number {
  const high = view.getUint32(at);
  const seconds = (high & 3) * 0x1_0000_0000 + view.getUint32(at + 4);
  return seconds * MICROS_PER_SECOND + Math.floor((high >>> 2) / 1_000);
}

const SLOTS = 1 << 14;

/**
 * Lines by the bytes of their tickers, eight at the most: those are two words, so a comparison of numbers says whether it is
 * the same. One slot for each hash, the latest wins: whatever a feed sends, this is bounded.
 */
function createLineCache() {
  const heads = new Int32Array(SLOTS);
  const tails = new Int32Array(SLOTS);
  const lengths = new Uint8Array(SLOTS);
  const lines: (object | null)[] = new Array(SLOTS).fill(null);

  return (bytes: Uint8Array, start: number, length: number, prints: PrintTaker<object>): object | null => {
    let head = 0;
    let tail = 0;
    for (let i = 0; i < length; i += 1) {
      if (i < 4) head = (head << 8) | (bytes[start + i] ?? 0);
      else tail = (tail << 8) | (bytes[start + i] ?? 0);
    }
    const slot = Math.imul(head ^ Math.imul(tail, 0x85ebca6b), 0x9e3779b1) >>> 18;
    if (lengths[slot] === length && heads[slot] === head && tails[slot] === tail) return lines[slot] ?? null;
    const line = prints.lineOf(utf8.decode(bytes.subarray(start, start + length)) as Ticker);
    heads[slot] = head;
    tails[slot] = tail;
    lengths[slot] = length;
    lines[slot] = line;
    return line;
  };
}

const utf8 = new TextDecoder();

/**
 * The least that can be read of a trade: type, symbol, price, size and time of MessagePack frames in the shapes that the
 * exchange sends, everything else passed over. It builds nothing, checks nothing, and would read nonsense without a word:
 * a floor for decoders, not a decoder.
 */
export function createFastestDecoder(): FastestDecoder {
  const symbols: (string | undefined)[] = new Array(BUCKETS);
  const symbolBytes = new Float64Array(BUCKETS);
  let bytes: Uint8Array = new Uint8Array(0);
  let view = new DataView(bytes.buffer);
  let at = 0;
  const last = { symbol: '', price: 0, size: 0, seconds: 0 };

  /** The string that begins here, found by its bytes; a ticker has eight at the most. */
  function symbol(): string {
    const length = (bytes[at] ?? 0) & 0x1f;
    let known = 0;
    for (let i = 1; i <= length; i += 1) known = known * 64 + ((bytes[at + i] ?? 0) & 0x3f);
    const bucket = known % BUCKETS;
    const start = at + 1;
    at = start + length;
    const found = symbols[bucket];
    if (found !== undefined && symbolBytes[bucket] === known) return found;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1');
    symbols[bucket] = text;
    symbolBytes[bucket] = known;
    return text;
  }

  function number(): number {
    const head = bytes[at] ?? 0;
    if (head <= 0x7f) {
      at += 1;
      return head;
    }
    const start = at + 1;
    switch (head) {
      case 0xcb:
        at += 9;
        return view.getFloat64(start);
      case 0xcc:
        at += 2;
        return bytes[start] ?? 0;
      case 0xcd:
        at += 3;
        return view.getUint16(start);
      default:
        at += 5;
        return view.getUint32(start);
    }
  }

  function time(): number {
    const high = view.getUint32(at + 2);
    const low = view.getUint32(at + 6);
    at += 10;
    return (high & 3) * 0x1_0000_0000 + low + (high >>> 2) / 1e9;
  }

  function skip(): void {
    const head = bytes[at] ?? 0;
    const width = WIDTHS[head] ?? 0;
    if (width > 0) {
      at += width;
      return;
    }
    at += 1;
    for (let i = head & 0x0f; i > 0; i -= 1) skip();
  }

  function trade(): boolean {
    let entries = (bytes[at] ?? 0) & 0x0f;
    at += 1;
    let isTrade = false;
    for (; entries > 0; entries -= 1) {
      const key = bytes[at + 1];
      at += 2;
      switch (key) {
        case TYPE:
          isTrade = bytes[at + 1] === TRADE;
          at += 2;
          break;
        case SYMBOL:
          last.symbol = symbol();
          break;
        case PRICE:
          last.price = number();
          break;
        case SIZE:
          last.size = number();
          break;
        case TIME:
          last.seconds = time();
          break;
        default:
          skip();
      }
    }
    return isTrade;
  }

  return {
    last,
    decode(frame) {
      bytes = frame;
      view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
      const head = bytes[0] ?? 0;
      const count = head === 0xdc ? view.getUint16(1) : head & 0x0f;
      at = head === 0xdc ? 3 : 1;
      let trades = 0;
      for (let i = 0; i < count; i += 1) if (trade()) trades += 1;
      return trades;
    },
  };
}

export type FastestDecoder = {
  /** What the last trade said; price in dollars. */
  readonly last: {
    readonly symbol: string;
    readonly price: number;
    readonly size: number;
    readonly seconds: number;
  };
  /** Returns how many trades the frame held. */
  decode(frame: Uint8Array): number;
};

const BUCKETS = 8_191;
const TYPE = 'T'.charCodeAt(0);
const TRADE = 't'.charCodeAt(0);
const SYMBOL = 'S'.charCodeAt(0);
const PRICE = 'p'.charCodeAt(0);
const SIZE = 's'.charCodeAt(0);
const TIME = 't'.charCodeAt(0);

/** Whole width of a value by its first byte; 0 for a list, whose elements follow. */
const WIDTHS = Uint8Array.from({ length: 256 }, (_, head) => {
  if (head <= 0x7f || head >= 0xe0) return 1;
  if (head >= 0xa0 && head <= 0xbf) return 1 + (head & 0x1f);
  return { 192: 1, 194: 1, 195: 1, 203: 9, 204: 2, 205: 3, 206: 5, 207: 9, 215: 10 }[head] ?? 0;
});

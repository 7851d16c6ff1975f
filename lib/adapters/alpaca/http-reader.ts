import { BODY_MAX_BYTES } from './http-answer.ts';

/**
 * Reads answers of HTTP/1.1 from the bytes of one connection (RFC 9112), strictly: what can be read in two ways is not
 * read at all, because an answer that belongs to something else must not decide about an order.
 */

/** `unreadable` is final: the connection is of no use any more. */
export type Progress = 'more' | 'complete' | 'unreadable';

const HEAD_MAX_BYTES = 64 * 1024;
const LINE_MAX_BYTES = 4 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: |$)/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const DIGITS = /^\d{1,15}$/;
const CHUNK_SIZE = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/;
const NONE = Buffer.alloc(0);

type Part = 'head' | 'length' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailer' | 'untilEnd' | 'complete';

export class AnswerReader {
  #part: Part = 'head';
  /** Bytes that do not make a whole yet. */
  #pending: Buffer = NONE;
  /** What is still missing of the body, or of the chunk. */
  #missing = 0;
  #length = 0;
  #chunks: Buffer[] = [];
  #persists = false;
  #status = 0;
  #headers: Record<string, string> = {};

  get status(): number {
    return this.#status;
  }

  /** Names in lower case; those that were repeated are joined. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }

  /** Whether the connection can take another request: it persists, and not a byte came that nobody asked for. */
  get persists(): boolean {
    return this.#persists && this.#pending.length === 0;
  }

  body(): string {
    const [only = NONE] = this.#chunks;
    return (this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : only).toString('utf8');
  }

  /** Forgets everything: the next byte begins an answer. */
  reset(): void {
    this.#part = 'head';
    this.#pending = NONE;
    this.#length = 0;
    this.#chunks = [];
    this.#headers = {};
  }

  feed(bytes: Buffer): Progress {
    let rest = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    this.#pending = NONE;
    while (this.#part !== 'complete') {
      const read = this.#read(rest);
      if (read === 'unreadable') return 'unreadable';
      if (read === 'more') {
        this.#pending = rest;
        return 'more';
      }
      rest = rest.subarray(read);
    }
    this.#pending = rest;
    return 'complete';
  }

  /** The connection has ended: whether that completes the answer. */
  end(): boolean {
    if (this.#part === 'untilEnd') this.#part = 'complete';
    return this.#part === 'complete';
  }

  /** Reads one part, or what there is of it: the number of bytes that were used. */
  #read(bytes: Buffer): number | 'more' | 'unreadable' {
    switch (this.#part) {
      case 'head':
        return this.#readHead(bytes);
      case 'length':
        return this.#readData(bytes, 'complete');
      case 'chunk':
        return this.#readData(bytes, 'chunkEnd');
      case 'untilEnd':
        this.#missing = bytes.length + 1;
        return this.#readData(bytes, 'complete');
      default:
        return this.#readChunkLine(bytes);
    }
  }

  #readHead(bytes: Buffer): number | 'more' | 'unreadable' {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return bytes.length > HEAD_MAX_BYTES ? 'unreadable' : 'more';
    const lines = bytes.toString('latin1', 0, end).split('\r\n');
    const status = STATUS_LINE.exec(lines[0] ?? '');
    if (status === null || end > HEAD_MAX_BYTES) return 'unreadable';
    this.#status = Number(status[2]);
    const headers = readHeaders(lines);
    if (headers === null || this.#status < 100 || this.#status === 101) return 'unreadable';
    // An interim answer says nothing yet.
    if (this.#status >= 200) {
      this.#headers = headers;
      const part = this.#partAfterHead(headers);
      if (part === null) return 'unreadable';
      this.#part = part;
      const connection = headers.connection?.toLowerCase() ?? '';
      this.#persists = status[1] === '1' && part !== 'untilEnd' && !connection.includes('close');
    }
    return end + HEAD_END.length;
  }

  /** How the body is delimited (RFC 9112, section 6.3); `null` when that is not clear. */
  #partAfterHead(headers: Readonly<Record<string, string>>): Part | null {
    const coding = headers['transfer-encoding'];
    const length = headers['content-length'];
    if (this.#status === 204 || this.#status === 304) return 'complete';
    if (coding !== undefined)
      return length === undefined && coding.toLowerCase() === 'chunked' ? 'chunkSize' : null;
    if (length === undefined) return 'untilEnd';
    if (!DIGITS.test(length) || Number(length) > BODY_MAX_BYTES) return null;
    this.#missing = Number(length);
    return this.#missing === 0 ? 'complete' : 'length';
  }

  #readData(bytes: Buffer, next: Part): number | 'more' | 'unreadable' {
    if (bytes.length === 0) return 'more';
    const data = bytes.length > this.#missing ? bytes.subarray(0, this.#missing) : bytes;
    this.#length += data.length;
    if (this.#length > BODY_MAX_BYTES) return 'unreadable';
    this.#chunks.push(data);
    this.#missing -= data.length;
    if (this.#missing === 0) this.#part = next;
    return data.length;
  }

  #readChunkLine(bytes: Buffer): number | 'more' | 'unreadable' {
    const end = bytes.indexOf(LINE_END);
    if (end < 0 ? bytes.length > LINE_MAX_BYTES : end > LINE_MAX_BYTES) return 'unreadable';
    if (end < 0) return 'more';
    if (this.#part === 'chunkEnd') {
      if (end > 0) return 'unreadable';
      this.#part = 'chunkSize';
    } else if (this.#part === 'trailer') {
      if (end === 0) this.#part = 'complete';
    } else {
      const size = CHUNK_SIZE.exec(bytes.toString('latin1', 0, end))?.[1];
      if (size === undefined) return 'unreadable';
      this.#missing = Number.parseInt(size, 16);
      this.#part = this.#missing === 0 ? 'trailer' : 'chunk';
    }
    return end + LINE_END.length;
  }
}

/** `null` for a head that is none: no colon, a name with blanks, a line that goes on. */
function readHeaders(lines: readonly string[]): Record<string, string> | null {
  const headers: Record<string, string> = {};
  for (let n = 1; n < lines.length; n += 1) {
    const line = lines[n] ?? '';
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    if (!NAME.test(name) || line.includes('\r') || line.includes('\n') || line.includes('\0')) return null;
    const key = name.toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = Object.hasOwn(headers, key) ? headers[key] : undefined;
    headers[key] = before === undefined ? value : `${before},${value}`;
  }
  return headers;
}

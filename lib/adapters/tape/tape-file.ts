import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Ticker } from '../../domain/ids.ts';
import type { SessionDay } from '../../domain/time.ts';
import { decodeTapeLine, TapeLineError, type TapeRecord } from '../alpaca/codec-tape.ts';
import { dayOf } from '../time/calendar.ts';
import { PrintTable, QuoteTable } from './columns.ts';

const unzip = promisify(gunzip);

/** Something wrong with what an operator handed in. `line` counts from 1; `null` when it is the file as a whole. */
export type TapeMistake = { readonly file: string; readonly line: number | null; readonly text: string };

/** `SYMBOL_YYYY-MM-DD.KIND.ndjson.gz` says what is inside before it is opened. Other names are allowed. */
export type TapeName = { readonly symbol: Ticker; readonly day: SessionDay; readonly kind: string };

const NAME = /(?:^|[/\\])([A-Z][A-Z0-9.]*)_(\d{4}-\d\d-\d\d)\.([a-z]+)\.ndjson(?:\.gz)?$/;

export function parseTapeName(path: string): TapeName | null {
  const match = NAME.exec(path);
  if (match === null) return null;
  const [, symbol, day, kind = ''] = match;
  return { symbol: symbol as Ticker, day: day as SessionDay, kind };
}

export const isTapePath = (path: string): boolean => /\.ndjson(?:\.gz)?$/.test(path);

type Timed = Exclude<TapeRecord, { kind: 'print' | 'quote' | 'ignored' }>;

/** The lines of one symbol and day in one file. */
export type TapePart = {
  readonly file: string;
  readonly symbol: Ticker;
  readonly day: SessionDay;
  /** From the name: `tbars` are built from the trades of that day, `bars` are the source's own. */
  readonly kind: string | null;
  readonly prints: PrintTable;
  readonly quotes: QuoteTable;
  readonly others: readonly Timed[];
};

export type LoadedFile = { readonly parts: readonly TapePart[]; readonly mistakes: readonly TapeMistake[] };

/** More of the same help nobody. */
const MISTAKES_MAX = 10;

export async function loadTapeFile(path: string): Promise<LoadedFile> {
  const text = await readText(path);
  if (typeof text !== 'string') return { parts: [], mistakes: [text] };
  const name = parseTapeName(path);
  const parts = new Map<string, Part>();
  const mistakes: TapeMistake[] = [];
  let line = 0;
  for (let start = 0; start < text.length && mistakes.length < MISTAKES_MAX; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    line += 1;
    const content = text.slice(start, end).trim();
    start = end + 1;
    if (content === '') continue;
    const mistake = addLine(parts, content, path, name);
    if (mistake !== null) mistakes.push({ file: path, line, text: mistake });
  }
  if (parts.size === 0 && mistakes.length === 0)
    mistakes.push({ file: path, line: null, text: 'a tape file holds at least one line. Found: none' });
  return { parts: [...parts.values()], mistakes };
}

type Part = TapePart & { others: Timed[]; lastAt: number };

function addLine(parts: Map<string, Part>, line: string, file: string, name: TapeName | null): string | null {
  let record: TapeRecord;
  try {
    record = decodeTapeLine(line);
  } catch (error) {
    if (error instanceof TapeLineError) return error.message;
    throw error;
  }
  if (record.kind === 'ignored') return null;
  const { symbol, at } = originOf(record);
  const part = partOf(parts, symbol, at, file, name);
  if (typeof part === 'string') return part;
  if (at < part.lastAt)
    return 'times never go back within a symbol. Found: an earlier "t" than the line before';
  part.lastAt = at;
  if (record.kind === 'print') part.prints.push(record.print);
  else if (record.kind === 'quote') part.quotes.push(record.quote);
  else part.others.push(record);
  return null;
}

function originOf(record: Exclude<TapeRecord, { kind: 'ignored' }>): {
  readonly symbol: Ticker;
  readonly at: number;
} {
  switch (record.kind) {
    case 'print':
      return record.print;
    case 'quote':
      return record.quote;
    case 'bar':
    case 'updatedBar':
      return { symbol: record.bar.symbol, at: record.bar.startAt };
    case 'status':
      return record.status;
    case 'luld':
      return record.band;
  }
}

/** One file holds one New York day; a file that names its symbol holds that symbol alone. */
function partOf(
  parts: Map<string, Part>,
  symbol: Ticker,
  at: number,
  file: string,
  name: TapeName | null,
): Part | string {
  const known = parts.get(symbol);
  if (known !== undefined && sameHour(at, known.lastAt)) return known;
  const day = dayOf(at as Parameters<typeof dayOf>[0]);
  if (name !== null && name.symbol !== symbol)
    return `every line is of the symbol in the file's name, ${name.symbol}. Found: ${symbol}`;
  const expected = name?.day ?? [...parts.values()][0]?.day ?? day;
  if (day !== expected) return `every line is of one New York day, ${expected}. Found: ${day}`;
  if (known !== undefined) return known;
  const part: Part = {
    file,
    symbol,
    day,
    kind: name?.kind ?? null,
    prints: new PrintTable(symbol),
    quotes: new QuoteTable(symbol),
    others: [],
    lastAt: at,
  };
  parts.set(symbol, part);
  return part;
}

/** New York's day cannot change inside an hour of UTC, so most lines need no look at the zone. */
const HOUR = 3_600_000_000;
const sameHour = (a: number, b: number): boolean => Math.floor(a / HOUR) === Math.floor(b / HOUR);

async function readText(path: string): Promise<string | TapeMistake> {
  const mistake = (text: string): TapeMistake => ({ file: path, line: null, text });
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return mistake(`a tape is a file that can be read. Found: ${codeOf(error)}`);
  }
  if (!path.endsWith('.gz')) return bytes.toString('utf8');
  try {
    return (await unzip(bytes)).toString('utf8');
  } catch (error) {
    return mistake(`a .gz file is whole and gzip'd. Found: ${codeOf(error)}`);
  }
}

export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.message : String(error);
}

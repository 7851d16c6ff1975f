import { formatInstant, type Micros, parseInstant } from '../../domain/time.ts';
import type { LogFields } from '../../ports/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** One line of the log: what stands in the file as JSON, and what a person reads. */
export type LogRecord = {
  readonly at: Micros;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
};

const TEXT_MAX = 4_000;
const RESERVED: ReadonlySet<string> = new Set(['at', 'level', 'event']);

/** `{"at":"…Z","level":"info","event":"order.filled","symbol":"SPY",…}`; a field that takes a reserved name gets a `_`. */
export function toJsonLine(record: LogRecord, scrub: (text: string) => string): string {
  const line: Record<string, unknown> = {
    at: formatInstant(record.at),
    level: record.level,
    event: record.event,
  };
  if (typeof record.fields.symbol === 'string') line.symbol = record.fields.symbol;
  for (const [name, value] of Object.entries(record.fields)) {
    line[RESERVED.has(name) ? `${name}_` : name] = plain(value, scrub);
  }
  return JSON.stringify(line);
}

function plain(value: unknown, scrub: (text: string) => string): unknown {
  if (typeof value === 'string') return scrub(value).slice(0, TEXT_MAX);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => plain(item, scrub));
  // Not in the contract's types; a log line must survive it all the same.
  return value === undefined ? null : scrub(String(value)).slice(0, TEXT_MAX);
}

/** The inverse of `toJsonLine`; `null` for a line that is not one (torn by a crash, written by another hand). */
export function parseLine(line: string): LogRecord | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { at, level, event, ...fields } = parsed as Readonly<Record<string, unknown>>;
  const instant = typeof at === 'string' ? parseInstant(at) : null;
  const known = LOG_LEVELS.find((name) => name === level);
  if (instant === null || known === undefined || typeof event !== 'string') return null;
  return { at: instant, level: known, event, fields: fields as LogFields };
}

export type ReadableStyle = {
  readonly color: boolean;
  /** `HH:MM:SS.mmm` of an instant; UTC unless given. */
  readonly timeOfDay?: (at: Micros) => string;
};

const MARKS: Readonly<Record<LogLevel, string>> = { debug: '', info: '', warn: 'WARN ', error: 'ERROR ' };
const COLORS: Readonly<Record<LogLevel, string>> = { debug: '2', info: '', warn: '33', error: '31' };

/** `15:42:07.123 SPY   order.filled buy 19 @ 100.20 orderQty=19`. One line, whatever the fields hold. */
export function toReadable(record: LogRecord, style: ReadableStyle): string {
  // Wall time is for those who compare clocks: they read the file.
  const { symbol, text, side, qty, px, wall: _, ...rest } = record.fields;
  const time = style.timeOfDay?.(record.at) ?? formatInstant(record.at).slice(11, 23);
  const trade = [side, qty, px === undefined ? undefined : `@ ${px}`];
  const said = [text, ...trade].filter((part) => part !== undefined && part !== null).map(String);
  const others = Object.entries(rest).map(([name, value]) => `${name}=${spell(value)}`);
  const head = `${time} ${String(symbol ?? '').padEnd(5)} ${MARKS[record.level]}${record.event}`;
  const line = oneLine([head, ...said, ...others].join(' '));
  const color = COLORS[record.level];
  return style.color && color !== '' ? `\u001b[${color}m${line}\u001b[0m` : line;
}

function spell(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' && /[\s="]/.test(value) ? JSON.stringify(value) : String(value);
}

/** Control characters of outside text must neither break the line nor steer the terminal. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ');

import type { Side } from '../domain/execution.ts';
import { type Micros, parseInstant } from '../domain/time.ts';
import type { Stream } from './fault-types.ts';

/*
 * Readers of one value each. All of them report a mistake and return something harmless, so that every mistake of a plan
 * comes out at once.
 */

export type Fields = Readonly<Record<string, unknown>>;
export type Report = (where: string, text: string) => void;

export const show = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function asFields(value: unknown, where: string, report: Report): Fields {
  if (isFields(value)) return value;
  report(where, `must be a mapping; found ${show(value)}`);
  return {};
}

export function onlyKeys(fields: Fields, allowed: readonly string[], where: string, report: Report): void {
  for (const key of Object.keys(fields))
    if (!allowed.includes(key)) report(`${where}.${key}`, `is not known; allowed are ${allowed.join(', ')}`);
}

export function readText(value: unknown, where: string, report: Report): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') report(where, `must be text; found ${show(value)}`);
  return String(value);
}

export function readSide(value: unknown, where: string, report: Report): Side | null {
  if (value === undefined || value === null) return null;
  if (value === 'buy' || value === 'sell') return value;
  report(`${where}.side`, `must be buy or sell; found ${show(value)}`);
  return null;
}

export function readMillis(value: unknown, where: string, report: Report): number {
  if (typeof value === 'number' && value >= 0) return value * 1_000;
  report(where, `must be milliseconds, 0 or more; found ${show(value)}`);
  return 0;
}

export function readTarget(entry: Fields, where: string, report: Report): Stream {
  const { target } = entry;
  if (target === 'data' || target === 'trading') return target;
  report(`${where}.target`, `must be data or trading; found ${show(target)}`);
  return 'data';
}

export function readFrom(entry: Fields, where: string, report: Report): Micros | null {
  return entry.from === undefined ? null : readInstant(entry.from, `${where}.from`, report);
}

export const readAt = (entry: Fields, where: string, report: Report): Micros =>
  readInstant(entry.at, `${where}.at`, report);

function readInstant(value: unknown, where: string, report: Report): Micros {
  const at = typeof value === 'string' ? parseInstant(value) : null;
  if (at === null) report(where, `must be an instant such as 2026-10-05T19:54:00Z; found ${show(value)}`);
  return at ?? (0 as Micros);
}

export function readTimes(entry: Fields, where: string, report: Report): number {
  const { times = 1 } = entry;
  if (typeof times === 'number' && Number.isInteger(times) && times >= 1) return times;
  report(`${where}.times`, `must be a whole number, 1 or more; found ${show(times)}`);
  return 1;
}

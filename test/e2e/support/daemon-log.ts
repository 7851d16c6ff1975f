import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';

/** One line of `logs/scalpd.log`. */
export type LogLine = { readonly event: string; readonly symbol?: string; readonly [field: string]: unknown };

const POLL_MILLIS = 50;

/** Every whole line; empty while there is no file. */
export function readLog(folder: string): readonly LogLine[] {
  const file = join(folder, 'logs', 'scalpd.log');
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

/** The first fitting line past the first `skip` ones, as soon as the file has it; without end, the test's own time limit is one. */
export async function untilLogged(
  folder: string,
  fits: (line: LogLine) => boolean,
  skip = 0,
): Promise<LogLine> {
  for await (const _ of every(POLL_MILLIS)) {
    const found = readLog(folder).slice(skip).find(fits);
    if (found !== undefined) return found;
  }
  throw new Error('an interval has no end');
}

export const eventsOf = (lines: readonly LogLine[], event: string): readonly LogLine[] =>
  lines.filter((line) => line.event === event);

/** Reads a line of a daemon's standard output; anything that is no log line is no event. */
export function eventOf(line: string): string | null {
  try {
    const read: unknown = JSON.parse(line);
    return typeof read === 'object' && read !== null && 'event' in read ? String(read.event) : null;
  } catch {
    return null;
  }
}

import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { JournalHead } from '../../ports/journal.ts';
import { GENESIS } from './chain.ts';
import type { NumberedRow, Row } from './row.ts';

/**
 * Records that must survive a kill of the process before the next instruction runs: lines appended to a file beside the
 * journal, by the main thread itself. What the system has taken from a process outlives it; a thread's inbox does not.
 *
 * 1. A line is there with its line break or not at all: one that a kill has torn was promised to nobody.
 * 2. Each row carries its number. The journal keeps the highest number that it has committed, in the same transaction, so
 *    that whoever opens it next appends the rest, each exactly once.
 * 3. The first line names a record of the journal it belongs to: beside another one it is of no use.
 */
export type Spool = {
  /** `false`: they are not in the file, and nothing more will be until `cut`. Never throws. */
  write(rows: readonly NumberedRow[]): boolean;
  /** Everything in it is in the journal: starts over. */
  cut(): void;
  /** Bytes of rows. */
  size(): number;
  /** `whole`: everything in it is in the journal, and the file can go. */
  close(whole: boolean): void;
};

/** Beyond this the writer is too far behind for a file to help. */
const BYTES_MAX = 64 * 1024 * 1024;
const TITLE = 'scalpd spool 1';

export const spoolPath = (journal: string): string => `${journal}.spool`;

/** Starts an empty spool; what an earlier one held must be in the journal by now. Throws what the file system throws. */
export function openSpool(journal: string, head: JournalHead | null): Spool {
  const path = spoolPath(journal);
  const { id, hash } = head ?? { id: 0, hash: GENESIS };
  const title = `${TITLE} ${id} ${hash}\n`;
  const file = openSync(path, 'w', 0o640);
  let end = writeSync(file, title);
  let sound = end === title.length;

  const cut = (): void => {
    try {
      ftruncateSync(file, title.length);
      end = title.length;
      sound = true;
    } catch {
      sound = false;
    }
  };
  return {
    write(rows) {
      if (!sound || end > BYTES_MAX) return false;
      const bytes = Buffer.from(rows.map(lineOf).join(''), 'utf8');
      try {
        if (writeSync(file, bytes, 0, bytes.length, end) === bytes.length) {
          end += bytes.length;
          return true;
        }
      } catch {
        // A full disk, most likely: what was written of it is cut off, and the writer's own answer has to do.
      }
      try {
        ftruncateSync(file, end);
      } catch {
        sound = false;
      }
      return false;
    },
    cut,
    size: () => end - title.length,
    close(whole) {
      closeSync(file);
      // Left behind it does no harm either: its numbers are in the journal.
      if (whole) rmSync(path, { force: true });
    },
  };
}

/**
 * The rows that an earlier process left behind, in order; none when there is no spool. `knows`: whether the journal has
 * that record. A spool of another journal is put aside.
 */
export function readSpool(journal: string, knows: (head: JournalHead) => boolean): readonly NumberedRow[] {
  const path = spoolPath(journal);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw cause;
  }
  // What follows the last line break is torn.
  const [title = '', ...lines] = text.split('\n').slice(0, -1);
  const [, id, hash] = /^scalpd spool 1 (\d+) ([0-9a-f]{64})$/.exec(title) ?? [];
  if (id === undefined || hash === undefined) return [];
  if (Number(id) > 0 && !knows({ id: Number(id), hash })) {
    renameSync(path, `${path}.stray`);
    return [];
  }
  const rows: NumberedRow[] = [];
  for (const line of lines) {
    const row = rowIn(line);
    // Only a failure of power leaves such a line; nothing after it can be trusted.
    if (row === null) break;
    rows.push(row);
  }
  return rows;
}

/** JSON holds neither tabs nor line breaks of its own. */
const lineOf = ([number, day, at, kind, symbol, body]: NumberedRow): string =>
  `${number}\t${day}\t${at}\t${kind}\t${symbol ?? ''}\t${body}\n`;

function rowIn(line: string): NumberedRow | null {
  const [number = '', day = '', at = '', kind = '', symbol = '', body, ...more] = line.split('\t');
  if (body === undefined || more.length > 0 || !isWhole(number) || !isWhole(at)) return null;
  if (day === '' || kind === '' || !isJson(body)) return null;
  const row: Row = [day, Number(at), kind, symbol === '' ? null : symbol, body];
  return [Number(number), ...row];
}

const isWhole = (text: string): boolean => /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

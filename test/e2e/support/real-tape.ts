import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '../../../lib/app/project.ts';

export const TAPE_SYMBOLS = ['SPY', 'BAC', 'IBM', 'AIG'] as const;
const DAY = '2013-10-08';
const KINDS = ['bars', 'trades', 'quotes'] as const;

/** A recorded session of four symbols, or `null` where the recordings are not at hand. */
export function realTape(): readonly string[] | null {
  const folder = join(projectFile('..'), 'shared', 'data', 'tape');
  const files = TAPE_SYMBOLS.flatMap((symbol) =>
    KINDS.map((kind) => join(folder, `${symbol}_${DAY}.${kind}.ndjson.gz`)),
  );
  return files.every((file) => existsSync(file)) ? files : null;
}

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** The repository's root, from the sources as well as from a build of them. */
export const ROOT = rootFrom(dirname(fileURLToPath(import.meta.url)));
const SHARED = join(ROOT, '..', 'shared');

/**
 * Recordings of the published script, and market data that may not be passed on, lie beside the repository in
 * `../shared`. Tests that need them are skipped without them, and say so.
 */
export const PARITY_FOLDER = join(SHARED, 'parity');
export const TAPE_FOLDER = join(SHARED, 'data', 'tape');

/** Declares the suite's tests where the folders exist, and one pending test that names what is missing elsewhere. */
export function withFolders(folders: readonly string[], declare: () => void): void {
  const missing = folders.filter((folder) => !existsSync(folder));
  if (missing.length === 0) declare();
  else
    it(`skipped: needs ${missing.join(' and ')}`, function () {
      this.skip();
    });
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** The objects of a gzip'd newline-delimited JSON file. */
export function readLines(path: string): readonly unknown[] {
  const text = gunzipSync(readFileSync(path)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

function rootFrom(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`the tests lie inside the repository; started from ${folder}`);
  return rootFrom(parent);
}

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds our package.json, wherever the compiled files were put below it. */
const root = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder))
      throw new Error(`package.json must lie above the code; searched from ${from}`);
  }
}

/** A file that ships with scalpd, by its path from the package's root. */
export const projectFile = (path: string): string => join(root, path);

/** The version in package.json. */
export function projectVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(projectFile('package.json'), 'utf8'));
  const version =
    typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : null;
  return typeof version === 'string' ? version : 'unknown';
}

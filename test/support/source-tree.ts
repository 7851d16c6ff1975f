import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { projectFile } from '../../lib/app/project.ts';
import type { SourceFile } from './tidy-rules.ts';

const FOLDERS = ['bin', 'lib', 'workers', 'test', 'bench', 'scripts', 'config', 'docs', '.ci'];
const FILES = ['package.json', 'package-lock.json', 'ecosystem.config.js', 'README.md', 'CHANGELOG.md'];

/** Every text file that the project is made of. */
export function readSourceTree(): readonly SourceFile[] {
  const inFolders = FOLDERS.flatMap((folder) => list(folder));
  return [...inFolders, ...FILES].flatMap((path) => {
    try {
      return [{ path, text: readFileSync(projectFile(path), 'utf8') }];
    } catch {
      return [];
    }
  });
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(projectFile(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.gz'))
      .map((entry) => posix.join(folder, relative(folder, entry.parentPath), entry.name));
  } catch {
    return [];
  }
}

const relative = (folder: string, parent: string): string =>
  parent.slice(projectFile(folder).length).replaceAll('\\', '/');

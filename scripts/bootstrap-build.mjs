// The compiled program in dist/, when the sources have changed since it was made.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleLane } from './bootstrap-bundle.mjs';

const SOURCES = ['bin', 'lib', 'workers', 'test', 'bench'];
const STAMP = '.sources';

/**
 * Builds beside dist/ and swaps, so that nobody meets half a build and no compiled file outlives its source. The stamp is a
 * hash of the sources' content: times mean nothing after a checkout.
 */
export async function buildIfNeeded(root, say, always) {
  const dist = join(root, 'dist');
  const hash = hashSources(root);
  if (!always && read(join(dist, STAMP)) === hash) return;
  say('building');
  // As deep as dist/ itself: source maps name their sources by relative paths.
  const fresh = join(root, 'dist.next');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', root, '--outDir', fresh], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('the sources must compile; the lines above say where they do not');
  bundleLane(root, fresh);
  writeFileSync(join(fresh, STAMP), hash);
  const old = join(root, 'dist.old');
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

function hashSources(root) {
  const hash = createHash('sha256');
  const add = (path) =>
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0');
  for (const file of ['tsconfig.json', 'package-lock.json', 'scripts/bootstrap-bundle.mjs']) add(file);
  for (const folder of SOURCES) {
    if (!existsSync(join(root, folder))) continue;
    const files = readdirSync(join(root, folder), { recursive: true })
      .map((name) => join(folder, name))
      .filter((name) => name.endsWith('.ts'))
      .sort();
    for (const file of files) add(file);
  }
  return hash.digest('hex');
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

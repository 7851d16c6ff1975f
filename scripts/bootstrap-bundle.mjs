// One file of everything that a lane's thread loads: `node scripts/bootstrap-bundle.mjs FOLDER` for a build of one's own.
// Without it lanes load their modules one by one, which does the same and takes twice as long to start.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKER = join('workers', 'lane.js');
const BUNDLE = join('workers', 'lane.cjs');

/** CommonJS, because Piscina's worker loads it by `require`: a thread that needs no ES module never starts their loader. */
const OPTIONS = [
  '--bundle',
  '--format=cjs',
  '--platform=node',
  '--target=node20',
  '--sourcemap',
  '--sources-content=false',
  '--log-level=warning',
];

/** Makes `workers/lane.cjs`, or the file named, of a folder that holds the compiled program. */
export function bundleLane(root, folder, bundle = join(folder, BUNDLE)) {
  if (!existsSync(join(folder, WORKER))) return;
  const bundler = join(root, 'node_modules', 'esbuild-wasm', 'bin', 'esbuild');
  const { status } = spawnSync(process.execPath, [bundler, WORKER, ...OPTIONS, `--outfile=${bundle}`], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error("the lanes' worker must bundle; the lines above say why it does not");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('name the folder that holds the compiled program');
  bundleLane(fileURLToPath(new URL('..', import.meta.url)), resolve(folder));
}

// Dependencies as the lock file has them.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs `npm ci` unless what lies in node_modules is what the lock file says. */
export async function installIfNeeded(root, say) {
  const reason = staleness(root);
  if (reason === null) return;
  say(`installing dependencies (${reason})`);
  const startedAt = Date.now();
  const code = await npm(root, ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0 || staleness(root) !== null)
    throw new Error(
      'the dependencies could not be installed; the lines above say why. The first start needs the package registry ' +
        '(npm ping shows whether it can be reached); later ones work offline.',
    );
  say(`dependencies installed in ${((Date.now() - startedAt) / 1_000).toFixed(0)} s`);
}

/** Why an install is needed, or `null`: compares with the record that npm leaves when it has finished. */
function staleness(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === null) return 'no lock file';
  if (present === null) return 'nothing is installed, or not completely';
  for (const [path, { version, optional, devOptional, link }] of Object.entries(wanted)) {
    if (path === '' || link === true) continue;
    const installed = present[path];
    // Other platforms' binaries are in the lock file too.
    if (installed === undefined && (optional === true || devOptional === true)) continue;
    if (installed?.version !== version)
      return `${path.replace(/^.*node_modules\//, '')} is not at ${version}`;
    if (!existsSync(join(root, path, 'package.json'))) return `${path} is missing`;
  }
  return null;
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}

/** npm by the path it gave us when it started us, else by name. Its output goes to standard error: ours stays clean. */
function npm(root, args) {
  const script = process.env.npm_execpath;
  const [command, head] =
    script !== undefined && /npm-cli\.c?js$/.test(script) ? [process.execPath, [script]] : ['npm', []];
  return new Promise((resolve, reject) => {
    spawn(command, [...head, ...args], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32' && command === 'npm',
    })
      .on('error', () => reject(new Error('npm is needed to install the dependencies; it was not found')))
      .on('exit', (code) => resolve(code ?? 1));
  });
}

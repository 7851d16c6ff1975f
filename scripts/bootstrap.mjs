// What `npm start`, `npm test` and the other scripts run: makes a fresh clone ready, then becomes the program asked for.
// Nothing but Node's own modules may be imported here. It installs and builds only what is missing or out of date, and
// says one line for each. The program runs in this same process, so that signals and exit codes are its own.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildIfNeeded } from './bootstrap-build.mjs';
import { installIfNeeded } from './bootstrap-install.mjs';
import { withLock } from './bootstrap-lock.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Each task: what must be ready, and the module that this process becomes, with its arguments. */
const TASKS = {
  demo: { run: (args) => become('dist/bin/scalpd.js', ['demo', ...args]) },
  scalpd: { run: (args) => become('dist/bin/scalpd.js', args) },
  test: { run: runTests },
  bench: { run: (args) => become('dist/bench/run.js', args) },
  deaths: { run: (args) => become('dist/bench/deaths/run.js', args) },
  sim: { run: (args) => become('dist/test/simulation/sim.js', args) },
  kills: { run: (args) => become('dist/test/soak/kills.js', args) },
  soak: { run: (args) => become('dist/test/soak/sessions.js', args) },
  fuzz: { run: (args) => become('dist/test/fuzz/fuzz.js', args) },
  mutations: { run: (args) => become('dist/test/mutation/run.js', args) },
  build: { build: 'always', run: async () => {} },
  check: { build: 'never', run: checkSources },
};

await main(process.argv[2], process.argv.slice(3));

async function main(name, args) {
  requireNode();
  const task = TASKS[name];
  if (task === undefined) fail(`the task must be one of ${Object.keys(TASKS).join(', ')}; found: ${name}`, 2);
  const say = (text) => process.stderr.write(`scalpd: ${text}\n`);
  const from = process.cwd();
  process.chdir(ROOT);
  try {
    await withLock(join(ROOT, '.build', 'bootstrap.lock'), say, async () => {
      await installIfNeeded(ROOT, say);
      if (task.build !== 'never') await buildIfNeeded(ROOT, say, task.build === 'always');
    });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error), 1);
  }
  process.chdir(from);
  await task.run(args);
}

function requireNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines.node);
  const [ours, oursMinor] = process.versions.node.split('.').map(Number);
  if (ours > Number(major) || (ours === Number(major) && oursMinor >= Number(minor))) return;
  fail(`Node ${engines.node} is needed; found ${process.versions.node}`, 1);
}

/** Hands this process over to a module: it sees itself as the script that was started. */
async function become(path, args) {
  const file = join(ROOT, path);
  if (!existsSync(file)) fail(`the build must contain ${path}; it does not`, 1);
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}

/** The whole suite, or the files named; every other argument is mocha's. */
async function runTests(args) {
  process.chdir(ROOT);
  process.setSourceMapsEnabled(true);
  const named = args.some((arg) => arg.endsWith('.js'));
  await become('node_modules/mocha/bin/mocha.js', named ? args : ['dist/test/**/*.test.js', ...args]);
}

/** Formatter, linter and types in one go; all of them report before it ends. */
async function checkSources(args) {
  process.chdir(ROOT);
  const steps = [
    ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', ...args],
    ['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit'],
  ];
  let failed = false;
  for (const step of steps) failed = (await runNode(step)) !== 0 || failed;
  process.exitCode = failed ? 1 : 0;
}

function runNode(args) {
  return new Promise((resolve) => {
    spawn(process.execPath, args, { stdio: 'inherit' })
      .on('error', () => resolve(1))
      .on('exit', (code) => resolve(code ?? 1));
  });
}

function fail(text, code) {
  process.stderr.write(`scalpd: ${text}\n`);
  process.exit(code);
}

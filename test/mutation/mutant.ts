import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../parity/shared-files.ts';
import type { NamedTests, Remedy } from './remedy.ts';

/** A copy of this build in which one file is altered at a time. */
export type Mutant = {
  /** Takes the remedy out while `look` looks at the copy, and puts it back. */
  without<T>(remedy: Remedy, look: () => T): T;
  /** Runs the named tests; `null` when they did not come to an end. */
  test(tests: NamedTests): TestRun | null;
  /** Runs that many seeded days, the first failure ends it; `null` when they did not come to an end. */
  days(from: number, seeds: number): DaysRun | null;
  remove(): void;
};

export type TestRun = { readonly ran: number; readonly failed: readonly FailedTest[] };
export type FailedTest = { readonly file: string; readonly title: string };
export type DaysRun = {
  readonly seeds: number;
  /** The first seed that failed, and what the judge said of it. */
  readonly failed: { readonly seed: number; readonly rules: readonly string[] } | null;
};

export const BUILD = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PARTS = ['lib', 'test', 'workers', 'bin', 'bench'];
const TESTS_MILLIS_MAX = 5 * 60_000;
const DAYS_MILLIS_MAX = 20 * 60_000;

export function makeMutant(): Mutant {
  const folder = join(ROOT, '.build', `mutant-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  for (const part of PARTS)
    cpSync(join(BUILD, part), join(folder, part), {
      recursive: true,
      // Lanes must load what is altered, not the bundle made of it before.
      filter: (path) => !/\.(map|cjs)$/.test(path),
    });
  return {
    without({ file, find, replace }, look) {
      const path = join(folder, file);
      const source = readFileSync(path, 'utf8');
      if (source.split(find).length !== 2)
        throw new Error(`a remedy stands once in ${file}; looked for ${find}`);
      writeFileSync(
        path,
        source.replace(find, () => replace),
      );
      try {
        return look();
      } finally {
        writeFileSync(path, source);
      }
    },
    test({ files, title }) {
      const paths = files.map((file) => join(folder, 'test', file.replace(/ts$/, 'js')));
      const mocha = join(ROOT, 'node_modules', 'mocha', 'bin', 'mocha.js');
      const options = ['--reporter', 'json', ...(title === '' ? [] : ['--fgrep', title])];
      const output = run([mocha, ...options, ...paths], TESTS_MILLIS_MAX);
      if (output === null) return null;
      const report = JSON.parse(output.slice(output.indexOf('{\n'))) as MochaReport;
      return {
        ran: report.stats.passes + report.stats.failures,
        failed: report.failures.map(({ file, title }) => ({
          file: relative(join(folder, 'test'), file).replace(/js$/, 'ts'),
          title,
        })),
      };
    },
    days(from, seeds) {
      const range = ['--from', String(from), '--seeds', String(seeds), '--jobs', '1'];
      const sim = join(folder, 'test', 'simulation', 'sim.js');
      const output = run([sim, ...range, '--json', '--no-shrink', '--first'], DAYS_MILLIS_MAX);
      if (output === null) return null;
      const result = JSON.parse(output) as SimReport;
      const [first] = result.violations;
      return {
        seeds: result.seeds,
        failed:
          first === undefined
            ? null
            : { seed: first.seed, rules: [...new Set(first.violations.map(({ rule }) => rule))] },
      };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

type MochaReport = {
  readonly stats: { readonly passes: number; readonly failures: number };
  readonly failures: readonly { readonly file: string; readonly title: string }[];
};
type SimReport = {
  readonly seeds: number;
  readonly violations: readonly {
    readonly seed: number;
    readonly violations: readonly { readonly rule: string }[];
  }[];
};

/** What the program prints; `null` when it does not end. A mutant may run in circles: it is ended for certain. */
function run(args: readonly string[], timeout: number): string | null {
  const { stdout, stderr, error } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
    timeout,
    killSignal: 'SIGKILL',
  });
  if (error !== undefined) return null;
  if (stdout === '') throw new Error(`a build without a remedy still runs: ${stderr.slice(-2_000)}`);
  return stdout;
}

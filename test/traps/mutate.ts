import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../parity/shared-files.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

/**
 * Takes each trap's remedy out of a copy of the build and runs the trap's test against it: the test must fail. Prints
 * one line per remedy and ends with 1 when a test did not notice. Run it on a build:
 *
 *   node BUILD/test/traps/mutate.js [H1 H2 ...]
 */
const BUILD = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const MUTANT = join(BUILD, '..', `${BUILD.split('/').at(-1)}-mutant`);
const RUN_MILLIS_MAX = 120_000;

type MochaReport = { readonly failures: readonly { readonly fullTitle: string }[] };

function makeMutant({ file, find, replace }: Mutation): void {
  rmSync(MUTANT, { recursive: true, force: true });
  mkdirSync(MUTANT, { recursive: true });
  for (const part of ['lib', 'test/traps', 'test/parity'])
    cpSync(join(BUILD, part), join(MUTANT, part), { recursive: true });
  const path = join(MUTANT, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`a remedy stands once in ${file}; looked for ${find}`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
}

/** Titles of the trap's tests that failed; `null` when the run did not come to an end. */
function failuresOf(trap: string): readonly string[] | null {
  const run = spawnSync(
    join(ROOT, 'node_modules', '.bin', 'mocha'),
    [
      '--reporter',
      'json',
      '--timeout',
      '20000',
      '--grep',
      `\\b${trap} `,
      join(MUTANT, 'test/traps/h*.test.js'),
    ],
    { cwd: ROOT, encoding: 'utf8', timeout: RUN_MILLIS_MAX, maxBuffer: 64 * 1024 * 1024 },
  );
  if (run.error !== undefined) return null;
  const report = JSON.parse(run.stdout.slice(run.stdout.indexOf('{\n'))) as MochaReport;
  return report.failures.map(({ fullTitle }) => fullTitle);
}

function main(wanted: readonly string[]): void {
  let survivors = 0;
  for (const mutation of MUTATIONS.filter(({ trap }) => wanted.length === 0 || wanted.includes(trap))) {
    makeMutant(mutation);
    const failures = failuresOf(mutation.trap);
    const noticed = failures === null || failures.length > 0;
    if (!noticed) survivors += 1;
    const verdict =
      failures === null ? 'the run did not end' : noticed ? failures.join(' | ') : 'NOBODY NOTICED';
    process.stdout.write(`${mutation.trap} without ${mutation.remedy}: ${verdict}\n`);
  }
  rmSync(MUTANT, { recursive: true, force: true });
  process.exitCode = survivors === 0 ? 0 : 1;
}

main(process.argv.slice(2));

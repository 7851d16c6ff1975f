/**
 * `npm run mutations`: takes one remedy after the other out of a copy of the build, and sees whether a named test and the
 * seeded days miss it. Progress on stderr, the verdicts on stdout.
 */
import { writeFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { ALL_REMEDIES } from './all-remedies.ts';
import { isMissed, judgeRemedy, type Verdict } from './judge-remedy.ts';
import { makeMutant } from './mutant.ts';
import type { Remedy } from './remedy.ts';

type Options = {
  readonly names: readonly string[];
  readonly seeds: number;
  readonly json: boolean;
  readonly out?: string;
};

function main(): number {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const wanted = ALL_REMEDIES.filter(isWanted(options.names));
  if (wanted.length === 0) {
    process.stderr.write(`a remedy has a name that contains what is asked for; found none\n`);
    return 2;
  }
  const verdicts: Verdict[] = [];
  const mutant = makeMutant();
  try {
    const healthy = mutant.days(1, options.seeds);
    if (healthy?.failed !== null)
      throw new Error(
        `the seeded days pass while every remedy is there; seed ${healthy?.failed.seed} did not`,
      );
    for (const [index, remedy] of wanted.entries()) {
      const verdict = judgeRemedy(mutant, remedy, options.seeds);
      verdicts.push(verdict);
      process.stderr.write(`${index + 1} of ${wanted.length}: ${describe(verdict)}\n`);
      if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(verdicts, null, 2)}\n`);
    }
  } finally {
    mutant.remove();
  }
  if (options.json) process.stdout.write(`${JSON.stringify(verdicts)}\n`);
  else for (const verdict of verdicts) process.stdout.write(`${describe(verdict)}\n`);
  return verdicts.every(isMissed) ? 0 : 1;
}

const isWanted =
  (names: readonly string[]) =>
  ({ name }: Remedy): boolean =>
    names.length === 0 || names.some((each) => name.toLowerCase().includes(each.toLowerCase()));

function describe(verdict: Verdict): string {
  const { name, days, tests } = verdict;
  const inDays =
    days === null
      ? 'the seeded days did not end'
      : days.failed === null
        ? `not missed in ${days.seeds} seeds`
        : `seed ${days.failed.seed} (${days.failed.rules.join(', ')})`;
  const inTests =
    tests === null ? 'the tests did not end' : tests.map(({ title }) => `"${title}"`).join(', ') || 'no test';
  return `${isMissed(verdict) ? '' : 'NOBODY NOTICED: '}without ${name}: ${inDays}; ${inTests}`;
}

function readOptions(): Options | number {
  const count = (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw new InvalidArgumentError('a whole number, 1 or more, is wanted');
  };
  const program = new Command('mutations')
    .description('Takes remedies out one by one: a named test or the seeded days must miss each.')
    .argument('[names...]', 'only remedies with this in their name')
    .option('--seeds <n>', 'seeded days without each remedy, up to the first that fails', count, 300)
    .option('--json', 'the verdicts as JSON', false)
    .option('--out <file>', 'write the verdicts to this file as they come')
    .addHelpText('after', '\nExit codes: 0 all are missed, 1 one is not, 2 wrong usage.')
    .exitOverride();
  try {
    program.parse();
    return { ...program.opts<Omit<Options, 'names'>>(), names: program.args };
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

process.exitCode = main();

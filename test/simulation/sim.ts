/**
 * `npm run sim`: seeded days of the whole daemon on virtual time, judged by the exchange's books. Progress and failures on
 * stderr, the result on stdout.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { drawScenario } from './draw-scenario.ts';
import type { Scenario } from './scenario.ts';
import { runMany } from './sim-many.ts';
import { type Options, runOne } from './sim-one.ts';

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  if (options.scenario !== undefined) return runOne(readScenario(options.scenario), options);
  if (options.seed !== undefined) return runOne(drawScenario(options.seed), options);
  return runMany(options);
}

function readOptions(): Options | number {
  const count = (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw new InvalidArgumentError('a whole number, 1 or more, is wanted');
  };
  const program = new Command('sim')
    .description('Seeded days of the whole daemon on virtual time, with faults, kills and operators, judged.')
    .option('--seeds <n>', 'how many seeds to run', count, 200)
    .option('--from <n>', 'the first seed', count, 1)
    .option('--seed <n>', 'run this one seed and tell all about it', count)
    .option('--scenario <file>', 'run a scenario that was printed as JSON')
    .option('--jobs <n>', 'threads', count, availableParallelism())
    .option('--check-repeat', 'run every seed twice and compare the journals byte for byte', false)
    .option('--first', 'stop at the first seed that fails', false)
    .option('--no-shrink', 'do not reduce the first failure to its shortest schedule')
    .option('--digests', "add each seed's digest to --json", false)
    .option('--json', 'the result as one JSON object', false)
    .option('--plain', 'progress as lines, nothing rewritten in place', false)
    .addHelpText('after', '\nExit codes: 0 no violation, 1 a violation or a hole, 2 wrong usage.')
    .exitOverride();
  try {
    program.parse();
    return program.opts<Options>();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

const readScenario = (file: string): Scenario => JSON.parse(readFileSync(file, 'utf8')) as Scenario;

process.exitCode = await main();

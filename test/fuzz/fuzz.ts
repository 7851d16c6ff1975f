/**
 * `npm run fuzz`: mutated frames on both sockets, mutated answers of the broker, mutated configurations. Progress and
 * findings on stderr, the result on stdout.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { table } from '../../lib/app/table.ts';
import type { Finding } from './finding.ts';
import { PARTS, type Part, type PartResult, runPart } from './parts.ts';

type Options = {
  readonly frames: number;
  readonly days?: number;
  readonly answers: number;
  readonly configs: number;
  readonly seed: number;
  readonly part?: Part;
  readonly case?: number;
  readonly json: boolean;
};

/** Findings told in full; beyond that they are only counted. */
const TOLD_MAX = 20;
const TELL_EVERY_MILLIS = 5_000;
/** One day with the engine behind the sockets for so many frames. */
const FRAMES_PER_DAY = 20_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function readOptions(): Options | number {
  const whole = (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= 0 && text.trim() !== '') return value;
    throw new InvalidArgumentError('a whole number, 0 or more, is wanted');
  };
  const program = new Command('fuzz')
    .description('Mutated frames, answers and configurations against everything that reads them.')
    .option('--frames <n>', 'frames on each of the two sockets', whole, 1_000_000)
    .option('--days <n>', 'of these, days with the whole engine behind them (one for 20,000 frames)', whole)
    .option('--answers <n>', 'answers of the broker', whole, 10_000)
    .option('--configs <n>', 'configurations and command lines', whole, 10_000)
    .option('--seed <n>', 'what all of it is drawn from', whole, 1)
    .addOption(new Option('--part <name>', 'this part alone').choices(PARTS))
    .option('--case <n>', 'with --part: this case alone', whole)
    .option('--json', 'the result as one JSON object', false)
    .addHelpText('after', '\nExit codes: 0 no finding, 1 a finding, 2 wrong usage.')
    .exitOverride();
  try {
    program.parse();
    const options = program.opts<Options>();
    if (options.case !== undefined && options.part === undefined) program.error('error: --case needs --part');
    if (program.args.length > 0)
      program.error(`error: no arguments are taken; found: ${program.args.join(' ')}`);
    return options;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const { seed } = options;
  const startedAt = performance.now();
  const findings: Finding[] = [];
  const results: PartResult[] = [];
  let toldAt = startedAt;
  const watch = {
    onFinding(finding: Finding): void {
      findings.push(finding);
      if (findings.length > TOLD_MAX) return;
      const { part, number, rule, text } = finding;
      say(`finding ${part} ${rule}: ${text.slice(0, 2_000)}`);
      say(`  again: npm run fuzz -- --part ${part} --case ${number} --seed ${seed}`);
    },
    onProgress(part: Part, done: number, of: number): void {
      const now = performance.now();
      if (now - toldAt < TELL_EVERY_MILLIS) return;
      toldAt = now;
      say(`${part}: ${done} of ${of}, findings so far: ${findings.length}`);
    },
  };
  for (const part of PARTS) {
    if (options.part !== undefined && options.part !== part) continue;
    const alone = options.case;
    const cases = alone === undefined ? casesOf(part, options, results) : 1;
    if (cases === 0) continue;
    say(`${part}: ${cases} ${part === 'day' ? 'days' : 'cases'}`);
    results.push(await runPart(part, { seed, from: alone ?? 0, cases }, watch));
  }
  tell(options, results, findings, Math.round((performance.now() - startedAt) / 1_000));
  return findings.length === 0 ? 0 : 1;
}

/** What the days have handed in of a socket's frames is not handed in again. */
function casesOf(part: Part, options: Options, results: readonly PartResult[]): number {
  switch (part) {
    case 'day':
      return options.days ?? Math.ceil(options.frames / FRAMES_PER_DAY);
    case 'data':
    case 'trading': {
      const inDays = results.find((result) => result.part === 'day')?.counts[`${part} frames`] ?? 0;
      return Math.max(0, options.frames - inDays);
    }
    default:
      return options[part];
  }
}

function tell(
  options: Options,
  results: readonly PartResult[],
  findings: readonly Finding[],
  seconds: number,
): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ seed: options.seed, seconds, parts: results, findings })}\n`);
    return;
  }
  const rows = results.map(({ part, cases, cpuSeconds, counts }) => [
    part,
    String(cases),
    `${cpuSeconds} s`,
    Object.entries(counts)
      .map(([what, times]) => `${what} ${times}`)
      .join(', '),
  ]);
  for (const line of table([['part', 'cases', 'CPU', 'what came of them'], ...rows]))
    process.stdout.write(`${line}\n`);
  process.stdout.write(`findings: ${findings.length}; seed ${options.seed}; ${seconds} s\n`);
}

process.exitCode = await main();

import { availableParallelism } from 'node:os';
import { whole } from '../../adapters/config/units.ts';
import type { Io, Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, readConfiguration } from '../configuration.ts';
import { openDrillScreen } from '../drill-screen.ts';
import type { Drill } from '../drills/drill.ts';
import { type DrillResult, type DrillSetup, runDrill } from '../drills/run-drill.ts';
import { DRILLS } from '../drills/table.ts';
import { ALWAYS, MEANINGS } from '../drills/verdict.ts';
import { DrillStopped } from '../drills/watch.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { table } from '../table.ts';

type DrillOptions = {
  readonly list?: boolean;
  readonly config?: string;
  readonly seed?: string;
  readonly json?: boolean;
  readonly jobs?: string;
  readonly keep?: boolean;
};

const JOBS_MAX = 16;

export const registerDrill: Register = (program, { io, ends }) => {
  program
    .command('drill')
    .description('what goes wrong in life, tried out with your settings on an embedded exchange')
    .argument('[NAME...]', 'which drills; all when none is named')
    .option('--list', 'show every drill, and run none')
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--seed <N>', 'the market to invent, and every draw of chance (default: 1)')
    .option('--json', 'end with the results as JSON, and print nothing else')
    .option('--jobs <N>', 'how many drills at a time (default: one for each two processors, 4 at most)')
    .option('--keep', 'keep log and journal of the drills that passed, too')
    .addHelpText(
      'after',
      '\nYour journal, log, control socket and keys are not touched. Exit codes: 0 all passed, 1 some did not, 2 wrong usage.',
    )
    .action(ends((names: string[], options: DrillOptions) => drill(io, names, options)));
};

async function drill(io: Io, names: readonly string[], options: DrillOptions): Promise<ExitCode> {
  const chosen = choose(io, names);
  const seed = readNumber(io, '--seed', options.seed, whole(0, 4_294_967_295), 1);
  const usual = Math.min(4, Math.max(1, availableParallelism() >> 1));
  const jobs = readNumber(io, '--jobs', options.jobs, whole(1, JOBS_MAX), usual);
  if (chosen === null || seed === null || jobs === null) return EXIT.usage;
  if (options.list === true) return list(io, chosen, options.json === true);
  const load = await readConfiguration(io, options);
  if (load === null) return EXIT.usage;
  const signals = io.stopSignals();
  const screen = openDrillScreen({
    write: options.json === true ? () => undefined : io.write,
    isTty: io.isTty,
    total: chosen.length,
  });
  try {
    const setup = {
      config: load.config,
      baseDir: io.cwd,
      seed,
      keep: options.keep === true,
      stop: signals.first,
    };
    const results = await runAll(chosen, jobs, setup, screen);
    screen.close();
    return tell(io, options, seed, chosen, results);
  } finally {
    screen.close();
    signals.release();
  }
}

/** The drills by their names, in the order of the table; `null` after the mistake was printed. */
function choose(io: Io, names: readonly string[]): readonly Drill[] | null {
  const unknown = names.filter((name) => !DRILLS.some((each) => each.name === name));
  if (unknown.length === 0)
    return names.length === 0 ? DRILLS : DRILLS.filter(({ name }) => names.includes(name));
  const allowed = DRILLS.map(({ name }) => name).join(', ');
  io.err(`command line: NAME: allowed: ${allowed}; found: ${unknown.join(', ')}`);
  return null;
}

function list(io: Io, drills: readonly Drill[], json: boolean): ExitCode {
  if (json) {
    const facts = drills.map(({ name, life, faults, needs, marks, holds }) => ({
      name,
      life,
      faults,
      needs,
      marks,
      invariants: [...ALWAYS, ...holds],
    }));
    io.out(JSON.stringify({ drills: facts, invariants: MEANINGS }));
    return EXIT.done;
  }
  for (const line of table([['drill', 'what happens'], ...drills.map(({ name, life }) => [name, life])]))
    io.out(line);
  io.out('');
  for (const line of table([['must hold', 'means'], ...Object.entries(MEANINGS)])) io.out(line);
  return EXIT.done;
}

/** So many at a time; the results of those that ended, in the order of the table, when it was interrupted. */
async function runAll(
  drills: readonly Drill[],
  jobs: number,
  setup: Omit<DrillSetup, 'onStep'>,
  screen: ReturnType<typeof openDrillScreen>,
): Promise<readonly DrillResult[]> {
  const results = new Map<string, DrillResult>();
  const waiting = [...drills];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (setup.stop.aborted) return;
      const { name } = next;
      screen.begin(name);
      try {
        const result = await runDrill(next, { ...setup, onStep: (step) => screen.step(name, step) });
        results.set(name, result);
        screen.end(result);
      } catch (cause) {
        if (cause instanceof DrillStopped && cause.invariant === 'aborted') return;
        const evidence = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
        const verdicts = [{ invariant: 'ended' as const, evidence }];
        results.set(name, { name, outcome: 'failed', verdicts, seconds: 0, attempts: 1, folder: null });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, drills.length) }, work));
  return drills.flatMap(({ name }) => results.get(name) ?? []);
}

const WORDS = { passed: 'pass', failed: 'FAIL', notHit: 'NOT HIT' } as const;

function tell(
  io: Io,
  options: DrillOptions,
  seed: number,
  drills: readonly Drill[],
  results: readonly DrillResult[],
): ExitCode {
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  const repeat = (name: string): string =>
    `scalpd drill ${name} --seed ${seed}${options.config === undefined ? '' : ` --config ${options.config}`}`;
  if (options.json === true) {
    const told = results.map((result) => ({ ...result, repeat: repeat(result.name) }));
    io.out(JSON.stringify({ seed, drills: drills.length, passed, results: told }));
    return passed === drills.length ? EXIT.done : EXIT.failed;
  }
  const rows = results.map(({ name, outcome, verdicts, seconds }) => [
    name,
    WORDS[outcome],
    seconds,
    verdicts
      .filter(({ evidence }) => evidence !== null)
      .map(({ invariant, evidence }) => `${invariant}: ${evidence}`)
      .join('; '),
  ]);
  for (const line of table([['drill', '', 'seconds', 'what broke'], ...rows])) io.out(line);
  for (const { name, outcome, folder } of results) {
    if (outcome !== 'passed') io.out(`again: ${repeat(name)}`);
    if (folder !== null) io.out(`${name}: log and journal in ${folder}`);
  }
  const missing = drills.length - results.length;
  io.out(`${passed} of ${drills.length} passed${missing > 0 ? `, ${missing} not run` : ''}`);
  return passed === drills.length ? EXIT.done : EXIT.failed;
}

function readNumber(
  io: Io,
  name: string,
  text: string | undefined,
  unit: { readonly allowed: string; readonly read: (text: string) => number | null },
  otherwise: number,
): number | null {
  if (text === undefined) return otherwise;
  const value = unit.read(text);
  if (value === null) io.err(`command line: ${name}: allowed: ${unit.allowed}; found: ${text}`);
  return value;
}

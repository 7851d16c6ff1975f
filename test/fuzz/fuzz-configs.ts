import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Config } from '../../lib/adapters/config/config.ts';
import { type CommandLine, NO_COMMAND_LINE, parseConfig } from '../../lib/adapters/config/load.ts';
import { type ConfigMistake, formatMistake } from '../../lib/adapters/config/mistake.ts';
import { OVERRIDE_KEYS, readOverrides } from '../../lib/adapters/config/read-overrides.ts';
import { projectFile } from '../../lib/app/project.ts';
import { createRandom, type Random } from '../../lib/sim/random.ts';
import { type Finding, isPolluted, type Report, textOf } from './finding.ts';
import { mutateBytes, mutateNode } from './mutate.ts';
import { jsonOf, toNode } from './node.ts';
import { type Counts, count } from './socket-stand.ts';

/** Mutated configurations and command lines: a list of mistakes that a person can mend, or a configuration that obeys the rules. */
export type ConfigFuzz = { readonly counts: Counts; run(number: number): void };

const FILE = 'a.yaml';
/** CPU time. Reading a file of a few kilobytes takes milliseconds. */
const SECONDS_MAX = 20;

const PIECES = [
  '\t',
  '- ',
  '{',
  '}',
  '[',
  ']',
  ': ',
  '*a',
  '&a ',
  '!!map ',
  '!!binary ',
  '"',
  "'",
  '|',
  '? ',
  '%',
  '---',
  '~',
  '#',
  '1e9',
  '-1',
  '0',
  '.inf',
  '.nan',
  '0x1F',
  '120',
  '5m',
  '999999999999h',
  '20%',
  'NaN',
  'SPY',
  'true',
  '<<: *a',
  '__proto__: 1',
  'constructor: {}',
  '\u0000',
  '\u2028',
  '\ufeff',
] as const;

export function createConfigFuzz(seed: number, onFinding: (finding: Finding) => void): ConfigFuzz {
  const shipped = readFileSync(projectFile('config/scalpd.yaml'), 'utf8');
  const tree = toNode(parse(shipped));
  const words: readonly [string, ...string[]] = [
    'SPY',
    ...shipped.split(/[^A-Za-z0-9.%-]+/).filter((word) => word !== ''),
    ...OVERRIDE_KEYS,
  ];
  const counts: Counts = new Map();

  function mutated(random: Random): Buffer {
    const how = random.uniform();
    if (how < 0.35) return Buffer.from(editLines(shipped, random));
    // JSON is YAML, so a changed tree needs no writer of its own.
    if (how < 0.8) return Buffer.from(jsonOf(mutateNode(tree, random, words, random.integer(1, 4))));
    const other = Buffer.from(shipped);
    if (how < 0.98) return mutateBytes(other, other, random, random.integer(1, 6));
    return Buffer.from(Array.from({ length: random.integer(0, 200) }, () => random.integer(0, 255)));
  }

  function judgeFile(random: Random, report: Report): void {
    const bytes = mutated(random);
    const load = parseConfig(FILE, bytes, random.chance(0.5) ? NO_COMMAND_LINE : commandLine(random, words));
    count(counts, load.ok ? 'file valid' : 'file refused');
    if (load.ok) judgeConfig(load.config, report);
    else judgeMistakes(load.mistakes, report);
  }

  function judgeOverrides(random: Random, report: Report): void {
    const texts = Array.from({ length: random.integer(1, 4) }, () => {
      const key = random.pick([OVERRIDE_KEYS[0] ?? 'lot', ...OVERRIDE_KEYS]);
      const value = random.pick([
        random.pick(words),
        random.pick(PIECES),
        String(random.integer(-2, 5_000)),
        '90s',
        '',
      ] as const);
      const text = `${key}=${value}`;
      return random.chance(0.5)
        ? text
        : mutateBytes(Buffer.from(text), Buffer.from(text), random, 2).toString('utf8');
    });
    const read = readOverrides(texts);
    count(counts, read.ok ? 'overrides valid' : 'overrides refused');
    if (!read.ok) judgeMistakes(read.mistakes, report);
  }

  return {
    counts,
    run(number) {
      const random = createRandom(`${seed}/configs/${number}`);
      const report: Report = (rule, text) => onFinding({ part: 'configs', number, rule, text });
      const before = process.cpuUsage();
      try {
        if (random.chance(0.85)) judgeFile(random, report);
        else judgeOverrides(random, report);
      } catch (error) {
        report('threw', textOf(error));
      }
      const { user, system } = process.cpuUsage(before);
      if (user + system > SECONDS_MAX * 1e6) report('slow', `${(user + system) / 1e6} s`);
      if (isPolluted()) report('polluted', 'a configuration has changed what every object inherits');
    },
  };
}

function commandLine(random: Random, words: readonly [string, ...string[]]): CommandLine {
  return {
    symbols: Array.from({ length: random.integer(0, 3) }, () =>
      random.pick(['SPY', 'spy', 'BRK.B', '', '../x', random.pick(words), random.pick(PIECES)] as const),
    ),
    lot: random.pick([
      null,
      null,
      '1000',
      '0',
      '-5',
      '1e3',
      'NaN',
      '99999999',
      '1,000',
      random.pick(words),
    ] as const),
  };
}

/** What can befall a file under an editor: lines lost, repeated, moved, indented, or pieces of them overwritten. */
function editLines(text: string, random: Random): string {
  let lines = text.split('\n');
  for (let edits = random.integer(1, 5); edits > 0; edits -= 1) {
    const index = random.integer(0, lines.length - 1);
    const line = lines[index] ?? '';
    const column = random.integer(0, line.length);
    switch (random.integer(0, 6)) {
      case 0:
        if (lines.length > 1) lines = lines.filter((_, at) => at !== index);
        break;
      case 1:
        lines.splice(index, 0, line);
        break;
      case 2:
        lines[index] = lines[random.integer(0, lines.length - 1)] ?? '';
        break;
      case 3:
        lines[index] = `${' '.repeat(random.integer(1, 5))}${line}`;
        break;
      default: {
        const piece = random.pick(PIECES);
        lines[index] =
          line.slice(0, column) + piece + line.slice(column + (random.chance(0.5) ? piece.length : 0));
      }
    }
  }
  return lines.join('\n');
}

function judgeMistakes(mistakes: readonly ConfigMistake[], report: Report): void {
  if (mistakes.length === 0) report('noMistakes', 'a configuration that is refused has a mistake');
  for (const mistake of mistakes) {
    const line = formatMistake(mistake);
    if (!/^(?:a\.yaml(?::\d+:\d+)?|command line) [^\n\r]+$/u.test(line)) report('noPlace', line);
    if (mistake.rule === '' || mistake.allowed === '' || line.endsWith('found: '))
      report('saysTooLittle', line);
    if (/\bat \S+ \(|node:internal|\.js:\d+:\d+|Error:/.test(line)) report('stackShown', line);
  }
}

function judgeConfig({ symbols, exit, session, risk, gateway, strategy }: Config, report: Report): void {
  const names = new Set(symbols.map(({ symbol }) => symbol));
  if (symbols.length === 0 || names.size !== symbols.length) report('invalidConfig', 'symbols');
  for (const { symbol, lot } of symbols) {
    if (!/^[A-Z][A-Z0-9]{0,9}([./][A-Z0-9]{1,4})?$/.test(symbol)) report('invalidConfig', `symbol ${symbol}`);
    if (!Number.isSafeInteger(lot) || lot < 10_000 || lot > risk.orderNotionalMax)
      report('invalidConfig', `lot ${lot}`);
  }
  if (!(exit.holdMax > 0) || exit.holdMax + session.flattenBeforeClose >= 210 * 60_000_000)
    report('invalidConfig', `holdMax ${exit.holdMax}`);
  if (!(gateway.requestsPerMinute >= 1))
    report('invalidConfig', `requestsPerMinute ${gateway.requestsPerMinute}`);
  if (typeof strategy.name !== 'string' || strategy.name === '') report('invalidConfig', 'strategy.name');
  const odd = JSON.stringify(risk, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? 'ODD' : value,
  );
  if (odd.includes('"ODD"')) report('invalidConfig', `risk ${odd}`);
}

import { parseArgs } from 'node:util';

/** One number of a command line of this folder: what it is when it is not said, and what is allowed. */
export type NumberOption = {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  readonly text: string;
};

/** Reads `--name N` for each option; `--help` and mistakes end the process, with 0 and 2. */
export function readNumbers<K extends string>(
  what: string,
  options: Readonly<Record<K, NumberOption>>,
): Readonly<Record<K, number>> {
  const names = Object.keys(options) as K[];
  const help = [
    what,
    '',
    ...names.map(
      (name) => `${`  --${name} <N>`.padEnd(20)}${options[name].text} (default: ${options[name].fallback})`,
    ),
  ].join('\n');
  const given = parse(names, help);
  const values = names.map((name) => {
    const { fallback, min, max } = options[name];
    const text = given[name];
    const value = text === undefined ? fallback : Number(text);
    if (!(value >= min && value <= max)) end(`--${name} must be ${min} to ${max}; found ${String(text)}`, 2);
    return [name, value] as const;
  });
  return Object.fromEntries(values) as Record<K, number>;
}

function parse(names: readonly string[], help: string): Readonly<Record<string, string | undefined>> {
  const strings = names.map((name) => [name, { type: 'string' }] as const);
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean' }, ...Object.fromEntries(strings) } });
    if (values.help === true) end(help, 0);
    return values as Record<string, string | undefined>;
  } catch (error) {
    return end(error instanceof Error ? error.message : String(error), 2);
  }
}

function end(text: string, code: 0 | 2): never {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exit(code);
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { strategyChecker } from '../adapters/config/check-strategy.ts';
import type { Config } from '../adapters/config/config.ts';
import { type CommandLine, type ConfigLoad, loadConfig, NO_COMMAND_LINE } from '../adapters/config/load.ts';
import { type ConfigMistake, formatMistake } from '../adapters/config/mistake.ts';
import type { Io } from './command.ts';
import { projectFile } from './project.ts';

const DEFAULT_CONFIG = 'config/scalpd.yaml';
export const CONFIG_OPTION = '-c, --config <FILE>';
export const CONFIG_HELP = `settings (default: ${DEFAULT_CONFIG} here, else the one that ships with scalpd)`;

/** The file that is read: the one asked for, else the one of this folder, else the one that ships. */
export function findConfig(io: Io, asked: string | undefined): string {
  if (asked !== undefined) return asked;
  return existsSync(resolve(io.cwd, DEFAULT_CONFIG)) ? DEFAULT_CONFIG : projectFile(DEFAULT_CONFIG);
}

/** Reads and judges the configuration; mistakes have been printed when the answer is `null`: exit with `EXIT.usage`. */
export async function readConfiguration(
  io: Io,
  options: { readonly config?: string | undefined; readonly json?: boolean | undefined },
  commandLine: CommandLine = NO_COMMAND_LINE,
): Promise<Extract<ConfigLoad, { ok: true }> | null> {
  const file = findConfig(io, options.config);
  const load = await loadConfig(resolve(io.cwd, file), commandLine, strategyChecker(io.cwd));
  if (load.ok) return load;
  printMistakes(
    io,
    load.mistakes.map((mistake) => named(mistake, resolve(io.cwd, file), file)),
    options.json === true,
  );
  return null;
}

/** People know the file by the name they gave. */
const named = (mistake: ConfigMistake, path: string, name: string): ConfigMistake =>
  mistake.source === path ? { ...mistake, source: name } : mistake;

export function printMistakes(io: Io, mistakes: readonly ConfigMistake[], json: boolean): void {
  if (json) io.out(JSON.stringify({ ok: false, mistakes }));
  for (const mistake of mistakes) io.err(formatMistake(mistake));
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
  io.err(`scalpd: ${count} in the configuration; nothing was started`);
}

/** Whether a broker is to be reached: by the account mode, or because the environment names one in embedded mode. */
export const namesBroker = (io: Io, { account }: Config): boolean =>
  account.mode !== 'embedded' || (io.env.APCA_API_BASE_URL ?? '').trim() !== '';

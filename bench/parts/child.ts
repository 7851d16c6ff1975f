import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Runs a compiled part as a process of its own and reads the one JSON value it prints. */
export async function runChild<T>(part: string, args: readonly (string | number)[]): Promise<T> {
  const file = fileURLToPath(new URL(`./${part}.js`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args.map(String)]);
  return JSON.parse(stdout) as T;
}

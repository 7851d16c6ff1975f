import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The compiled `scalpd`, as an operator starts it. */
export const PROGRAM = fileURLToPath(new URL('../../bin/scalpd.js', import.meta.url));

export type StartedExchange = {
  readonly url: string;
  readonly symbols: readonly string[];
  close(): Promise<void>;
};

/** The embedded exchange in a process of its own, an hour into its session and at the market's own pace. */
export async function startExchange(count: number): Promise<StartedExchange> {
  const args = ['exchange', '--json', '--port', '0', '--count', String(count), '--start', '10:30'];
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = endOf(child);
  const facts = JSON.parse(await firstLine(child)) as Pick<StartedExchange, 'url' | 'symbols'>;
  return {
    ...facts,
    async close() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

export const endOf = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => child.once('exit', () => resolve()));

function firstLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    stdout?.once('end', () => reject(new Error('the exchange says where it listens; it ended first')));
  });
}

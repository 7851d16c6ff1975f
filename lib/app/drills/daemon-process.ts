import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoints } from '../../adapters/alpaca/endpoints.ts';
import type { Config } from '../../adapters/config/config.ts';
import type { RunResult } from '../run-daemon.ts';
import type { DrillLine } from './drill.ts';

/** The daemon of a drill, in a process of its own: the same code as `scalpd run`, and nothing on the terminal. */
export type DaemonPlan = {
  readonly config: Config;
  readonly endpoints: Endpoints;
  readonly journalPath: string;
  /** Where flat certificates go, absolute. */
  readonly reportsDir: string;
};

export type DaemonAsk =
  | { readonly kind: 'run'; readonly plan: DaemonPlan }
  | { readonly kind: 'stop' }
  | { readonly kind: 'endThread'; readonly threadId: number };

export type DaemonSaying =
  /** What pm2 waits for. */
  'ready' | ({ readonly kind: 'line' } & DrillLine) | { readonly kind: 'ended'; readonly result: RunResult };

export type DaemonEnd = {
  /** `null` when it was killed or died before it could tell. */
  readonly result: RunResult | null;
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
};

export type DaemonProcess = {
  /** Every lane is live; never, when it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<DaemonEnd>;
  stop(): void;
  endThread(threadId: number): void;
  kill(): void;
};

const ENTRY = new URL('../../../workers/drill-daemon.js', import.meta.url);
/** Nothing of the operator's own environment, keys least of all. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'LANG', 'SystemRoot'];

/** `folder` takes what the process says on its own, should it crash. */
export function startDaemon(
  plan: DaemonPlan,
  folder: string,
  onLine: (line: DrillLine) => void,
): DaemonProcess {
  const child = fork(fileURLToPath(ENTRY), [], {
    cwd: folder,
    env: Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]])),
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const said = createWriteStream(join(folder, 'daemon.out'), { flags: 'a' });
  child.stdout?.pipe(said, { end: false });
  child.stderr?.pipe(said, { end: false });
  let result: RunResult | null = null;
  const ended = new Promise<DaemonEnd>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      said.end();
      resolve({ result, code, signal });
    };
    child.on('close', end);
    child.on('error', () => end(null, null));
  });
  const ready = new Promise<void>((resolve) => {
    child.on('message', (saying: DaemonSaying) => {
      if (saying === 'ready') resolve();
      else if (saying.kind === 'line') onLine(saying);
      else result = saying.result;
    });
  });
  ask(child, { kind: 'run', plan });
  return {
    ready,
    ended,
    stop: () => ask(child, { kind: 'stop' }),
    endThread: (threadId) => ask(child, { kind: 'endThread', threadId }),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** A process that is gone already needs to be told nothing. */
function ask(child: ChildProcess, message: DaemonAsk): void {
  if (child.connected) child.send(message, () => undefined);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A scalpd in a process group of its own, as a terminal would start it. */
export type Child = {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** The first line of its standard output that fits, past lines included; rejects when it ends without one. */
  line(fits: (line: string) => boolean): Promise<string>;
  /** To the whole group, as the terminal's Ctrl-C goes. */
  signal(name: NodeJS.Signals): void;
  /** Stops reading its standard output, as `| head` does. */
  hangUp(): void;
  isRunning(): boolean;
};

export type Ending = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: readonly string[];
  readonly err: string;
  /** Nothing of its process group is left. */
  readonly alone: boolean;
};

export type ChildSetup = {
  readonly cwd: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** The program under test: of the same build as this file. */
export const SCALPD_URL = new URL('../../../bin/scalpd.js', import.meta.url);
const started = new Set<Child>();

/** Nothing of the tester's own environment that scalpd reads may reach a child. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('APCA_') && name !== 'NODE_OPTIONS',
  );
  return { ...Object.fromEntries(own.map(([name, value]) => [name, value ?? ''])), ...extra };
}

export function startScalpd({ cwd, args, env }: ChildSetup): Child {
  const child = spawn(process.execPath, [fileURLToPath(SCALPD_URL), ...args], {
    cwd,
    env: cleanEnvironment(env),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watched = watch(child);
  started.add(watched);
  return watched;
}

/** Runs one command line to its end. */
export const runScalpd = (setup: ChildSetup): Promise<Ending> => startScalpd(setup).ended;

/** For hooks: ends what a failed test left running. */
export async function killChildren(): Promise<void> {
  for (const child of started) if (child.isRunning()) child.signal('SIGKILL');
  await Promise.all([...started].map(({ ended }) => ended));
  started.clear();
}

function watch(child: ChildProcess): Child {
  const { pid } = child;
  if (pid === undefined) throw new Error(`Node must be able to start itself: ${process.execPath}`);
  const out: string[] = [];
  let rest = '';
  let err = '';
  let listeners: ((line: string) => void)[] = [];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    out.push(...lines);
    for (const line of lines) for (const listener of listeners) listener(line);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Ending>((resolve) => {
    child.on('close', (code, signal) => {
      if (rest !== '') out.push(rest);
      resolve({ code, signal, out, err: err.trim(), alone: !groupLives(pid) });
    });
  });
  return {
    pid,
    ended,
    line(fits) {
      const past = out.find(fits);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        const listener = (line: string): void => {
          if (!fits(line)) return;
          listeners = listeners.filter((each) => each !== listener);
          resolve(line);
        };
        listeners.push(listener);
        void ended.then(({ code, err: said }) =>
          reject(
            new Error(
              `The line must come before the end (exit ${code}).\n${out.slice(-20).join('\n')}\n${said}`,
            ),
          ),
        );
      });
    },
    signal: (name) => {
      process.kill(-pid, name);
    },
    hangUp: () => child.stdout?.destroy(),
    isRunning: () => child.exitCode === null && child.signalCode === null,
  };
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

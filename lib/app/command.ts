import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import type { StopSignals } from './signals.ts';

/** What a command may touch of its surroundings; tests bring their own. */
export type Io = {
  /** One line to standard output, one to standard error. */
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Text to standard output as it is, for a line that is rewritten in place. */
  readonly write: (text: string) => void;
  readonly isTty: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted when nobody reads standard output any more. */
  readonly readerGone: AbortSignal;
  /** For commands that must end in their own way: from the first call on, signals no longer end the process. */
  readonly stopSignals: () => StopSignals;
};

/** The action of a command: does its work and says how it ended. */
export type Action<A extends readonly unknown[]> = (...args: A) => Promise<ExitCode>;

export type Cli = {
  readonly io: Io;
  /** Wraps an action for commander, keeping its exit code. */
  readonly ends: <A extends readonly unknown[]>(action: Action<A>) => (...args: A) => Promise<void>;
};

/** Adds one command to the program. */
export type Register = (program: Command, cli: Cli) => void;

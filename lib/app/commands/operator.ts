import { resolve } from 'node:path';
import { callControl, NOT_RUNNING } from '../../adapters/control/client.ts';
import type { ControlAction, ControlReply } from '../../adapters/control/protocol.ts';
import { controlPath } from '../../adapters/control/socket-path.ts';
import type { Io } from '../command.ts';
import { readConfiguration } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { followUntilFlat, readPatience, statusOn } from '../follow.ts';

export type OperatorOptions = { readonly config?: string; readonly json?: boolean };

export const WHY_OPTION = '--why <TEXT>';
export const WHY_HELP = 'the reason, for the journal and the log';
export const UNSAID = 'not said';

/** Asks the running daemon; `null` when the configuration that says where it listens is wrong (already printed). */
export async function askDaemon(
  io: Io,
  options: OperatorOptions,
  action: ControlAction,
): Promise<ControlReply | null> {
  const path = await findDaemon(io, options);
  return path === null ? null : callControl(path, action);
}

/** The socket of the daemon that the configuration describes; `null` when that is wrong (already printed). */
async function findDaemon(io: Io, options: OperatorOptions): Promise<string | null> {
  const load = await readConfiguration(io, options);
  return load === null ? null : controlPath(resolve(io.cwd, load.config.journal.path));
}

export type WaitOptions = OperatorOptions & { readonly why: string; readonly wait?: string | true };

/** Orders lanes out, and follows them until they are where that was asked for. */
export async function orderOut(
  io: Io,
  options: WaitOptions,
  action: ControlAction,
  symbol: string | null,
  said: readonly string[],
): Promise<ExitCode> {
  const patience = readPatience(options.wait);
  if (typeof patience === 'string') {
    io.err(`command line: ${patience}`);
    return EXIT.usage;
  }
  const path = await findDaemon(io, options);
  const code = conclude(io, options, path === null ? null : await callControl(path, action), () => said);
  if (code !== EXIT.done || path === null || patience === null) return code;
  return followUntilFlat({
    symbol,
    patience,
    ask: statusOn(path),
    // Standard output is one JSON document where that was asked for.
    tell: options.json === true ? io.err : io.out,
    complain: io.err,
  });
}

/** Prints the daemon's answer and gives the exit code that goes with it. */
export function conclude(
  io: Io,
  options: OperatorOptions,
  reply: ControlReply | null,
  say: (value: unknown) => readonly string[],
): ExitCode {
  if (reply === null) return EXIT.usage;
  if (options.json === true) io.out(JSON.stringify(reply.ok ? reply.value : reply));
  else if (reply.ok) for (const line of say(reply.value)) io.out(line);
  if (reply.ok) return EXIT.done;
  io.err(`scalpd: ${reply.text} (${reply.code})`);
  if (reply.code === NOT_RUNNING || reply.code.startsWith('control.')) return EXIT.unreachable;
  // A symbol that the daemon does not trade is a slip of the hand, as one that no configuration knows.
  return reply.code === 'unknownSymbol' ? EXIT.usage : EXIT.failed;
}

/** Symbols may be typed in small letters. */
export const symbolOf = (typed: string | undefined): string | null => typed?.toUpperCase() ?? null;

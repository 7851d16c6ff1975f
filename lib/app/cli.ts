import { Command, CommanderError } from 'commander';
import type { Cli, Io, Register } from './command.ts';
import { registersFor } from './command-list.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { projectVersion } from './project.ts';

const FOOTER = `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not connected or not authorized, 4 not flat at the end.
Keys come from the environment or .env: APCA_API_KEY_ID, APCA_API_SECRET_KEY.`;

/**
 * Runs one command line (without node and script) and returns its exit code; never throws. `commands`: others than those
 * that the line asks for.
 */
export async function runCli(
  args: readonly string[],
  io: Io,
  commands?: readonly Register[],
): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const cli: Cli = {
    io,
    ends:
      (action) =>
      async (...rest) => {
        code = await action(...rest);
      },
  };
  try {
    const program = buildProgram(cli, commands ?? (await registersFor(args)));
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (cause) {
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT.done : EXIT.usage;
    io.err(`scalpd: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
    return EXIT.failed;
  }
}

function buildProgram(cli: Cli, commands: readonly Register[]): Command {
  const program = new Command('scalpd');
  program
    .description('scalps US equities on Alpaca: one lane per symbol, flat by the close')
    .version(projectVersion())
    .addHelpText('after', FOOTER)
    .showHelpAfterError('(scalpd --help shows the commands and options)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.io.out(text.trimEnd()),
      writeErr: (text) => cli.io.err(text.trimEnd()),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` });
  // Subcommands take over these settings when they are made, so they must stand first.
  for (const register of commands) register(program, cli);
  return program;
}

import type { Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION } from '../configuration.ts';
import { askDaemon, conclude, type OperatorOptions } from './operator.ts';

export const registerKill: Register = (program, { io, ends }) => {
  program
    .command('kill')
    .description('the kill switch: get out of everything now and stay shut until an operator clears it')
    .requiredOption('--why <TEXT>', 'the reason, for the journal and the log (at most 200 characters)')
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print the answer as JSON')
    .action(
      ends(async (options: OperatorOptions & { readonly why: string }) => {
        const reply = await askDaemon(io, options, { kind: 'kill', why: options.why });
        return conclude(io, options, reply, () => [
          'killed: flattening, and shut until `scalpd resume --clear-latches`',
        ]);
      }),
    );
};

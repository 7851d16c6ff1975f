import type { Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION } from '../configuration.ts';
import { WAIT_HELP, WAIT_OPTION } from '../follow.ts';
import { orderOut, UNSAID, type WaitOptions, WHY_HELP, WHY_OPTION } from './operator.ts';

export const registerKill: Register = (program, { io, ends }) => {
  program
    .command('kill')
    .description('the kill switch: get out of everything now and stay shut until an operator clears it')
    .option(WHY_OPTION, `${WHY_HELP} (at most 200 characters)`, UNSAID)
    .option(WAIT_OPTION, WAIT_HELP)
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print the answer as JSON')
    .action(
      ends((options: WaitOptions) =>
        orderOut(io, options, { kind: 'kill', why: options.why }, null, [
          'killed: flattening, and shut until `scalpd resume --clear-latches`',
        ]),
      ),
    );
};

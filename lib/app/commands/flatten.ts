import type { Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION } from '../configuration.ts';
import { WAIT_HELP, WAIT_OPTION } from '../follow.ts';
import { orderOut, symbolOf, UNSAID, type WaitOptions, WHY_HELP, WHY_OPTION } from './operator.ts';

export const registerFlatten: Register = (program, { io, ends }) => {
  program
    .command('flatten')
    .description('get out at market now; entries stay shut until resumed')
    .argument('[SYMBOL]', 'one lane; all of them when left out')
    .option(WHY_OPTION, WHY_HELP, UNSAID)
    .option(WAIT_OPTION, WAIT_HELP)
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print the answer as JSON')
    .action(
      ends(async (typed: string | undefined, options: WaitOptions) => {
        const symbol = symbolOf(typed);
        return orderOut(io, options, { kind: 'flatten', symbol, why: options.why }, symbol, [
          `getting out: ${symbol ?? 'all lanes'}`,
        ]);
      }),
    );
};

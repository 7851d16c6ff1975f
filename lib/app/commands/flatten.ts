import type { Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION } from '../configuration.ts';
import {
  askDaemon,
  conclude,
  type OperatorOptions,
  symbolOf,
  UNSAID,
  WHY_HELP,
  WHY_OPTION,
} from './operator.ts';

export const registerFlatten: Register = (program, { io, ends }) => {
  program
    .command('flatten')
    .description('get out at market now; entries stay shut until resumed')
    .argument('[SYMBOL]', 'one lane; all of them when left out')
    .option(WHY_OPTION, WHY_HELP, UNSAID)
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print the answer as JSON')
    .action(
      ends(async (typed: string | undefined, options: OperatorOptions & { readonly why: string }) => {
        const symbol = symbolOf(typed);
        const reply = await askDaemon(io, options, { kind: 'flatten', symbol, why: options.why });
        return conclude(io, options, reply, () => [`getting out: ${symbol ?? 'all lanes'}`]);
      }),
    );
};

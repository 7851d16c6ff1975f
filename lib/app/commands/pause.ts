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

export const registerPause: Register = (program, { io, ends }) => {
  program
    .command('pause')
    .description('stop entries; positions are exited as always')
    .argument('[SYMBOL]', 'one lane; all of them when left out')
    .option(WHY_OPTION, WHY_HELP, UNSAID)
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print the answer as JSON')
    .action(
      ends(async (typed: string | undefined, options: OperatorOptions & { readonly why: string }) => {
        const symbol = symbolOf(typed);
        const reply = await askDaemon(io, options, { kind: 'pause', symbol, why: options.why });
        return conclude(io, options, reply, () => [`paused: ${symbol ?? 'all lanes'}`]);
      }),
    );
};

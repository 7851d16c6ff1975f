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

type ResumeOptions = OperatorOptions & { readonly why: string; readonly clearLatches?: boolean };

export const registerResume: Register = (program, { io, ends }) => {
  program
    .command('resume')
    .description('allow entries again after a pause or a flatten')
    .argument('[SYMBOL]', 'one lane; all of them when left out')
    .option('--clear-latches', 'also lift the kill switch and the daily loss')
    .option(WHY_OPTION, WHY_HELP, UNSAID)
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print the answer as JSON')
    .action(
      ends(async (typed: string | undefined, options: ResumeOptions) => {
        const symbol = symbolOf(typed);
        const clearLatches = options.clearLatches === true;
        const reply = await askDaemon(io, options, {
          kind: 'resume',
          symbol,
          why: options.why,
          clearLatches,
        });
        return conclude(io, options, reply, () => [`resumed: ${symbol ?? 'all lanes'}`]);
      }),
    );
};

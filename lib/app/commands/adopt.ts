import type { Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION } from '../configuration.ts';
import { askDaemon, conclude, type OperatorOptions, UNSAID, WHY_HELP, WHY_OPTION } from './operator.ts';

/** What the daemon answers when it took a symbol over. */
type Adopted = {
  readonly symbol: string;
  readonly shares: number;
  readonly averagePriceUsd: string;
  readonly canceled: readonly string[];
};

export const registerAdopt: Register = (program, { io, ends }) => {
  program
    .command('adopt')
    .description(
      "take over a symbol's shares and orders that are not ours: cancel the orders, sell the shares by the lane's exit",
    )
    .argument('<SYMBOL>', 'the lane that takes them over')
    .option(WHY_OPTION, WHY_HELP, UNSAID)
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print the answer as JSON')
    .action(
      ends(async (typed: string, options: OperatorOptions & { readonly why: string }) => {
        const reply = await askDaemon(io, options, {
          kind: 'adopt',
          symbol: typed.toUpperCase(),
          why: options.why,
        });
        return conclude(io, options, reply, (value) => describeAdopted(value as Adopted));
      }),
    );
};

function describeAdopted({ symbol, shares, averagePriceUsd, canceled }: Adopted): readonly string[] {
  const orders = canceled.length === 0 ? [] : [`canceled: ${canceled.length} orders of others`];
  if (shares === 0) return [...orders, `${symbol}: no shares to take over`];
  return shares > 0
    ? [...orders, `adopted: ${shares} ${symbol} at ${averagePriceUsd}; the lane sells them`]
    : [...orders, `given up: ${-shares} ${symbol} that the broker does not hold`];
}

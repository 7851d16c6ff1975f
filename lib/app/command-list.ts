import type { Register } from './command.ts';

/**
 * Every command as `scalpd --help` lists it, and where the rest of it is. A command's own code is loaded when it is asked
 * for: the SDK, the sockets and the threads that only a few of them need take longer to load than the others take to run.
 */
export type ListedCommand = {
  readonly name: string;
  /** Options and arguments, as usage lines say them. */
  readonly usage: string;
  readonly description: string;
  readonly load: () => Promise<Register>;
};

export const COMMAND_LIST: readonly ListedCommand[] = [
  {
    name: 'demo',
    usage: '[options]',
    description: 'a whole simulated day, exchange and daemon together; needs no account',
    load: async () => (await import('./commands/demo.ts')).registerDemo,
  },
  {
    name: 'run',
    usage: '[options] [SYMBOL...]',
    description: 'the daemon: trades until it is stopped; before the open and after the close it waits',
    load: async () => (await import('./commands/run.ts')).registerRun,
  },
  {
    name: 'exchange',
    usage: '[options]',
    description: 'the embedded exchange alone: a simulated Alpaca on loopback, for any Alpaca client',
    load: async () => (await import('./commands/exchange.ts')).registerExchange,
  },
  {
    name: 'drill',
    usage: '[options] [NAME...]',
    description: 'what goes wrong in life, tried out with your settings on an embedded exchange',
    load: async () => (await import('./commands/drill.ts')).registerDrill,
  },
  {
    name: 'check',
    usage: '[options]',
    description: 'check the configuration; on paper and live also account, data plan, symbols and lots',
    load: async () => (await import('./commands/check.ts')).registerCheck,
  },
  {
    name: 'status',
    usage: '[options]',
    description: 'what the running daemon is doing, lane by lane',
    load: async () => (await import('./commands/status.ts')).registerStatus,
  },
  {
    name: 'tail',
    usage: '[options]',
    description: "the daemon's log, readable; the daemon need not run",
    load: async () => (await import('./commands/tail.ts')).registerTail,
  },
  {
    name: 'replay',
    usage: '[options] <DAY>',
    description: 'decide a recorded day again and show the first decision that differs',
    load: async () => (await import('./commands/replay.ts')).registerReplay,
  },
  {
    name: 'verify',
    usage: '[options] <DAY>',
    description: "check the journal's chain, and a day's flat certificate against it",
    load: async () => (await import('./commands/verify.ts')).registerVerify,
  },
  {
    name: 'pause',
    usage: '[options] [SYMBOL]',
    description: 'stop entries; positions are exited as always',
    load: async () => (await import('./commands/pause.ts')).registerPause,
  },
  {
    name: 'resume',
    usage: '[options] [SYMBOL]',
    description: 'allow entries again after a pause or a flatten',
    load: async () => (await import('./commands/resume.ts')).registerResume,
  },
  {
    name: 'flatten',
    usage: '[options] [SYMBOL]',
    description: 'get out at market now; entries stay shut until resumed',
    load: async () => (await import('./commands/flatten.ts')).registerFlatten,
  },
  {
    name: 'adopt',
    usage: '[options] <SYMBOL>',
    description:
      "take over a symbol's shares and orders that are not ours: cancel the orders, sell the shares by the lane's exit",
    load: async () => (await import('./commands/adopt.ts')).registerAdopt,
  },
  {
    name: 'kill',
    usage: '[options]',
    description: 'the kill switch: get out of everything now and stay shut until an operator clears it',
    load: async () => (await import('./commands/kill.ts')).registerKill,
  },
];

/** The commands a command line needs: the one it names, else all of them by name only. */
export async function registersFor(args: readonly string[]): Promise<readonly Register[]> {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  const name = first === 'help' ? second : first;
  const asked = COMMAND_LIST.find((command) => command.name === name);
  return asked === undefined ? COMMAND_LIST.map(listing) : [await asked.load()];
}

/** A name in the help, and in the guesses at what a mistyped command was meant to be. */
const listing =
  ({ name, usage, description }: ListedCommand): Register =>
  (program) => {
    program.command(name).usage(usage).description(description);
  };

import { type Endpoints, resolveEndpoints } from '../../adapters/alpaca/endpoints.ts';
import { openBroker } from '../../adapters/alpaca/rest.ts';
import type { Config } from '../../adapters/config/config.ts';
import type { Place } from '../../adapters/config/readers.ts';
import { micros } from '../../domain/time.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Register } from '../command.ts';
import {
  CONFIG_HELP,
  CONFIG_OPTION,
  findConfig,
  namesBroker,
  printMistakes,
  readConfiguration,
} from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { table } from '../table.ts';
import { type Finding, judgeAccount, judgeClock, judgeLots, judgeSymbols } from './check-findings.ts';
import type { OperatorOptions } from './operator.ts';

export type CheckBroker = Pick<Broker, 'account' | 'clock' | 'assets' | 'latestPrints'> & {
  close(): Promise<void>;
};

/** Opens the broker for a few reads. */
export type ConnectForCheck = (endpoints: Endpoints) => CheckBroker;

const wallNow = (): number => Date.now() * 1_000;

const connectToAlpaca: ConnectForCheck = (endpoints) =>
  openBroker({ ...endpoints, now: () => micros(wallNow()), connections: 2 });

export const registerCheck: Register = checkWith(connectToAlpaca);

/** The command with another way to reach the broker. */
function checkWith(connect: ConnectForCheck): Register {
  return (program, { io, ends }) => {
    program
      .command('check')
      .description('check the configuration; on paper and live also account, data plan, symbols and lots')
      .option(CONFIG_OPTION, CONFIG_HELP)
      .option('--json', 'print the findings as JSON')
      .action(
        ends(async (options: OperatorOptions) => {
          const load = await readConfiguration(io, options);
          if (load === null) return EXIT.usage;
          const { config, places } = load;
          const file = findConfig(io, options.config);
          const findings: Finding[] = [describeConfig(file, config)];
          if (namesBroker(io, config)) {
            const resolved = resolveEndpoints(io.env, config.account.mode, config.feed);
            if (!resolved.ok) {
              printMistakes(io, resolved.mistakes.map(fromEnvironment), options.json === true);
              return EXIT.usage;
            }
            findings.push(...(await ask(connect(resolved.endpoints), config, file, places)));
          }
          if (options.json === true) io.out(JSON.stringify({ ok: exitOf(findings) === EXIT.done, findings }));
          else for (const line of describe(findings)) io.out(line);
          return exitOf(findings);
        }),
      );
  };
}

const fromEnvironment = (mistake: { key: string; allowed: string; found: string }) => ({
  source: 'environment',
  line: null,
  column: null,
  rule: 'the variable must be set right',
  ...mistake,
});

function describeConfig(file: string, config: Config): Finding {
  const symbols = config.symbols.map(({ symbol }) => symbol).join(' ');
  const text = `${file}: ${config.account.mode}, ${config.strategy.name}, ${config.symbols.length} symbols (${symbols})`;
  return { subject: 'configuration', code: 'config.valid', verdict: 'ok', text };
}

async function ask(
  broker: CheckBroker,
  config: Config,
  file: string,
  places: ReadonlyMap<string, Place>,
): Promise<readonly Finding[]> {
  try {
    const symbols = config.symbols.map(({ symbol }) => symbol);
    const account = judgeAccount(await broker.account());
    // Whoever cannot read the account can read nothing else: one answer says it.
    if (account.some(({ verdict }) => verdict === 'unreachable')) return account;
    const [clock, assets, prints] = await Promise.all([
      broker.clock(),
      broker.assets(symbols),
      broker.latestPrints(symbols),
    ]);
    return [
      ...account,
      ...judgeClock(clock, micros(wallNow())),
      ...judgeSymbols(assets, symbols, config.feed),
      ...judgeLots(prints, config, (index) => {
        const place = places.get(`symbols[${index}].lot`);
        return place === undefined ? file : `${file}:${place.line}:${place.column}`;
      }),
    ];
  } finally {
    await broker.close();
  }
}

function describe(findings: readonly Finding[]): readonly string[] {
  return table(findings.map(({ subject, verdict, text }) => [subject, verdict, text]));
}

function exitOf(findings: readonly Finding[]): ExitCode {
  if (findings.some(({ verdict }) => verdict === 'unreachable')) return EXIT.unreachable;
  return findings.some(({ verdict }) => verdict === 'wrong') ? EXIT.usage : EXIT.done;
}

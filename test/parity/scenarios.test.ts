import { expect } from 'chai';
import { formatDecimal } from '../../lib/domain/money.ts';
import { millis } from '../../lib/domain/time.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { tapeOf } from '../traps/minutes.ts';
import { compareLines, declared, sorted } from './compare.ts';
import { settingsFrom, startDaemon } from './daemon.ts';
import { endingLines, formatDecision, formatEnding, readDecision } from './decisions.ts';
import { SCENARIO_DIFFERENCES } from './differences.ts';
import { optionsOf } from './exchange-of.ts';
import { readScenario, type Scenario, scenarioNames } from './scenario.ts';
import { PARITY_FOLDER, withFolders } from './shared-files.ts';

describe('parity: the engine decides like the published script', () => {
  withFolders([PARITY_FOLDER], () => {
    for (const name of scenarioNames())
      it(name, async () => {
        const scenario = readScenario(name);
        const found = compareLines(scriptLines(scenario), await scalpdLines(scenario));
        expect(sorted(found)).to.deep.equal(declared(SCENARIO_DIFFERENCES[name] ?? []));
      });

    it('declares differences for recorded scenarios only, and for each of them', () => {
      expect(Object.keys(SCENARIO_DIFFERENCES)).to.have.members([...scenarioNames()]);
    });
  });
});

const scriptLines = ({ published }: Scenario): readonly string[] => [
  ...published.orders.map((line) => formatDecision(readDecision(line))),
  ...endingLines(published),
];

async function scalpdLines(scenario: Scenario): Promise<readonly string[]> {
  const exchange = createExchange(optionsOf(scenario), tapeOf(scenario.tape));
  for (const action of scenario.setup) exchange.act(action);
  const daemon = startDaemon({
    exchange,
    settings: settingsFrom(yamlOf(scenario)),
    script: scenario.faults,
    positionsLag: millis(0),
  });
  await daemon.until(scenario.endAt);
  return [...daemon.decisions.map(formatDecision), ...formatEnding(endingOf(exchange))];
}

/** The script's own settings; everything else is scalpd's default. */
const yamlOf = ({ symbols, lot }: Scenario): string =>
  [
    'symbols:',
    ...symbols.map((symbol) => `  - { symbol: ${symbol}, lot: ${formatDecimal(lot)} }`),
    'exit: { markup: 0.01 }',
  ].join('\n');

function endingOf(exchange: Exchange) {
  return {
    positions: exchange.positions().map(({ symbol, qty }) => ({ symbol, shares: qty })),
    openOrders: exchange
      .ledger()
      .orders.filter(({ status }) => OPEN.has(status))
      .map(({ side, qty, symbol, limitPrice }) =>
        limitPrice === null
          ? `${side} ${qty} ${symbol} at market`
          : `${side} ${qty} ${symbol} @ ${formatDecimal(limitPrice)}`,
      ),
    process: 'running',
  };
}

const OPEN: ReadonlySet<string> = new Set([
  'new',
  'accepted',
  'pending_new',
  'partially_filled',
  'pending_cancel',
]);

import type { Scenario } from './scenario.ts';

/** Whether a scenario still fails in the same way. */
export type StillFails = (scenario: Scenario) => Promise<boolean>;

export type Shrunk = { readonly scenario: Scenario; readonly runs: number };

/**
 * Reduces a failing scenario to a short one that fails in the same way: leaves out whatever can be left out, in ever
 * smaller parts, until nothing more can, or `runsMax` runs were made.
 */
export async function shrink(scenario: Scenario, stillFails: StillFails, runsMax = 400): Promise<Shrunk> {
  let best = scenario;
  let runs = 0;
  for (let progress = true; progress; ) {
    progress = false;
    for (const candidate of reductions(best)) {
      if (runs >= runsMax) return { scenario: best, runs };
      runs += 1;
      if (!(await stillFails(candidate))) continue;
      best = candidate;
      progress = true;
      // What is left is fewer: begin again with its larger parts.
      break;
    }
  }
  return { scenario: best, runs };
}

/** Scenarios with a part less, larger parts first. */
function* reductions(scenario: Scenario): Generator<Scenario> {
  yield* fewer(scenario, 'kills');
  yield* fewer(scenario, 'happenings');
  yield* fewerRates(scenario);
  if (scenario.sessions.length > 1)
    yield { ...scenario, sessions: scenario.sessions.slice(0, 1), calmFrom: scenario.calmFrom.slice(0, 1) };
  yield* fewerSymbols(scenario);
  yield* plainer(scenario);
}

function* fewer(scenario: Scenario, key: 'kills' | 'happenings'): Generator<Scenario> {
  const items: readonly unknown[] = scenario[key];
  for (let size = items.length; size >= 1; size = Math.floor(size / 2))
    for (let first = 0; first < items.length; first += size)
      yield { ...scenario, [key]: [...items.slice(0, first), ...items.slice(first + size)] };
}

function* fewerRates(scenario: Scenario): Generator<Scenario> {
  const kinds = Object.keys(scenario.rates);
  if (kinds.length > 0) yield { ...scenario, rates: {} };
  for (const kind of kinds) {
    const { [kind as keyof Scenario['rates']]: _, ...rates } = scenario.rates;
    yield { ...scenario, rates };
  }
}

/** A symbol's market is the same whichever others are there. */
function* fewerSymbols(scenario: Scenario): Generator<Scenario> {
  const { symbols } = scenario;
  if (symbols.length < 2) return;
  for (const symbol of symbols) yield withSymbols(scenario, [symbol]);
  for (const symbol of symbols)
    yield withSymbols(
      scenario,
      symbols.filter((each) => each !== symbol),
    );
}

const withSymbols = (scenario: Scenario, symbols: Scenario['symbols']): Scenario => ({
  ...scenario,
  symbols,
  happenings: scenario.happenings.filter(
    (happening) =>
      !('symbol' in happening) || happening.symbol === null || symbols.includes(happening.symbol),
  ),
});

/** The same with one trait at its plain value. */
function* plainer(scenario: Scenario): Generator<Scenario> {
  const { exchange, wire } = scenario;
  const plain: Partial<Scenario>[] = [
    { exchange: { ...exchange, fillRules: [] } },
    ...exchange.fillRules.map((rule) => ({
      exchange: { ...exchange, fillRules: exchange.fillRules.filter((each) => each !== rule) },
    })),
    { exchange: { ...exchange, partialFillShare: 0 } },
    { exchange: { ...exchange, positionsLag: 0 } },
    { exchange: { ...exchange, queueAhead: 0 } },
    { wire: { ...wire, listingsLag: ZERO } },
    { wire: { ...wire, jitter: ZERO } },
    { skew: ZERO },
    { journalDelay: ZERO },
    { correctedBars: 0 },
    { lateFills: 0 },
  ];
  for (const over of plain) {
    const candidate = { ...scenario, ...over };
    if (JSON.stringify(candidate) !== JSON.stringify(scenario)) yield candidate;
  }
}

const ZERO = 0 as Scenario['skew'];

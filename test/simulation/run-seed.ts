import { createHash } from 'node:crypto';
import { drawScenario } from './draw-scenario.ts';
import { judge } from './judge.ts';
import { type Run, runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { strikesOf } from './strikes.ts';
import type { Violation } from './violation.ts';

/** What one run came to, as plain data: it crosses threads. */
export type SeedResult = {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** SHA-256 over the journal's lines. */
  readonly digest: string;
  /** Of a second run of the same scenario; `null` when it was not asked for. */
  readonly repeated: string | null;
  readonly events: number;
  readonly orders: number;
  readonly fills: number;
  readonly restarts: number;
  /** How often each kind of fault really struck. */
  readonly strikes: readonly (readonly [string, number])[];
};

export async function runSeed(seed: number, checkRepeat = false): Promise<SeedResult> {
  return resultOf(drawScenario(seed), checkRepeat);
}

export async function resultOf(scenario: Scenario, checkRepeat = false): Promise<SeedResult> {
  const run = await runScenario(scenario);
  const repeated = checkRepeat ? digestOf(await runScenario(scenario)) : null;
  const { orders, fills } = run.exchange.ledger();
  const digest = digestOf(run);
  const differs = repeated !== null && repeated !== digest;
  return {
    seed: scenario.seed,
    violations: [
      ...judge(run),
      ...(differs ? [{ rule: 'notRepeatable', text: `journals ${digest} and ${repeated}` }] : []),
    ],
    digest,
    repeated,
    events: run.events,
    orders: orders.length,
    fills: fills.length,
    restarts: run.witness.processes.length - 1,
    strikes: [...strikesOf(run)],
  };
}

export function digestOf({ trail }: Run): string {
  const hash = createHash('sha256');
  for (const line of trail.lines) hash.update(line).update('\n');
  return hash.digest('hex');
}

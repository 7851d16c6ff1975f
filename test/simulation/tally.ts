import type { SeedResult } from './run-seed.ts';
import { STRIKE_KINDS } from './strikes.ts';

/** Sums over many seeds. */
export type Tally = {
  seeds: number;
  events: number;
  orders: number;
  fills: number;
  restarts: number;
  readonly failed: SeedResult[];
  /** By kind: how often it struck, and in how many seeds. */
  readonly strikes: Map<string, { hits: number; seeds: number }>;
  /** By seed. */
  readonly digests: Map<number, string>;
};

export function createTally(): Tally {
  return {
    seeds: 0,
    events: 0,
    orders: 0,
    fills: 0,
    restarts: 0,
    failed: [],
    strikes: new Map(STRIKE_KINDS.map((kind) => [kind, { hits: 0, seeds: 0 }])),
    digests: new Map(),
  };
}

export function addResult(tally: Tally, result: SeedResult): void {
  tally.seeds += 1;
  tally.events += result.events;
  tally.orders += result.orders;
  tally.fills += result.fills;
  tally.restarts += result.restarts;
  tally.digests.set(result.seed, result.digest);
  if (result.violations.length > 0) tally.failed.push(result);
  for (const [kind, hits] of result.strikes) {
    const found = tally.strikes.get(kind);
    if (found === undefined || hits === 0) continue;
    found.hits += hits;
    found.seeds += 1;
  }
}

/** Kinds that never struck. */
export const holesIn = ({ strikes }: Tally): readonly string[] =>
  [...strikes].filter(([, { hits }]) => hits === 0).map(([kind]) => kind);

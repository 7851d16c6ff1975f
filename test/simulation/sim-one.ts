import { describeScenario } from './describe-scenario.ts';
import { resultOf, type SeedResult } from './run-seed.ts';
import type { Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';

export type Options = {
  readonly seeds: number;
  readonly from: number;
  readonly seed?: number;
  readonly scenario?: string;
  readonly jobs: number;
  readonly json: boolean;
  readonly plain: boolean;
  readonly checkRepeat: boolean;
  readonly first: boolean;
  readonly shrink: boolean;
  readonly digests: boolean;
};

export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs one scenario and tells all about it. Returns the exit code. */
export async function runOne(scenario: Scenario, options: Options): Promise<number> {
  const result = await resultOf(scenario, options.checkRepeat);
  if (options.json) process.stdout.write(`${JSON.stringify({ ...result, scenario })}\n`);
  else {
    process.stdout.write(`${[`seed ${scenario.seed}`, ...describeScenario(scenario)].join('\n  ')}\n`);
    for (const line of summary(result)) process.stdout.write(`${line}\n`);
  }
  if (result.violations.length === 0) return 0;
  if (options.shrink) await tellShrunk(scenario, result);
  return 1;
}

function summary(result: SeedResult): readonly string[] {
  const { events, orders, fills, restarts, digest } = result;
  return [
    `exchange events ${events}, orders ${orders}, fills ${fills}, restarts ${restarts}`,
    `digest ${digest}`,
    ...(result.violations.length === 0 ? ['no violation'] : result.violations.map(violationLine)),
  ];
}

export const violationLine = ({ rule, text }: SeedResult['violations'][number]): string =>
  `violation ${rule}: ${text}`;

/** What the failure needs, and nothing else. */
export async function tellShrunk(scenario: Scenario, result: SeedResult): Promise<void> {
  const rule = result.violations[0]?.rule;
  say(`shrinking seed ${scenario.seed} (${rule}) ...`);
  const shrunk = await shrink(scenario, async (candidate) =>
    (await resultOf(candidate, rule === 'notRepeatable')).violations.some((each) => each.rule === rule),
  );
  say([`shortest schedule found in ${shrunk.runs} runs:`, ...describeScenario(shrunk.scenario)].join('\n  '));
  say(`as JSON, for --scenario FILE:\n${JSON.stringify(shrunk.scenario)}`);
}

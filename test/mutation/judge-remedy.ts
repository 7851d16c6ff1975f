import type { FailedTest, Mutant } from './mutant.ts';
import type { Remedy } from './remedy.ts';

/** What missed a remedy. */
export type Verdict = {
  readonly name: string;
  /** In the sources. */
  readonly file: string;
  /** The first of its lines. */
  readonly line: string;
  /** Seeded days that were run without it, and the one that failed. */
  readonly days: {
    readonly seeds: number;
    readonly failed: { readonly seed: number; readonly rules: readonly string[] } | null;
  } | null;
  /** Named tests that failed without it and pass with it; `null` when they did not come to an end. */
  readonly tests: readonly FailedTest[] | null;
};

/** Whether something missed it. A run that did not end proves nothing: the machine may have been slow. */
export const isMissed = ({ days, tests }: Verdict): boolean =>
  (days?.failed ?? null) !== null || (tests !== null && tests.length > 0);

/**
 * Runs the named tests and seeded days without the remedy. Tests that fail with the remedy in place as well are no finding but
 * a broken build, which is thrown; that the seeded days pass on the whole build is for the caller to see.
 */
export function judgeRemedy(mutant: Mutant, remedy: Remedy, seeds: number): Verdict {
  const healthy = mutant.test(remedy.tests);
  if (healthy === null || healthy.failed.length > 0 || healthy.ran === 0)
    throw new Error(
      `the tests of a remedy pass while it is there; "${remedy.tests.title}" ran ${healthy?.ran ?? 'without end'}, failed ${healthy?.failed.length ?? 'unknown'}`,
    );
  const [tests, days] = mutant.without(
    remedy,
    () => [mutant.test(remedy.tests), mutant.days(1, seeds)] as const,
  );
  return {
    name: remedy.name,
    file: sourceOf(remedy),
    line: lineOf(remedy),
    days,
    tests: tests?.failed ?? null,
  };
}

export const sourceOf = ({ file }: Remedy): string => file.replace(/js$/, 'ts');
export const lineOf = ({ find }: Remedy): string => find.split('\n')[0] ?? '';

import type { RuleName } from './rules.ts';

/** What a rule explains in one scenario: lines that only the script has, and lines that only scalpd has. */
export type Difference = {
  readonly rule: RuleName;
  readonly script: readonly string[];
  readonly scalpd: readonly string[];
};

export type Comparison = { readonly onlyScript: readonly string[]; readonly onlyScalpd: readonly string[] };

/** The lines of each side that are left when the longest common sequence of both is taken out. */
export function compareLines(script: readonly string[], scalpd: readonly string[]): Comparison {
  const common = commonLengths(script, scalpd);
  const onlyScript: string[] = [];
  const onlyScalpd: string[] = [];
  let i = 0;
  let j = 0;
  while (i < script.length || j < scalpd.length) {
    const left = script[i];
    const right = scalpd[j];
    if (left !== undefined && left === right) {
      i += 1;
      j += 1;
    } else if (right === undefined || (left !== undefined && at(common, i + 1, j) >= at(common, i, j + 1))) {
      if (left !== undefined) onlyScript.push(left);
      i += 1;
    } else {
      onlyScalpd.push(right);
      j += 1;
    }
  }
  return { onlyScript, onlyScalpd };
}

/** What all declared differences of a scenario add up to, for a comparison with what was found. */
export const declared = (differences: readonly Difference[]): Comparison => ({
  onlyScript: differences.flatMap(({ script }) => script).sort(),
  onlyScalpd: differences.flatMap(({ scalpd }) => scalpd).sort(),
});

export const sorted = ({ onlyScript, onlyScalpd }: Comparison): Comparison => ({
  onlyScript: [...onlyScript].sort(),
  onlyScalpd: [...onlyScalpd].sort(),
});

/** `lengths[i][j]`: length of the longest common sequence of what follows from `i` and `j`. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = lengths[i] ?? [];
    for (let j = b.length - 1; j >= 0; j -= 1)
      row[j] =
        a[i] === b[j]
          ? at(lengths, i + 1, j + 1) + 1
          : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
  }
  return lengths;
}

const at = (lengths: readonly (readonly number[])[], i: number, j: number): number => lengths[i]?.[j] ?? 0;

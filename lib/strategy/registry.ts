import type { Strategy } from './contract.ts';
import { smaCross } from './sma-cross.ts';

const BUILT_IN: readonly Strategy[] = [smaCross as Strategy];

/** Names that the YAML may use without a path. */
export const builtInNames = (): readonly string[] => BUILT_IN.map(({ name }) => name);

/** A strategy that ships with scalpd, or `null`: then the name is a path. */
export const builtInStrategy = (name: string): Strategy | null =>
  BUILT_IN.find((strategy) => strategy.name === name) ?? null;

export type CheckedStrategy =
  | { readonly kind: 'ok'; readonly strategy: Strategy }
  | { readonly kind: 'bad'; readonly mistakes: readonly string[] };

const FUNCTIONS = ['check', 'open', 'onBar'] as const;

/** Judges what a user's file exports by default: the shape only, `check` judges its options. */
export function checkStrategy(value: unknown): CheckedStrategy {
  if (typeof value !== 'object' || value === null)
    return { kind: 'bad', mistakes: [`a strategy is an object exported by default; found ${nameOf(value)}`] };
  const found = value as Readonly<Record<string, unknown>>;
  const mistakes = FUNCTIONS.filter((key) => typeof found[key] !== 'function').map(
    (key) => `a strategy has a function "${key}"; found ${nameOf(found[key])}`,
  );
  if (typeof found.name !== 'string' || found.name === '')
    mistakes.unshift(`a strategy has a name, a text that is not empty; found ${nameOf(found.name)}`);
  return mistakes.length === 0 ? { kind: 'ok', strategy: value as Strategy } : { kind: 'bad', mistakes };
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return typeof value === 'object' || typeof value === 'function'
    ? `a value of type ${typeof value}`
    : JSON.stringify(value);
}

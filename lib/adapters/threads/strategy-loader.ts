import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StrategySetting } from '../../ports/lane-protocol.ts';
import type { Strategy } from '../../strategy/contract.ts';
import { builtInNames, builtInStrategy, checkStrategy } from '../../strategy/registry.ts';

/** Why a strategy cannot be used; the message names it and says what is expected. */
export class StrategyError extends Error {
  override readonly name = 'StrategyError';
}

/**
 * Turns a path in the setting into an absolute file URL, which means the same in every thread; a built-in's name stays.
 * Relative paths start at `baseDir`. Whether anything is there shows when it is loaded.
 */
export function resolveStrategy(setting: StrategySetting, baseDir: string): StrategySetting {
  if (!isPath(setting.name)) return setting;
  return { ...setting, name: pathToFileURL(resolve(baseDir, setting.name)).href };
}

const isPath = (name: string): boolean =>
  !name.startsWith('file:') && (/^\.{1,2}[\\/]/.test(name) || isAbsolute(name) || /\.[cm]?js$/.test(name));

/** The built-in by that name, or the default export of the module at that file URL. Throws `StrategyError`. */
export async function loadStrategy(setting: StrategySetting): Promise<Strategy> {
  const strategy = setting.name.startsWith('file:')
    ? shapeOf(setting.name, await importModule(setting.name))
    : builtIn(setting.name);
  const { name: _, ...options } = setting;
  const mistakes = strategy.check(options);
  if (mistakes.length > 0) throw new StrategyError(`strategy ${setting.name}: ${mistakes.join('; ')}`);
  return strategy;
}

function builtIn(name: string): Strategy {
  const found = builtInStrategy(name);
  if (found !== null) return found;
  throw new StrategyError(
    `a strategy is a path such as ./my-signal.js, or one of ${builtInNames().join(', ')}. Found: ${name}`,
  );
}

async function importModule(url: string): Promise<unknown> {
  try {
    return ((await import(url)) as { readonly default?: unknown }).default;
  } catch (error) {
    throw new StrategyError(
      `strategy ${url} cannot be loaded: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function shapeOf(url: string, exported: unknown): Strategy {
  const checked = checkStrategy(exported);
  if (checked.kind === 'ok') return checked.strategy;
  throw new StrategyError(`strategy ${url}: ${checked.mistakes.join('; ')}`);
}

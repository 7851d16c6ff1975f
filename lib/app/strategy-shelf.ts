import { loadStrategy, resolveStrategy, StrategyError } from '../adapters/threads/strategy-loader.ts';
import type { StrategySetting } from '../ports/lane-protocol.ts';
import type { Strategy } from '../strategy/contract.ts';

/** Strategies by their whole setting, loaded once each; paths start at `baseDir`. */
export function createStrategyShelf(baseDir: string) {
  const shelf = new Map<string, Strategy>();
  const keyOf = (setting: StrategySetting): string => JSON.stringify(setting);
  return {
    resolve: (setting: StrategySetting): StrategySetting => resolveStrategy(setting, baseDir),
    /** Throws a `StrategyError` that begins with `source`. */
    async load(setting: StrategySetting, source: string): Promise<void> {
      if (shelf.has(keyOf(setting))) return;
      try {
        shelf.set(keyOf(setting), await loadStrategy(setting));
      } catch (cause) {
        if (cause instanceof StrategyError) throw new StrategyError(`${source}: ${cause.message}`);
        throw cause;
      }
    },
    /** One that was loaded before. */
    of(setting: StrategySetting): Strategy {
      const strategy = shelf.get(keyOf(setting));
      if (strategy === undefined) throw new Error(`a strategy is loaded before it is asked: ${setting.name}`);
      return strategy;
    },
  };
}

import { loadStrategy, resolveStrategy, StrategyError } from '../threads/strategy-loader.ts';
import type { CheckStrategy } from './load.ts';

/** Loads the strategy as a lane would and lets it judge its own options. Paths start at `baseDir`. */
export const strategyChecker =
  (baseDir: string): CheckStrategy =>
  async (setting) => {
    try {
      await loadStrategy(resolveStrategy(setting, baseDir));
      return [];
    } catch (cause) {
      if (cause instanceof StrategyError) return [cause.message];
      throw cause;
    }
  };

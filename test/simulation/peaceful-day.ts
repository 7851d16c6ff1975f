import { drawScenario } from './draw-scenario.ts';
import type { Scenario } from './scenario.ts';

/** A day in peace: whatever the judge finds, somebody else has done. */
export function peacefulDay(): Scenario {
  const drawn = drawScenario(6);
  return {
    ...drawn,
    symbols: drawn.symbols.slice(0, 2),
    rates: {},
    lateFills: 0,
    happenings: [],
    kills: [],
    exchange: { ...drawn.exchange, fillRules: [], positionsLag: 0, partialFillShare: 0 },
  };
}

import type { Session } from '../domain/session.ts';
import { volatilityShape } from './intraday-shape.ts';
import type { Random } from './random.ts';

const FACTOR_STEP = 10_000_000;

/** The common factor's path over a session: standardized log returns, summed, at steps of ten seconds. */
export type Factor = { readonly gap: number; valueAt(at: number): number };

export function createFactor(session: Session, random: Random): Factor {
  const length = session.closeAt - session.openAt;
  const steps = Math.ceil(length / FACTOR_STEP);
  const gap = random.normal();
  const path = new Float64Array(steps + 2);
  let value = 0;
  for (let step = 0; step <= steps; step++) {
    path[step] = value;
    value += (volatilityShape(step / steps) * random.normal()) / Math.sqrt(steps);
  }
  path[steps + 1] = value;
  return {
    gap,
    valueAt(at) {
      const place = Math.min(steps, Math.max(0, (at - session.openAt) / FACTOR_STEP));
      const step = Math.floor(place);
      const from = path[step] ?? 0;
      return from + ((path[step + 1] ?? from) - from) * (place - step);
    },
  };
}

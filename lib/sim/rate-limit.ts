import type { Micros } from '../domain/time.ts';

export type RateState = {
  readonly limit: number;
  readonly remaining: number;
  /** When the budget is full again: the end of the running window. */
  readonly resetAt: Micros;
};

export type RateLimiter = {
  /** Counts one request. `allowed: false` when the window's budget is spent; such a request costs nothing more. */
  take(now: Micros): RateState & { readonly allowed: boolean };
  state(now: Micros): RateState;
  /** Spends the whole budget of the running window: an account-wide storm by other programs. */
  exhaust(now: Micros): void;
};

const WINDOW = 60_000_000;

/**
 * A fixed budget per minute of exchange time, windows aligned to whole minutes. Whether Alpaca's window is fixed or
 * rolling is not documented; its `X-RateLimit-Reset` header, one instant for the whole budget, says fixed.
 */
export function createRateLimiter(limit: number): RateLimiter {
  let windowStart = Number.NEGATIVE_INFINITY;
  let used = 0;
  const roll = (now: Micros): void => {
    const start = now - (now % WINDOW);
    if (start > windowStart) [windowStart, used] = [start, 0];
  };
  const state = (now: Micros): RateState => {
    roll(now);
    return { limit, remaining: limit - used, resetAt: (windowStart + WINDOW) as Micros };
  };
  return {
    take(now) {
      roll(now);
      const allowed = used < limit;
      if (allowed) used++;
      return { ...state(now), allowed };
    },
    state,
    exhaust(now) {
      roll(now);
      used = limit;
    },
  };
}

/** Counts what a client sent, whatever became of it: the judge of the rule "never more than the limit in any minute". */
export type RequestMeter = {
  count(now: Micros): void;
  /** Most requests within any 60 s. */
  peak(): number;
};

export function createRequestMeter(): RequestMeter {
  let recent: number[] = [];
  let peak = 0;
  return {
    count(now) {
      recent.push(now);
      if (recent.length <= peak) return;
      recent = recent.filter((at) => at > now - WINDOW);
      peak = Math.max(peak, recent.length);
    },
    peak: () => peak,
  };
}

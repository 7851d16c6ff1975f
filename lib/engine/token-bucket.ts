import { invariant } from '../domain/invariant.ts';
import { after, type Duration, type Micros, micros } from '../domain/time.ts';

/**
 * The account's request budget. It is not: a queue, a clock, or a judge of what is important.
 *
 * 1. In no span of `window`, wherever it begins, does the broker receive more than `limit` requests, also after
 *    idling. A bucket that refills evenly sends up to twice its rate in the first window after a pause; here each token
 *    comes back one window after it was spent.
 * 2. A token is out until its request is answered, and the window counts from the answer: the broker may count the
 *    request at any instant in between.
 * 3. The last `reserve` tokens are for exits, cancels and flatten only.
 * 4. Nothing is granted before `pausedUntil`: a 429 says when the budget comes back.
 */
export type TokenBucket = {
  /** Takes a token, or `null` when the caller's share is used up. `reserved` callers may use the reserve. */
  take(now: Micros, reserved: boolean): Token | null;
  /** Tokens that caller could take now, one after the other. */
  free(now: Micros, reserved: boolean): number;
  /**
   * The first instant at which that caller could have taken `count` tokens, if nobody else takes any. Tokens that are out
   * count as answered now.
   */
  freeAt(now: Micros, reserved: boolean, count: number): Micros;
  /** The broker refused for want of budget: nothing is granted before `until`. */
  pause(until: Micros): void;
  /** What an answer said about the budget (`X-RateLimit-*`). Only ever makes the bucket more careful than its setting. */
  observe(now: Micros, seen: RateSeen): void;
  pausedUntil(): Micros | null;
  /** The most tokens that caller could ever hold at once. */
  capacity(reserved: boolean): number;
};

export type Token = {
  /** The request was answered, or given up. */
  spent(now: Micros): void;
  /** The request never left the house. */
  unused(): void;
};

export type RateSeen = {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: Micros | null;
};

export type BucketSettings = {
  /** Requests per window, 1 or more. */
  readonly limit: number;
  /** Share of the limit that only exits may use, 0 to below 1. */
  readonly reserve: number;
  readonly window: Duration;
};

export function createTokenBucket(settings: BucketSettings): TokenBucket {
  invariant(
    Number.isInteger(settings.limit) && settings.limit >= 1,
    'a request limit is a whole number, 1 or more',
    settings.limit,
  );
  invariant(
    settings.reserve >= 0 && settings.reserve < 1,
    'a reserve is a share, 0 to below 1',
    settings.reserve,
  );
  let limit = settings.limit;
  let pausedUntil: Micros | null = null;
  let out = 0;
  /** When each answered token comes back, in rising order: answers come in time order. */
  let returnsAt: Micros[] = [];

  const capacity = (reserved: boolean): number => Math.max(1, limit - (reserved ? 0 : reserveCount()));
  const reserveCount = (): number => Math.min(limit - 1, Math.ceil(limit * settings.reserve));

  function collect(now: Micros): void {
    let returned = 0;
    for (const at of returnsAt) {
      if (at > now) break;
      returned += 1;
    }
    if (returned > 0) returnsAt = returnsAt.slice(returned);
    if (pausedUntil !== null && pausedUntil <= now) pausedUntil = null;
  }

  function available(reserved: boolean): number {
    const left = limit - out - returnsAt.length - (reserved ? 0 : reserveCount());
    return Math.max(0, left);
  }

  function pause(until: Micros): void {
    if (pausedUntil === null || until > pausedUntil) pausedUntil = until;
  }

  return {
    take(now, reserved) {
      collect(now);
      if (pausedUntil !== null || available(reserved) === 0) return null;
      out += 1;
      let isOut = true;
      return {
        spent(at) {
          if (!isOut) return;
          isOut = false;
          out -= 1;
          returnsAt.push(after(at, settings.window));
        },
        unused() {
          if (!isOut) return;
          isOut = false;
          out -= 1;
        },
      };
    },
    free(now, reserved) {
      collect(now);
      return pausedUntil === null ? available(reserved) : 0;
    },
    freeAt(now, reserved, count) {
      collect(now);
      const start = pausedUntil ?? now;
      const mine = capacity(reserved);
      // Every token beyond one full bucket waits whole windows for the same token of the round before.
      const rounds = Math.floor(Math.max(0, count - 1) / mine);
      const inRound = count - rounds * mine;
      const missing = inRound - available(reserved);
      const pending = [...returnsAt, ...Array<Micros>(out).fill(after(now, settings.window))];
      const at = missing <= 0 ? start : Math.max(start, pending[missing - 1] ?? start);
      return micros(at + rounds * settings.window);
    },
    pause,
    observe(now, seen) {
      collect(now);
      if (seen.limit !== null && seen.limit >= 1) limit = Math.min(settings.limit, Math.floor(seen.limit));
      if (seen.remaining === 0 && seen.resetAt !== null && seen.resetAt > now) pause(seen.resetAt);
    },
    pausedUntil: () => pausedUntil,
    capacity,
  };
}

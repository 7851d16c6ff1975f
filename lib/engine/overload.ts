import { between, type Duration, type Micros } from '../domain/time.ts';

/**
 * Whether more market data arrive than can be taken, told from how long more than a turn's worth was waiting.
 *
 * The account of it is a debt of time: it grows while data wait and is paid back while none do, each at the rate of the
 * clock. So a burst that is worked off leaves nothing, a load that leaves no pause adds up, and a moment without data in
 * between does not hide it. Stamps of the exchange cannot tell it: an old one may as well be a slow feed.
 *
 * 1. Entries are shut by a debt of `shutAfter` and not before.
 * 2. Then the whole of `calmAfter` is owed: they open again when all of it is paid back, whatever comes in between.
 * 3. It depends on when data were waiting, and not on how often anybody looked.
 */
export type Overload = {
  readonly isBehind: boolean;
  readonly debt: Duration;
  /** Since when entries are shut; `null` while they are not. */
  readonly shutSince: Micros | null;
  /** When the debt was that much. */
  readonly at: Micros;
};

/** Both are *wall*: they guard this machine and not the market. */
export type OverloadSettings = {
  readonly shutAfter: Duration;
  /** At least `shutAfter`. */
  readonly calmAfter: Duration;
};

export const openOverload = (at: Micros): Overload => ({
  isBehind: false,
  debt: 0 as Duration,
  shutSince: null,
  at,
});

/** `isBehind`: from `at` on. An instant before the last one counts as that. */
export function reduceOverload(
  state: Overload,
  isBehind: boolean,
  at: Micros,
  { shutAfter, calmAfter }: OverloadSettings,
): Overload {
  const elapsed = Math.max(0, between(state.at, at));
  const debt = Math.min(calmAfter, Math.max(0, state.debt + (state.isBehind ? elapsed : -elapsed)));
  const next = { isBehind, at: Math.max(state.at, at) as Micros };
  if (state.shutSince === null && debt >= shutAfter) return { ...next, debt: calmAfter, shutSince: next.at };
  const shutSince = debt === 0 ? null : state.shutSince;
  return { ...next, debt: debt as Duration, shutSince };
}

/** When entries shut or open if nothing changes until then; `null` when they stay as they are. */
export function overloadTurnsAt(
  { isBehind, debt, shutSince, at }: Overload,
  { shutAfter }: OverloadSettings,
): Micros | null {
  if (isBehind === (shutSince !== null)) return null;
  return (at + (isBehind ? shutAfter - debt : debt)) as Micros;
}

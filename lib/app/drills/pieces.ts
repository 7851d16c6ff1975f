import type { Ticker } from '../../domain/ids.ts';
import { type Micros, seconds } from '../../domain/time.ts';
import type { FillRule } from '../../sim/exchange-api.ts';
import type { RestMatch, ScriptedFault } from '../../sim/fault-types.ts';
import type { Drill, DrillTimes, Stage } from './drill.ts';

/** What drills are put together from: how their orders fill, single faults, and the steps that most of them begin with. */

/** As often as it may happen in a day. */
export const ALWAYS = 1_000_000_000;
/** Room for a request that was on the way when the daemon learned of something. */
export const GRACE = seconds(10);

/** The first entries fill as the scene wants it. */
const entryFills = ({ fillDelay }: DrillTimes): FillRule => ({
  match: { side: 'buy' },
  model: { kind: 'partial', pieces: 1, only: null, delay: fillDelay },
  times: null,
});

/** The price never comes back: every position is held to the end of its time, and sold at market. */
const NO_EXIT_FILLS: FillRule = {
  match: { side: 'sell', type: 'limit' },
  model: { kind: 'never' },
  times: null,
};

/** Entries fill, and what else there is to it. */
export const bought =
  (...more: readonly FillRule[]): Drill['rules'] =>
  (times) => [entryFills(times), ...more];
export const boughtAndHeld = bought(NO_EXIT_FILLS);

type RestFault = Extract<ScriptedFault, { kind: 'rest' }>;
export const onRequest = (
  match: Partial<RestMatch>,
  times: number,
  action: RestFault['action'],
): ScriptedFault => ({
  kind: 'rest',
  match: { method: null, path: null, side: null, symbol: null, ...match },
  from: null,
  times,
  action,
});

export const refuse = (target: 'data' | 'trading', from: Micros | null): ScriptedFault => ({
  kind: 'connect',
  target,
  from,
  times: ALWAYS,
  action: { kind: 'connectRefuse', after: 0 },
});

/** Marks `shares held`. */
export async function untilHeld(stage: Stage): Promise<Ticker> {
  const { symbol } = await stage.filled('buy');
  stage.mark('shares held');
  return symbol;
}

/** Bought and sold again, whatever was in the way. */
export async function roundTrip(stage: Stage): Promise<void> {
  await stage.sold(await untilHeld(stage));
}

/** The same where nobody told of the fill; marks `what` when the daemon has found it. */
export async function foundByAsking(stage: Stage, what: string): Promise<void> {
  const held = await untilHeld(stage);
  await stage.logged('order.filled.missed', ({ symbol }) => symbol === held);
  stage.mark(what);
  await stage.sold(held);
}

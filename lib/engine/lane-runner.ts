import { type Lane, nextWakeAt, reduceLane } from '../domain/lane.ts';
import type { LaneEvent } from '../domain/lane-types.ts';
import type { Bar } from '../domain/market.ts';
import { isSessionBar } from '../domain/session.ts';
import type { Micros } from '../domain/time.ts';
import type { LaneInputMessage, LaneStart, LaneStep, MarkSource } from '../ports/lane-protocol.ts';
import type { Strategy } from '../strategy/contract.ts';
import { firstDifference } from './first-difference.ts';

/**
 * One lane with its strategy. Worker thread, custodian, backtester and tests all run this.
 *
 * 1. The strategy sees each bar of the regular session once, in time order. A bar that is not newer than the last one
 *    seen is dropped: what was decided on stays decided, so corrections of a bar (`updatedBar`) and minutes that turn up
 *    after later ones change nothing. Whoever feeds the lane fills gaps first.
 * 2. A strategy starts afresh with each session day.
 * 3. The mark is read when the lane decides, once per event.
 * 4. No clock and no chance: equal starts, inputs and marks give equal steps.
 */
export type LaneRunner = {
  /** Reduces one input to its events, in order; each step is an event with the commands that came of it. */
  feed(input: LaneInputMessage): readonly LaneStep[];
  /** Takes a step that somebody else has taken with a copy of this lane. Throws `Diverged` when it comes out otherwise. */
  repeat(step: LaneStep): void;
  /** When the lane wants a `woke` input, unless something else comes first. */
  wakeAt(): Micros | null;
  lane(): Lane;
  /** The strategy's numbers on the last bar. */
  facts(): Readonly<Record<string, number>>;
  /** Session bars seen, warm-up included. */
  barsSeen(): number;
};

/** One of two copies of a lane is wrong. */
export class Diverged extends Error {
  override readonly name = 'Diverged';

  constructor({ kind }: LaneEvent, where: string) {
    super(`a lane comes to what its shadow came to: after ${kind} its commands differ at ${where}`);
  }
}

type BarsInput = Extract<LaneInputMessage, { kind: 'bars' }>;

export function createLaneRunner(start: LaneStart, strategy: Strategy, marks: MarkSource): LaneRunner {
  let { lane } = start;
  let signals = warmUp(strategy, start, lane);

  const step = (event: LaneEvent): LaneStep => {
    const [next, commands] = reduceLane(lane, event);
    const isNewDay = next.plan?.day !== lane.plan?.day;
    // Warm-up bars may come before the session they belong to is known.
    if (isNewDay) signals = warmUp(strategy, lane.plan === null ? start : { ...start, bars: [] }, next);
    lane = next;
    return { event, commands };
  };

  const closeBar = (bar: Bar, { at, origin }: BarsInput): readonly LaneStep[] => {
    const seen = seeBar(strategy, signals, bar, lane);
    if (seen === null) return [];
    signals = seen.signals;
    const mark = marks.read(start.symbol);
    return [step({ kind: 'barClosed', at, mark, bar, origin, signal: seen.signal })];
  };

  return {
    feed: (input) =>
      input.kind === 'bars'
        ? input.bars.flatMap((bar) => closeBar(bar, input))
        : [step({ ...input, mark: marks.read(start.symbol) })],
    repeat({ event, commands }) {
      const where = firstDifference(step(event).commands, commands);
      if (where !== null) throw new Diverged(event, where);
    },
    wakeAt: () => nextWakeAt(lane),
    lane: () => lane,
    facts: () => signals.facts,
    barsSeen: () => signals.barsSeen,
  };
}

/** A strategy in the middle of a session. */
type Signals = {
  readonly state: unknown;
  readonly facts: Readonly<Record<string, number>>;
  readonly barsSeen: number;
  readonly lastStartAt: Micros | null;
};

function warmUp(strategy: Strategy, { strategy: setting, bars }: LaneStart, lane: Lane): Signals {
  const { name: _, ...options } = setting;
  const fresh: Signals = { state: strategy.open(options), facts: {}, barsSeen: 0, lastStartAt: null };
  return bars.reduce((signals, bar) => seeBar(strategy, signals, bar, lane)?.signals ?? signals, fresh);
}

/** `null`: not a bar of this session, or not newer than the last. */
function seeBar(
  strategy: Strategy,
  signals: Signals,
  bar: Bar,
  { plan, params }: Lane,
): { readonly signals: Signals; readonly signal: 'enter' | 'none' } | null {
  if (plan === null || bar.symbol !== params.symbol || !isSessionBar(plan, bar.startAt)) return null;
  if (signals.lastStartAt !== null && bar.startAt <= signals.lastStartAt) return null;
  const { state, signal, facts } = strategy.onBar(signals.state, bar);
  return {
    signals: { state, facts, barsSeen: signals.barsSeen + 1, lastStartAt: bar.startAt },
    signal,
  };
}

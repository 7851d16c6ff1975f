import { between, type Duration, type Micros } from '../domain/time.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { type OverloadSettings, openOverload, overloadTurnsAt, reduceOverload } from './overload.ts';

/** Shuts the entries while the data feed brings more than can be taken, and says so. Exits never ask here. */
export type OverloadWatch = {
  /** Whether data are waiting, from now on. */
  behind(isBehind: boolean): void;
  /** Since when entries are shut; `null` while they are not. */
  shutSince(): Micros | null;
  stop(): void;
};

export type OverloadWatchDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: OverloadSettings;
  readonly gates: { overloaded(isShut: boolean): void };
  /** Prints taken so far, for the log. */
  readonly prints: () => number;
};

export function createOverloadWatch(deps: OverloadWatchDeps): OverloadWatch {
  const { clock, log, settings } = deps;
  let state = openOverload(clock.now());
  let timer: Timer | null = null;
  let printsAtShut = 0;

  function move(isBehind: boolean): void {
    const before = state;
    state = reduceOverload(before, isBehind, clock.now(), settings);
    if (before.shutSince === null && state.shutSince !== null) shut();
    else if (before.shutSince !== null && state.shutSince === null) open(before.shutSince);
    timer?.cancel();
    const turnsAt = overloadTurnsAt(state, settings);
    timer = turnsAt === null ? null : clock.at(turnsAt, () => move(state.isBehind));
  }

  function shut(): void {
    printsAtShut = deps.prints();
    log.warn('feed.overloaded', {
      behindMs: millis(settings.shutAfter),
      prints: printsAtShut,
      text: 'more market data arrive than can be taken',
      consequence: 'entries are shut until all is taken; exits go on, and have their turn first',
    });
    deps.gates.overloaded(true);
  }

  function open(since: Micros): void {
    log.info('feed.caughtUp', {
      shutMs: millis(between(since, clock.now())),
      prints: deps.prints() - printsAtShut,
      text: 'market data are taken as they arrive; entries are open again',
    });
    deps.gates.overloaded(false);
  }

  return {
    behind: move,
    shutSince: () => state.shutSince,
    stop() {
      timer?.cancel();
      timer = null;
    },
  };
}

const millis = (duration: Duration): number => Math.round(duration / 1_000);

import type { Ticker } from '../domain/ids.ts';
import { after, between, type Micros } from '../domain/time.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { SupervisorSettings } from './settings.ts';

/**
 * Finds lanes that have stopped answering. The second line: a thread that hangs is found by its pulse, by whoever hosts
 * it; here a lane is found whose thread lives and which is deaf all the same.
 *
 * 1. A lane has one question open at a time: the queue to it does not grow while it is silent. Thousands of lanes are asked in
 *    turn, an eighth of them in each round: asking all at once would be a burst for every thread, once a second.
 * 2. Silence counts in rounds that were on time. When the main thread was late itself, answers may lie unread: such a
 *    round blames nobody and starts every count anew.
 */
export type Heartbeat = {
  start(): void;
  /** The lane has said something, or is none of the watched ones any more. */
  heard(symbol: Ticker): void;
  stop(): void;
};

export type HeartbeatDeps = {
  readonly clock: Clock;
  readonly settings: SupervisorSettings;
  /** The lanes that owe answers now. */
  readonly watched: () => readonly Ticker[];
  readonly ping: (symbol: Ticker) => void;
  readonly onSilent: (symbol: Ticker) => void;
};

/** Up to so many lanes are all asked in each round. */
const ASKED_MIN = 250;
const ROUNDS_FOR_ALL = 8;

export function createHeartbeat({ clock, settings, watched, ping, onSilent }: HeartbeatDeps): Heartbeat {
  const roundsMax = Math.ceil(settings.stallAfter / settings.pingEvery);
  /** Rounds for which the lane owes its answer. */
  const silent = new Map<Ticker, number>();
  /** How many places of the list were asked about already; the list is the same from round to round, or nearly so. */
  let asked = 0;
  let timer: Timer | null = null;

  function arm(): void {
    const dueAt = after(clock.now(), settings.pingEvery);
    timer = clock.at(dueAt, () => {
      round(dueAt);
      arm();
    });
  }

  function round(dueAt: Micros): void {
    const isLate = between(dueAt, clock.now()) * 2 > settings.pingEvery;
    const lanes = watched();
    const share = Math.max(ASKED_MIN, Math.ceil(lanes.length / ROUNDS_FOR_ALL));
    const first = asked < lanes.length ? asked : 0;
    asked = first + share;
    for (const [place, symbol] of lanes.entries()) {
      const rounds = silent.get(symbol);
      if (rounds === undefined) {
        if (place >= first && place < asked) open(symbol);
        continue;
      }
      const owed = isLate ? 0 : rounds + 1;
      silent.set(symbol, owed);
      if (owed < roundsMax) continue;
      silent.delete(symbol);
      onSilent(symbol);
    }
  }

  function open(symbol: Ticker): void {
    silent.set(symbol, 0);
    ping(symbol);
  }

  return {
    start: arm,
    heard: (symbol) => void silent.delete(symbol),
    stop: () => timer?.cancel(),
  };
}

/**
 * How long a server lets a connection stand that nobody asks anything on. None says so: it is learned from those that it
 * closes, and tried again a little longer each time all of them were replaced, so that one bad hour is not believed for ever.
 */
export type IdleLife = {
  /** The server has closed one that had stood for so long, in milliseconds, and carried nothing. */
  closedAfter(millis: number): void;
  /** One was replaced before that could happen. */
  replaced(): void;
  /** After how many milliseconds a fresh one is to be replaced, each after its own; infinite while nothing is known. */
  next(): number;
};

/** A connection that is closed sooner was not closed for standing idle. */
const IDLE_MILLIS_MIN = 20_000;
/** Spread over this part of the known life: those that were opened together must not go together. */
const EARLIEST = 0.5;
const LATEST = 0.9;
const LONGER = 1.05;

/** `ahead`: how many stand at a time, 1 or more. `random`: 0 to 1, 1 excluded. */
export function createIdleLife(ahead: number, random: () => number, shortest = IDLE_MILLIS_MIN): IdleLife {
  let known = Number.POSITIVE_INFINITY;
  return {
    closedAfter(millis) {
      if (millis >= shortest) known = millis;
    },
    replaced() {
      known *= LONGER ** (1 / ahead);
    },
    next: () =>
      known === Number.POSITIVE_INFINITY ? known : known * (EARLIEST + (LATEST - EARLIEST) * random()),
  };
}

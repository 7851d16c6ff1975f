import type { ClientOrderId } from '../domain/ids.ts';
import { before, between, type Duration, type Micros, minutes } from '../domain/time.ts';

/** How long one rung of the flatten ladder takes besides the wait for its request, learned from what was seen lately. */
export type RungTimes = {
  /** From the request for a cancel to its confirmation. */
  cancel(): Duration;
  /** From a market sell's request to its last share. */
  sell(): Duration;
};

export type RungMeter = RungTimes & {
  /** A request was answered. */
  answered(took: Duration): void;
  /** A market sell has left. */
  left(id: ClientOrderId, at: Micros): void;
  /** An order has ended. */
  ended(id: ClientOrderId, filled: boolean, at: Micros): void;
};

/** A cancel is confirmed, and a sell filled, by the stream: about once more the time of the answer. */
const TO_AND_FRO = 2;
/** One slow rung counts for so long. While it keeps entries shut no other rung could correct it. */
const MEMORY = minutes(10);

/** `unknown`: what a rung is taken for when nothing was seen lately. */
export function createRungMeter(unknown: Duration, now: () => Micros): RungMeter {
  const outside = new Map<ClientOrderId, Micros>();
  const answers = slowestOf(now);
  const sells = slowestOf(now);
  const cancel = (): Duration => {
    const answer = answers.slowest();
    return answer === null ? unknown : (Math.round(answer * TO_AND_FRO) as Duration);
  };
  return {
    cancel,
    sell: () => sells.slowest() ?? cancel(),
    answered: answers.note,
    left: (id, at) => void outside.set(id, at),
    ended(id, filled, at) {
      const leftAt = outside.get(id);
      if (leftAt === undefined) return;
      outside.delete(id);
      if (filled) sells.note(between(leftAt, at));
    },
  };
}

/** The slowest lane decides when all are flat: the longest time of the last `MEMORY`. */
function slowestOf(now: () => Micros) {
  /** Ever shorter, ever younger: what is shorter and older than another can never be the longest again. */
  let seen: readonly { readonly took: Duration; readonly at: Micros }[] = [];
  return {
    note(took: Duration): void {
      seen = [...seen.filter((each) => each.took > took), { took, at: now() }];
    },
    slowest(): Duration | null {
      const since = before(now(), MEMORY);
      seen = seen.filter(({ at }) => at > since);
      return seen[0]?.took ?? null;
    },
  };
}

import { before, type Micros, minutes } from '../domain/time.ts';
import type { BrokerFill, Read } from '../ports/broker.ts';
import { fillPagesOf } from './inquiry.ts';

/**
 * The account's fills since the session's beginning, as far as they were read. They cost a request per hundred, so only the
 * first read is whole; later ones read what is new, and a while before it: a fill may be listed late.
 */
export type FillBook = {
  /** `whole`: from the beginning again. `ask` is given where to begin and the pages it is expected to take. */
  read(whole: boolean, at: Micros): Promise<Read<readonly BrokerFill[]>>;
  /** A new session, whose fills begin at `from`. */
  open(from: Micros): void;
};

/** How late a fill may be listed and is still found by a read of what is new. */
const LISTED_WITHIN = minutes(2);

export function createFillBook(
  ask: (from: Micros, pages: number) => Promise<Read<readonly BrokerFill[]>>,
): FillBook {
  let known = new Map<string, BrokerFill>();
  let begin = 0 as Micros;
  let readTo: Micros | null = null;

  return {
    async read(whole, at) {
      const from =
        whole || readTo === null ? begin : (Math.max(begin, before(readTo, LISTED_WITHIN)) as Micros);
      let expected = 0;
      for (const fill of known.values()) if (fill.at > from) expected += 1;
      const book = known;
      const answer = await ask(from, fillPagesOf(expected));
      if (answer.kind === 'failed') return answer;
      for (const fill of answer.value) book.set(fill.activityId, fill);
      if (book === known) readTo = at;
      return { kind: 'ok', value: [...book.values()] };
    },
    open(from) {
      known = new Map();
      begin = from;
      readTo = null;
    },
  };
}

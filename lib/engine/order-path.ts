import type { Ticker } from '../domain/ids.ts';
import type { Stopwatch } from '../ports/clock.ts';

/**
 * Where the time of an order went, in whole microseconds of wall time, from the frame that led to it:
 *
 * - `decode`: until the lane's input was made of it; 0 for what no frame of the trade stream led to.
 * - `decide`: until the lane's decision was there; by way of its thread both crossings are in it.
 * - `release`: risk check, record in the journal, and the wait for its turn.
 * - `send`: until the request was handed to its connection.
 * - `answer`: until the broker's answer was read; `null` while there is none.
 *
 * `by`: who came to the decision first: the main thread with the lane's machine, the lane's thread, or the custodian.
 */
export type StageTimes = {
  readonly by: 'ahead' | 'thread' | 'custodian';
  readonly decode: number;
  readonly decide: number;
  readonly release: number;
  readonly send: number;
  readonly answer: number | null;
};

/** One order's stamps. */
export type OrderPath = {
  leaves(): void;
  sent(): void;
  answered(): void;
  /** `null` before it was sent. */
  times(): StageTimes | null;
};

/** Stamps inputs on their way to the lanes, so that an order knows which frame led to it, and when. */
export type PathMeter = {
  /** A frame of the trade stream that came at `heardAt` is worked on until `over`. */
  heard(heardAt: number): void;
  over(): void;
  /** The symbol's lane is given an input now. */
  delivered(symbol: Ticker): void;
  /** The lane wants an order: the input that was given to it last led to it. */
  decided(symbol: Ticker, by: StageTimes['by']): OrderPath;
};

export function createPathMeter(stopwatch: Stopwatch): PathMeter {
  const inputs = new Map<Ticker, { readonly heardAt: number; readonly deliveredAt: number }>();
  let frameAt: number | null = null;
  return {
    heard(heardAt) {
      frameAt = heardAt;
    },
    over() {
      frameAt = null;
    },
    delivered(symbol) {
      const deliveredAt = stopwatch();
      inputs.set(symbol, { heardAt: frameAt ?? deliveredAt, deliveredAt });
    },
    decided(symbol, by) {
      const decidedAt = stopwatch();
      const { heardAt, deliveredAt } = inputs.get(symbol) ?? { heardAt: decidedAt, deliveredAt: decidedAt };
      let leftAt = decidedAt;
      let sentAt: number | null = null;
      let answeredAt: number | null = null;
      return {
        leaves() {
          leftAt = stopwatch();
        },
        sent() {
          sentAt = stopwatch();
        },
        answered() {
          answeredAt = stopwatch();
        },
        times: () =>
          sentAt === null
            ? null
            : {
                by,
                decode: Math.round(deliveredAt - heardAt),
                decide: Math.round(decidedAt - deliveredAt),
                release: Math.round(leftAt - decidedAt),
                send: Math.round(sentAt - leftAt),
                answer: answeredAt === null ? null : Math.round(answeredAt - sentAt),
              },
      };
    },
  };
}

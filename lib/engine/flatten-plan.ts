import { after, between, type Duration, type Micros, micros } from '../domain/time.ts';
import type { RungTimes } from './rung-times.ts';
import type { TokenBucket } from './token-bucket.ts';

/** What getting out of everything takes at this instant, counted over all lanes. */
export type FlattenNeeds = {
  /** Orders in the way that nobody has asked to be canceled. One that still waits in our queue is none: it is taken back. */
  readonly cancels: number;
  /** Cancels that were asked for and are not confirmed. */
  readonly canceling: number;
  /** Market sells to come, of lanes that hold shares or may come to hold some. */
  readonly sells: number;
  /** Market sells that are out. */
  readonly selling: number;
  /** Lanes with shares that nothing can sell now, because trading is halted: no forecast counts them. */
  readonly stuck: number;
};

export type FlattenForecast = {
  readonly time: Duration;
  readonly flatBy: Micros;
  readonly requests: number;
  readonly stuck: number;
};

/**
 * The flatten ladder as a plan: all cancels, then all sells, in one line for one budget. A sell waits for the confirmation
 * of its lane's cancel and for its token, whichever is later; the last of them fills one rung after it has left.
 */
export function planFlatten(
  now: Micros,
  needs: FlattenNeeds,
  line: {
    /** Requests that wait in the queue and go before or with the ladder's own. */
    readonly waiting: number;
    /** Lanes that may come to hold shares besides those counted: at worst a cancel and a sell each. */
    readonly entries: number;
  },
  bucket: Pick<TokenBucket, 'freeAt'>,
  rungs: RungTimes,
): FlattenForecast {
  const cancels = needs.cancels + line.entries;
  const sells = needs.sells + line.entries;
  const requests = line.waiting + cancels + sells;
  const { stuck } = needs;
  if (requests + needs.canceling + needs.selling === 0)
    return { time: 0 as Duration, flatBy: now, requests, stuck };
  const sentBy = (count: number): Micros => (count === 0 ? now : bucket.freeAt(now, true, count));
  const canceledBy =
    cancels + needs.canceling === 0 ? now : after(sentBy(line.waiting + cancels), rungs.cancel());
  const soldBy = sells + needs.selling === 0 ? now : after(sentBy(requests), rungs.sell());
  const flatBy = micros(Math.max(canceledBy + (sells === 0 ? 0 : rungs.sell()), soldBy));
  return { time: between(now, flatBy), flatBy, requests, stuck };
}

import { type Lane, sharesHeld, unsettledOrders } from '../../domain/lane.ts';
import { formatDecimal } from '../../domain/money.ts';
import { formatInstant } from '../../domain/time.ts';
import type { LaneView } from '../../ports/lane-host.ts';

/**
 * What `scalpd status --lane S --json` prints: a lane as its own thread sees it. Instants as RFC 3339 in UTC, amounts in USD
 * as decimal text.
 */
export type LaneReport = {
  readonly symbol: string;
  readonly threadId: number;
  /** Of the whole thread: lanes that share it share this. */
  readonly heapUsedBytes: number;
  /** The latest instant that the lane has seen. */
  readonly at: string;
  readonly stage: Lane['stage']['kind'];
  readonly mode: Lane['mode'];
  /** `open`, or the stable code of what keeps entries shut. */
  readonly gate: string;
  readonly halted: boolean;
  readonly shares: number;
  /** Orders that are not accounted for. */
  readonly orders: readonly {
    readonly clientOrderId: string;
    readonly side: string;
    readonly qty: number;
    readonly state: string;
  }[];
  readonly entries: number;
  readonly roundTrips: number;
  readonly realizedUsd: string;
  /** Bars of this session that the strategy has seen, and its numbers on the last one. */
  readonly barsSeen: number;
  readonly facts: Readonly<Record<string, number>>;
};

export function reportLane({ lane, ...view }: LaneView): LaneReport {
  return {
    symbol: view.symbol,
    threadId: view.threadId,
    heapUsedBytes: view.heapUsedBytes,
    at: formatInstant(lane.at),
    stage: lane.stage.kind,
    mode: lane.mode,
    gate: lane.gate.kind === 'open' ? 'open' : lane.gate.code,
    halted: lane.trading.kind === 'halted',
    shares: sharesHeld(lane),
    orders: unsettledOrders(lane).map(({ kind, intent: { clientOrderId, side, qty } }) => ({
      clientOrderId,
      side,
      qty,
      state: kind,
    })),
    entries: lane.day.entries,
    roundTrips: lane.day.roundTrips,
    realizedUsd: formatDecimal(lane.day.realized),
    barsSeen: view.barsSeen,
    facts: view.facts,
  };
}

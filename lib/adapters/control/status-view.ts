import { type Cash, formatDecimal } from '../../domain/money.ts';
import { formatInstant, type Micros } from '../../domain/time.ts';
import type { EngineStatus, LaneStatus } from '../../engine/engine-types.ts';

/**
 * What `scalpd status --json` prints: the engine's status for the outside. Instants as RFC 3339 in UTC, amounts in USD as
 * decimal text, so that no reader needs our units.
 */
export type StatusView = {
  readonly state: EngineStatus['state'];
  readonly at: string;
  readonly session: {
    readonly day: string;
    readonly opensAt: string;
    readonly entryCutoffAt: string;
    readonly flattenAt: string;
    readonly closesAt: string;
  } | null;
  readonly nextOpensAt: string | null;
  readonly dataFeed: EngineStatus['dataFeed'];
  readonly tradeFeed: EngineStatus['tradeFeed'];
  /** Since when entries are shut because more market data arrive than can be taken; `null` while they are not. */
  readonly overloadedSince: string | null;
  readonly buyingPowerUsd: string | null;
  readonly dayPnlUsd: string | null;
  readonly roundTrips: number;
  /** No lane holds shares. */
  readonly flat: boolean;
  /** The latch that keeps everything shut, by whom and why; `null` when none is on. */
  readonly latch: string | null;
  readonly journalBroken: boolean;
  /** Records that this run could not write. */
  readonly journalLost: number;
  /** Forecast of getting out of everything from now on, in seconds of market time; halted lanes are left out. */
  readonly secondsToFlatten: number;
  readonly lanesStuck: number;
  /** Lanes on their way out; `null` while nobody ordered any out, or all are. */
  readonly flattening: {
    readonly reason: string;
    readonly since: string;
    readonly lanes: number;
    readonly left: number;
    /** What was forecast when it began. */
    readonly forecastSeconds: number;
  } | null;
  readonly requestsWaiting: number;
  /** Requests that may leave now, and how many of them entries may use: the rest is kept for exits. */
  readonly requestsFree: number;
  readonly requestsFreeForEntries: number;
  readonly ordersUnknown: number;
  readonly discrepancies: EngineStatus['discrepancies'];
  readonly lanes: readonly LaneView[];
};

export type LaneView = {
  readonly symbol: string;
  readonly stage: string;
  readonly mode: LaneStatus['mode'];
  readonly because: readonly string[];
  /** `open`, or the stable code of what keeps entries shut. */
  readonly gate: string;
  readonly owner: LaneStatus['owner'];
  readonly threadId: number | null;
  readonly halted: boolean;
  readonly shares: number;
  readonly markUsd: string | null;
  readonly entries: number;
  readonly roundTrips: number;
  readonly realizedUsd: string;
};

export function viewStatus(status: EngineStatus): StatusView {
  const { session } = status;
  return {
    state: status.state,
    at: formatInstant(status.at),
    session: session && {
      day: session.day,
      opensAt: formatInstant(session.openAt),
      entryCutoffAt: formatInstant(session.entryCutoffAt),
      flattenAt: formatInstant(session.flattenAt),
      closesAt: formatInstant(session.closeAt),
    },
    nextOpensAt: instant(status.next?.openAt ?? null),
    dataFeed: status.dataFeed,
    tradeFeed: status.tradeFeed,
    overloadedSince: instant(status.overloadedSince),
    buyingPowerUsd: usd(status.account?.buyingPower ?? null),
    dayPnlUsd: usd(status.dayPnl),
    roundTrips: status.roundTrips,
    flat: status.lanes.every(({ shares }) => shares === 0),
    latch: status.latch,
    journalBroken: status.journalBroken,
    journalLost: status.journalLost,
    secondsToFlatten: status.gateway.timeToFlatten / 1_000_000,
    lanesStuck: status.gateway.lanesStuck,
    flattening: status.flattening && {
      reason: status.flattening.reason,
      since: formatInstant(status.flattening.since),
      lanes: status.flattening.lanes,
      left: status.flattening.left,
      forecastSeconds: status.flattening.forecast / 1_000_000,
    },
    requestsWaiting: status.gateway.waiting,
    requestsFree: status.gateway.free,
    requestsFreeForEntries: status.gateway.freeForEntries,
    ordersUnknown: status.orders.unknown,
    discrepancies: status.discrepancies,
    lanes: status.lanes.map(viewLane),
  };
}

function viewLane(lane: LaneStatus): LaneView {
  return {
    symbol: lane.symbol,
    stage: lane.stage,
    mode: lane.mode,
    because: lane.because,
    gate: lane.gate.kind === 'open' ? 'open' : lane.gate.code,
    owner: lane.owner,
    threadId: lane.threadId,
    halted: lane.halted,
    shares: lane.shares,
    markUsd: lane.mark === null ? null : formatDecimal(lane.mark.price),
    entries: lane.entries,
    roundTrips: lane.roundTrips,
    realizedUsd: formatDecimal(lane.realized),
  };
}

const instant = (at: Micros | null): string | null => (at === null ? null : formatInstant(at));
const usd = (amount: Cash | null): string | null => (amount === null ? null : formatDecimal(amount));

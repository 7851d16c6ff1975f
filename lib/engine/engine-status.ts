import { type Lane, sharesHeld } from '../domain/lane.ts';
import type { Micros } from '../domain/time.ts';
import type { EngineStatus, LaneStatus } from './engine-types.ts';
import type { Loop } from './loop.ts';

/** What only the engine's own life knows. */
export type LifeStatus = Pick<
  EngineStatus,
  'state' | 'dataFeed' | 'tradeFeed' | 'overloadedSince' | 'session' | 'next'
>;

/** Where everything stands at one instant, for people and for screens. */
export function statusOf(loop: Loop, life: LifeStatus, at: Micros): EngineStatus {
  const { tracker, hub, killSwitch, recorder, blotter, reconciler, supervisor } = loop;
  return {
    ...life,
    at,
    account: loop.account(),
    gateway: loop.gateway.status(at),
    flattening: loop.flattening.progress(),
    orders: tracker.stats(),
    feed: hub.stats(),
    latch: killSwitch.describe(),
    journalBroken: recorder.broken(),
    journalLost: recorder.lost(),
    dayPnl: loop.desk.dayPnl(),
    roundTrips: blotter.trips().length,
    discrepancies: reconciler.discrepancies(),
    lanes: supervisor.lanes().map((lane) => laneStatus(loop, lane)),
  };
}

function laneStatus({ supervisor, modes, gates, hub }: Loop, lane: Lane): LaneStatus {
  const { symbol } = lane.params;
  return {
    symbol,
    owner: supervisor.ownerOf(symbol),
    threadId: supervisor.host.threadOf(symbol),
    mode: modes.of(symbol),
    because: modes.reasons(symbol).map(({ reason, by }) => `${reason} (${by})`),
    gate: gates.of(symbol),
    stage: lane.stage.kind,
    halted: lane.trading.kind === 'halted',
    shares: sharesHeld(lane),
    mark: hub.mark(symbol),
    entries: lane.day.entries,
    roundTrips: lane.day.roundTrips,
    realized: lane.day.realized,
    losses: supervisor.losses(symbol),
  };
}

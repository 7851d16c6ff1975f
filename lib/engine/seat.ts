import type { Ticker } from '../domain/ids.ts';
import type { Lane } from '../domain/lane.ts';
import type { LaneParams } from '../domain/lane-types.ts';
import type { Bar } from '../domain/market.ts';
import { before, type Duration, type Micros } from '../domain/time.ts';
import type { Timer } from '../ports/clock.ts';
import type { LaneLoss } from '../ports/lane-host.ts';
import type { LaneInputMessage } from '../ports/lane-protocol.ts';
import type { Custodian } from './custodian.ts';
import { createLaneShadow, type LaneShadow } from './lane-shadow.ts';
import type { SupervisorSettings } from './settings.ts';

export type LaneOwner = 'thread' | 'custodian' | 'handover';

/** One lane as the supervisor keeps it. */
export type Seat = {
  readonly symbol: Ticker;
  readonly params: LaneParams;
  readonly shadow: LaneShadow;
  owner: LaneOwner;
  custodian: Custodian | null;
  /** Inputs that wait for the new thread during the handover. */
  held: LaneInputMessage[];
  /** Inputs that came while a step of the lane was being acted on; `null` while none is. */
  inbox: LaneInputMessage[] | null;
  wake: Timer | null;
  lastWokeAt: Micros | null;
  lossesAt: Micros[];
  restart: Timer | null;
  /** It is to get a thread again as soon as it is flat. */
  restartDue: boolean;
  /** Rises when a handover is called off: the thread that was meant for it finds itself unwanted. */
  handover: number;
  /** Settles when no thread holds the lane: not the one that was given up, not the one that came too late. */
  vacant: Promise<void>;
  /** Lost while it was being handed over. */
  lostEarly: LaneLoss | null;
  /** The thread of the first start has said so. */
  ready: boolean;
};

export const newSeat = (lane: Lane): Seat => ({
  symbol: lane.params.symbol,
  params: lane.params,
  shadow: createLaneShadow(lane.params.symbol, lane),
  owner: 'handover',
  custodian: null,
  held: [],
  inbox: null,
  wake: null,
  lastWokeAt: null,
  lossesAt: [],
  restart: null,
  restartDue: false,
  handover: 0,
  vacant: Promise.resolve(),
  lostEarly: null,
  ready: false,
});

/** Counts one loss more, and forgets those that are too long ago to matter. */
export function countLoss(seat: Seat, now: Micros, { lossWindow }: SupervisorSettings): void {
  seat.lossesAt = [...seat.lossesAt.filter((at) => at > before(now, lossWindow)), now];
}

/** Pause before the lane gets a thread again; `null`: it was lost too often for that. */
export function restartPause({ lossesAt }: Seat, settings: SupervisorSettings): Duration | null {
  if (lossesAt.length >= settings.lossesMax) return null;
  return (settings.restartPause * 2 ** (lossesAt.length - 1)) as Duration;
}

/** What can bring shares or orders to a lane that is flat: it must not wait for a thread that may be long in coming. */
export function isPressing({ kind }: LaneInputMessage): boolean {
  return kind === 'reported' || kind === 'adopted' || kind === 'succeeded' || kind === 'submitSettled';
}

/** The bars that the lane has answered; the others are still to come as inputs. */
export function barsAnswered({ shadow }: Seat, bars: readonly Bar[]): readonly Bar[] {
  const unanswered = new Set(
    shadow
      .unacked()
      .flatMap((input) => (input.kind === 'bars' ? input.bars.map(({ startAt }) => startAt) : [])),
  );
  return bars.filter(({ startAt }) => !unanswered.has(startAt));
}

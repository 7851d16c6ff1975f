import type { Ticker } from '../domain/ids.ts';
import { unreachable } from '../domain/invariant.ts';
import { type Lane, nextWakeAt, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { LaneParams } from '../domain/lane-types.ts';
import type { Bar } from '../domain/market.ts';
import { after, before, type Duration, type Micros, millis } from '../domain/time.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { LaneHost, LaneHostEvents, LaneLoss } from '../ports/lane-host.ts';
import type {
  LaneInputMessage,
  LaneStart,
  LaneStep,
  LaneUplink,
  MarkSource,
  StrategySetting,
} from '../ports/lane-protocol.ts';
import type { Log } from '../ports/log.ts';
import { type Custodian, createCustodian } from './custodian.ts';
import { createLaneShadow, type LaneShadow } from './lane-shadow.ts';
import type { SupervisorSettings } from './settings.ts';

/**
 * The life of the lanes. Every input of a lane goes through here, and every decision of a lane comes back through here.
 *
 * 1. A lane that is lost is taken over in the same turn, with everything it had not answered.
 * 2. A lane has one owner: its thread or the custodian. What a thread says after it was given up is not heard.
 * 3. A lane is given back when it is flat: then nothing is urgent, and inputs can wait for the new thread.
 * 4. A lane lost `lossesMax` times within `lossWindow` stays with the custodian, which only exits.
 */
export type Supervisor = {
  /** Starts all lanes; resolves when each is in its thread or with the custodian. */
  start(lanes: readonly Lane[]): Promise<void>;
  deliver(symbol: Ticker, input: LaneInputMessage): void;
  deliverAll(make: (symbol: Ticker) => LaneInputMessage): void;
  lane(symbol: Ticker): Lane;
  lanes(): readonly Lane[];
  ownerOf(symbol: Ticker): LaneOwner;
  losses(symbol: Ticker): number;
  /** No thread owes an answer: what the lanes were told last, they have acted on. */
  isAnswered(): boolean;
  /** Step numbers begin anew with a session's journal. */
  openSession(): void;
  stop(): Promise<void>;
};

export type LaneOwner = 'thread' | 'custodian' | 'handover';

export type SupervisorEvents = {
  /** One step of a lane, already folded into its shadow. Commands are to be acted on in order. */
  onStep(symbol: Ticker, step: LaneStep, number: number, after: Lane): void;
  /** All steps of one answer were acted on: what is not urgent may be done now. */
  onSettled(symbol: Ticker, lane: Lane): void;
  onRetired(symbol: Ticker): void;
};

export type SupervisorDeps = {
  readonly clock: Clock;
  readonly openHost: (events: LaneHostEvents) => LaneHost;
  readonly log: Log;
  readonly settings: SupervisorSettings;
  readonly strategy: StrategySetting;
  readonly marks: MarkSource;
  /** The session's bars the lane has been given. */
  readonly bars: (symbol: Ticker) => readonly Bar[];
  readonly events: SupervisorEvents;
};

type Seat = {
  readonly symbol: Ticker;
  readonly params: LaneParams;
  readonly shadow: LaneShadow;
  owner: LaneOwner;
  custodian: Custodian | null;
  /** Inputs that wait for the new thread during the handover. */
  held: LaneInputMessage[];
  wake: Timer | null;
  lastWokeAt: Micros | null;
  /** When the oldest unanswered ping was sent. */
  owesSince: Micros | null;
  lossesAt: Micros[];
  restart: Timer | null;
  restartDue: boolean;
  stopping: Promise<void>;
  retired: boolean;
  /** Lost while it was being handed over. */
  lostEarly: LaneLoss | null;
  /** The thread of the first start has said so. */
  ready: boolean;
};

const newSeat = (lane: Lane): Seat => ({
  symbol: lane.params.symbol,
  params: lane.params,
  shadow: createLaneShadow(lane.params.symbol, lane),
  owner: 'handover',
  custodian: null,
  held: [],
  wake: null,
  lastWokeAt: null,
  owesSince: null,
  lossesAt: [],
  restart: null,
  restartDue: false,
  stopping: Promise.resolve(),
  retired: false,
  lostEarly: null,
  ready: false,
});

/** A lane that asks to be woken for the instant that just passed gets a breath between: it must not own the thread. */
const WAKE_GAP = millis(1);

export function createSupervisor(deps: SupervisorDeps): Supervisor & { readonly host: LaneHost } {
  const { clock, log, settings, events } = deps;
  const seats = new Map<Ticker, Seat>();
  let pinger: Timer | null = null;
  let stopped = false;
  const host = deps.openHost({ onUplink, onLost });

  // --- what lanes say --------------------------------------------------------------------------------------------------

  function onUplink(uplink: LaneUplink): void {
    const seat = seats.get(uplink.symbol);
    if (seat === undefined) return;
    switch (uplink.kind) {
      case 'ready':
        seat.ready = true;
        log.info('lane.started', { symbol: seat.symbol, threadId: host.threadOf(seat.symbol) });
        break;
      case 'decided':
        if (seat.owner !== 'thread') return;
        seat.owesSince = null;
        seat.shadow.acked(uplink.ack);
        decided(seat, uplink.steps, uplink.wakeAt);
        break;
      case 'alive':
        seat.owesSince = null;
        break;
      case 'gone':
        log.info('lane.ended', { symbol: seat.symbol });
        break;
      default:
        unreachable(uplink);
    }
  }

  function decided(seat: Seat, steps: readonly LaneStep[], wakeAt: Micros | null): void {
    for (const step of steps) {
      const number = seat.shadow.fold(step);
      events.onStep(seat.symbol, step, number, seat.shadow.lane());
    }
    armWake(seat, wakeAt);
    events.onSettled(seat.symbol, seat.shadow.lane());
    if (seat.restartDue) tryHandover(seat);
  }

  function armWake(seat: Seat, wakeAt: Micros | null): void {
    seat.wake?.cancel();
    seat.wake = null;
    if (wakeAt === null || stopped) return;
    const soonest = seat.lastWokeAt === null ? wakeAt : Math.max(wakeAt, after(seat.lastWokeAt, WAKE_GAP));
    seat.wake = clock.at(soonest as Micros, () => {
      seat.wake = null;
      seat.lastWokeAt = clock.now();
      deliver(seat.symbol, { kind: 'woke', at: clock.now() });
    });
  }

  // --- what lanes are told ---------------------------------------------------------------------------------------------

  function deliver(symbol: Ticker, input: LaneInputMessage): void {
    const seat = seats.get(symbol);
    if (seat === undefined) return;
    switch (seat.owner) {
      case 'thread':
        seat.shadow.sent(host.post(symbol, input), input);
        if (seat.shadow.unackedCount() > settings.unackedMax)
          giveUp(seat, {
            code: 'stalled',
            text: `a lane answers its inputs: ${settings.unackedMax} are open`,
          });
        break;
      case 'custodian':
        seat.custodian?.feed(input);
        break;
      case 'handover':
        seat.held.push(input);
        break;
      default:
        unreachable(seat.owner);
    }
  }

  // --- losing and giving back ------------------------------------------------------------------------------------------

  function onLost(symbol: Ticker, loss: LaneLoss): void {
    const seat = seats.get(symbol);
    if (seat === undefined || stopped) return;
    if (seat.owner === 'thread') lost(seat, loss);
    // Ready and gone again before the start of all was done: it is taken over when that is.
    else if (seat.owner === 'handover') seat.lostEarly = loss;
  }

  /** Ends a lane that is there and does not do its work. */
  function giveUp(seat: Seat, loss: LaneLoss): void {
    lost(seat, loss);
    seat.stopping = host.stop(seat.symbol);
  }

  function lost(seat: Seat, loss: LaneLoss): void {
    const now = clock.now();
    seat.lossesAt = [...seat.lossesAt.filter((at) => at > before(now, settings.lossWindow)), now];
    const unanswered = seat.shadow.takeUnacked();
    log.error('lane.lost', {
      symbol: seat.symbol,
      code: loss.code,
      text: loss.text,
      shares: sharesHeld(seat.shadow.lane()),
      unanswered: unanswered.length,
      consequence: 'the custodian exits what it holds',
    });
    takeIntoCustody(seat, unanswered);
    planRestart(seat);
  }

  function takeIntoCustody(seat: Seat, inputs: readonly LaneInputMessage[]): void {
    seat.owesSince = null;
    seat.owner = 'custodian';
    seat.custodian = createCustodian(startOf(seat), deps.marks, log, (steps, wakeAt) =>
      decided(seat, steps, wakeAt),
    );
    armWake(seat, nextWakeAt(seat.shadow.lane()));
    for (const input of inputs) seat.custodian?.feed(input);
  }

  function planRestart(seat: Seat): void {
    if (seat.lossesAt.length >= settings.lossesMax) {
      seat.retired = true;
      log.error('lane.retired', {
        symbol: seat.symbol,
        losses: seat.lossesAt.length,
        consequence: 'the symbol stays exit-only until the daemon starts again',
      });
      events.onRetired(seat.symbol);
      return;
    }
    const pause = (settings.restartPause * 2 ** (seat.lossesAt.length - 1)) as Duration;
    seat.restart?.cancel();
    seat.restart = clock.at(after(clock.now(), pause), () => {
      seat.restart = null;
      seat.restartDue = true;
      tryHandover(seat);
    });
  }

  function tryHandover(seat: Seat): void {
    const lane = seat.shadow.lane();
    if (stopped || seat.owner !== 'custodian') return;
    if (sharesHeld(lane) !== 0 || unsettledOrders(lane).length > 0) return;
    seat.restartDue = false;
    seat.owner = 'handover';
    void handOver(seat);
  }

  async function handOver(seat: Seat): Promise<void> {
    let failure: unknown = null;
    try {
      await seat.stopping;
      await host.start([startOf(seat)]);
    } catch (cause) {
      failure = cause;
    }
    if (stopped) return;
    if (failure === null) {
      seated(seat);
      if (seat.owner !== 'thread') return;
      log.info('lane.givenBack', { symbol: seat.symbol, threadId: host.threadOf(seat.symbol) });
    } else startFailed(seat, failure);
  }

  function seated(seat: Seat): void {
    const early = seat.lostEarly;
    seat.lostEarly = null;
    if (early !== null) {
      startFailed(seat, new Error(`${early.code}: ${early.text}`));
      return;
    }
    seat.custodian = null;
    seat.owner = 'thread';
    armWake(seat, nextWakeAt(seat.shadow.lane()));
    const held = seat.held;
    seat.held = [];
    for (const input of held) deliver(seat.symbol, input);
  }

  function startFailed(seat: Seat, cause: unknown): void {
    seat.lostEarly = null;
    const now = clock.now();
    seat.lossesAt = [...seat.lossesAt.filter((at) => at > before(now, settings.lossWindow)), now];
    log.error('lane.start.failed', {
      symbol: seat.symbol,
      text: cause instanceof Error ? cause.message : String(cause),
    });
    const held = seat.held;
    seat.held = [];
    takeIntoCustody(seat, held);
    planRestart(seat);
  }

  const startOf = (seat: Seat): LaneStart => ({
    symbol: seat.symbol,
    params: seat.params,
    strategy: deps.strategy,
    lane: seat.shadow.lane(),
    bars: deps.bars(seat.symbol),
  });

  // --- heartbeat -------------------------------------------------------------------------------------------------------

  function armPing(): void {
    pinger = clock.at(after(clock.now(), settings.pingEvery), () => {
      const now = clock.now();
      for (const seat of seats.values()) if (seat.owner === 'thread') checkPulse(seat, now);
      armPing();
    });
  }

  function checkPulse(seat: Seat, now: Micros): void {
    if (seat.owesSince !== null) {
      if (now >= after(seat.owesSince, settings.stallAfter))
        giveUp(seat, { code: 'stalled', text: 'a lane answers its pings' });
      return;
    }
    seat.owesSince = now;
    host.ping(seat.symbol);
  }

  function seatOf(symbol: Ticker): Seat {
    const seat = seats.get(symbol);
    if (seat === undefined) throw new RangeError(`every symbol has a lane: ${symbol}`);
    return seat;
  }

  return {
    host,
    async start(lanes) {
      for (const lane of lanes) seats.set(lane.params.symbol, newSeat(lane));
      const all = [...seats.values()];
      let failure: unknown = null;
      try {
        await host.start(all.map(startOf));
      } catch (cause) {
        failure = cause;
      }
      // One lane that cannot start does not keep the others: those that said `ready` are there.
      for (const seat of all)
        if (failure === null || seat.ready) seated(seat);
        else startFailed(seat, failure);
      armPing();
    },
    deliver,
    deliverAll(make) {
      for (const symbol of seats.keys()) deliver(symbol, make(symbol));
    },
    lane: (symbol) => seatOf(symbol).shadow.lane(),
    lanes: () => [...seats.values()].map(({ shadow }) => shadow.lane()),
    ownerOf: (symbol) => seatOf(symbol).owner,
    losses: (symbol) => seatOf(symbol).lossesAt.length,
    isAnswered: () =>
      [...seats.values()].every(({ owner, shadow }) => owner !== 'thread' || shadow.unackedCount() === 0),
    openSession() {
      for (const { shadow } of seats.values()) shadow.restartCount();
    },
    async stop() {
      stopped = true;
      pinger?.cancel();
      for (const seat of seats.values()) {
        seat.wake?.cancel();
        seat.restart?.cancel();
      }
      await host.close();
    },
  };
}

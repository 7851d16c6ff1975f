import type { Ticker } from '../domain/ids.ts';
import { unreachable } from '../domain/invariant.ts';
import { nextWakeAt, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { Bar } from '../domain/market.ts';
import { after, type Micros, millis } from '../domain/time.ts';
import type { LaneHost, LaneLoss } from '../ports/lane-host.ts';
import type { LaneInputMessage, LaneStart, LaneStep, LaneUplink } from '../ports/lane-protocol.ts';
import { createCustodian } from './custodian.ts';
import { createHeartbeat } from './heartbeat.ts';
import { barsAnswered, countLoss, isPressing, newSeat, restartPause, type Seat } from './seat.ts';
import type { Seating, Supervisor, SupervisorDeps, Taken } from './supervisor-types.ts';

export type * from './supervisor-types.ts';

/** A lane that asks to be woken for the instant that just passed gets a breath between: it must not own the thread. */
const WAKE_GAP = millis(1);

/**
 * The life of the lanes. Every input of a lane goes through here, and every decision of a lane comes back through here.
 *
 * 1. A lane that is lost is taken over in the same turn, with everything it had not answered.
 * 2. A lane has one owner: its thread or the custodian. What a thread says after it was given up is not heard.
 * 3. A lane is given back when it is flat: then nothing is urgent, and inputs can wait for the new thread. When one comes
 *    that may bring shares, the handover is called off.
 * 4. What waits for a lane's answer, or for its new thread, is bounded by `unackedMax` inputs. When that is full, the
 *    custodian takes the lane over with all of them. A lane speaks only in answer, so the way back is bounded by it too.
 * 5. A lane that owes no decision has its next step taken ahead, in the turn that brings the input: what it sends does not
 *    wait for a thread to wake up. Its thread is told and has to agree; one that does not is lost. Bars are left to the
 *    thread, because only the thread has the strategy.
 * 6. A lane lost `lossesMax` times within `lossWindow` stays with the custodian, which only exits.
 */
export function createSupervisor(deps: SupervisorDeps): Supervisor & { readonly host: LaneHost } {
  const { clock, log, settings, events } = deps;
  const seats = new Map<Ticker, Seat>();
  let stopped = false;
  const heartbeat = createHeartbeat({
    clock,
    settings,
    watched: () => [...seats.values()].flatMap(({ owner, symbol }) => (owner === 'thread' ? [symbol] : [])),
    ping: (symbol) => void host.ping(symbol),
    onSilent: (symbol) => giveUp(seatOf(symbol), { code: 'stalled', text: 'a lane answers its pings' }),
  });
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
        heartbeat.heard(seat.symbol);
        seat.shadow.acked(uplink.ack);
        turn(seat, [], () => decided(seat, uplink.steps));
        break;
      case 'alive':
        heartbeat.heard(seat.symbol);
        break;
      case 'gone':
        log.info('lane.ended', { symbol: seat.symbol });
        break;
      default:
        unreachable(uplink);
    }
  }

  function decided(seat: Seat, steps: readonly LaneStep[]): void {
    const by = seat.owner === 'thread' ? 'thread' : 'custodian';
    for (const step of steps) take(seat, step, by);
    settled(seat);
  }

  function take(seat: Seat, step: LaneStep, by: Taken['by']): void {
    const number = seat.shadow.fold(step);
    events.onStep(seat.symbol, step, { number, by }, seat.shadow.lane());
  }

  function settled(seat: Seat): void {
    const lane = seat.shadow.lane();
    armWake(seat, nextWakeAt(lane));
    events.onSettled(seat.symbol, lane);
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
        if (seat.inbox !== null) seat.inbox.push(input);
        else tell(seat, input);
        break;
      case 'custodian':
        seat.custodian?.feed(input);
        if (seat.restartDue) tryHandover(seat);
        break;
      case 'handover':
        seat.held.push(input);
        if (seat.held.length > settings.unackedMax) overflow(seat);
        else if (isPressing(input)) callOff(seat, `an input that cannot wait: ${input.kind}`);
        break;
      default:
        unreachable(seat.owner);
    }
  }

  function tell(seat: Seat, input: LaneInputMessage): void {
    turn(seat, [input], () => undefined);
    if (seat.owner === 'thread' && seat.shadow.unackedCount() > settings.unackedMax) overflow(seat);
  }

  /** What comes back while a step is acted on waits for its end: an order can be refused within the step that sends it. */
  function turn(seat: Seat, inbox: LaneInputMessage[], first: () => void): void {
    seat.inbox = inbox;
    try {
      first();
      for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
        // Lost while it was acted on: whoever has it now gets the rest.
        if (seat.owner !== 'thread') {
          seat.inbox = null;
          deliver(seat.symbol, next);
        } else if (!takeAhead(seat, next)) seat.shadow.sent(host.post(seat.symbol, next), next);
      }
    } catch (error) {
      // Half a step was acted on: nobody knows what is in the books, and whoever called may be made to swallow it.
      events.onBroken(error);
      throw error;
    } finally {
      seat.inbox = null;
    }
  }

  function takeAhead(seat: Seat, input: LaneInputMessage): boolean {
    if (!settings.stepAhead || input.kind === 'bars') return false;
    const step = seat.shadow.ahead({ ...input, mark: deps.marks.read(seat.symbol) });
    if (step === null) return false;
    take(seat, step, 'ahead');
    if (seat.owner === 'thread') seat.shadow.told(host.repeat(seat.symbol, step));
    settled(seat);
    return true;
  }

  function overflow(seat: Seat): void {
    const isThere = seat.owner === 'thread';
    log.error('lane.queue.full', {
      symbol: seat.symbol,
      queue: isThere ? 'inputs' : 'handover',
      bound: settings.unackedMax,
      consequence: 'the custodian takes the lane over',
    });
    if (isThere) giveUp(seat, { code: 'stalled', text: 'a lane answers its inputs' });
    else callOff(seat, 'too many inputs wait for the new thread');
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
    seat.vacant = host.stop(seat.symbol);
  }

  function lost(seat: Seat, loss: LaneLoss): void {
    countLoss(seat, clock.now(), settings);
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
    heartbeat.heard(seat.symbol);
    seat.owner = 'custodian';
    // Its strategy never enters: it has no use for the bars so far.
    const start = { ...startOf(seat), bars: [] };
    begins(seat, 'custodian', []);
    seat.custodian = createCustodian(start, deps.marks, log, (steps) => decided(seat, steps));
    armWake(seat, nextWakeAt(seat.shadow.lane()));
    for (const input of inputs) seat.custodian?.feed(input);
  }

  function planRestart(seat: Seat): void {
    const pause = restartPause(seat, settings);
    if (pause === null) {
      log.error('lane.retired', {
        symbol: seat.symbol,
        losses: seat.lossesAt.length,
        consequence: 'the symbol stays exit-only until the daemon starts again',
      });
      events.onRetired(seat.symbol);
      return;
    }
    seat.restart?.cancel();
    seat.restart = clock.at(after(clock.now(), pause), () => {
      seat.restart = null;
      seat.restartDue = true;
      tryHandover(seat);
    });
  }

  function tryHandover(seat: Seat): void {
    const lane = seat.shadow.lane();
    if (stopped || seat.owner !== 'custodian' || seat.custodian?.isWorking() === true) return;
    if (sharesHeld(lane) !== 0 || unsettledOrders(lane).length > 0) return;
    seat.restartDue = false;
    seat.owner = 'handover';
    seat.vacant = handOver(seat, seat.vacant);
  }

  async function handOver(seat: Seat, vacant: Promise<void>): Promise<void> {
    const { handover } = seat;
    const isOff = (): boolean => stopped || seat.handover !== handover;
    let failure: unknown = null;
    let start: LaneStart | null = null;
    try {
      await vacant;
      if (isOff()) return;
      start = startOf(seat);
      await host.start([start]);
    } catch (cause) {
      failure = cause;
    }
    if (isOff()) await unseat(seat, failure);
    else if (start === null || failure !== null) startFailed(seat, failure);
    else {
      seated(seat, start);
      if (seat.owner === 'thread')
        log.info('lane.givenBack', { symbol: seat.symbol, threadId: host.threadOf(seat.symbol) });
    }
  }

  /** The thread that a handover was called off for is not wanted any more; one that never came left nothing behind. */
  async function unseat(seat: Seat, failure: unknown): Promise<void> {
    if (!stopped && failure === null) await host.stop(seat.symbol);
  }

  /** Back to the custodian, which waits for the next time that the lane is flat. */
  function callOff(seat: Seat, text: string): void {
    log.warn('lane.handover.calledOff', { symbol: seat.symbol, text });
    seat.handover += 1;
    seat.lostEarly = null;
    takeIntoCustody(seat, takeHeld(seat));
    seat.restartDue = true;
  }

  function takeHeld(seat: Seat): readonly LaneInputMessage[] {
    const { held } = seat;
    seat.held = [];
    return held;
  }

  function seated(seat: Seat, { bars }: LaneStart): void {
    const early = seat.lostEarly;
    seat.lostEarly = null;
    if (early !== null) {
      startFailed(seat, new Error(`${early.code}: ${early.text}`));
      return;
    }
    seat.custodian = null;
    seat.owner = 'thread';
    begins(seat, 'thread', bars);
    armWake(seat, nextWakeAt(seat.shadow.lane()));
    for (const input of takeHeld(seat)) deliver(seat.symbol, input);
  }

  function startFailed(seat: Seat, cause: unknown): void {
    seat.lostEarly = null;
    countLoss(seat, clock.now(), settings);
    log.error('lane.start.failed', {
      symbol: seat.symbol,
      text: cause instanceof Error ? cause.message : String(cause),
    });
    takeIntoCustody(seat, takeHeld(seat));
    planRestart(seat);
  }

  function begins(seat: Seat, owner: Seating['owner'], bars: readonly Bar[]): void {
    seat.shadow.restartCount();
    events.onSeated(seat.symbol, { owner, lane: seat.shadow.lane(), bars });
  }

  const startOf = (seat: Seat): LaneStart => ({
    symbol: seat.symbol,
    params: seat.params,
    strategy: deps.strategy,
    lane: seat.shadow.lane(),
    // A copy: what comes while the thread starts is not what it starts from.
    bars: [...deps.bars(seat.symbol)],
  });

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
      const starts = all.map(startOf);
      let failure: unknown = null;
      const starting = host.start(starts).catch((cause: unknown) => {
        failure = cause;
      });
      for (const seat of all)
        seat.vacant = starting.then(() => (seat.handover > 0 && seat.ready ? unseat(seat, null) : undefined));
      await starting;
      // One lane that cannot start does not keep the others: those that said `ready` are there.
      for (const [index, seat] of all.entries()) {
        if (seat.owner !== 'handover' || seat.handover > 0) continue;
        const start = starts[index];
        if (start !== undefined && (failure === null || seat.ready)) seated(seat, start);
        else startFailed(seat, failure);
      }
      heartbeat.start();
    },
    deliver,
    lane: (symbol) => seatOf(symbol).shadow.lane(),
    lanes: () => [...seats.values()].map(({ shadow }) => shadow.lane()),
    ownerOf: (symbol) => seatOf(symbol).owner,
    losses: (symbol) => seatOf(symbol).lossesAt.length,
    isAnswered: () =>
      [...seats.values()].every(({ owner, shadow }) => owner !== 'thread' || shadow.unackedCount() === 0),
    openSession() {
      for (const seat of seats.values()) if (seat.owner !== 'handover') begins(seat, seat.owner, []);
    },
    reseat() {
      for (const seat of seats.values())
        if (seat.owner !== 'handover')
          begins(seat, seat.owner, seat.owner === 'thread' ? barsAnswered(seat, deps.bars(seat.symbol)) : []);
    },
    async stop() {
      stopped = true;
      heartbeat.stop();
      for (const seat of seats.values()) {
        seat.wake?.cancel();
        seat.restart?.cancel();
      }
      await host.close();
    },
  };
}

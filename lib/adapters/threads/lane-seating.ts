import type { Ticker } from '../../domain/ids.ts';
import { unreachable } from '../../domain/invariant.ts';
import type { LaneHostEvents, LaneLoss } from '../../ports/lane-host.ts';
import type { LaneStart } from '../../ports/lane-protocol.ts';
import { createHoldBack } from './hold-back.ts';
import { type LaneLine, openLaneLine } from './lane-line.ts';
import type { LaneThreadHandle } from './lane-thread-handle.ts';
import type { SeatUplink } from './thread-protocol.ts';

/** A lane as the main thread keeps it, from the moment it is seated until it is gone or lost. */
export type SeatedLane = {
  readonly symbol: Ticker;
  readonly line: LaneLine;
  readonly thread: LaneThreadHandle;
  isLive(): boolean;
  /** Asks the lane to go: its end is then what was wanted and no loss. Settles when it is off the books. */
  stop(timeoutMs: number): Promise<void>;
};

/** Which lane lives where. */
export type Seating = {
  lane(symbol: Ticker): SeatedLane | undefined;
  lanes(): readonly SeatedLane[];
  /** Resolves with `null` when the lane is ready, with what became of it when it never was; never rejects. */
  seat(start: LaneStart, markSlot: number, thread: LaneThreadHandle): Promise<LaneLoss | null>;
  /** Ends every lane of a thread that is no more, after hearing what they had still to say. */
  evacuate(thread: LaneThreadHandle, loss: LaneLoss): void;
};

/** Long enough for a burst of exits to leave, short against anything that a lane is watched by. */
const HOLD_MILLIS = { quiet: 8, most: 250 };

/**
 * 1. A lane is reported lost at most once, and only if it had been ready and nobody had asked it to stop.
 * 2. What a lane said before its end is handed on before its loss; nothing is after it.
 * 3. A thread without lanes is told to end.
 */
export function createSeating(startTimeoutMs: number, events: LaneHostEvents): Seating {
  const lanes = new Map<Ticker, Seat>();
  const holdBack = createHoldBack(HOLD_MILLIS.quiet, HOLD_MILLIS.most);

  function leave(seat: Seat, loss: LaneLoss): void {
    if (lanes.get(seat.symbol) !== seat) return;
    lanes.delete(seat.symbol);
    seat.thread.lanes.delete(seat.symbol);
    seat.line.close(`lane ${seat.symbol} has ended: ${loss.text}`);
    if (seat.thread.lanes.size === 0) seat.thread.end();
    const wasLive = seat.isLive();
    seat.ended(loss);
    if (wasLive && !seat.isStopping()) events.onLost(seat.symbol, loss);
  }

  function hear(seat: Seat, uplink: SeatUplink): void {
    switch (uplink.kind) {
      case 'lost':
        leave(seat, uplink.loss);
        return;
      case 'gone':
        events.onUplink(uplink);
        leave(seat, { code: 'exited', text: 'it was stopped' });
        return;
      case 'ready':
        events.onUplink(uplink);
        seat.ready();
        return;
      case 'decided':
      case 'alive':
        events.onUplink(uplink);
        return;
      default:
        unreachable(uplink);
    }
  }

  return {
    lane: (symbol) => lanes.get(symbol),
    lanes: () => [...lanes.values()],
    seat(start, markSlot, thread) {
      return new Promise((settle) => {
        const line = openLaneLine((uplink) => hear(seat, uplink), holdBack);
        const seat = createSeat(start.symbol, line, thread, settle);
        const text = `it was not ready within ${startTimeoutMs} ms`;
        seat.expectReady(setTimeout(() => leave(seat, { code: 'stalled', text }), startTimeoutMs));
        lanes.set(start.symbol, seat);
        thread.lanes.add(start.symbol);
        thread.seat({ start, markSlot, ...line.far });
      });
    },
    evacuate(thread, loss) {
      const living = [...thread.lanes].flatMap((symbol) => lanes.get(symbol) ?? []);
      for (const seat of living) seat.line.drain();
      for (const seat of living) leave(seat, loss);
    },
  };
}

type Seat = SeatedLane & {
  isStopping(): boolean;
  expectReady(deadline: NodeJS.Timeout): void;
  ready(): void;
  ended(loss: LaneLoss): void;
};

function createSeat(
  symbol: Ticker,
  line: LaneLine,
  thread: LaneThreadHandle,
  settle: (loss: LaneLoss | null) => void,
): Seat {
  let live = false;
  let stopping: Promise<void> | null = null;
  let readyDeadline: NodeJS.Timeout | undefined;
  let onEnded: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    onEnded = resolve;
  });
  return {
    symbol,
    line,
    thread,
    isLive: () => live,
    isStopping: () => stopping !== null,
    expectReady(deadline) {
      readyDeadline = deadline;
    },
    ready() {
      clearTimeout(readyDeadline);
      live = true;
      settle(null);
    },
    ended(loss) {
      clearTimeout(readyDeadline);
      settle(loss); // without effect when it had been ready
      onEnded();
    },
    stop(timeoutMs) {
      if (stopping !== null) return stopping;
      const text = `its thread was ended because lane ${symbol} did not stop within ${timeoutMs} ms`;
      const deadline = setTimeout(() => thread.abort({ code: 'aborted', text }), timeoutMs);
      stopping = end.finally(() => clearTimeout(deadline));
      line.stop();
      return stopping;
    },
  };
}

import type { Ticker } from '../domain/ids.ts';
import type { Mark } from '../domain/market.ts';
import { after, type Duration } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { LaneControl, LaneHost, LaneHostEvents, LaneLoss } from '../ports/lane-host.ts';
import type {
  LaneInputMessage,
  LaneStart,
  LaneStep,
  LaneUplink,
  StrategySetting,
} from '../ports/lane-protocol.ts';
import type { Strategy } from '../strategy/contract.ts';
import { createLaneRunner, Diverged, type LaneRunner } from './lane-runner.ts';

/**
 * Lanes as plain objects in the same thread, for tests, simulations and backtests.
 *
 * Messages cross as they would between threads: never inside the call that sends them, in order, `crossing` later. Both
 * ways run on the given clock, so that equal runs are equal to the last message. A lane can be killed or made to hang, to
 * see what becomes of it.
 */
export type InProcessLanes = LaneHost & {
  /** The lane dies now; what was under way to it or from it is lost. */
  lose(symbol: Ticker, loss: LaneLoss): void;
  /** The lane takes messages and answers none, until it is stopped. */
  hang(symbol: Ticker): void;
};

export type InProcessLanesOptions = {
  readonly clock: Clock;
  readonly strategyOf: (setting: StrategySetting) => Strategy;
  /** One way between engine and lane; 0 when absent. */
  readonly crossing?: Duration;
};

type Seat = { readonly runner: LaneRunner; readonly start: LaneStart; hangs: boolean; gone: boolean };

export function createInProcessLanes(
  { clock, strategyOf, crossing = 0 as Duration }: InProcessLanesOptions,
  events: LaneHostEvents,
): InProcessLanes {
  const seats = new Map<Ticker, Seat>();
  const marks = new Map<Ticker, Mark>();
  let seq = 0;

  function send(seat: Seat, uplink: LaneUplink): void {
    clock.at(after(clock.now(), crossing), () => {
      if (!seat.gone) events.onUplink(uplink);
    });
  }

  function lose(symbol: Ticker, loss: LaneLoss): void {
    const seat = seats.get(symbol);
    if (seat === undefined) return;
    seat.gone = true;
    seats.delete(symbol);
    events.onLost(symbol, loss);
  }

  function receive(seat: Seat, act: () => void): void {
    clock.at(after(clock.now(), crossing), () => {
      if (!seat.gone && !seat.hangs) act();
    });
  }

  function feed(seat: Seat, ack: number, input: LaneInputMessage): void {
    const { symbol } = seat.start;
    try {
      const steps = seat.runner.feed(input);
      send(seat, { kind: 'decided', symbol, ack, steps });
    } catch (error) {
      lose(symbol, lossFrom(error));
    }
  }

  function repeat(seat: Seat, ack: number, step: LaneStep): void {
    const { symbol } = seat.start;
    try {
      seat.runner.repeat(step);
      send(seat, { kind: 'decided', symbol, ack, steps: [] });
    } catch (error) {
      lose(symbol, lossFrom(error));
    }
  }

  function seatDown(start: LaneStart): void {
    const runner = createLaneRunner(start, strategyOf(start.strategy), {
      read: (symbol) => marks.get(symbol) ?? null,
    });
    const seat: Seat = { runner, start, hangs: false, gone: false };
    seats.set(start.symbol, seat);
    events.onUplink({ kind: 'ready', symbol: start.symbol });
  }

  function leave(symbol: Ticker): void {
    const seat = seats.get(symbol);
    if (seat !== undefined) seat.gone = true;
    seats.delete(symbol);
  }

  const controlOf = (symbol: Ticker): LaneControl => ({
    async status() {
      const seat = seats.get(symbol);
      if (seat === undefined) throw new Error(`a lane has to be there to be asked: ${symbol}`);
      if (seat.hangs) return new Promise(() => undefined);
      const { runner } = seat;
      return {
        symbol,
        lane: runner.lane(),
        barsSeen: runner.barsSeen(),
        facts: runner.facts(),
        threadId: 0,
        heapUsedBytes: 0,
      };
    },
  });

  return {
    async start(starts) {
      for (const start of starts) seatDown(start);
    },
    post(symbol, input) {
      seq += 1;
      const mine = seq;
      const seat = seats.get(symbol);
      if (seat !== undefined) receive(seat, () => feed(seat, mine, input));
      return mine;
    },
    repeat(symbol, step) {
      seq += 1;
      const mine = seq;
      const seat = seats.get(symbol);
      if (seat !== undefined) receive(seat, () => repeat(seat, mine, step));
      return mine;
    },
    ping(symbol) {
      seq += 1;
      const mine = seq;
      const seat = seats.get(symbol);
      if (seat !== undefined) receive(seat, () => send(seat, { kind: 'alive', symbol, ack: mine }));
      return mine;
    },
    setMark(symbol, mark) {
      marks.set(symbol, mark);
    },
    control: controlOf,
    threadOf: () => null,
    async stop(symbol) {
      leave(symbol);
    },
    async close() {
      for (const symbol of [...seats.keys()]) leave(symbol);
    },
    lose,
    hang(symbol) {
      const seat = seats.get(symbol);
      if (seat !== undefined) seat.hangs = true;
    },
  };
}

const lossFrom = (error: unknown): LaneLoss => ({
  code: error instanceof Diverged ? 'diverged' : 'threw',
  text: error instanceof Error ? error.message : String(error),
});

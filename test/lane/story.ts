import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import type { ExecutionReport, OrderStatus } from '../../lib/domain/execution.ts';
import type { BrokerOrderId, ClientOrderId, ExecutionId, Ticker } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { type Lane, nextWakeAt, openLane, reduceLane, sharesHeld } from '../../lib/domain/lane.ts';
import type {
  LaneCommand,
  LaneEvent,
  LaneParams,
  SubmitVerdict,
  TradingMode,
} from '../../lib/domain/lane-types.ts';
import type { Bar, Mark } from '../../lib/domain/market.ts';
import { cash, type Price, price, qty, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { planSession, type SessionPlan } from '../../lib/domain/session.ts';
import {
  after,
  before,
  type Micros,
  micros,
  minutes,
  parseInstant,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';

export const SPY = 'SPY' as Ticker;
export const usd = (amount: number): Price => price(Math.round(amount * UNITS_PER_USD));

export const PARAMS: LaneParams = {
  symbol: SPY,
  lot: cash(2_000 * UNITS_PER_USD),
  entryPatience: minutes(2),
  entryQueueMax: seconds(5),
  lastTradeMaxAge: seconds(15),
  exitMarkup: price(0),
  holdMax: minutes(2),
  exitRetryFirst: seconds(2),
  exitRetryMax: seconds(60),
  cancelRetry: seconds(10),
  entriesMax: 100,
  lossesMax: 5,
  coolOff: minutes(30),
};

/** An instant of the day by New York wall time in winter: `at('09:52')`. */
export function at(clock: string, day = '2024-01-03'): Micros {
  const [hour = '0', minute = '0', second = '0'] = clock.split(':');
  const midnight = parseInstant(`${day}T05:00:00Z`) ?? micros(0);
  return after(midnight, seconds(Number(hour) * 3_600 + Number(minute) * 60 + Number(second)));
}

export function planOf(day = '2024-01-03', close = '16:00'): SessionPlan {
  const session = {
    day: day as SessionDay,
    openAt: at('09:30', day),
    closeAt: at(close, day),
    halfDay: close !== '16:00',
  };
  return planSession(session, minutes(5), PARAMS.holdMax);
}

/** Counts of a day on which nothing has happened yet. */
export const QUIET_DAY = { entries: 0, roundTrips: 0, lossesInRow: 0, coolUntil: null, realized: cash(0) };

export function barAt(startAt: Micros, close: Price = usd(100)): Bar {
  return {
    symbol: SPY,
    startAt,
    open: close,
    high: close,
    low: close,
    close,
    volume: 100,
    tradeCount: 1,
    vwap: close,
  };
}

/** An event without its instant and mark. */
export type Bare = LaneEvent extends infer E ? (E extends LaneEvent ? Omit<E, 'at' | 'mark'> : never) : never;
type ReportSays = Partial<Omit<ExecutionReport, 'fill'>> & { lastQty?: number; lastPx?: Price; id?: string };

/**
 * A lane and its day, told event by event. Keeps every command, wakes the lane when it asks for it, and checks after
 * every event that no sell exceeds the shares held and that the lane survives JSON unchanged.
 */
export class Story {
  lane: Lane;
  mark: Mark | null;
  now: Micros;
  readonly commands: LaneCommand[] = [];
  #executions = 0;

  constructor(start: { lane?: Lane; params?: Partial<LaneParams>; plan?: SessionPlan; now?: Micros } = {}) {
    this.now = start.now ?? at('09:51');
    this.mark = { price: usd(100), at: this.now };
    this.lane = start.lane ?? openLane({ ...PARAMS, ...start.params });
    if (start.lane === undefined) {
      this.tell({ kind: 'sessionOpened', plan: start.plan ?? planOf() });
      this.tell({ kind: 'gateChanged', gate: { kind: 'open' } });
    }
  }

  /** One event now; returns what came of it. */
  tell(bare: Bare): readonly LaneCommand[] {
    const event = { ...bare, at: this.now, mark: this.mark } as LaneEvent;
    const held = sharesHeld(this.lane);
    const [lane, commands] = reduceLane(this.lane, event);
    expect(isDeepStrictEqual(JSON.parse(JSON.stringify(lane)), lane), 'a lane survives JSON').to.equal(true);
    const wake = nextWakeAt(lane);
    if (wake !== null) expect(wake, 'a wake lies ahead').to.be.greaterThan(lane.at);
    this.lane = lane;
    this.commands.push(...commands);
    for (const command of commands)
      if (command.kind === 'submit' && command.intent.side === 'sell')
        expect(command.intent.qty).to.be.at.most(Math.max(held, sharesHeld(lane)));
    return commands;
  }

  /** Lets time pass until `to`, waking the lane whenever it asked for it; returns what came of that. */
  pass(to: Micros, markPrice: Price | null = null): readonly LaneCommand[] {
    const from = this.commands.length;
    for (;;) {
      const wake = nextWakeAt(this.lane);
      if (wake === null || wake > to) break;
      this.now = wake;
      this.#freshen(markPrice);
      this.tell({ kind: 'woke' });
    }
    this.now = to;
    this.#freshen(markPrice);
    return this.commands.slice(from);
  }

  #freshen(markPrice: Price | null): void {
    if (this.mark !== null) this.mark = { price: markPrice ?? this.mark.price, at: this.now };
  }

  /** The minute bar that ends now, with a signal. */
  signal(origin: 'live' | 'backfilled' = 'live'): readonly LaneCommand[] {
    return this.tell({
      kind: 'barClosed',
      bar: barAt(before(this.now, minutes(1))),
      origin,
      signal: 'enter',
    });
  }

  /** A signal that is acted on: the intent. */
  enter(): OrderIntent {
    return only(submits(this.signal()));
  }

  /** A signal, and all of it filled at the limit. */
  buy(): OrderIntent {
    const entry = this.enter();
    this.report(entry, 'filled', { lastQty: entry.qty });
    return entry;
  }

  verdict(intent: OrderIntent, verdict: SubmitVerdict): readonly LaneCommand[] {
    return this.tell({ kind: 'submitSettled', clientOrderId: intent.clientOrderId, verdict });
  }

  mode(mode: TradingMode): readonly LaneCommand[] {
    return this.tell({ kind: 'modeChanged', mode, by: 'test' });
  }

  report(intent: OrderIntent, status: OrderStatus, says: ReportSays = {}): readonly LaneCommand[] {
    return this.tell({ kind: 'reported', report: this.reportOf(intent, status, says) });
  }

  /** By default a stream report; with `lastQty` it carries an execution, at the limit unless `lastPx` says otherwise. */
  reportOf(intent: OrderIntent, status: OrderStatus, says: ReportSays = {}): ExecutionReport {
    const { lastQty = 0, lastPx, id, ...rest } = says;
    const px =
      lastPx ?? (intent.price.type === 'limit' ? intent.price.limit : (this.mark?.price ?? usd(100)));
    const cumQty = rest.cumQty ?? qty(lastQty);
    this.#executions += 1;
    return {
      source: 'stream',
      clientOrderId: intent.clientOrderId,
      brokerOrderId: `b-${intent.clientOrderId}` as BrokerOrderId,
      symbol: intent.symbol,
      side: intent.side,
      orderQty: intent.qty,
      status,
      cumNotional: cash(px * cumQty),
      fill:
        lastQty === 0
          ? null
          : { executionId: (id ?? `x${this.#executions}`) as ExecutionId, lastQty: qty(lastQty), lastPx: px },
      replacedBy: null,
      occurredAt: this.now,
      receivedAt: this.now,
      ...rest,
      cumQty,
    };
  }

  get held(): number {
    return sharesHeld(this.lane);
  }

  alarms(): readonly string[] {
    return this.commands.flatMap((command) => (command.kind === 'alarm' ? [command.code] : []));
  }

  /** Every order sent so far, as text: `buy 20 limit 100`. */
  sent(): readonly string[] {
    return submits(this.commands).map(
      ({ side, qty: shares, price: wanted }) =>
        `${side} ${shares} ${wanted.type}${wanted.type === 'limit' ? ` ${wanted.limit / UNITS_PER_USD}` : ''}`,
    );
  }

  trips(): readonly Extract<LaneCommand, { kind: 'roundTripClosed' }>['trip'][] {
    return this.commands.flatMap((command) => (command.kind === 'roundTripClosed' ? [command.trip] : []));
  }
}

export const submits = (commands: readonly LaneCommand[]): readonly OrderIntent[] =>
  commands.flatMap((command) => (command.kind === 'submit' ? [command.intent] : []));

export const cancels = (commands: readonly LaneCommand[]): readonly ClientOrderId[] =>
  commands.flatMap((command) => (command.kind === 'cancel' ? [command.clientOrderId] : []));

export const refusals = (commands: readonly LaneCommand[]): readonly string[] =>
  commands.flatMap((command) => (command.kind === 'entryRefused' ? [command.code] : []));

export function only<T>(list: readonly T[]): T {
  expect(list).to.have.length(1);
  return list[0] as T;
}

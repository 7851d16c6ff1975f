import type { ExecutionReport } from '../domain/execution.ts';
import { bookedNotional, bookedQty } from '../domain/fills.ts';
import type { ClientOrderId, ExecutionId, Ticker } from '../domain/ids.ts';
import { findOrder, type Lane, ordersOf } from '../domain/lane.ts';
import type { Carried, RoundTrip, SubmitVerdict } from '../domain/lane-types.ts';
import { type Cash, cash, ZERO_CASH } from '../domain/money.ts';
import type { LaneStep } from '../ports/lane-protocol.ts';
import type { FeeSchedule } from '../sim/exchange-api.ts';
import { feesOf } from '../sim/fees.ts';

/**
 * The day's view of what was done: the fold of the lanes' steps. It decides nothing, and folding the journal again gives
 * the same view.
 *
 * Fees are ours: charged per execution by the schedule, as the broker does. Shares that a query alone has told of count
 * as one execution per order until their executions are heard of.
 */
export type Blotter = {
  book(symbol: Ticker, step: LaneStep, after: Lane): void;
  trips(): readonly RoundTrip[];
  counts(symbol: Ticker): LaneCounts;
  /** Fees of all sells of these lanes so far. */
  feesOf(lane: Lane): Cash;
  openSession(schedule: FeeSchedule): void;
};

export type LaneCounts = {
  /** Orders that left for the broker, as far as it is known. */
  readonly submitted: number;
  /** By code: refused by the broker; refused or let go by our own house; signals not acted on. */
  readonly rejections: Readonly<Record<string, number>>;
  readonly denials: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly alarms: Readonly<Record<string, number>>;
};

type Tally = {
  submitted: number;
  rejections: Record<string, number>;
  denials: Record<string, number>;
  refusals: Record<string, number>;
  alarms: Record<string, number>;
};

type Charged = { readonly executions: Set<ExecutionId>; qty: number; notional: number; fees: number };

export function createBlotter(initial: FeeSchedule): Blotter {
  let schedule = initial;
  let trips: RoundTrip[] = [];
  const tallies = new Map<Ticker, Tally>();
  /** Sells by order, as far as their executions are known, with what is charged to the order before them. */
  const charged = new Map<ClientOrderId, Charged>();

  function tallyOf(symbol: Ticker): Tally {
    const known = tallies.get(symbol);
    if (known !== undefined) return known;
    const fresh: Tally = { submitted: 0, rejections: {}, denials: {}, refusals: {}, alarms: {} };
    tallies.set(symbol, fresh);
    return fresh;
  }

  function charge({ clientOrderId, fill, side }: ExecutionReport, lane: Lane): void {
    if (fill === null || side !== 'sell' || findOrder(lane, clientOrderId) === null) return;
    const known = charged.get(clientOrderId) ?? { executions: new Set(), qty: 0, notional: 0, fees: 0 };
    charged.set(clientOrderId, known);
    if (known.executions.has(fill.executionId)) return;
    known.executions.add(fill.executionId);
    const notional = fill.lastPx * fill.lastQty;
    known.qty += fill.lastQty;
    known.notional += notional;
    known.fees += feesOf(schedule, 'sell', fill.lastQty, notional);
  }

  /** The broker charged these shares when the predecessor filled them, and it still stands for them. */
  function carryOn(id: ClientOrderId, { qty, notional }: Carried): void {
    if (qty > 0 && !charged.has(id)) charged.set(id, { executions: new Set(), qty, notional, fees: 0 });
  }

  function settled(tally: Tally, verdict: SubmitVerdict): void {
    if (verdict.kind === 'rejected') add(tally.rejections, verdict.code);
    // What was kept back was never an order of the broker's.
    if (verdict.kind === 'denied' || verdict.kind === 'expired') tally.submitted -= 1;
    if (verdict.kind === 'denied') add(tally.denials, verdict.code);
    if (verdict.kind === 'expired' || verdict.kind === 'absent') add(tally.denials, verdict.kind);
  }

  return {
    book(symbol, { event, commands }, lane) {
      const tally = tallyOf(symbol);
      if (event.kind === 'reported') charge(event.report, lane);
      if (event.kind === 'succeeded') carryOn(event.successor.clientOrderId, event.carried);
      if (event.kind === 'submitSettled') settled(tally, event.verdict);
      for (const command of commands) {
        if (command.kind === 'submit') tally.submitted += 1;
        if (command.kind === 'entryRefused') add(tally.refusals, command.code);
        if (command.kind === 'alarm') add(tally.alarms, command.code);
        if (command.kind === 'roundTripClosed') trips.push(command.trip);
      }
    },
    trips: () => trips,
    counts: tallyOf,
    feesOf(lane) {
      let fees = 0;
      for (const { intent, ledger } of ordersOf(lane)) {
        if (intent.side !== 'sell' || bookedQty(ledger) === 0) continue;
        const known = charged.get(intent.clientOrderId);
        const restQty = bookedQty(ledger) - (known?.qty ?? 0);
        const rest = Math.max(0, bookedNotional(ledger) - (known?.notional ?? 0));
        fees += known?.fees ?? 0;
        if (restQty > 0) fees += feesOf(schedule, 'sell', restQty, rest);
      }
      return fees === 0 ? ZERO_CASH : cash(fees);
    },
    openSession(rates) {
      schedule = rates;
      trips = [];
      tallies.clear();
      charged.clear();
    },
  };
}

function add(counts: Record<string, number>, code: string): void {
  counts[code] = (counts[code] ?? 0) + 1;
}

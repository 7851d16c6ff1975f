import { expect } from 'chai';
import { carriedLedger } from '../../lib/domain/fills.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { type Lane, openLane } from '../../lib/domain/lane.ts';
import type { LaneCommand, LaneEvent, SubmitVerdict } from '../../lib/domain/lane-types.ts';
import { cash, price, qty } from '../../lib/domain/money.ts';
import { openOrder } from '../../lib/domain/order.ts';
import { after as later, type SessionDay, seconds } from '../../lib/domain/time.ts';
import { createBlotter } from '../../lib/engine/blotter.ts';
import { formatReport, makeReport, type ReportInput } from '../../lib/engine/report.ts';
import { feesOn } from '../../lib/sim/fees.ts';
import { laneParams } from './simulated-day.ts';
import { intentOf, orderFor, reportOn, SPY, START } from './support.ts';

const DAY = '2026-10-05' as SessionDay;
const flatLane = openLane(laneParams(SPY));

const input = (over: Partial<ReportInput> = {}): ReportInput => ({
  day: DAY,
  lanes: [{ ...flatLane, day: { ...flatLane.day, realized: cash(2_500), roundTrips: 1 } }],
  trips: [
    {
      symbol: SPY,
      openedAt: START,
      closedAt: later(START, seconds(30)),
      qty: qty(10),
      cost: cash(10_000_000),
      proceeds: cash(10_002_500),
      exitKind: 'limit',
      entryMark: price(999_900),
      exitMark: price(1_000_250),
    },
  ],
  feesOf: () => cash(300),
  counts: () => ({ submitted: 2, rejections: {}, denials: {}, refusals: { busy: 3 }, alarms: {} }),
  discrepancies: [],
  brokerOrders: [],
  brokerPositions: [],
  ...over,
});

describe('session report', () => {
  it('adds up, and says flat on a line of its own', () => {
    const report = makeReport(input());
    expect(report).to.deep.include({
      roundTrips: 1,
      wins: 1,
      flat: true,
      pnlUsd: 0.22,
      grossUsd: '0.25',
      feesUsd: '0.03',
      netUsd: '0.22',
      discrepancies: [],
      slippageBps: { entry: 1, exit: 0 },
    });
    const lines = formatReport(report).split('\n');
    expect(lines).to.include('round trips: 1');
    expect(lines).to.include('flat');
    expect(JSON.parse(JSON.stringify(report))).to.deep.equal(report);
  });

  it('names exactly what is open', () => {
    const order = orderFor(intentOf('exit', 1), 'new');
    const report = makeReport(
      input({
        brokerOrders: [order],
        brokerPositions: [{ symbol: SPY, shares: 10, available: 0, averagePx: price(1) }],
      }),
    );
    expect(report.flat).to.equal(false);
    expect(report.open).to.deep.equal(['SPY: 1 open orders at the broker', 'SPY: 10 shares at the broker']);
    expect(formatReport(report))
      .to.contain('open: SPY: 10 shares at the broker')
      .and.not.match(/^flat$/m);
  });

  it('tells an exit that rests as it should from an order that nobody can account for', () => {
    const exit = intentOf('exit', 2);
    const held = {
      ...flatLane,
      position: { bought: qty(10), boughtFor: cash(10_000_000), sold: qty(0), soldFor: cash(0) },
    };
    const resting: Lane = {
      ...held,
      stage: { kind: 'exiting', order: { ...openOrder(exit), kind: 'working' } },
    };
    const there = {
      brokerOrders: [orderFor(exit, 'new')],
      brokerPositions: [{ symbol: SPY, shares: 10, available: 0, averagePx: price(1) }],
    };
    expect(makeReport(input({ lanes: [resting], ...there })).open).to.deep.equal([
      'SPY: 10 shares by our fills',
      'SPY: 1 exit of ours rests at the broker',
      'SPY: 10 shares at the broker',
    ]);
    const lost: Lane = { ...held, stage: { kind: 'exiting', order: openOrder(exit) } };
    expect(makeReport(input({ lanes: [lost], ...there, brokerOrders: [] })).open).to.include(
      'SPY: 1 orders of ours not accounted for',
    );
  });

  it('not having asked the broker is no proof of flatness', () => {
    const report = makeReport(input({ brokerPositions: null }));
    expect(report.flat).to.equal(false);
    expect(report.open).to.deep.equal(['SPY: the broker could not be asked']);
  });
});

describe('blotter', () => {
  it('counts what left for the broker, and not what our own house denied or let lapse', () => {
    const blotter = createBlotter(feesOn(DAY));
    const intent = intentOf('entry', 1);
    const step = (event: LaneEvent, commands: readonly LaneCommand[] = []): void =>
      blotter.book(SPY, { event, commands }, flatLane);
    const submitted = (verdict: SubmitVerdict): number => {
      const before = blotter.counts(SPY).submitted;
      step({ kind: 'woke', at: START, mark: null }, [{ kind: 'submit', intent }]);
      expect(blotter.counts(SPY).submitted).to.equal(before + 1);
      step({
        kind: 'submitSettled',
        at: START,
        mark: null,
        clientOrderId: intent.clientOrderId,
        verdict,
      });
      return blotter.counts(SPY).submitted - before;
    };
    const why = { code: 'grossMax', text: 'a limit' };
    expect(submitted({ kind: 'denied', ...why })).to.equal(0);
    expect(submitted({ kind: 'expired' })).to.equal(0);
    expect(submitted({ kind: 'accepted' })).to.equal(1);
    expect(submitted({ kind: 'rejected', ...why, available: null })).to.equal(1);
    expect(submitted({ kind: 'absent' })).to.equal(1);
    expect(blotter.counts(SPY)).to.deep.equal({
      submitted: 3,
      rejections: { grossMax: 1 },
      denials: { grossMax: 1, expired: 1, absent: 1 },
      refusals: {},
      alarms: {},
    });
  });

  it('charges each execution of a sell once, and shares known from a query as one execution', () => {
    const fees = { secPerMillionUsd: 20.6, tafPerShareUsd: 0.000195, tafMaxUsd: 9.79 };
    const blotter = createBlotter(fees);
    const sell = intentOf('exit', 2);
    const fill = (id: string, lastQty: number) =>
      reportOn(sell, 'partially_filled', {
        fill: { executionId: id as never, lastQty: qty(lastQty), lastPx: price(1_000_000) },
      });
    const ledger = {
      executionIds: ['a', 'b'] as never,
      qty: qty(6),
      notional: cash(6_000_000),
      inferredQty: qty(4),
      inferredNotional: cash(4_000_000),
    };
    const lane: Lane = {
      ...flatLane,
      past: [{ kind: 'done', intent: sell, ledger, ending: 'filled', endedAt: START }],
    };
    const book = (report: ReturnType<typeof fill>): void =>
      blotter.book(SPY, { event: { kind: 'reported', at: START, mark: null, report }, commands: [] }, lane);
    book(fill('a', 2));
    book(fill('b', 4));
    book(fill('b', 4));
    // SEC 20.6 per million: 41.2 + 82.4 + 82.4 units; TAF 3.9 + 7.8 + 7.8; each execution rounded up.
    expect(blotter.feesOf(lane)).to.equal(46 + 91 + 91);
    expect(feesOn(DAY).secPerMillionUsd).to.equal(20.6);
  });

  it('does not charge again what the predecessor of an order that was replaced by hand had sold', () => {
    const fees = { secPerMillionUsd: 20.6, tafPerShareUsd: 0.000195, tafMaxUsd: 9.79 };
    const blotter = createBlotter(fees);
    const [old, next] = [intentOf('exit', 2), intentOf('exit', 3)];
    const book = (event: LaneEvent, lane: Lane): void => blotter.book(SPY, { event, commands: [] }, lane);
    const fillOf = (order: OrderIntent, id: string, lastQty: number): LaneEvent => ({
      kind: 'reported',
      at: START,
      mark: null,
      report: reportOn(order, 'partially_filled', {
        fill: { executionId: id as never, lastQty: qty(lastQty), lastPx: price(1_000_000) },
      }),
    });
    const sold = (shares: number) => ({ qty: qty(shares), notional: cash(shares * 1_000_000) });
    const before: Lane = {
      ...flatLane,
      past: [
        {
          kind: 'done',
          intent: old,
          ledger: carriedLedger(qty(4), cash(4_000_000)),
          ending: 'replaced',
          endedAt: START,
        },
      ],
    };
    const after: Lane = {
      ...before,
      past: [
        ...before.past,
        {
          kind: 'done',
          intent: next,
          ledger: carriedLedger(qty(10), cash(10_000_000)),
          ending: 'filled',
          endedAt: START,
        },
      ],
    };
    book(fillOf(old, 'a', 4), before);
    expect(blotter.feesOf(before)).to.equal(91);
    const carried = sold(4);
    book(
      {
        kind: 'succeeded',
        at: START,
        mark: null,
        clientOrderId: old.clientOrderId,
        successor: next,
        carried,
      },
      after,
    );
    // Six shares of its own, known from a query alone: SEC 123.6, TAF 11.7.
    expect(blotter.feesOf(after)).to.equal(91 + 136);
    book(fillOf(next, 'b', 6), after);
    expect(blotter.feesOf(after)).to.equal(91 + 136);
  });
});

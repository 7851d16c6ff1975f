import { expect } from 'chai';
import fc from 'fast-check';
import type { BrokerOrderId, ClientOrderId, Ticker } from '../../lib/domain/ids.ts';
import { reduceLane } from '../../lib/domain/lane.ts';
import { cash, qty } from '../../lib/domain/money.ts';
import {
  type BrokerPicture,
  beliefOf,
  type Finding,
  type LaneBelief,
  NO_SUSPICION,
  reconcile,
  type SeenOrder,
} from '../../lib/domain/reconcile.ts';
import { at, only, SPY, Story, submits, usd } from '../lane/story.ts';
import { happenings, World } from '../lane/world.ts';

const NOW = at('10:00');
const OURS = 'scalpd-20240103-SPY-1-0';

function seen(says: Partial<SeenOrder> = {}): SeenOrder {
  return {
    brokerOrderId: 'b1' as BrokerOrderId,
    clientOrderId: OURS as ClientOrderId,
    symbol: SPY,
    side: 'buy',
    qty: qty(20),
    status: 'new',
    cumQty: qty(0),
    cumNotional: cash(0),
    updatedAt: NOW,
    replacedBy: null,
    replaces: null,
    ...says,
  };
}

function belief(says: Partial<LaneBelief['orders'][number]> = {}, shares = 0): LaneBelief {
  const order = {
    clientOrderId: OURS as ClientOrderId,
    side: 'buy',
    state: 'working',
    bookedQty: qty(0),
    executionIds: [],
    executedQty: qty(0),
    executedNotional: cash(0),
    ...says,
  } as const;
  return { symbol: SPY, shares, orders: [order] };
}

const idle: LaneBelief = { symbol: SPY, shares: 0, orders: [] };

function picture(
  orders: readonly SeenOrder[],
  shares = 0,
  listing: 'both' | 'since' = 'both',
): BrokerPicture {
  const open = orders.filter(({ status }) => status === 'new' || status === 'partially_filled');
  return {
    takenAt: NOW,
    openOrders: listing === 'both' ? open : [],
    ordersSince: orders,
    positions: shares === 0 ? [] : [{ symbol: SPY, shares }],
    fills: null,
  };
}

const findingsOf = (lane: LaneBelief, seenThere: BrokerPicture): readonly Finding[] =>
  only(reconcile([lane], seenThere, NO_SUSPICION, 1).symbols).findings;
const codesOf = (findings: readonly Finding[]): readonly string[] =>
  findings.map((finding) => (finding.kind === 'discrepancy' ? finding.code : finding.kind));

describe('reconciliation', () => {
  it('agrees when nothing differs', () => {
    expect(findingsOf(idle, picture([]))).to.deep.equal([{ kind: 'agrees' }]);
    expect(findingsOf(belief(), picture([seen()]))).to.deep.equal([{ kind: 'agrees' }]);
    const done = belief({ state: 'done', bookedQty: qty(20) }, 20);
    expect(findingsOf(done, picture([seen({ status: 'filled', cumQty: qty(20) })], 20))).to.deep.equal([
      { kind: 'agrees' },
    ]);
  });

  it('brings a lane up to date that missed a fill, and counts its shares as ours', () => {
    const filled = seen({ status: 'filled', cumQty: qty(20), cumNotional: cash(20 * usd(100)) });
    const [finding, ...rest] = findingsOf(belief(), picture([filled], 20));
    expect(rest).to.deep.equal([]);
    expect(finding).to.have.property('kind', 'behind');
    expect(finding).to.have.nested.property('reports[0]').that.includes({
      source: 'query',
      clientOrderId: OURS,
      status: 'filled',
      cumQty: 20,
      fill: null,
    });
  });

  it('tells a lane of the end of its order, and that an order in flight has arrived', () => {
    expect(codesOf(findingsOf(belief(), picture([seen({ status: 'canceled' })])))).to.deep.equal(['behind']);
    expect(codesOf(findingsOf(belief({ state: 'inFlight' }), picture([seen()])))).to.deep.equal(['behind']);
  });

  const cases: readonly (readonly [string, LaneBelief, BrokerPicture, readonly string[]])[] = [
    ['a live order that is not there', belief(), picture([]), ['orderMissing']],
    ['a done order that lives', belief({ state: 'done' }), picture([seen()]), ['behind', 'endedOrderLives']],
    [
      'fills that the broker does not know',
      belief({ bookedQty: qty(5) }, 5),
      picture([seen()], 5),
      ['fillsUnknownToBroker'],
    ],
    ['an open order of ours that the lane does not know', idle, picture([seen()]), ['unknownOwnOrder']],
    ['fewer shares than we hold', { ...idle, shares: 20 }, picture([], 5), ['sharesMissing']],
    ['a short position', idle, picture([], -5), ['short']],
    ['more shares than we hold', { ...idle, shares: 20 }, picture([], 25), ['foreign']],
    [
      "somebody else's open order",
      idle,
      picture([seen({ clientOrderId: 'manual' as ClientOrderId })]),
      ['foreign'],
    ],
    [
      "somebody else's finished order",
      idle,
      picture([seen({ clientOrderId: 'manual' as ClientOrderId, status: 'filled', cumQty: qty(20) })]),
      ['agrees'],
    ],
    ['a fraction that is not ours', idle, picture([], 0.25), ['foreign']],
  ];
  for (const [what, lane, there, codes] of cases)
    it(`finds ${what}`, () => {
      expect(codesOf(findingsOf(lane, there))).to.deep.equal(codes);
    });

  it('takes the later state of an order that two listings show differently', () => {
    const there: BrokerPicture = {
      ...picture([seen({ status: 'filled', cumQty: qty(20) })], 20, 'since'),
      openOrders: [seen({ status: 'partially_filled', cumQty: qty(3) })],
    };
    const done = belief({ state: 'done', bookedQty: qty(20) }, 20);
    expect(findingsOf(done, there)).to.deep.equal([{ kind: 'agrees' }]);
  });

  it('follows an order that was replaced by hand to its successor', () => {
    const old = seen({ status: 'replaced', replacedBy: 'b2' as BrokerOrderId });
    const next = seen({
      brokerOrderId: 'b2' as BrokerOrderId,
      clientOrderId: 'generated' as ClientOrderId,
      replaces: 'b1' as BrokerOrderId,
    });
    const findings = findingsOf(belief(), picture([old, next]));
    expect(codesOf(findings)).to.deep.equal(['behind', 'replaced']);
    expect(findings[1]).to.deep.equal({ kind: 'replaced', clientOrderId: OURS, successor: next });
  });

  it('names shares of symbols that no lane trades', () => {
    const there = { ...picture([]), positions: [{ symbol: 'IBM' as Ticker, shares: 7 }] };
    const { symbols } = reconcile([idle], there, NO_SUSPICION, 1);
    expect(symbols.map(({ symbol, findings }) => [symbol, ...codesOf(findings)])).to.deep.equal([
      ['SPY', 'agrees'],
      ['IBM', 'foreign'],
    ]);
  });

  it('counts a disagreement only after it was seen in a row', () => {
    const wrong = picture([], 5);
    const first = reconcile([idle], wrong, NO_SUSPICION, 3);
    expect(only(first.symbols).findings).to.deep.include({
      kind: 'suspected',
      code: 'foreign',
      seen: 1,
      evidence:
        'the broker shows 5 shares, our fills add up to 0; others have 0 open orders, bought 0 and sold 0 today',
    });
    const second = reconcile([idle], wrong, first.suspicion, 3);
    const third = reconcile([idle], wrong, second.suspicion, 3);
    expect(codesOf(only(third.symbols).findings)).to.deep.equal(['foreign']);
    const between = reconcile([idle], picture([]), second.suspicion, 3);
    expect(between.suspicion).to.deep.equal({});
    const again = reconcile([idle], wrong, between.suspicion, 3);
    expect(codesOf(only(again.symbols).findings)).to.deep.equal(['suspected']);
  });

  it('makes every lane agree with the truth by its reports, whatever was lost', () => {
    let behind = 0;
    fc.assert(
      fc.property(happenings, (list) => {
        const world = new World();
        for (const happening of list) world.happen(happening);
        for (const request of world.requests.splice(0)) world.broker.take(request, world.now);
        const orders = [...world.broker.books.values()].map((book) =>
          seen({
            brokerOrderId: book.intent.clientOrderId as unknown as BrokerOrderId,
            clientOrderId: book.intent.clientOrderId,
            side: book.intent.side,
            qty: book.intent.qty,
            status: book.status,
            cumQty: qty(book.cumQty),
            cumNotional: cash(book.cumNotional),
          }),
        );
        const truth = picture(orders, world.broker.shares);
        const findings = only(reconcile([beliefOf(world.lane)], truth, NO_SUSPICION, 1).symbols).findings;
        expect(codesOf(findings).filter((code) => code !== 'behind' && code !== 'agrees')).to.deep.equal([]);
        let lane = world.lane;
        for (const finding of findings)
          if (finding.kind === 'behind')
            for (const report of finding.reports) {
              behind += 1;
              lane = reduceLane(lane, { kind: 'reported', report, at: world.now, mark: null })[0];
            }
        const after = { ...beliefOf(lane) };
        expect(after.shares).to.equal(world.broker.shares);
        const known = new Set(orders.map(({ clientOrderId }) => clientOrderId));
        const settled = {
          ...after,
          orders: after.orders.filter(({ clientOrderId }) => known.has(clientOrderId)),
        };
        expect(findingsOf(settled, truth)).to.deep.equal([{ kind: 'agrees' }]);
      }),
      { numRuns: 100 },
    );
    expect(behind).to.be.greaterThan(10);
  });

  it('reads a belief off a lane', () => {
    const story = new Story();
    story.buy();
    const [entry, exit] = submits(story.commands);
    expect(beliefOf(story.lane)).to.deep.equal({
      symbol: 'SPY',
      shares: 20,
      orders: [
        {
          clientOrderId: entry?.clientOrderId,
          side: 'buy',
          state: 'done',
          bookedQty: 20,
          executionIds: ['x1'],
          executedQty: 20,
          executedNotional: 20 * usd(100),
        },
        {
          clientOrderId: exit?.clientOrderId,
          side: 'sell',
          state: 'inFlight',
          bookedQty: 0,
          executionIds: [],
          executedQty: 0,
          executedNotional: 0,
        },
      ],
    });
  });
});

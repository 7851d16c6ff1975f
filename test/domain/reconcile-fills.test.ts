import { expect } from 'chai';
import type { BrokerOrderId, ClientOrderId, ExecutionId } from '../../lib/domain/ids.ts';
import { type Lane, reduceLane } from '../../lib/domain/lane.ts';
import { cash, qty } from '../../lib/domain/money.ts';
import {
  type BrokerPicture,
  beliefOf,
  type Finding,
  forget,
  NO_SUSPICION,
  reconcile,
  type SeenFill,
  type SeenOrder,
} from '../../lib/domain/reconcile.ts';
import { carriedBy } from '../../lib/domain/succession.ts';
import { only, SPY, Story, usd } from '../lane/story.ts';

const BROKER_ID = 'b-scalpd-20240103-SPY-1-0' as BrokerOrderId;

/** A lane whose entry for 20 is out; and the broker's side of it. */
function world() {
  const story = new Story();
  const entry = story.enter();
  const order = (says: Partial<SeenOrder>): SeenOrder => ({
    brokerOrderId: BROKER_ID,
    clientOrderId: entry.clientOrderId,
    symbol: SPY,
    side: 'buy',
    qty: qty(20),
    status: 'partially_filled',
    cumQty: qty(0),
    cumNotional: cash(0),
    updatedAt: story.now,
    replacedBy: null,
    replaces: null,
    ...says,
  });
  const fill = (id: string, shares: number, cumQty: number, says: Partial<SeenFill> = {}): SeenFill => ({
    executionId: id as ExecutionId,
    brokerOrderId: BROKER_ID,
    symbol: SPY,
    side: 'buy',
    qty: qty(shares),
    px: usd(100),
    cumQty: qty(cumQty),
    ...says,
  });
  const picture = (
    orders: readonly SeenOrder[],
    fills: readonly SeenFill[] | null,
    shares: number,
  ): BrokerPicture => ({
    takenAt: story.now,
    openOrders: [],
    ordersSince: orders,
    positions: shares === 0 ? [] : [{ symbol: SPY, shares }],
    fills,
  });
  const look = (seen: BrokerPicture, lane: Lane = story.lane): readonly Finding[] =>
    only(reconcile([beliefOf(lane)], seen, NO_SUSPICION, 1).symbols).findings;
  /** The lane after it heard what the look found. */
  const heard = (findings: readonly Finding[]): Lane =>
    findings
      .flatMap((finding) => (finding.kind === 'behind' ? finding.reports : []))
      .reduce(
        (lane, report) => reduceLane(lane, { kind: 'reported', report, at: story.now, mark: null })[0],
        story.lane,
      );
  return { story, entry, order, fill, picture, look, heard };
}

const codesOf = (findings: readonly Finding[]): readonly string[] =>
  findings.map((finding) => (finding.kind === 'discrepancy' ? finding.code : finding.kind));

describe("reconciliation with the account's fills", () => {
  it('a fill that only the activities know is booked once, by its id where the ids are seen to be the stream’s', () => {
    const { story, entry, order, fill, picture, look, heard } = world();
    story.report(entry, 'partially_filled', { lastQty: 4, id: 'x1', cumQty: qty(4) });
    // The order's own view lags: it still says four.
    const seen = picture(
      [order({ cumQty: qty(4), cumNotional: cash(4 * usd(100)) })],
      [fill('x1', 4, 4), fill('x2', 6, 10)],
      10,
    );
    const findings = look(seen);
    expect(codesOf(findings)).to.deep.equal(['behind']);
    story.lane = heard(findings);
    expect(story.held).to.equal(10);
    expect(beliefOf(story.lane).orders[0]?.executionIds).to.deep.equal(['x1', 'x2']);
    story.report(entry, 'partially_filled', { lastQty: 6, id: 'x2', cumQty: qty(10) });
    expect(story.held, 'the stream brings it after all').to.equal(10);
  });

  it('with ids that may not be the stream’s it is booked as a total, which the stream’s execution replaces', () => {
    const { story, entry, order, fill, picture, look, heard } = world();
    story.report(entry, 'partially_filled', { lastQty: 4, id: 'x1', cumQty: qty(4) });
    const fills = [fill('other1', 4, 4), fill('other2', 6, 10, { px: usd(99.5) })];
    const seen = picture([order({ cumQty: qty(4), cumNotional: cash(4 * usd(100)) })], fills, 10);
    story.lane = heard(look(seen));
    expect(story.held).to.equal(10);
    expect(story.lane.position.boughtFor, 'at what it was filled at').to.equal(4 * usd(100) + 6 * usd(99.5));
    story.report(entry, 'partially_filled', { lastQty: 6, lastPx: usd(99.5), id: 'x2', cumQty: qty(10) });
    expect(story.held).to.equal(10);
  });

  it('agrees when orders, fills and positions do, and after everything lost was told', () => {
    const { story, order, fill, picture, look, heard } = world();
    const full = order({ status: 'filled', cumQty: qty(20), cumNotional: cash(20 * usd(100)) });
    const seen = picture([full], [fill('x1', 4, 4), fill('x2', 16, 20)], 20);
    story.lane = heard(look(seen));
    expect(story.held).to.equal(20);
    const exit = beliefOf(story.lane).orders[1];
    const resting = order({
      brokerOrderId: 'exit' as BrokerOrderId,
      clientOrderId: exit?.clientOrderId as ClientOrderId,
      side: 'sell',
      status: 'pending_new',
    });
    const again = picture([full, resting], seen.fills, 20);
    story.lane = heard(look(again));
    expect(look(again)).to.deep.equal([{ kind: 'agrees' }]);
  });

  const contradictions: readonly (readonly [string, readonly Partial<SeenFill>[]])[] = [
    ['say less than the order', [{ qty: qty(2), cumQty: qty(2) }]],
    ['are not there at all', []],
    ['give another quantity to an execution that was counted', [{ qty: qty(3), cumQty: qty(4) }]],
    ['give another price to an execution that was counted', [{ px: usd(99) }]],
    ['are of the other side', [{ side: 'sell' }]],
  ];
  for (const [what, says] of contradictions)
    it(`fills that ${what} are a discrepancy`, () => {
      const { story, entry, order, fill, picture, look } = world();
      story.report(entry, 'partially_filled', { lastQty: 4, id: 'x1', cumQty: qty(4) });
      const seen = picture(
        [order({ cumQty: qty(4), cumNotional: cash(4 * usd(100)) })],
        says.map((each) => fill('x1', 4, 4, each)),
        4,
      );
      const found = look(seen);
      expect(codesOf(found)).to.deep.equal(['fillsContradict']);
      expect(found[0]).to.have.property('evidence').that.includes(entry.clientOrderId);
      expect(look({ ...seen, fills: null }), 'not read, not judged').to.deep.equal([{ kind: 'agrees' }]);
    });

  it('executions that add up to more than the broker’s total are a discrepancy', () => {
    const { story, entry, order, fill, picture, look } = world();
    story.report(entry, 'partially_filled', { lastQty: 4, id: 'x1', cumQty: qty(4) });
    story.report(entry, 'partially_filled', { lastQty: 4, id: 'twin', cumQty: qty(4) });
    const seen = picture([order({ cumQty: qty(4), cumNotional: cash(4 * usd(100)) })], [fill('x1', 4, 4)], 4);
    expect(codesOf(look(seen))).to.include('fillsUnknownToBroker');
  });

  it('shares that others sold are gone, at their price; without such a sale they are missing', () => {
    const { story, entry, order, fill, picture, look } = world();
    story.report(entry, 'filled', { lastQty: 20, id: 'x1' });
    const bought = order({ status: 'filled', cumQty: qty(20), cumNotional: cash(20 * usd(100)) });
    const sold = order({
      brokerOrderId: 'o1' as BrokerOrderId,
      clientOrderId: 'by-hand' as ClientOrderId,
      side: 'sell',
      status: 'filled',
      cumQty: qty(8),
      cumNotional: cash(8 * usd(101)),
    });
    const ours = [fill('x1', 20, 20)];
    const gone = look(picture([bought, sold], ours, 12)).find(({ kind }) => kind === 'gone');
    expect(gone).to.include({ shares: 8, averagePx: usd(101) });
    expect(codesOf(look(picture([bought], ours, 12)))).to.include('sharesMissing');
    expect(codesOf(look(picture([bought, sold], ours, 5))), 'more is gone than was sold').to.include(
      'sharesMissing',
    );
    // An order placed before the listing begins shows by its fills alone.
    const old = fill('y', 8, 8, { brokerOrderId: 'gtc' as BrokerOrderId, side: 'sell', px: usd(102) });
    expect(look(picture([bought], [...ours, old], 12)).find(({ kind }) => kind === 'gone')).to.include({
      shares: 8,
      averagePx: usd(102),
    });
  });

  it('an ended order under our id that the lane does not know is a discrepancy when it moved shares', () => {
    const { story, order, picture, look } = world();
    const stray = order({
      clientOrderId: 'scalpd-20240103-SPY-9-0' as ClientOrderId,
      status: 'filled',
      cumQty: qty(5),
    });
    const quiet = new Story().lane;
    expect(codesOf(look(picture([stray], null, 5), quiet))).to.include('unknownOwnOrder');
    expect(look(picture([{ ...stray, status: 'canceled', cumQty: qty(0) }], null, 0), quiet)).to.deep.equal([
      { kind: 'agrees' },
    ]);
    expect(story.held).to.equal(0);
  });

  it('what was acted on has to be seen as often again, in its symbol alone', () => {
    const { picture } = world();
    const idle = (symbol: string) => ({ symbol: symbol as typeof SPY, shares: 0, orders: [] });
    const wrong = {
      ...picture([], null, 5),
      positions: ['SPY', 'BAC'].map((symbol) => ({ symbol: symbol as typeof SPY, shares: 5 })),
    };
    const { suspicion } = reconcile([idle('SPY'), idle('BAC')], wrong, NO_SUSPICION, 3);
    expect(Object.keys(forget(suspicion, SPY)).map((key) => key.split(' ')[0])).to.deep.equal(['BAC']);
  });
});

describe('what a successor carries on', () => {
  const totals = (shares: number, px = 100) => ({ cumQty: qty(shares), cumNotional: cash(shares * usd(px)) });
  const carried = { qty: qty(5), notional: cash(5 * usd(100)) };
  const nothing = { qty: qty(0), notional: cash(0) };

  it('nothing, when its predecessor filled nothing or it has filled less', () => {
    expect(carriedBy(totals(0), totals(4), null)).to.deep.equal(nothing);
    expect(carriedBy(totals(5), totals(3), null)).to.deep.equal(nothing);
  });

  it('is read off the fills of its own, and not guessed', () => {
    expect(carriedBy(totals(5), totals(5), null), 'not read').to.equal(null);
    expect(carriedBy(totals(5), totals(5), 0)).to.deep.equal(carried);
    expect(carriedBy(totals(5), totals(5), 5)).to.deep.equal(nothing);
    expect(carriedBy(totals(5), totals(9), 4)).to.deep.equal(carried);
    expect(carriedBy(totals(5), totals(9), 9)).to.deep.equal(nothing);
    expect(carriedBy(totals(5), totals(9), 0), 'its fills are not listed yet').to.equal(null);
    expect(carriedBy(totals(5), totals(5, 101), 0), 'worth something else').to.equal(null);
  });
});

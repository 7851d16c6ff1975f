import { expect } from 'chai';
import type { ClientOrderId } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { nextWakeAt, restoreLane, unsettledOrders } from '../../lib/domain/lane.ts';
import { notional, qty } from '../../lib/domain/money.ts';
import { minutes } from '../../lib/domain/time.ts';
import {
  at,
  cancels,
  only,
  PARAMS,
  planOf,
  QUIET_DAY,
  refusals,
  type SPY,
  Story,
  submits,
  usd,
} from './story.ts';

/** A lane with 20 shares and its resting exit. */
function holding(start: ConstructorParameters<typeof Story>[0] = {}): { story: Story; exit: OrderIntent } {
  const story = new Story(start);
  story.buy();
  return { story, exit: only(submits(story.commands).slice(1)) };
}

const NOTHING = { qty: qty(0), notional: notional(usd(0), qty(0)) };

describe('exits of a lane', () => {
  it('rest at the average plus markup or at the last trade, whichever is higher', () => {
    expect(holding().exit.price).to.deep.equal({ type: 'limit', limit: usd(100) });
    expect(holding({ params: { exitMarkup: usd(0.01) } }).exit.price).to.deep.include({ limit: usd(100.01) });
    const above = new Story();
    const entry = above.enter();
    above.mark = { price: usd(100.255), at: above.now };
    above.report(entry, 'filled', { lastQty: 20 });
    expect(above.sent().at(-1)).to.equal('sell 20 limit 100.26');
    const blind = new Story();
    const filled = blind.enter();
    blind.mark = null;
    blind.report(filled, 'filled', { lastQty: 20 });
    expect(blind.sent().at(-1)).to.equal('sell 20 limit 100');
  });

  it('close the round trip with its figures', () => {
    const { story, exit } = holding();
    story.pass(at('09:52'));
    story.report(exit, 'partially_filled', { lastQty: 5, lastPx: usd(100.5), cumQty: qty(5) });
    story.report(exit, 'filled', { lastQty: 15, lastPx: usd(100.1), cumQty: qty(20) });
    expect(only(story.trips())).to.deep.equal({
      symbol: 'SPY',
      openedAt: at('09:51'),
      closedAt: at('09:52'),
      qty: 20,
      cost: notional(usd(100), qty(20)),
      proceeds: notional(usd(100.5), qty(5)) + notional(usd(100.1), qty(15)),
      exitKind: 'limit',
      entryMark: usd(100),
      exitMark: usd(100),
    });
    expect(story.lane.stage.kind).to.equal('flat');
  });

  it('count the holding time from the first fill, though the entry is still open', () => {
    const story = new Story({ params: { entryPatience: minutes(10) } });
    const entry = story.enter();
    story.pass(at('09:51:30'));
    story.report(entry, 'partially_filled', { lastQty: 4, cumQty: qty(4) });
    expect(cancels(story.pass(at('09:53:29')))).to.deep.equal([]);
    expect(only(story.pass(at('09:53:30')))).to.include({ kind: 'cancel', purpose: 'bailOut' });
    story.report(entry, 'canceled', { cumQty: qty(4) });
    expect(story.sent().at(-1)).to.equal('sell 4 market');
  });

  it('stand still during a halt: no timer runs, nothing is sent but cancels', () => {
    const { story, exit } = holding();
    story.pass(at('09:52'));
    story.tell({ kind: 'haltChanged', halt: 'halted' });
    expect(story.pass(at('10:02'))).to.deep.equal([]);
    story.tell({ kind: 'haltChanged', halt: 'trading' });
    // One of two minutes was used up before the halt.
    expect(story.pass(at('10:02:59'))).to.deep.equal([]);
    expect(cancels(story.pass(at('10:03')))).to.deep.equal([exit.clientOrderId]);
    story.tell({ kind: 'haltChanged', halt: 'halted' });
    expect(submits(story.report(exit, 'canceled'))).to.deep.equal([]);
    story.pass(at('10:10'));
    expect(only(submits(story.tell({ kind: 'haltChanged', halt: 'trading' })))).to.include({
      purpose: 'bailOut',
    });
  });

  it('freeze the patience of an entry as well, and a fill inside the halt holds from its end', () => {
    const story = new Story();
    const entry = story.enter();
    story.pass(at('09:52'));
    story.tell({ kind: 'haltChanged', halt: 'halted' });
    story.pass(at('09:55'));
    story.report(entry, 'partially_filled', { lastQty: 4, cumQty: qty(4) });
    story.pass(at('10:00'));
    story.tell({ kind: 'haltChanged', halt: 'trading' });
    expect(cancels(story.pass(at('10:00:59')))).to.deep.equal([]);
    expect(only(story.pass(at('10:01')))).to.include({ purpose: 'patience' });
    story.report(entry, 'canceled', { cumQty: qty(4) });
    expect(story.sent().at(-1)).to.equal('sell 4 limit 100');
    expect(cancels(story.pass(at('10:02')))).to.have.length(1);
  });

  it('a flatten inside a halt cancels at once and sells after it', () => {
    const { story, exit } = holding();
    story.tell({ kind: 'haltChanged', halt: 'halted' });
    expect(cancels(story.mode('flattening'))).to.deep.equal([exit.clientOrderId]);
    story.report(exit, 'canceled');
    expect(story.sent()).to.have.length(2);
    story.tell({ kind: 'haltChanged', halt: 'trading' });
    expect(story.sent().at(-1)).to.equal('sell 20 market');
  });

  it('go out again at once when it is proven that the broker never got them', () => {
    const { story, exit } = holding();
    story.pass(at('09:51:12'));
    expect(only(submits(story.verdict(exit, { kind: 'absent' })))).to.include({ purpose: 'exit', qty: 20 });
    const { story: late, exit: resting } = holding();
    late.mode('flattening');
    const market = only(submits(late.report(resting, 'canceled')));
    late.pass(at('09:51:30'));
    expect(only(submits(late.verdict(market, { kind: 'absent' })))).to.include({ purpose: 'flatten' });
  });

  it('are not sent in the last second: what arrives after the close would be queued for the next open', () => {
    for (const ending of ['expired', 'canceled', 'done_for_day'] as const) {
      const { story, exit } = holding({ now: at('15:50') });
      story.pass(at('15:55'));
      story.pass(at('15:59:59'));
      expect(submits(story.report(exit, ending)), `${ending}, told by a clock ahead of ours`).to.deep.equal(
        [],
      );
      story.pass(at('16:10'));
      expect(story.sent()).to.have.length(2);
      expect(story.alarms()).to.deep.equal(['notFlatAtClose']);
    }
  });

  it('at the market raise one alarm when they do not fill, and none while a halt keeps them', () => {
    const { story, exit } = holding();
    story.pass(at('09:53'));
    const market = only(submits(story.report(exit, 'canceled')));
    story.report(market, 'new');
    story.tell({ kind: 'haltChanged', halt: 'halted' });
    story.pass(at('10:10'));
    story.tell({ kind: 'haltChanged', halt: 'trading' });
    story.pass(at('10:10:14'));
    expect(story.alarms()).to.deep.equal([]);
    story.pass(at('10:12'));
    expect(story.alarms()).to.deep.equal(['marketSellOpen']);
  });

  it('go on while shares that are not ours are there: the lane sells what its own fills add up to, and opens nothing', () => {
    const { story, exit } = holding();
    expect(story.mode('halted')).to.deep.equal([]);
    expect(cancels(story.pass(at('09:53')))).to.deep.equal([exit.clientOrderId]);
    story.report(exit, 'canceled');
    expect(story.sent().slice(2)).to.deep.equal(['sell 20 market']);
    story.report(only(submits(story.commands).slice(2)), 'filled', { lastQty: 20 });
    story.pass(at('09:55'));
    expect(refusals(story.signal())).to.deep.equal(['exitOnly']);
  });

  it('cancel a sell that could sell more than is held, then sell what is', () => {
    const { story, exit } = holding();
    const successor = { ...exit, clientOrderId: 'by-hand' as ClientOrderId, qty: qty(30) };
    expect(
      story.tell({ kind: 'succeeded', clientOrderId: exit.clientOrderId, successor, carried: NOTHING }),
    ).to.deep.include({
      kind: 'cancel',
      clientOrderId: successor.clientOrderId,
      purpose: 'safety',
    });
    story.report(successor, 'canceled');
    expect(story.sent().at(-1)).to.equal('sell 20 limit 100');
  });

  it('a late fill of an earlier sell cancels the live one before it can go short', () => {
    const { story, exit } = holding();
    story.pass(at('09:53'));
    // The broker says canceled with nothing filled, and is wrong about it.
    const bailOut = only(submits(story.report(exit, 'canceled')));
    expect(story.report(exit, 'partially_filled', { lastQty: 6, cumQty: qty(6) })).to.deep.include({
      kind: 'cancel',
      clientOrderId: bailOut.clientOrderId,
      purpose: 'safety',
    });
    story.report(bailOut, 'canceled');
    story.pass(at('09:53:10'));
    expect(story.sent().at(-1)).to.equal('sell 14 market');
  });

  it('nothing is sent while an earlier order is in doubt', () => {
    const { story, exit } = holding();
    story.report(exit, 'canceled');
    // A second end tells of shares that we do not know yet.
    story.report(exit, 'canceled', { cumQty: qty(6) });
    story.pass(at('09:51:30'));
    expect(story.sent()).to.have.length(2);
    expect(only(unsettledOrders(story.lane)).intent.clientOrderId).to.equal(exit.clientOrderId);
    story.report(exit, 'canceled', { source: 'query', cumQty: qty(6) });
    expect(story.sent().at(-1)).to.equal('sell 14 limit 100');
  });

  it('an order that was held for absent and lives is canceled, and waited for', () => {
    const { story, exit } = holding();
    story.verdict(exit, { kind: 'absent' });
    expect(story.report(exit, 'new')).to.deep.include({
      kind: 'cancel',
      clientOrderId: exit.clientOrderId,
      purpose: 'safety',
    });
    expect(story.alarms()).to.deep.equal(['doneOrderReopened']);
    expect(cancels(story.pass(at('09:51:25')))).to.have.length(2);
    expect(story.sent()).to.have.length(2);
    story.report(exit, 'canceled');
    expect(story.sent().at(-1)).to.equal('sell 20 limit 100');
  });

  it('shares of a late buy fill are sold as well', () => {
    const story = new Story();
    const entry = story.enter();
    story.report(entry, 'canceled');
    expect(story.lane.stage.kind).to.equal('flat');
    story.report(entry, 'partially_filled', { lastQty: 3, cumQty: qty(3) });
    expect(story.sent().at(-1)).to.equal('sell 3 limit 100');
  });

  it('say so when more was sold than bought, and open nothing any more', () => {
    const { story, exit } = holding();
    story.report(exit, 'canceled');
    story.pass(at('09:51:02'));
    const second = submits(story.commands).at(-1) as OrderIntent;
    story.report(second, 'filled', { lastQty: 20 });
    story.report(exit, 'partially_filled', { lastQty: 5, cumQty: qty(5) });
    expect(story.held).to.equal(-5);
    expect(story.alarms()).to.include('oversold');
    expect(refusals(story.signal())).to.deep.equal(['exitOnly']);
    story.mode('active');
    expect(refusals(story.signal())).to.deep.equal(['busy']);
    story.tell({ kind: 'adopted', qty: qty(5), averagePx: usd(100), heldSince: story.now });
    expect(story.enter().qty).to.equal(20);
  });

  it('an execution beyond the order quantity is not booked, and told', () => {
    const story = new Story();
    const entry = story.enter();
    story.report(entry, 'partially_filled', { lastQty: 15, cumQty: qty(15) });
    story.report(entry, 'partially_filled', { lastQty: 15, cumQty: qty(15) });
    expect(story.held).to.equal(15);
    expect(story.alarms()).to.deep.equal(['overfill']);
    expect(story.lane.mode).to.equal('exitOnly');
  });

  it('start their pauses anew once a sell has filled in part', () => {
    const { story, exit } = holding();
    const no = { kind: 'rejected', code: 'other', text: 'no', available: null } as const;
    story.verdict(exit, no);
    story.pass(at('09:51:02'));
    story.verdict(submits(story.commands).at(-1) as OrderIntent, no);
    story.pass(at('09:51:06'));
    const third = submits(story.commands).at(-1) as OrderIntent;
    story.report(third, 'partially_filled', { lastQty: 5, cumQty: qty(5) });
    story.report(third, 'canceled', { cumQty: qty(5) });
    expect(submits(story.pass(at('09:51:07.9')))).to.deep.equal([]);
    expect(only(submits(story.pass(at('09:51:08')))).qty).to.equal(15);
  });

  it('count the holding time from when the shares were bought, though only polling told of it later', () => {
    const story = new Story();
    const entry = story.enter();
    story.pass(at('09:51:40'));
    const says = { source: 'query', cumQty: entry.qty, occurredAt: at('09:51:10') } as const;
    story.report(entry, 'filled', says);
    expect(cancels(story.pass(at('09:53:09')))).to.deep.equal([]);
    expect(cancels(story.pass(at('09:53:10')))).to.have.length(1);
  });

  it('leave a closed round trip as it was reported when its price is corrected later', () => {
    const { story, exit } = holding();
    story.report(exit, 'filled', { source: 'query', cumQty: qty(20) });
    story.pass(at('09:52'));
    story.buy();
    story.report(exit, 'filled', { lastQty: 20, lastPx: usd(100.1) });
    expect(story.lane.day.realized).to.equal(20 * usd(0.1));
    expect(story.lane.position).to.deep.equal({ bought: 20, boughtFor: 20 * usd(100), sold: 0, soldFor: 0 });
  });

  it('wait for the successor of a replaced order, but not for ever', () => {
    const { story, exit } = holding();
    story.report(exit, 'replaced');
    expect(story.pass(at('09:51:09'))).to.deep.equal([]);
    story.pass(at('09:51:12'));
    expect(story.alarms()).to.deep.equal(['successorMissing']);
    expect(story.sent().at(-1)).to.equal('sell 20 limit 100');
    // It turns up after all while our new exit rests: two sells must not live side by side.
    const successor = { ...exit, clientOrderId: 'by-hand' as ClientOrderId };
    const commands = story.tell({
      kind: 'succeeded',
      clientOrderId: exit.clientOrderId,
      successor,
      carried: NOTHING,
    });
    expect(cancels(commands)).to.deep.equal([successor.clientOrderId]);
  });
});

describe('a lane at the edges of the session', () => {
  it('stops at the close, says what it holds, and gets out right after the next open', () => {
    const { story, exit } = holding({ params: { holdMax: minutes(60) }, now: at('15:50') });
    story.pass(at('15:55'));
    story.report(exit, 'canceled');
    const flatten = submits(story.commands).at(-1) as OrderIntent;
    story.verdict(flatten, { kind: 'rejected', code: 'other', text: 'no', available: null });
    story.pass(at('15:59:59'));
    const last = submits(story.commands).at(-1) as OrderIntent;
    story.pass(at('16:00'));
    expect(story.alarms()).to.include('notFlatAtClose');
    story.report(last, 'expired');
    const sent = story.sent().length;
    expect(story.pass(at('20:00'))).to.deep.equal([]);
    story.tell({ kind: 'sessionOpened', plan: planOf('2024-01-04') });
    expect(story.pass(at('09:29:59', '2024-01-04'))).to.deep.equal([]);
    const morning = only(submits(story.pass(at('09:30', '2024-01-04'))));
    expect(morning).to.include({ purpose: 'flatten', clientOrderId: 'scalpd-20240104-SPY-1-0' });
    expect(story.sent()).to.have.length(sent + 1);
    expect(story.alarms().filter((code) => code === 'notFlatAtClose')).to.have.length(1);
  });

  it('has nothing to wake for when it is flat', () => {
    const story = new Story();
    expect(nextWakeAt(story.lane)).to.equal(null);
    story.buy();
    expect(nextWakeAt(story.lane)).to.equal(at('09:53'));
  });

  it('keeps its numbers when the same day is opened again', () => {
    const { story } = holding();
    story.tell({ kind: 'sessionOpened', plan: planOf('2024-01-03', '13:00') });
    expect(story.lane.lastKey.sequence).to.equal(2);
    expect(story.lane.plan?.halfDay).to.equal(true);
  });

  it('takes shares over and gives them up as it is told', () => {
    const story = new Story();
    story.tell({ kind: 'adopted', qty: qty(12), averagePx: usd(99.5), heldSince: at('09:50') });
    expect(story.sent()).to.deep.equal(['sell 12 limit 100']);
    story.tell({ kind: 'released', qty: qty(12), averagePx: usd(99) });
    expect(cancels(story.commands)).to.deep.equal(['scalpd-20240103-SPY-1-0']);
    story.report(only(submits(story.commands)), 'canceled');
    expect(only(story.trips())).to.include({ qty: 12, exitKind: 'flatten' });
    expect(story.lane.stage.kind).to.equal('flat');
  });

  it('follows new settings from the next decision on', () => {
    const { story } = holding();
    story.tell({ kind: 'paramsChanged', params: { ...PARAMS, holdMax: minutes(1) } });
    expect(nextWakeAt(story.lane)).to.equal(at('09:52'));
    expect(() =>
      story.tell({ kind: 'paramsChanged', params: { ...PARAMS, symbol: 'IBM' as typeof SPY } }),
    ).to.throw('keeps its symbol');
  });

  it('cancels everything when a restart finds more than one order', () => {
    const { exit } = holding();
    const twin = { ...exit, clientOrderId: 'scalpd-20240103-SPY-3-0' as ClientOrderId };
    const orders = [exit, twin].map((intent) => ({
      intent,
      report: new Story().reportOf(intent, 'new', { source: 'query' }),
    }));
    const shares = { qty: qty(20), averagePx: usd(100), heldSince: at('09:51') };
    const found = { plan: planOf(), lastSequence: 3, day: QUIET_DAY, shares, orders };
    const story = new Story({ lane: restoreLane(PARAMS, found, at('09:51')) });
    expect(cancels(story.tell({ kind: 'woke' }))).to.deep.equal([exit.clientOrderId, twin.clientOrderId]);
    story.report(exit, 'canceled');
    expect(story.sent()).to.deep.equal([]);
    story.report(twin, 'canceled');
    expect(story.sent()).to.deep.equal(['sell 20 limit 100']);
  });
});

import { expect } from 'chai';
import type { OrderStatus } from '../../lib/domain/execution.ts';
import type { BrokerOrderId, ClientOrderId } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { restoreLane } from '../../lib/domain/lane.ts';
import { cash, qty, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { type BrokerPicture, beliefOf, NO_SUSPICION, reconcile } from '../../lib/domain/reconcile.ts';
import { at, cancels, only, PARAMS, planOf, QUIET_DAY, refusals, SPY, Story, submits, usd } from './story.ts';

/** The published script's sixteen traps, as far as the lane answers for them. */
describe('traps of the published script, in the lane', () => {
  it('H1: the flatten cancels the resting exit and sells only once that is over', () => {
    const story = new Story({ now: at('15:52') });
    const entry = story.buy();
    const exit = only(submits(story.commands).slice(1));
    story.mode('flattening');
    expect(cancels(story.commands)).to.deep.equal([exit.clientOrderId]);
    expect(story.lane.stage.kind).to.equal('clearing');
    story.pass(at('15:52:05'));
    expect(story.sent()).to.have.length(2);
    const commands = story.report(exit, 'canceled');
    expect(only(submits(commands))).to.include({ side: 'sell', qty: entry.qty, purpose: 'flatten' });
    expect(only(submits(commands)).price).to.deep.equal({ type: 'market' });
  });

  it('H1: five minutes before the close the clock alone starts it', () => {
    const story = new Story({ params: { holdMax: PARAMS.coolOff }, now: at('15:40') });
    story.buy();
    const exit = only(submits(story.commands).slice(1));
    expect(story.pass(at('15:54:59'))).to.deep.equal([]);
    expect(cancels(story.pass(at('15:55')))).to.deep.equal([exit.clientOrderId]);
    expect(only(submits(story.report(exit, 'canceled')))).to.include({ purpose: 'flatten' });
  });

  it('H2: a resting exit that fills while it is being canceled ends the trade, nothing is sold twice', () => {
    const story = new Story({ params: { holdMax: PARAMS.coolOff }, now: at('15:40') });
    const entry = story.buy();
    const exit = only(submits(story.commands).slice(1));
    story.pass(at('15:55'));
    story.report(exit, 'filled', { lastQty: entry.qty });
    expect(story.held).to.equal(0);
    story.report(exit, 'canceled', { cumQty: entry.qty });
    story.pass(at('16:30'));
    expect(story.sent()).to.deep.equal(['buy 20 limit 100', 'sell 20 limit 100']);
    expect(story.lane.stage.kind).to.equal('flat');
  });

  it('H3: an average between two ticks is rounded up before it becomes a limit', () => {
    const story = new Story({ params: { exitMarkup: usd(0.01) } });
    const entry = story.enter();
    story.report(entry, 'partially_filled', { lastQty: 15, lastPx: usd(100.04), cumQty: qty(15) });
    story.mark = { price: usd(99), at: story.now };
    story.report(entry, 'filled', { lastQty: 5, lastPx: usd(100.03), cumQty: qty(20) });
    // (15 * 100.04 + 5 * 100.03) / 20 = 100.0375, up to the cent, and a cent on top.
    expect(story.sent()).to.deep.equal(['buy 20 limit 100', 'sell 20 limit 100.05']);
  });

  it('H4: shares found at a restart are offered at once, and bailed out of when their time is over', () => {
    const shares = { qty: qty(20), averagePx: usd(100.5), heldSince: at('09:50:30') };
    const found = { plan: planOf(), lastSequence: 4, day: QUIET_DAY, shares, orders: [] };
    const story = new Story({ lane: restoreLane(PARAMS, found, at('09:51')) });
    const exit = only(submits(story.tell({ kind: 'woke' })));
    expect(exit).to.include({ side: 'sell', qty: 20, clientOrderId: 'scalpd-20240103-SPY-5-0' });
    expect(exit.price).to.deep.equal({ type: 'limit', limit: usd(100.5) });
    expect(cancels(story.pass(at('09:52:30')))).to.deep.equal([exit.clientOrderId]);

    const late = new Story({ lane: restoreLane(PARAMS, found, at('11:00')), now: at('11:00') });
    expect(only(submits(late.tell({ kind: 'woke' }))).price).to.deep.equal({ type: 'market' });
  });

  it('H5: a partly filled buy found at a restart is a buy: canceled in time, then exactly its shares are sold', () => {
    const intent: OrderIntent = {
      clientOrderId: 'scalpd-20240103-SPY-1-0' as ClientOrderId,
      symbol: SPY,
      side: 'buy',
      qty: qty(20),
      price: { type: 'limit', limit: usd(100) },
      purpose: 'entry',
      decidedAt: at('09:50'),
      mark: null,
      expiresAt: null,
    };
    const partly = new Story().reportOf(intent, 'partially_filled', { source: 'query', cumQty: qty(8) });
    const lane = restoreLane(
      PARAMS,
      {
        plan: planOf(),
        lastSequence: 1,
        day: QUIET_DAY,
        shares: { qty: qty(8), averagePx: usd(100), heldSince: at('09:50:10') },
        orders: [{ intent, report: partly }],
      },
      at('09:51'),
    );
    const story = new Story({ lane });
    story.tell({ kind: 'woke' });
    expect(story.sent()).to.deep.equal([]);
    expect(cancels(story.pass(at('09:52')))).to.deep.equal([intent.clientOrderId]);
    // The execution behind the eight shares arrives late, then two more before the cancel wins.
    story.report(intent, 'partially_filled', { lastQty: 8, cumQty: qty(8) });
    story.report(intent, 'partially_filled', { lastQty: 2, cumQty: qty(10) });
    story.report(intent, 'canceled', { cumQty: qty(10) });
    expect(story.held).to.equal(10);
    expect(story.sent()).to.deep.equal(['sell 10 limit 100']);
  });

  it('H6: a cancel that loses the race against the fill leads to the exit', () => {
    const story = new Story();
    const entry = story.enter();
    story.report(entry, 'new');
    expect(cancels(story.pass(at('09:53')))).to.deep.equal([entry.clientOrderId]);
    // The broker answers 422; the order is fetched instead of believed.
    const filled = { source: 'query', cumQty: entry.qty } as const;
    expect(only(submits(story.report(entry, 'filled', filled)))).to.include({ side: 'sell', qty: 20 });
  });

  it('H7: a submit without an answer is neither sent again nor forgotten', () => {
    const story = new Story();
    const entry = story.enter();
    story.pass(at('09:52'));
    expect(refusals(story.signal())).to.deep.equal(['busy']);
    story.report(entry, 'filled', { source: 'query', cumQty: entry.qty });
    expect(story.sent()).to.deep.equal(['buy 20 limit 100', 'sell 20 limit 100']);

    const lost = new Story();
    lost.verdict(lost.enter(), { kind: 'absent' });
    expect(lost.lane.stage.kind).to.equal('flat');
    lost.pass(at('09:53'));
    expect(lost.enter().clientOrderId).to.equal('scalpd-20240103-SPY-2-0');
  });

  it('H7: a sell that provably never arrived is sent again as its next attempt', () => {
    const story = new Story();
    story.buy();
    const exit = only(submits(story.commands).slice(1));
    story.verdict(exit, { kind: 'absent' });
    const again = only(submits(story.pass(at('09:51:02'))));
    expect([exit.clientOrderId, again.clientOrderId]).to.deep.equal([
      'scalpd-20240103-SPY-2-0',
      'scalpd-20240103-SPY-2-1',
    ]);
  });

  it("H8: the fill of somebody else's order is not ours", () => {
    const story = new Story();
    const entry = story.enter();
    const manual = { ...entry, clientOrderId: '3b6f0a5e-manual' as ClientOrderId };
    story.report(manual, 'filled', { lastQty: 50 });
    expect(story.held).to.equal(0);
    expect(story.lane.stage.kind).to.equal('entering');
    expect(story.alarms()).to.deep.equal(['foreignReport']);
    story.report(entry, 'filled', { lastQty: 20 });
    expect(story.sent()).to.deep.equal(['buy 20 limit 100', 'sell 20 limit 100']);
  });

  it('H9: zero shares is a refusal that names lot and price', () => {
    const story = new Story({ params: { lot: cash(50 * UNITS_PER_USD) } });
    const [refused] = story.signal();
    expect(refused).to.include({ kind: 'entryRefused', code: 'zeroShares' });
    expect(refused).to.have.property('detail').that.includes('50.00').and.includes('100.00');
    expect(story.sent()).to.deep.equal([]);
  });

  const ENDINGS: readonly OrderStatus[] = ['canceled', 'expired', 'rejected', 'done_for_day', 'replaced'];
  for (const status of ENDINGS) {
    it(`H10: an entry that ends as ${status} frees the lane`, () => {
      const story = new Story();
      story.report(story.enter(), status);
      story.pass(at('09:52'));
      expect(story.enter().clientOrderId).to.equal('scalpd-20240103-SPY-2-0');
    });

    it(`H10: an exit that ends as ${status} is posted again`, () => {
      const story = new Story();
      story.buy();
      story.report(only(submits(story.commands).slice(1)), status);
      story.pass(at('09:51:30'));
      expect(story.sent()).to.deep.equal(['buy 20 limit 100', 'sell 20 limit 100', 'sell 20 limit 100']);
    });
  }

  const LIVE: readonly OrderStatus[] = [
    'pending_new',
    'accepted',
    'accepted_for_bidding',
    'held',
    'new',
    'partially_filled',
    'pending_cancel',
    'pending_replace',
    'stopped',
    'suspended',
    'calculated',
    'unrecognized',
  ];
  for (const status of LIVE) {
    it(`H10: ${status} ends nothing, patience does`, () => {
      const story = new Story();
      const entry = story.enter();
      story.report(entry, status);
      expect(story.lane.stage.kind).to.equal('entering');
      expect(cancels(story.pass(at('09:53')))).to.deep.equal([entry.clientOrderId]);
    });
  }

  it('H10: an exit replaced by hand lives on as its successor', () => {
    const story = new Story();
    story.buy();
    const exit = only(submits(story.commands).slice(1));
    story.report(exit, 'replaced', { replacedBy: 'b2' as BrokerOrderId });
    expect(story.sent()).to.have.length(2);
    const successor: OrderIntent = {
      ...exit,
      clientOrderId: 'generated-by-broker' as ClientOrderId,
      price: { type: 'limit', limit: usd(101) },
    };
    const carried = { qty: qty(0), notional: cash(0) };
    story.tell({ kind: 'succeeded', clientOrderId: exit.clientOrderId, successor, carried });
    expect(story.lane.stage.kind).to.equal('exiting');
    expect(cancels(story.pass(at('09:53')))).to.deep.equal([successor.clientOrderId]);
    story.report(successor, 'canceled');
    expect(story.sent().at(-1)).to.equal('sell 20 market');
  });

  it('H11: an exit canceled by hand is posted again as a limit after a pause, never sold at market for that', () => {
    const story = new Story();
    story.buy();
    const exit = only(submits(story.commands).slice(1));
    expect(story.report(exit, 'canceled')).to.deep.equal([]);
    expect(story.lane.stage.kind).to.equal('exposed');
    story.pass(at('09:51:01.999999'));
    expect(story.sent()).to.have.length(2);
    story.pass(at('09:51:02'));
    expect(story.sent().at(-1)).to.equal('sell 20 limit 100');
  });

  it('H12: rejected sells are tried again with growing pauses, for as long as shares are held', () => {
    const story = new Story({ now: at('10:00') });
    story.buy();
    const sells: number[] = [];
    for (;;) {
      const sell = submits(story.commands).at(-1);
      if (sell === undefined || sell.side !== 'sell' || sells.length === 40) break;
      sells.push((sell.decidedAt - at('10:00')) / 1_000_000);
      story.verdict(sell, { kind: 'rejected', code: 'heldShares', text: 'no', available: null });
      const sent = story.sent().length;
      while (story.sent().length === sent) story.pass((story.now + 1_000_000) as typeof story.now);
    }
    // Limits at first; at two minutes the bail-out comes whatever the pause, and then paces itself.
    expect(sells.slice(0, 8)).to.deep.equal([0, 2, 6, 14, 30, 62, 120, 180]);
    expect(sells).to.have.length(40);
    expect(story.held).to.equal(20);
    expect(story.sent().slice(1, 9)).to.deep.equal([
      ...Array<string>(6).fill('sell 20 limit 100'),
      ...Array<string>(2).fill('sell 20 market'),
    ]);
  });

  it('H13: on a half-day everything happens three hours earlier', () => {
    const story = new Story({
      plan: planOf('2024-01-03', '13:00'),
      params: { holdMax: PARAMS.coolOff },
      now: at('12:40'),
    });
    story.buy();
    const exit = only(submits(story.commands).slice(1));
    expect(story.pass(at('12:54:59'))).to.deep.equal([]);
    expect(cancels(story.pass(at('12:55')))).to.deep.equal([exit.clientOrderId]);
    story.report(exit, 'canceled');
    expect(story.sent().at(-1)).to.equal('sell 20 market');
    const late = new Story({ plan: planOf('2024-01-03', '13:00'), now: at('12:53') });
    expect(refusals(late.signal())).to.deep.equal(['afterCutoff']);
  });

  it('H14: the exit goes by our own fills; a position list that lags is waited out', () => {
    const story = new Story();
    story.buy();
    expect(story.sent()).to.deep.equal(['buy 20 limit 100', 'sell 20 limit 100']);
    const [entry, exit] = submits(story.commands);
    const picture: BrokerPicture = {
      takenAt: story.now,
      positions: [],
      openOrders: [],
      fills: null,
      ordersSince: [entry, exit].flatMap((intent, index) =>
        intent === undefined
          ? []
          : [
              {
                ...story.reportOf(intent, index === 0 ? 'filled' : 'new', {
                  cumQty: qty(index === 0 ? 20 : 0),
                }),
                qty: intent.qty,
                updatedAt: story.now,
                replaces: null,
              },
            ],
      ),
    };
    const first = reconcile([beliefOf(story.lane)], picture, NO_SUSPICION, 3);
    const lags = only(first.symbols).findings.filter(({ kind }) => kind === 'suspected');
    expect(only(lags)).to.include({ code: 'sharesMissing', seen: 1 });
    const caughtUp = { ...picture, positions: [{ symbol: SPY, shares: 20 }] };
    expect(reconcile([beliefOf(story.lane)], caughtUp, first.suspicion, 3).suspicion).to.deep.equal({});
  });

  it('H15: a sub-penny last trade becomes a limit on the tick, rounded down for a buy', () => {
    const story = new Story();
    story.mark = { price: usd(41.085), at: story.now };
    expect(story.enter()).to.deep.include({ qty: 48, price: { type: 'limit', limit: usd(41.08) } });
    const entry = only(submits(story.commands));
    story.report(entry, 'filled', { lastQty: 48 });
    // The same print rounds up for the sell.
    expect(story.sent().at(-1)).to.equal('sell 48 limit 41.09');
  });

  it('H16: no second bail-out while the first is unresolved', () => {
    const story = new Story();
    story.buy();
    const exit = only(submits(story.commands).slice(1));
    story.pass(at('09:53'));
    const bailOut = only(submits(story.report(exit, 'canceled')));
    expect(bailOut).to.include({ purpose: 'bailOut' });
    story.pass(at('09:53:30'));
    story.tell({ kind: 'woke' });
    story.pass(at('15:58'));
    story.mode('flattening');
    expect(story.sent()).to.have.length(3);
    story.report(bailOut, 'filled', { lastQty: 20, lastPx: usd(99.9) });
    expect(only(story.trips())).to.include({ exitKind: 'bailOut', qty: 20 });
    expect(story.lane.stage.kind).to.equal('flat');
  });
});

import { expect } from 'chai';
import type { FillRule } from '../../lib/sim/exchange-api.ts';
import { limit, printAt, quoteAt, request, rig, SECOND, START, standing } from './support.ts';

const scripted = (model: FillRule['model'], times: number | null = null) =>
  rig([...standing, printAt(1, '90.00', 5_000), printAt(30, '91.00', 5_000)], {
    fillRules: [{ match: { side: 'buy' }, model, times }],
  });
const seconds = (at: number): number => Math.round((at - START) / SECOND);

describe('sim: scripted fills', () => {
  it('never fills', () => {
    const market = scripted({ kind: 'never' });
    const order = market.submit(limit('buy', '19', '95'));
    market.wait(60);
    expect(market.order(order)).to.include({ status: 'new', filledQty: 0 });
  });

  it('strikes only so many times', () => {
    const market = scripted({ kind: 'never' }, 1);
    const orders = [1, 2].map(() => market.submit(limit('buy', '19', '95')));
    market.wait(60);
    expect(orders.map((order) => market.order(order).status)).to.deep.equal(['new', 'filled']);
  });

  it('accepts, then rejects', () => {
    const market = scripted({ kind: 'reject', delay: 100_000 });
    const order = market.submit(request());
    market.wait(1);
    expect(market.order(order).status).to.equal('rejected');
    expect(market.story()).to.deep.equal(['pending_new pending_new', 'new new', 'rejected rejected']);
  });

  it('fills in equal pieces, the last one takes the rest', () => {
    const market = scripted({ kind: 'partial', pieces: 3, only: null, delay: 5 * SECOND });
    market.submit(limit('buy', '19', '95'));
    market.wait(60);
    expect(market.exchange.fills().map(({ qty, at }) => [qty, seconds(at)])).to.deep.equal([
      [6, 5],
      [6, 10],
      [7, 15],
    ]);
  });

  it('fills only some of the pieces and leaves the rest to a cancel', () => {
    const market = scripted({ kind: 'partial', pieces: 3, only: 1, delay: 5 * SECOND });
    const order = market.submit(limit('buy', '19', '95'));
    market.wait(60);
    expect(market.order(order)).to.include({ status: 'partially_filled', filledQty: 6 });
    market.exchange.cancelOrder(order.id);
    market.wait(1);
    expect(market.order(order)).to.include({ status: 'canceled', filledQty: 6 });
  });

  it('lets a fill win the race against the cancel', () => {
    const market = scripted({ kind: 'cancelRace' });
    const order = market.submit(limit('buy', '19', '95'));
    market.wait(2);
    expect(market.exchange.cancelOrder(order.id).ok).to.equal(true);
    market.wait(1);
    expect(market.order(order)).to.include({ status: 'filled', filledQty: 19 });
    expect(market.story().slice(2)).to.deep.equal(['pending_cancel pending_cancel', 'fill filled']);
  });

  it('refuses a cancel after the fact', () => {
    const market = scripted({ kind: 'cancelRefused' });
    const order = market.submit(limit('buy', '19', '85'));
    market.wait(2);
    market.exchange.cancelOrder(order.id);
    market.wait(1);
    expect(market.order(order).status).to.equal('new');
    expect(market.story().at(-1)).to.equal('order_cancel_rejected new');
  });

  it('cuts fills at random when asked to, and completes them all the same', () => {
    const items = Array.from({ length: 50 }, (_, i) => quoteAt(i + 1, '100.00', '100.02'));
    const market = rig([...standing, ...items], { partialFillShare: 1 });
    const order = market.submit(request({ qty: '100' }));
    market.wait(60);
    expect(market.order(order).status).to.equal('filled');
    expect(market.exchange.fills().length).to.be.greaterThan(2);
  });
});

describe('sim: the print model', () => {
  const simple = { fillModel: 'print', latencyIn: 0, latencyOut: 0 } as const;

  it('fills a limit whole at its price on the next print at or through it, a market order at the print', () => {
    const market = rig([...standing, printAt(5, '100.20', 1), printAt(15, '100.19', 1)], simple);
    const bought = market.submit(limit('buy', '19', '100.20'));
    market.wait(5);
    expect(market.order(bought)).to.include({ status: 'filled', filledNotional: 19 * 1_002_000 });
    const low = market.submit(limit('buy', '19', '100.19'));
    market.wait(10);
    expect(market.order(low)).to.include({ status: 'filled', filledNotional: 19 * 1_001_900 });
  });

  it('never fills on the print of the very instant it arrived', () => {
    const market = rig([...standing, printAt(5, '99.00'), printAt(9, '98.00')], simple);
    market.wait(5);
    const order = market.submit(request({ qty: '10' }));
    market.wait(0);
    expect(market.order(order).status).to.equal('new');
    market.wait(10);
    expect(market.exchange.fills().map(({ price }) => price)).to.deep.equal([980_000]);
  });
});

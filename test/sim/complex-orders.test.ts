import { expect } from 'chai';
import {
  AAA,
  instant,
  limit,
  printAt,
  quoteAt,
  request,
  rig,
  SECOND,
  standing,
  unwrap,
  usd,
} from './support.ts';

const bracket = {
  orderClass: 'bracket',
  takeProfit: { limitPrice: '101.00' },
  stopLoss: { stopPrice: '99.00', limitPrice: null },
} as const;

describe('sim: complex orders', () => {
  it('wakes a bracket’s exits when the entry is complete, and ends one with the other', () => {
    const market = rig([...standing, printAt(5, '101.50', 1_000)]);
    const entry = market.submit(request({ qty: '100', ...bracket }));
    expect(entry.legs?.map((leg) => leg.status)).to.deep.equal(['held', 'held']);
    market.wait(2);
    const [profit, stop] = market.order(entry).legs ?? [];
    expect([profit?.status, stop?.status]).to.deep.equal(['new', 'held']);
    expect(market.exchange.positions()[0]?.available).to.equal(0);
    market.wait(10);
    const ended = market.order(entry).legs ?? [];
    expect(ended.map((leg) => leg.status)).to.deep.equal(['filled', 'canceled']);
    expect(market.exchange.positions()).to.deep.equal([]);
  });

  it('leaves the exits asleep while the entry is only partly filled, and ends them with it', () => {
    const market = rig([printAt(-60, '100.01'), quoteAt(-59, '100.00', '100.02', [500, 40])]);
    const entry = market.submit(limit('buy', '100', '100.02', bracket));
    market.wait(2);
    expect(market.order(entry).legs?.map((leg) => leg.status)).to.deep.equal(['held', 'held']);
    market.exchange.cancelOrder(entry.id);
    market.wait(1);
    expect(market.order(entry).legs?.map((leg) => leg.status)).to.deep.equal(['canceled', 'canceled']);
  });

  it('stops out of a bracket', () => {
    const market = rig([...standing, printAt(5, '98.90', 100), quoteAt(6, '98.80', '98.90')]);
    const entry = market.submit(request({ qty: '100', ...bracket }));
    market.wait(20);
    expect(market.order(entry).legs?.map((leg) => leg.status)).to.deep.equal(['canceled', 'filled']);
    expect(market.exchange.positions()).to.deep.equal([]);
  });

  it('rejects an exit that wakes to find its shares already offered', () => {
    const market = rig([
      printAt(-60, '100.01'),
      quoteAt(-59, '100.00', '100.02', [500, 40]),
      quoteAt(5, '100.00', '100.02'),
    ]);
    const entry = market.submit(request({ qty: '100', ...bracket }));
    market.wait(2);
    market.submit(limit('sell', '10', '110'));
    market.wait(10);
    expect(market.order(entry).status).to.equal('filled');
    expect(market.order(entry).legs?.map((leg) => leg.status)).to.deep.equal(['rejected', 'canceled']);
  });

  it('holds the shares of an oco once', () => {
    const market = rig([...standing, printAt(5, '101.50', 1_000)]);
    market.exchange.act({ kind: 'setPosition', symbol: AAA, qty: 50, averagePrice: usd('90') });
    const oco = market.submit(limit('sell', '50', '101', { ...bracket, orderClass: 'oco' }));
    market.wait(1);
    expect(market.exchange.positions()[0]?.available).to.equal(0);
    market.wait(10);
    expect(market.order(oco).status).to.equal('filled');
    expect(market.order(oco).legs?.map((leg) => leg.status)).to.deep.equal(['canceled']);
  });

  it('lists legs under their parent when nested, beside it when not', () => {
    const market = rig();
    market.submit(limit('buy', '100', '99.50', bracket));
    const query = {
      status: 'open',
      limit: 50,
      after: null,
      until: null,
      direction: 'desc',
      symbols: null,
      side: null,
      nested: true,
      beforeOrderId: null,
      afterOrderId: null,
    } as const;
    expect(unwrap(market.exchange.orders(query)).map(({ legs }) => legs?.length)).to.deep.equal([2]);
    expect(unwrap(market.exchange.orders({ ...query, nested: false }))).to.have.length(3);
  });
});

describe('sim: what lags and what comes back', () => {
  it('shows positions late when told to, though the shares are there', () => {
    const market = rig(standing, { positionsLag: 5 * SECOND });
    market.submit(request());
    market.wait(1);
    expect(market.story().at(-1)).to.equal('fill filled');
    expect(market.exchange.positions()).to.deep.equal([]);
    expect(market.exchange.ledger().positions.get(AAA)).to.equal(100);
    expect(market.exchange.closePosition('AAA', { percentage: '50' }).ok).to.equal(true);
    market.wait(10);
    expect(market.exchange.positions()[0]?.qty).to.equal(50);
  });

  it('cancels the exits of a filled bracket with everything else', () => {
    const market = rig();
    const entry = market.submit(request({ qty: '100', ...bracket }));
    market.wait(2);
    expect(market.exchange.cancelAllOrders().map(({ answer }) => answer.ok)).to.deep.equal([true]);
    market.wait(1);
    expect(market.order(entry).legs?.map((leg) => leg.status)).to.deep.equal(['canceled', 'canceled']);
  });

  it('brings a gtc order that was done for the day back the next morning', () => {
    const next = instant('2024-01-04T14:30:00Z');
    const market = rig([...standing, printAt(5, '95.00', 500, { from: next })]);
    const order = market.submit(limit('buy', '10', '96', { timeInForce: 'gtc' }));
    market.wait(1);
    market.exchange.act({ kind: 'endOrder', id: order.id, how: 'done_for_day' });
    expect(market.order(order).status).to.equal('done_for_day');
    market.exchange.advanceTo((next + 10 * SECOND) as never);
    expect(market.order(order).status).to.equal('filled');
  });
});

import { expect } from 'chai';
import type { TapeItem } from '../../lib/sim/exchange-api.ts';
import {
  AAA,
  CLOSE,
  changes,
  HOUR,
  instant,
  limit,
  printAt,
  quoteAt,
  request,
  rig,
  SECOND,
  START,
  standing,
  unwrap,
  usd,
} from './support.ts';

const fillsOf = (market: ReturnType<typeof rig>) =>
  market.exchange.fills().map(({ qty, price, at }) => [qty, price / 10_000, (at - START) / SECOND]);

describe('sim: the life of an order', () => {
  it('answers pending_new, never a fill, and tells the rest on the stream', () => {
    const market = rig();
    const answer = market.submit(request());
    expect([answer.status, answer.filledQty]).to.deep.equal(['pending_new', 0]);
    expect(market.story()).to.deep.equal([]);
    market.wait(1);
    expect(market.story()).to.deep.equal(['pending_new pending_new', 'new new', 'fill filled']);
    expect(market.updates[2]?.execution).to.deep.equal({ qty: 100, price: usd('100.02'), positionQty: 100 });
  });

  it('takes the displayed size, then what the next quotes and prints bring', () => {
    const market = rig([
      printAt(-60, '100.01'),
      quoteAt(-59, '100.00', '100.02', [500, 300]),
      quoteAt(2, '100.01', '100.03', [500, 200]),
      printAt(4, '100.03', 400),
    ]);
    market.submit(request({ qty: '600' }));
    market.wait(10);
    expect(fillsOf(market)).to.deep.equal([
      [300, 100.02, 0.001],
      [200, 100.03, 2],
      [100, 100.03, 4],
    ]);
    expect(market.story().slice(2)).to.deep.equal([
      'partial_fill partially_filled',
      'partial_fill partially_filled',
      'fill filled',
    ]);
  });

  it('fills a resting limit through its price at once, at its price only after the queue', () => {
    const items = [
      ...standing,
      printAt(1, '100.00', 300),
      printAt(2, '100.00', 400),
      printAt(3, '99.99', 1_000),
    ];
    const market = rig(items);
    market.submit(limit('buy', '300', '100.00'));
    market.wait(10);
    // 500 shares are shown at the bid: 300 trade ahead, then 200, of the other 200 we expect half.
    expect(fillsOf(market)).to.deep.equal([
      [100, 100, 2],
      [200, 100, 3],
    ]);
  });

  it('fills at once at the front when it improves the bid, and never trades at a worse price than its limit', () => {
    const market = rig([...standing, printAt(1, '100.01', 50)]);
    market.submit(limit('buy', '100', '100.01'));
    market.wait(5);
    expect(fillsOf(market)).to.deep.equal([[25, 100.01, 1]]);
  });

  it('derives a quote from prints where the tape has none', () => {
    const market = rig([printAt(-2, '50.00'), printAt(-1, '50.01')]);
    expect(market.exchange.latestQuote(AAA)).to.include({ bid: usd('50.00'), ask: usd('50.01') });
    market.submit(request({ qty: '10' }));
    market.wait(1);
    expect(fillsOf(market)).to.deep.equal([[10, 50.01, 0.001]]);
  });

  it('cancels, or loses the race to a fill', () => {
    const market = rig([...standing, printAt(3.0005, '99.00', 1_000)]);
    const first = market.submit(limit('buy', '100', '99.50'));
    market.wait(1);
    market.exchange.cancelOrder(first.id);
    market.wait(1);
    expect(market.story().slice(2)).to.deep.equal(['pending_cancel pending_cancel', 'canceled canceled']);
    const second = market.submit(limit('buy', '100', '99.50'));
    market.wait(1);
    market.exchange.cancelOrder(second.id);
    market.wait(1);
    expect(market.story().slice(6)).to.deep.equal(['pending_cancel pending_cancel', 'fill filled']);
  });

  it('keeps what filled when the rest is canceled', () => {
    const market = rig([...standing, printAt(2, '99.40', 30)]);
    const order = market.submit(limit('buy', '100', '99.50'));
    market.wait(3);
    market.exchange.cancelOrder(order.id);
    market.wait(1);
    expect(market.order(order)).to.include({ status: 'canceled', filledQty: 30 });
  });

  it('replaces under a new id and carries the fills on', () => {
    const market = rig([...standing, printAt(2, '99.40', 30), printAt(6, '98.00', 500)]);
    const order = market.submit(limit('buy', '100', '99.50'));
    market.wait(3);
    const next = unwrap(market.exchange.replaceOrder(order.id, changes({ qty: '80', limitPrice: '99.00' })));
    expect(next.id).not.to.equal(order.id);
    expect(next.replaces).to.equal(order.id);
    market.wait(1);
    expect(market.order(order)).to.include({ status: 'replaced', replacedBy: next.id });
    expect(market.story().slice(3)).to.deep.equal([
      'pending_replace pending_replace',
      'replaced replaced',
      'new new',
    ]);
    market.wait(5);
    expect(market.order(next)).to.include({ status: 'filled', filledQty: 80 });
    expect(market.exchange.positions()[0]?.qty).to.equal(80);
  });

  it('rejects the successor when the old order fills first', () => {
    const market = rig([...standing, printAt(1.0005, '99.00', 1_000)]);
    const order = market.submit(limit('buy', '100', '99.50'));
    market.wait(1);
    const next = unwrap(market.exchange.replaceOrder(order.id, changes({ limitPrice: '99.40' })));
    market.wait(1);
    expect([market.order(order).status, market.order(next).status]).to.deep.equal(['filled', 'rejected']);
    expect(market.exchange.positions()[0]?.qty).to.equal(100);
  });

  it('does immediate-or-cancel and fill-or-kill on what is displayed', () => {
    const market = rig();
    const ioc = market.submit(request({ qty: '600', timeInForce: 'ioc' }));
    market.wait(1);
    expect(market.order(ioc)).to.include({ status: 'canceled', filledQty: 500 });
    const fok = market.submit(limit('buy', '600', '100.02', { timeInForce: 'fok' }));
    market.wait(1);
    expect(market.order(fok)).to.include({ status: 'canceled', filledQty: 0 });
  });

  it('triggers stops by prints, trails them, and collars a buy stop', () => {
    const market = rig([
      ...standing,
      printAt(2, '100.50'),
      printAt(3, '99.40', 10),
      quoteAt(3.5, '99.30', '99.40'),
    ]);
    market.exchange.act({ kind: 'setPosition', symbol: AAA, qty: 20, averagePrice: usd('90') });
    const stop = market.submit(request({ side: 'sell', qty: '10', type: 'stop', stopPrice: '99.50' }));
    const trailing = market.submit(
      request({ side: 'sell', qty: '10', type: 'trailing_stop', trailPrice: '1.05' }),
    );
    market.wait(1);
    expect(market.order(trailing).stopPrice).to.equal(usd('98.96'));
    market.wait(1.5);
    expect(market.order(trailing).stopPrice).to.equal(usd('99.45'));
    market.wait(5);
    expect([market.order(stop).status, market.order(trailing).status]).to.deep.equal(['filled', 'filled']);
  });

  it('halts: accepts, fills nothing, trades again after the resume', () => {
    const market = rig([...standing, printAt(2, '99.00', 500), printAt(20, '98.00', 500)]);
    const statuses: string[] = [];
    market.exchange.onMarketEvent((event) => {
      statuses.push(event.kind === 'status' ? event.status.state : event.kind);
    });
    market.exchange.act({ kind: 'halt', symbol: AAA, code: 'H', reason: 'LUDP' });
    const order = market.submit(request());
    market.wait(10);
    expect(market.order(order).status).to.equal('new');
    market.exchange.act({ kind: 'resume', symbol: AAA });
    market.wait(15);
    expect(market.order(order).status).to.equal('filled');
    expect(statuses.slice(0, 2)).to.deep.equal(['halted', 'trading']);
  });

  it('ends an order by the venue’s own will', () => {
    const how = ['expired', 'done_for_day', 'canceled', 'rejected', 'suspended'] as const;
    for (const each of how) {
      const market = rig([...standing, printAt(5, '90.00', 500)]);
      const order = market.submit(limit('buy', '10', '95'));
      market.wait(1);
      market.exchange.act({ kind: 'endOrder', id: order.id, how: each });
      market.wait(10);
      expect(market.order(order).status).to.equal(each);
      expect(market.exchange.fills()).to.deep.equal([]);
    }
  });
});

describe('sim: sessions', () => {
  const nextOpen = instant('2024-01-04T14:30:00Z');
  const nextDay: readonly TapeItem[] = [
    quoteAt(1, '101.00', '101.02', [500, 500], { from: nextOpen }),
    printAt(2, '101.02', 300, { from: nextOpen }),
  ];
  const evening = { startAt: instant('2024-01-03T22:00:00Z') };

  it('ends an unfilled day order at the close, as expired or canceled', () => {
    for (const dayOrderEnd of ['expired', 'canceled'] as const) {
      const market = rig(standing, { dayOrderEnd });
      const order = market.submit(limit('buy', '10', '90'));
      market.exchange.advanceTo((CLOSE + SECOND) as never);
      expect(market.order(order).status).to.equal(dayOrderEnd);
      expect(market.story().at(-1)).to.equal(`${dayOrderEnd} ${dayOrderEnd}`);
    }
  });

  it('queues a day order sent after the close for the next day, market orders too', () => {
    const market = rig([...standing, ...nextDay], evening);
    const order = market.submit(request());
    expect(order.status).to.equal('accepted');
    market.wait(1);
    expect(market.story()).to.deep.equal(['accepted accepted']);
    market.exchange.advanceTo((nextOpen + 10 * SECOND) as never);
    expect(market.order(order)).to.include({ status: 'filled' });
    expect(market.exchange.fills()[0]?.price).to.equal(usd('101.02'));
  });

  it('keeps gtc orders over the night', () => {
    const market = rig([...standing, ...nextDay, printAt(3, '95.00', 500, { from: nextOpen })]);
    const order = market.submit(limit('buy', '10', '96', { timeInForce: 'gtc' }));
    market.exchange.advanceTo((CLOSE + HOUR) as never);
    expect(market.order(order).status).to.equal('new');
    market.exchange.advanceTo((nextOpen + 10 * SECOND) as never);
    expect(market.order(order).status).to.equal('filled');
  });

  it('trades extended-hours limits outside the session, and nothing else', () => {
    const after = instant('2024-01-03T21:30:00Z');
    const market = rig([...standing, quoteAt(0, '99.00', '99.05', [500, 500], { from: after })], {
      startAt: instant('2024-01-03T21:10:00Z'),
    });
    const extended = market.submit(limit('buy', '10', '99.50', { extendedHours: true }));
    const plain = market.submit(limit('buy', '10', '99.50'));
    market.exchange.advanceTo((after + SECOND) as never);
    expect([market.order(extended).status, market.order(plain).status]).to.deep.equal(['filled', 'accepted']);
  });

  it('runs the auctions: opg at the first print, cls at the last price', () => {
    const market = rig([...standing, ...nextDay], { startAt: instant('2024-01-04T02:00:00Z') });
    const opg = market.submit(request({ timeInForce: 'opg' }));
    const cheap = market.submit(limit('buy', '10', '90', { timeInForce: 'opg' }));
    market.exchange.advanceTo((nextOpen + 10 * SECOND) as never);
    expect([market.order(opg).status, market.order(cheap).status]).to.deep.equal(['filled', 'expired']);
    const cls = market.submit(request({ timeInForce: 'cls', qty: '7' }));
    market.exchange.advanceTo(instant('2024-01-04T21:00:01Z'));
    expect(market.order(cls)).to.include({ status: 'filled', filledNotional: 7 * usd('101.02') });
  });

  it('may keep a cancel pending until the next open, and its shares held', () => {
    const market = rig([...standing, ...nextDay], { ...evening, cancelsWaitForOpen: true });
    market.exchange.act({ kind: 'setPosition', symbol: AAA, qty: 10, averagePrice: usd('90') });
    const order = market.submit(limit('sell', '10', '120'));
    market.exchange.cancelOrder(order.id);
    market.wait(60);
    expect(market.order(order).status).to.equal('pending_cancel');
    expect(market.exchange.submitOrder(request({ side: 'sell', qty: '10' })).ok).to.equal(false);
    market.exchange.advanceTo((nextOpen + SECOND) as never);
    expect(market.order(order).status).to.equal('canceled');
  });

  it('tells the clock and the calendar', () => {
    const { exchange } = rig();
    expect(exchange.clock()).to.deep.equal({
      at: START,
      isOpen: true,
      nextOpenAt: nextOpen,
      nextCloseAt: CLOSE,
    });
    exchange.advanceTo((CLOSE + SECOND) as never);
    const closed = exchange.clock();
    expect([closed.isOpen, closed.nextCloseAt]).to.deep.equal([false, instant('2024-01-04T21:00:00Z')]);
    expect(exchange.calendar('2024-01-04' as never, '2024-01-09' as never)).to.have.length(1);
    exchange.advanceTo(instant('2024-02-01T00:00:00Z'));
    expect(exchange.clock().nextOpenAt).to.be.greaterThan(exchange.now());
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { Decoded } from '../../lib/adapters/alpaca/codec-decode-base.ts';
import { decodeTradeFrame } from '../../lib/adapters/alpaca/codec-decode-control.ts';
import {
  decodeFills,
  decodeOrder,
  decodeOrdersPage,
  decodePositions,
  decodeTradeUpdate,
} from '../../lib/adapters/alpaca/codec-decode-orders.ts';
import { formatInstant, micros } from '../../lib/domain/time.ts';
import { FILL, ORDER } from './samples.ts';

const NOW = micros(1_790_000_000_000_000);

function readable<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) expect.fail(`${decoded.error.where}: ${decoded.error.expected}, ${decoded.error.found}`);
  return decoded.value;
}

function complaintOf<T>(decoded: Decoded<T>): string {
  if (decoded.ok) expect.fail('an error was expected');
  return `${decoded.error.where}: ${decoded.error.expected}, found ${decoded.error.found}`;
}

describe('decode: orders', () => {
  it('reads the sample, times with Z and with an offset', () => {
    const order = readable(decodeOrder(ORDER));
    expect(order).to.deep.include({
      brokerOrderId: 'a1',
      clientOrderId: 'scalpd-20261005-ABC-17-0',
      symbol: 'ABC',
      side: 'buy',
      qty: 100,
      type: 'limit',
      limit: 200_600,
      status: 'partially_filled',
      cumQty: 40,
      cumNotional: 8_020_000,
      replacedBy: null,
    });
    expect(formatInstant(order.submittedAt)).to.equal('2026-10-05T14:30:01.000000Z');
  });

  it('multiplies the average without rounding it first', () => {
    const decode = (filled_qty: string, filled_avg_price: string) =>
      readable(decodeOrder({ ...ORDER, qty: '3000', filled_qty, filled_avg_price })).cumNotional;
    expect(decode('300', '20.056666666666667')).to.equal(60_170_000);
    expect(decode('3000', '0.00005')).to.equal(1_500);
    expect(decode('1', '0.00005')).to.equal(1);
    expect(decode('0', '20.05')).to.equal(0);
  });

  it('takes a status that it does not know for unrecognized, and keys that it does not know for nothing', () => {
    expect(readable(decodeOrder({ ...ORDER, status: 'pondering', novelty: { a: 1 } })).status).to.equal(
      'unrecognized',
    );
    expect(readable(decodeOrder({ ...ORDER, status: null })).status).to.equal('unrecognized');
  });

  it('rounds fractions up and reads orders by dollar amount, which are not ours', () => {
    const byNotional = {
      ...ORDER,
      qty: null,
      notional: '500',
      filled_qty: '2.4938',
      filled_avg_price: '200.5',
    };
    expect(readable(decodeOrder(byNotional))).to.deep.include({ qty: 3, cumQty: 3, cumNotional: 5_000_069 });
  });

  it('refuses what a decision would stand on', () => {
    const broken: readonly (readonly [object, string])[] = [
      [{ id: null }, 'order.id: text, found null'],
      [{ client_order_id: '' }, 'order.client_order_id: text, found ""'],
      [{ side: 'hold' }, 'order.side: buy or sell, found "hold"'],
      [{ qty: '1e3' }, 'order.qty: a number of shares, found "1e3"'],
      [{ qty: '-1' }, 'order.qty: a number of shares, found "-1"'],
      [{ filled_qty: null }, 'order.filled_qty: a number of shares, found null'],
      [{ filled_avg_price: null }, 'order.filled_avg_price: a decimal, found null'],
      [{ submitted_at: 'soon', created_at: null }, 'order.submitted_at: an RFC 3339 time, found "soon"'],
    ];
    for (const [change, message] of broken)
      expect(complaintOf(decodeOrder({ ...ORDER, ...change }))).to.equal(message);
    expect(complaintOf(decodeOrder([]))).to.equal('order: an object, found a list of 0');
  });

  it('leaves other asset classes out of a page, and counts their rows', () => {
    const spread = { ...ORDER, id: 'm1', order_class: 'mleg', symbol: '', side: '', asset_class: '' };
    const coin = { ...ORDER, id: 'c1', asset_class: 'crypto', symbol: 'BTC/USD', qty: '0.1' };
    const page = readable(decodeOrdersPage([ORDER, spread, coin]));
    expect(page.orders.map((o) => o.brokerOrderId)).to.deep.equal(['a1']);
    expect(page.rows).to.equal(3);
    expect(page.last?.id).to.equal('c1');
    expect(complaintOf(decodeOrdersPage({ orders: [] }))).to.equal('orders: a list, found an object');
  });
});

describe('decode: trade updates', () => {
  it('reads a partial fill: its own execution, and the totals of the order', () => {
    const { report, unreadable } = readable(decodeTradeUpdate(FILL, NOW));
    expect(unreadable).to.equal(null);
    expect(report).to.deep.include({
      source: 'stream',
      status: 'partially_filled',
      cumQty: 40,
      receivedAt: NOW,
    });
    expect(report.fill).to.deep.equal({ executionId: '6f1c', lastQty: 40, lastPx: 200_500 });
    expect(formatInstant(report.occurredAt)).to.equal('2026-10-05T14:30:01.098765Z');
  });

  /** Documented events with the status that the frame's order carries, and what has to come of them. */
  const EVENTS: readonly (readonly [string, string, string])[] = [
    ['accepted', 'accepted', 'accepted'],
    ['pending_new', 'pending_new', 'pending_new'],
    ['new', 'new', 'new'],
    ['partial_fill', 'partially_filled', 'partially_filled'],
    ['partial_fill', 'pending_cancel', 'pending_cancel'],
    ['fill', 'filled', 'filled'],
    ['canceled', 'canceled', 'canceled'],
    ['canceled', 'pending_cancel', 'canceled'],
    ['expired', 'expired', 'expired'],
    ['replaced', 'replaced', 'replaced'],
    ['rejected', 'rejected', 'rejected'],
    ['done_for_day', 'done_for_day', 'done_for_day'],
    ['pending_cancel', 'pending_cancel', 'pending_cancel'],
    ['pending_replace', 'pending_replace', 'pending_replace'],
    ['order_cancel_rejected', 'partially_filled', 'partially_filled'],
    ['order_replace_rejected', 'new', 'new'],
    ['stopped', 'stopped', 'stopped'],
    ['suspended', 'suspended', 'suspended'],
    ['calculated', 'calculated', 'calculated'],
    ['held', 'held', 'held'],
  ];

  for (const [event, status, expected] of EVENTS) {
    it(`takes ${event} of an order that is ${status} for ${expected}`, () => {
      const { report, unreadable } = readable(
        decodeTradeUpdate({ ...FILL, event, order: { ...ORDER, status } }, NOW),
      );
      expect(report.status).to.equal(expected);
      expect(unreadable).to.equal(null);
    });
  }

  it('asks for the order when the event is not known, and decides nothing on it', () => {
    for (const event of ['restated', 'trade_bust', 'trade_correct', 'teleported']) {
      const { report, unreadable } = readable(decodeTradeUpdate({ ...FILL, event }, NOW));
      expect(report.status).to.equal('unrecognized');
      expect(report.fill).to.equal(null);
      expect(unreadable).to.contain(event);
    }
  });

  it('asks for the order when a fill lacks its execution, and keeps the totals', () => {
    const { execution_id: _, ...without } = FILL;
    for (const update of [without, { ...FILL, price: null }, { ...FILL, qty: 'many' }]) {
      const { report, unreadable } = readable(decodeTradeUpdate(update, NOW));
      expect(report.cumQty).to.equal(40);
      expect(report.fill).to.equal(null);
      expect(unreadable).to.contain('scalpd-20261005-ABC-17-0');
    }
  });

  it('needs only event and order', () => {
    const { report } = readable(decodeTradeUpdate({ event: 'new', order: { ...ORDER, status: 'new' } }, NOW));
    expect(formatInstant(report.occurredAt)).to.equal('2026-10-05T14:30:01.120000Z');
    expect(decodeTradeUpdate({ event: 'fill' }, NOW).ok).to.equal(false);
    expect(decodeTradeUpdate(null, NOW).ok).to.equal(false);
  });

  it('names the order that lives on after a replacement', () => {
    const order = { ...ORDER, status: 'replaced', replaced_by: 'c2' };
    expect(readable(decodeTradeUpdate({ event: 'replaced', order }, NOW)).report.replacedBy).to.equal('c2');
  });

  it('never throws on any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (data, odd) => {
        decodeTradeFrame(data);
        decodeTradeUpdate(data, NOW);
        decodeTradeUpdate({ ...FILL, order: { ...ORDER, qty: odd } }, NOW);
        decodeTradeUpdate({ ...FILL, event: odd, price: odd, timestamp: odd }, NOW);
        decodeOrdersPage(data);
      }),
      { numRuns: 500 },
    );
  });
});

describe('decode: fills and positions', () => {
  it('reads a fill activity; the prefix of its id is wall time and no part of the execution', () => {
    const [fill] = readable(
      decodeFills([
        {
          activity_type: 'FILL',
          id: '20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e',
          type: 'fill',
          transaction_time: '2022-02-02T18:55:09.981482Z',
          price: '174.78',
          qty: '2',
          cum_qty: '2',
          leaves_qty: '0',
          side: 'sell_short',
          symbol: 'AAPL',
          order_id: '504b',
          order_status: 'filled',
        },
      ]),
    );
    expect(fill).to.deep.include({
      executionId: '2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e',
      brokerOrderId: '504b',
      qty: 2,
      px: 1_747_800,
      side: 'sell',
    });
  });

  it('keeps the sign of a short and the fraction of a position', () => {
    const base = {
      symbol: 'AAPL',
      asset_class: 'us_equity',
      avg_entry_price: '100.123456',
      qty_available: '0',
    };
    const positions = readable(
      decodePositions([
        { ...base, qty: '10', side: 'long', qty_available: '4' },
        { ...base, qty: '-3', side: 'short', qty_available: '-3' },
        { ...base, qty: '3', side: 'short' },
        { ...base, qty: '0.25', side: 'long' },
        { ...base, qty: '1.5', symbol: 'BTCUSD', asset_class: 'crypto' },
      ]),
    );
    expect(positions.map((p) => [p.shares, p.available])).to.deep.equal([
      [10, 4],
      [-3, -3],
      [-3, 0],
      [0.25, 0],
    ]);
    expect(positions[0]?.averagePx).to.equal(1_001_235);
  });

  it('takes a position without its quantities for an error, never for none', () => {
    expect(decodePositions([{ symbol: 'AAPL', avg_entry_price: '1' }]).ok).to.equal(false);
    expect(decodePositions({ message: 'no' }).ok).to.equal(false);
    expect(decodePositions(undefined).ok).to.equal(false);
  });
});

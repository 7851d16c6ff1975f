import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { createPathMeter } from '../../lib/engine/order-path.ts';
import { SPY } from './support.ts';

const QQQ = 'QQQ' as Ticker;

/** A stopwatch that the test moves. */
function stand() {
  let micros = 1_000;
  const meter = createPathMeter(() => micros);
  return {
    meter,
    pass(length: number) {
      micros += length;
    },
    now: () => micros,
  };
}

describe('the path of an order', () => {
  it('is told stage by stage, from the frame to the answer', () => {
    const { meter, pass, now } = stand();
    const heardAt = now();
    pass(40.4);
    meter.heard(heardAt);
    meter.delivered(SPY);
    meter.over();
    pass(80);
    const path = meter.decided(SPY, 'ahead');
    pass(30);
    path.leaves();
    expect(path.times(), 'it has not left').to.equal(null);
    pass(60);
    path.sent();
    expect(path.times()).to.deep.equal({
      by: 'ahead',
      decode: 40,
      decide: 80,
      release: 30,
      send: 60,
      answer: null,
    });
    pass(900);
    path.answered();
    expect(path.times()).to.include({ send: 60, answer: 900 });
  });

  it('begins with the input when no frame of the trade stream led to it', () => {
    const { meter, pass, now } = stand();
    meter.heard(now());
    pass(500);
    meter.over();
    meter.delivered(SPY);
    pass(70);
    const path = meter.decided(SPY, 'thread');
    path.leaves();
    path.sent();
    expect(path.times()).to.include({ by: 'thread', decode: 0, decide: 70 });
  });

  it('belongs to its symbol, and to the input that came last', () => {
    const { meter, pass } = stand();
    meter.delivered(SPY);
    pass(100);
    meter.delivered(QQQ);
    pass(10);
    meter.delivered(SPY);
    pass(5);
    const decide = (symbol: Ticker): number => {
      const path = meter.decided(symbol, 'thread');
      path.leaves();
      path.sent();
      return path.times()?.decide ?? -1;
    };
    expect([decide(SPY), decide(QQQ)]).to.deep.equal([5, 15]);
  });

  it('counts a second sending from its own start', () => {
    const { meter, pass } = stand();
    meter.delivered(SPY);
    const path = meter.decided(SPY, 'ahead');
    path.leaves();
    path.sent();
    pass(1_000_000);
    path.leaves();
    pass(20);
    path.sent();
    expect(path.times()).to.include({ release: 1_000_000, send: 20 });
  });
});

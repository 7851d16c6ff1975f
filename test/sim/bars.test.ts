import { expect } from 'chai';
import fc from 'fast-check';
import type { Bar } from '../../lib/domain/market.ts';
import type { Price } from '../../lib/domain/money.ts';
import type { Micros } from '../../lib/domain/time.ts';
import { addToBar, createBarBuilder, finishBar, restartBar } from '../../lib/sim/bars.ts';
import { printCounts } from '../../lib/sim/conditions.ts';
import { drawPrints } from '../../lib/sim/draw-prints.ts';
import type { MarketEvent, TapeItem } from '../../lib/sim/exchange-api.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { AAA, MINUTE, OPEN, printAt, rig, START } from './support.ts';

const minute = (offset: number): Micros => (START + offset * MINUTE) as Micros;
const barItem = (offset: number, over: Partial<Bar> = {}): TapeItem => ({
  kind: 'bar',
  at: minute(offset + 1),
  bar: {
    symbol: AAA,
    startAt: minute(offset),
    open: 1_000_000 as Price,
    high: 1_002_000 as Price,
    low: 999_000 as Price,
    close: 1_001_000 as Price,
    volume: 1_200,
    tradeCount: 0,
    vwap: 1_000_500 as Price,
    ...over,
  },
});

describe('sim: minute bars', () => {
  it('builds a bar by the tape’s rules: odd lots are volume only, official prints nothing', () => {
    const market = rig([
      printAt(1, '100.00', 100),
      printAt(2, '101.00', 7, { conditions: ['I'] }),
      printAt(3, '99.00', 200),
      printAt(4, '150.00', 500, { conditions: ['M'] }),
      printAt(5, '99.50', 100, { conditions: ['@', 'F'] }),
    ]);
    market.wait(60);
    expect(market.exchange.bars(AAA, START, minute(1))).to.deep.equal([
      {
        symbol: AAA,
        startAt: START,
        open: 1_000_000,
        high: 1_000_000,
        low: 990_000,
        close: 995_000,
        volume: 407,
        tradeCount: 4,
        vwap: Math.round((1_000_000 * 100 + 990_000 * 200 + 995_000 * 100) / 400),
      },
    ]);
  });

  it('has no bar where nothing set a price, and latest print skips odd lots', () => {
    const market = rig([printAt(1, '100.00', 100), printAt(61, '101.00', 5, { conditions: ['I'] })]);
    market.wait(180);
    expect(market.exchange.bars(AAA, OPEN, minute(9))).to.have.length(1);
    expect(market.exchange.latestPrint(AAA)?.price).to.equal(1_000_000);
  });

  it('delivers at the minute’s end plus the delay, prints of the next minute notwithstanding', () => {
    const market = rig([printAt(1, '100.00'), printAt(60, '102.00'), printAt(60.2, '103.00')], {
      barDelay: 500_000,
    });
    const seen: [string, number, number][] = [];
    market.exchange.onMarketEvent((event: MarketEvent) => {
      if (event.kind === 'bar') seen.push([event.kind, event.bar.close, market.exchange.now() - START]);
    });
    market.wait(180);
    expect(seen).to.deep.equal([
      ['bar', 1_000_000, MINUTE + 500_000],
      ['bar', 1_030_000, 2 * MINUTE + 500_000],
    ]);
  });

  it('delivers the recorded bar in place of the built one, and builds none where the recording has none', () => {
    const market = rig([
      printAt(1, '100.00'),
      barItem(0, { volume: 777 }),
      printAt(61, '101.00'),
      barItem(2),
    ]);
    market.wait(240);
    const bars = market.exchange.bars(AAA, START, minute(9));
    expect(bars.map(({ startAt, volume }) => [startAt, volume])).to.deep.equal([
      [minute(0), 777],
      [minute(2), 1_200],
    ]);
  });

  it('draws prints where a recorded bar has none, and rolls the day up from them', () => {
    const market = rig([barItem(0), barItem(1)]);
    let prints = 0;
    market.exchange.onMarketEvent(({ kind }) => {
      if (kind === 'print') prints++;
    });
    market.wait(30);
    expect(prints).to.be.greaterThan(0);
    expect(market.exchange.latestPrint(AAA)).not.to.equal(null);
    market.wait(200);
    expect(market.exchange.dailyBar(AAA)).to.include({ high: 1_002_000, low: 999_000, volume: 2_400 });
  });

  it('shows the forming bar only when asked to', () => {
    const items = [printAt(1, '100.00')];
    const plain = rig(items);
    const forming = rig(items, { formingBar: true });
    for (const each of [plain, forming]) each.wait(30);
    expect(plain.exchange.bars(AAA, START, minute(1))).to.have.length(0);
    expect(forming.exchange.bars(AAA, START, minute(1))).to.have.length(1);
  });

  it('begins a new day with the close of the day before', () => {
    const next = minute(24 * 60);
    const market = rig([printAt(1, '100.00'), printAt(0, '105.00', 100, { from: next })]);
    market.exchange.advanceTo((next + MINUTE) as Micros);
    expect(market.exchange.previousDailyBar(AAA)).to.include({ close: 1_000_000 });
    expect(market.exchange.dailyBar(AAA)).to.include({ open: 1_050_000 });
  });
});

describe('sim: prints drawn from a bar', () => {
  const ticks = fc.integer({ min: 500, max: 60_000 }).map((cents) => cents * 100);
  const bars = fc
    .record({
      prices: fc.tuple(ticks, ticks, fc.nat(), fc.nat()),
      volume: fc.integer({ min: 4, max: 90_000 }),
      n: fc.nat(400),
    })
    .map(({ prices: [a, b, o, c], volume, n }): Bar => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const inside = (seed: number): Price => (low + (seed % ((high - low) / 100 + 1)) * 100) as Price;
      return {
        symbol: AAA,
        startAt: START,
        open: inside(o),
        high: high as Price,
        low: low as Price,
        close: inside(c),
        volume,
        tradeCount: n,
        vwap: inside(o),
      };
    });

  it('rebuild exactly that bar, on the tick, in time order, inside the minute', () => {
    fc.assert(
      fc.property(bars, fc.integer(), (bar, seed) => {
        const prints = drawPrints(bar, createRandom(seed));
        const builder = createBarBuilder();
        restartBar(builder, START);
        let before: number = START;
        for (const print of prints) {
          expect(print.at).to.be.within(before, START + MINUTE - 1);
          expect(print.price % 100).to.equal(0);
          expect(print.size).to.be.at.least(1);
          before = print.at;
          addToBar(builder, print.price, print.size, printCounts(print.conditions));
        }
        const { open, high, low, close, volume } = bar;
        expect(finishBar(builder, AAA)).to.include({ open, high, low, close, volume });
      }),
      { numRuns: 500 },
    );
  });

  it('give the prices of a bar without shares one share each', () => {
    const bar = (barItem(0, { volume: 0 }) as Extract<TapeItem, { kind: 'bar' }>).bar;
    const prints = drawPrints(bar, createRandom(1));
    expect(prints.map(({ size }) => size)).to.deep.equal([1, 1, 1, 1]);
    expect(new Set(prints.map(({ price }) => price as number))).to.deep.equal(
      new Set<number>([bar.open, bar.high, bar.low, bar.close]),
    );
  });
});

import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Quote } from '../../lib/domain/market.ts';
import type { Micros } from '../../lib/domain/time.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Tape, TapeItem } from '../../lib/sim/exchange-api.ts';
import { type SyntheticOptions, syntheticTape } from '../../lib/sim/synthetic.ts';
import { LISTINGS, listingOf, marketSymbols } from '../../lib/sim/universe.ts';
import { CLOSE, DAYS, MINUTE, OPEN, options, session } from './support.ts';

const SPY = 'SPY' as Ticker;
const WELL_KNOWN: readonly Ticker[] = ['SPY', 'AAPL', 'MSFT', 'BAC', 'NVDA', 'KO'].map((s) => s as Ticker);
const oneDay = DAYS.slice(0, 1);
const day = (over: Partial<SyntheticOptions> = {}): Tape =>
  syntheticTape({ seed: 1, symbols: WELL_KNOWN, sessions: oneDay, printsPerDay: 3_000, ...over });

function* itemsOf(tape: Tape): Generator<TapeItem> {
  for (let item = tape.take(); item !== null; item = tape.take()) yield item;
}

/** Minute closes of one symbol over one session, as the exchange builds them. */
function closes(seed: number, symbol: Ticker, printsPerDay: number): readonly number[] {
  const tape = day({ seed, symbols: [symbol], printsPerDay });
  const exchange = createExchange(options({ sessions: oneDay, startAt: (CLOSE + MINUTE) as Micros }), tape);
  return exchange.bars(symbol, OPEN, (CLOSE - MINUTE) as Micros).map(({ close }) => close);
}

/** The last close known at every fifth minute: symbols miss different minutes. */
function everyFive(seed: number, symbol: Ticker): readonly number[] {
  const tape = day({ seed, symbols: [symbol] });
  const exchange = createExchange(options({ sessions: oneDay, startAt: (CLOSE + MINUTE) as Micros }), tape);
  const bars = exchange.bars(symbol, OPEN, CLOSE);
  return Array.from({ length: 77 }, (_, step) => {
    const until = OPEN + (step + 1) * 5 * MINUTE;
    return bars.findLast(({ startAt }) => startAt < until)?.close ?? 0;
  });
}

function crossUps(values: readonly number[]): number {
  const average = values.map((_, i) =>
    i < 19 ? Number.NaN : values.slice(i - 19, i + 1).reduce((a, b) => a + b, 0) / 20,
  );
  return values.filter((value, i) => {
    const [before, above, own] = [values[i - 1] ?? 0, average[i - 1] ?? Number.NaN, average[i] ?? Number.NaN];
    return before < above && value > own;
  }).length;
}

describe('sim: the synthetic market', () => {
  it('is the same for the same seed, item for item, and another for another', () => {
    const first = [...itemsOf(day({ printsPerDay: 300 }))];
    expect([...itemsOf(day({ printsPerDay: 300 }))]).to.deep.equal(first);
    expect([...itemsOf(day({ printsPerDay: 300, seed: 2 }))]).not.to.deep.equal(first);
  });

  it('gives a symbol the same day whichever others are there', () => {
    const alone = [...itemsOf(day({ symbols: [SPY], printsPerDay: 300 }))];
    const among = [...itemsOf(day({ printsPerDay: 300 }))].filter(
      (item) =>
        (item.kind === 'print' && item.print.symbol === SPY) ||
        (item.kind === 'quote' && item.quote.symbol === SPY),
    );
    expect(among).to.deep.equal(alone);
  });

  it('runs in time order inside the session, on the tick, with sizes of one share and more', () => {
    let before = 0;
    let prints = 0;
    const wrong: TapeItem[] = [];
    const isOnTick = (price: number): boolean => price > 0 && price % 100 === 0;
    for (const item of itemsOf(day())) {
      const inOrder = item.at >= before && item.at >= OPEN && item.at <= CLOSE + 1_000_000;
      before = item.at;
      const sound =
        item.kind === 'print'
          ? isOnTick(item.print.price) && item.print.size >= 1
          : item.kind === 'quote' &&
            item.quote.ask > item.quote.bid &&
            isOnTick(item.quote.ask) &&
            isOnTick(item.quote.bid);
      if (item.kind === 'print') prints++;
      if (!inOrder || !sound) wrong.push(item);
    }
    expect(wrong).to.deep.equal([]);
    const expected = WELL_KNOWN.reduce((sum, symbol) => sum + 3_000 * (listingOf(symbol)?.activity ?? 0), 0);
    expect(prints).to.be.within(0.7 * expected, 1.4 * expected);
  });

  it('prints at the quote that stands, at the bid about as often as at the ask', () => {
    const quotes = new Map<Ticker, Quote>();
    let [bids, asks, inside, outside] = [0, 0, 0, 0];
    for (const item of itemsOf(day())) {
      if (item.kind === 'quote') quotes.set(item.quote.symbol, item.quote);
      if (item.kind !== 'print') continue;
      const quote = quotes.get(item.print.symbol);
      const { price } = item.print;
      if (price === quote?.bid) bids++;
      else if (price === quote?.ask) asks++;
      else if (quote !== undefined && price > quote.bid && price < quote.ask) inside++;
      else outside++;
    }
    const all = bids + asks + inside + outside;
    expect(outside / all).to.be.below(0.01);
    expect((bids + asks) / all).to.be.above(0.85);
    expect(bids / (bids + asks)).to.be.within(0.4, 0.6);
  });

  it('is busy after the open and before the close, quiet at lunch', () => {
    const volume = new Map<number, number>();
    const range = new Map<number, number[]>();
    for (const item of itemsOf(day({ printsPerDay: 6_000 }))) {
      if (item.kind !== 'print') continue;
      const half = Math.min(12, Math.floor((item.at - OPEN) / (30 * MINUTE)));
      volume.set(half, (volume.get(half) ?? 0) + 1);
      range.set(half, [...(range.get(half)?.slice(-1) ?? []), item.print.price]);
    }
    const [open, lunch, close] = [volume.get(0) ?? 0, volume.get(6) ?? 1, volume.get(12) ?? 0];
    expect(open / lunch).to.be.within(1.5, 5);
    expect(close / lunch).to.be.within(1.3, 5);
  });

  it('has spreads wider at the open than at noon, and wide only where they are in life', () => {
    const spreads = { SPY: [0, 0], NFLX: [0, 0] } as Record<string, [number, number]>;
    let [early, noon] = [0, 0];
    let [earlyCount, noonCount] = [0, 0];
    for (const item of itemsOf(day({ symbols: ['SPY' as Ticker, 'NFLX' as Ticker] }))) {
      if (item.kind !== 'quote') continue;
      const wide = (item.quote.ask - item.quote.bid) / 100;
      const sum = spreads[item.quote.symbol];
      if (sum !== undefined) {
        sum[0] += wide;
        sum[1]++;
      }
      if (item.quote.symbol === SPY) continue;
      if (item.at < OPEN + 5 * MINUTE) [early, earlyCount] = [early + wide, earlyCount + 1];
      else if (item.at > OPEN + 150 * MINUTE && item.at < OPEN + 240 * MINUTE)
        [noon, noonCount] = [noon + wide, noonCount + 1];
    }
    const mean = (symbol: string): number => (spreads[symbol]?.[0] ?? 0) / (spreads[symbol]?.[1] ?? 1);
    expect(mean('SPY')).to.be.below(2);
    expect(mean('NFLX')).to.be.above(20);
    expect(early / earlyCount).to.be.above((1.3 * noon) / noonCount);
  });

  it('moves symbols together through the common factor', () => {
    const returns = (symbol: string): number[] => {
      const values = everyFive(5, symbol as Ticker);
      return values.slice(1).map((value, i) => Math.log(value / (values[i] ?? value)));
    };
    const correlation = (a: number[], b: number[]): number => {
      const mean = (v: number[]): number => v.reduce((x, y) => x + y, 0) / v.length;
      const [ma, mb] = [mean(a), mean(b)];
      const product = a.map((x, i) => (x - ma) * ((b[i] ?? 0) - mb)).reduce((x, y) => x + y, 0);
      const square = (v: number[], m: number): number =>
        v.map((x) => (x - m) ** 2).reduce((x, y) => x + y, 0);
      return product / Math.sqrt(square(a, ma) * square(b, mb));
    };
    expect(correlation(returns('SPY'), returns('QQQ'))).to.be.above(0.8);
    expect(correlation(returns('SPY'), returns('KO'))).to.be.within(0, 0.8);
    expect(correlation(returns('SPY'), returns('TZA'))).to.be.below(-0.6);
  });

  it('crosses its 20-bar average upward as often as real tapes do', () => {
    const counts = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) =>
      ['SPY', 'BAC', 'NVDA'].map((symbol) => crossUps(closes(seed, symbol as Ticker, 4_000))),
    );
    const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
    expect(mean).to.be.within(18, 32);
    expect(counts.filter((count) => count >= 12 && count <= 40).length / counts.length).to.be.above(0.9);
  });

  it('has a day’s range that fits the symbol’s temper', () => {
    const range = (symbol: string): number => {
      const ranges = [1, 2, 3, 4, 5, 6].map((seed) => {
        const values = closes(seed, symbol as Ticker, 1_500);
        return (Math.max(...values) - Math.min(...values)) / (values[0] ?? 1);
      });
      return ranges.reduce((a, b) => a + b, 0) / ranges.length;
    };
    expect(range('KO')).to.be.within(0.004, 0.03);
    expect(range('TSLA')).to.be.within(0.02, 0.12);
  });

  it('goes on from day to day, with a gap and a known previous close', () => {
    const tape = day({
      symbols: [SPY],
      sessions: [...DAYS, session('2024-01-05', '18:00')],
      printsPerDay: 400,
    });
    const previous = tape.previousClose(SPY) ?? 0;
    const exchange = createExchange(options({ startAt: OPEN }), tape);
    exchange.advanceTo(((DAYS[1]?.openAt ?? 0) + 30 * MINUTE) as Micros);
    const yesterday = exchange.previousDailyBar(SPY);
    const today = exchange.dailyBar(SPY);
    expect(Math.abs((yesterday?.open ?? 0) / previous - 1)).to.be.below(0.04);
    expect(Math.abs((today?.open ?? 0) / (yesterday?.close ?? 1) - 1)).to.be.below(0.04);
  });

  it('knows 50 names and more, and makes up the rest', () => {
    expect(LISTINGS.length).to.be.at.least(50);
    const symbols = marketSymbols(5_000);
    expect(new Set(symbols).size).to.equal(5_000);
    const tape = syntheticTape({ seed: 1, count: 200, sessions: oneDay, printsPerDay: 50 });
    expect(tape.symbols).to.have.length(200);
    const seen = new Set([...itemsOf(tape)].map((item) => (item.kind === 'print' ? item.print.symbol : '')));
    expect(seen.size).to.be.at.least(195);
  });

  it('can do without quotes; the exchange then derives them', () => {
    const tape = day({ symbols: [SPY], withQuotes: false, printsPerDay: 500 });
    const exchange = createExchange(options({ startAt: (OPEN + 30 * MINUTE) as Micros }), tape);
    const quote = exchange.latestQuote(SPY);
    expect((quote?.ask ?? 0) - (quote?.bid ?? 0)).to.equal(200);
  });

  it('has the morning behind it when it starts at noon, unseen by listeners', () => {
    const noon = (OPEN + 150 * MINUTE) as Micros;
    const exchange = createExchange(options({ startAt: noon, sessions: oneDay }), day());
    let first = Number.POSITIVE_INFINITY;
    exchange.onMarketEvent((event) => {
      if (event.kind === 'print') first = Math.min(first, event.print.at);
    });
    expect(exchange.now()).to.equal(noon);
    // Now and then a minute has odd lots only, and so no bar.
    expect(exchange.bars(SPY, OPEN, noon).length).to.be.within(145, 150);
    expect(exchange.latestPrint(SPY)?.at).to.be.within(noon - MINUTE, noon);
    exchange.advanceTo((noon + MINUTE) as Micros);
    expect(first).to.be.above(noon);
  });
});

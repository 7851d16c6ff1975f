import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Bar } from '../../lib/domain/market.ts';
import type { Price } from '../../lib/domain/money.ts';
import type { Micros } from '../../lib/domain/time.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { TapeItem } from '../../lib/sim/exchange-api.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';
import { AAA, instant, MINUTE, options, printAt, request } from './support.ts';

const FOLDER = join('..', 'shared', 'data', 'tape');
const BAC = 'BAC' as Ticker;

type Row = Readonly<Record<string, number>> & { readonly t: string; readonly c: readonly string[] & number };

function read(kind: string): readonly Row[] {
  const text = gunzipSync(readFileSync(join(FOLDER, `BAC_2013-10-08.${kind}.ndjson.gz`))).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
const units = (value: number | undefined): Price => Math.round((value ?? 0) * 10_000) as Price;

function* prints(): Generator<TapeItem> {
  for (const row of read('trades')) {
    const at = instant(row.t);
    const print = {
      symbol: BAC,
      at,
      price: units(row.p),
      size: row.s ?? 0,
      exchange: 'D',
      conditions: row.c,
      id: '0',
    };
    yield { kind: 'print', at, print };
  }
}
function* quotes(): Generator<TapeItem> {
  for (const row of read('quotes')) {
    const at = instant(row.t);
    const [bidSize = 0, askSize = 0] = [row.bs, row.as];
    yield {
      kind: 'quote',
      at,
      quote: { symbol: BAC, at, bid: units(row.bp), bidSize, ask: units(row.ap), askSize },
    };
  }
}

describe('sim: tapes', () => {
  it('merges sorted sources in time order, equal instants in the order of the sources', () => {
    const seconds = fc.array(fc.nat(50), { maxLength: 30 }).map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.array(seconds, { maxLength: 6 }), (sources) => {
        const items = sources.map((list, source) =>
          list.map((second) => printAt(second, `${source + 1}.00`)),
        );
        const tape = tapeFromItems([AAA], items);
        const merged: TapeItem[] = [];
        for (let next = tape.peek(); next !== null; next = tape.peek()) {
          expect(tape.take()).to.equal(next);
          merged.push(next);
        }
        const rank = (item: TapeItem): number => (item.kind === 'print' ? item.print.price : 0);
        const expected = items.flat().sort((a, b) => a.at - b.at || rank(a) - rank(b));
        expect(merged.map((item) => [item.at, rank(item)])).to.deep.equal(
          expected.map((item) => [item.at, rank(item)]),
        );
        expect(tape.take()).to.equal(null);
      }),
    );
  });

  it('knows the previous closes it was given', () => {
    const tape = tapeFromItems([AAA], [], new Map([[AAA, 990_000 as Price]]));
    const exchange = createExchange(options(), tape);
    expect(exchange.previousDailyBar(AAA)?.close).to.equal(990_000);
  });

  it('replays a recorded day: the bars built are the bars of the tape', function () {
    if (!existsSync(FOLDER)) {
      console.log('      ../shared/data/tape is not here: no recorded day to replay');
      this.skip();
    }
    this.timeout(30_000);
    const open = instant('2013-10-08T13:30:00Z');
    const close = instant('2013-10-08T20:00:00Z');
    const sessions = [{ day: '2013-10-08' as never, openAt: open, closeAt: close, halfDay: false }];
    const exchange = createExchange(
      options({ sessions, startAt: (open - MINUTE) as Micros }),
      tapeFromItems([BAC], [quotes(), prints()]),
    );
    exchange.advanceTo((open + 10 * MINUTE) as Micros);
    exchange.submitOrder(request({ symbol: 'BAC', qty: '5000' }));
    exchange.advanceTo(close);
    expect(exchange.positions()[0]?.qty).to.equal(5_000);
    const expected = read('tbars').map(
      (row): Pick<Bar, 'startAt' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'tradeCount'> => ({
        startAt: instant(row.t),
        open: units(row.o),
        high: units(row.h),
        low: units(row.l),
        close: units(row.c),
        volume: row.v ?? 0,
        tradeCount: row.n ?? 0,
      }),
    );
    const regular = expected.filter(({ startAt }) => startAt >= open && startAt < close - MINUTE);
    const built = exchange
      .bars(BAC, open, (close - 2 * MINUTE) as Micros)
      .map(({ symbol: _s, vwap: _v, ...bar }) => bar);
    expect(built).to.deep.equal(regular);
  });
});

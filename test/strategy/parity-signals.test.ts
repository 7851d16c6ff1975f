import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type Price, parseDecimal } from '../../lib/domain/money.ts';
import { after as later, type Micros, minutes, parseInstant } from '../../lib/domain/time.ts';
import { smaCross } from '../../lib/strategy/sma-cross.ts';
import { at, barAt } from '../lane/story.ts';

const SHARED = '../shared';
/** The published script looks at no bar that arrives at 15:55 or later; at which cutoff entries end is the lane's business. */
const JUDGED = minutes(6 * 60 + 24);

/**
 * Bars where this close or the one before lies exactly on its average. The published script computes averages in
 * floating point, finds 13.719999999999999 under a close of 13.72 and calls it a cross; strictly above is strictly above.
 */
const ON_THE_AVERAGE: readonly string[] = [
  'BAC 2013-10-07T14:24:00Z',
  'BAC 2013-10-08T16:37:00Z',
  'TWX 2014-06-06T18:26:00Z',
  'BAC 2019-02-11T19:30:00Z',
];

type Line = { readonly t: string; readonly c: number };
type Listed = Record<string, readonly { t: string }[]>;
type Close = { readonly t: string; readonly startAt: Micros; readonly close: Price };

/** 09:30 New York; the recorded days lie well inside summer or winter time. */
function openOf(day: string): Micros {
  const month = Number(day.slice(5, 7));
  return at(month >= 4 && month <= 10 ? '08:30' : '09:30', day);
}

function closesOf(day: string, symbol: string): readonly Close[] {
  const openAt = openOf(day);
  const lastAt = later(openAt, JUDGED);
  const packed = readFileSync(`${SHARED}/data/tape/${symbol}_${day}.bars.ndjson.gz`);
  const lines = gunzipSync(packed).toString('utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const { t, c } = JSON.parse(line) as Line;
    const startAt = parseInstant(t);
    const close = parseDecimal(String(c));
    if (startAt === null || close === null || startAt < openAt || startAt >= lastAt) return [];
    return [{ t, startAt, close: close as Price }];
  });
}

function signalsOf(closes: readonly Close[]): readonly string[] {
  let state = smaCross.open({});
  return closes.flatMap(({ t, startAt, close }) => {
    const seen = smaCross.onBar(state, barAt(startAt, close));
    state = seen.state;
    return seen.signal === 'enter' ? [t] : [];
  });
}

/** Whether the close at `index` is exactly the average of the 20 closes up to it. */
function isOnAverage(closes: readonly Close[], index: number): boolean {
  const window = closes.slice(index - 19, index + 1);
  return window.reduce((sum, { close }) => sum + close, 0) === 20 * (closes[index]?.close ?? Number.NaN);
}

describe('sma-cross on recorded days', () => {
  const folder = `${SHARED}/parity`;
  const files = existsSync(folder)
    ? readdirSync(folder).filter((name) => /^signals-.*\.json$/.test(name))
    : [];

  if (files.length === 0)
    it(`is compared with the published script's signals only where ${folder} is at hand: it is not`);

  for (const name of files) {
    const day = name.slice('signals-'.length, -'.json'.length);
    const listed = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Listed;
    for (const [symbol, signals] of Object.entries(listed))
      it(`enters on the published script's bars: ${symbol} ${day}, ${signals.length} of them`, () => {
        const closes = closesOf(day, symbol);
        const listedBars = signals.map(({ t }) => t);
        const noise = listedBars.filter((t) => ON_THE_AVERAGE.includes(`${symbol} ${t}`));
        for (const t of noise) {
          const index = closes.findIndex((close) => close.t === t);
          expect(isOnAverage(closes, index) || isOnAverage(closes, index - 1), t).to.equal(true);
        }
        expect(signalsOf(closes)).to.deep.equal(listedBars.filter((t) => !noise.includes(t)));
      });
  }
});

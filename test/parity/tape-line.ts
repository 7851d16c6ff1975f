import type { Ticker } from '../../lib/domain/ids.ts';
import { type Price, price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { after, type Micros, minutes, parseInstant } from '../../lib/domain/time.ts';
import type { TapeItem } from '../../lib/sim/exchange-api.ts';

type RawLine = {
  readonly T: string;
  readonly S: string;
  readonly t: string;
  readonly [field: string]: unknown;
};

/** A print or a bar of the recordings, in the field names of the market-data stream; a bar is due when its minute ends. */
export function readTapeLine(line: unknown): TapeItem {
  const raw = line as RawLine;
  const symbol = raw.S as Ticker;
  const at = instantOf(raw.t);
  if (raw.T === 't')
    return {
      kind: 'print',
      at,
      print: {
        symbol,
        at,
        price: usdOf(raw.p),
        size: Number(raw.s),
        exchange: 'V',
        conditions: [],
        id: raw.t,
      },
    };
  if (raw.T !== 'b') throw new Error(`a tape line is a print or a bar; found ${raw.T}`);
  return {
    kind: 'bar',
    at: after(at, minutes(1)),
    bar: {
      symbol,
      startAt: at,
      open: usdOf(raw.o),
      high: usdOf(raw.h),
      low: usdOf(raw.l),
      close: usdOf(raw.c),
      volume: Number(raw.v),
      tradeCount: Number(raw.n),
      vwap: usdOf(raw.vw),
    },
  };
}

function instantOf(text: string): Micros {
  const at = parseInstant(text);
  if (at === null) throw new Error(`an instant is RFC 3339; found ${text}`);
  return at;
}

const usdOf = (value: unknown): Price => price(Math.round(Number(value) * UNITS_PER_USD));

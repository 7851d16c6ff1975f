import { codecFor } from '../../lib/adapters/exchange/data-codec.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Mark } from '../../lib/domain/market.ts';
import { isEligible } from '../../lib/domain/sale-conditions.ts';
import type { MarketEvent } from '../../lib/sim/exchange-api.ts';
import { recordMarket } from './recorded-market.ts';

const PER_FRAME = 100;

export type Frames = { readonly frames: readonly Buffer[]; readonly messages: number };

/** Binary frames as Alpaca sends them. */
export function framesOf(events: readonly MarketEvent[]): Frames {
  const codec = codecFor('application/msgpack');
  const frames: Buffer[] = [];
  for (let first = 0; first < events.length; first += PER_FRAME) {
    const encoded = events.slice(first, first + PER_FRAME).map((event) => codec.encodeEvent(event));
    frames.push(Buffer.from(codec.frame(encoded)));
  }
  return { frames, messages: events.length };
}

/** Frames as a server writes them to its socket: binary, unmasked, up to 64 KB each. */
export function onSocket(frames: readonly Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const { length } = frame;
      const head = length < 126 ? [0x82, length] : [0x82, 126, length >> 8, length & 0xff];
      return [Buffer.from(head), frame];
    }),
  );
}

/** The trades of a seeded session; the same for the same numbers, in whatever process. */
export function tradesOf(symbols: number, printsPerDay: number) {
  const prints = recordMarket(symbols, printsPerDay).filter((item) => item.kind === 'print');
  const marks = new Map<Ticker, Mark>();
  for (const { print } of prints)
    if (isEligible(print.conditions)) marks.set(print.symbol, { price: print.price, at: print.at });
  return { trades: framesOf(prints), /** What the lanes see in the end. */ marks };
}

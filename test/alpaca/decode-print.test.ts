import { expect } from 'chai';
import fc from 'fast-check';
import type { MarketSink } from '../../lib/adapters/alpaca/codec-decode-market.ts';
import { createMsgpackMarketDecoder } from '../../lib/adapters/alpaca/codec-decode-market-msgpack.ts';
import { codecFor } from '../../lib/adapters/exchange/data-codec.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Print } from '../../lib/domain/market.ts';
import { price } from '../../lib/domain/money.ts';
import { isEligible } from '../../lib/domain/sale-conditions.ts';
import { micros } from '../../lib/domain/time.ts';
import type { PrintTaker } from '../../lib/ports/feeds.ts';

const codec = codecFor('application/msgpack');
const frameOf = (prints: readonly Print[]): Buffer =>
  Buffer.from(codec.frame(prints.map((print) => codec.encodeEvent({ kind: 'print', print }))));

const printOf = (over: Partial<Print> = {}): Print => ({
  symbol: 'AAPL' as Ticker,
  at: micros(1_791_207_000_123_456),
  price: price(1_265_500),
  size: 100,
  exchange: 'V',
  conditions: ['@'],
  id: '7',
  ...over,
});

const lineOfPrint = ({ symbol, at, price: px, conditions }: Print): string =>
  `print ${symbol} ${px} ${at} ${isEligible(conditions)}`;

/** Everything a frame brings, as text, in order; by the quick way as well where `quick`. */
function heardFrom(frame: Uint8Array, quick: boolean, decode = createMsgpackMarketDecoder()) {
  const heard: string[] = [];
  const asked: string[] = [];
  let taken = 0;
  const prints: PrintTaker<{ readonly symbol: Ticker }> = {
    lineOf(symbol) {
      asked.push(symbol);
      return symbol === 'NONE' ? null : { symbol };
    },
    take({ symbol }, px, at, eligible) {
      taken += 1;
      heard.push(`print ${symbol} ${px} ${at} ${eligible}`);
    },
    turnOver: () => {},
  };
  const sink: MarketSink = {
    message: (message) =>
      heard.push(message.kind === 'print' ? lineOfPrint(message.print) : JSON.stringify(message)),
    control: (control) => heard.push(JSON.stringify(control)),
    unreadable: (error) => heard.push(JSON.stringify(error)),
  };
  decode(frame, quick ? { ...sink, prints } : sink);
  return { heard, asked, taken: () => taken };
}

describe('decode: trades, the quick way', () => {
  const symbols = ['A', 'F', 'SPY', 'BRK.B', 'BRK.A', 'GOOGL', 'ABCDEFGH', 'ABCDEFGHI'] as Ticker[];
  const anyPrint = fc.record({
    symbol: fc.constantFrom(...symbols),
    at: fc.integer({ min: 1, max: 2 ** 52 }).map(micros),
    price: fc.integer({ min: 1, max: 100_000_000_000 }).map(price),
    size: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 33 })),
    exchange: fc.constantFrom('V', 'D', ''),
    conditions: fc.array(fc.constantFrom('@', ' ', 'F', 'T', 'I', 'Z', '4', 'é', '10'), { maxLength: 4 }),
    id: fc.constantFrom('0', '7', '52983525027888', '71675222011223'),
  }) as fc.Arbitrary<Print>;

  it('says of every trade what the general way says, in order', () => {
    fc.assert(
      fc.property(fc.array(anyPrint, { maxLength: 12 }), (prints) => {
        expect(heardFrom(frameOf(prints), true).heard).to.deep.equal(prints.map(lineOfPrint));
      }),
    );
  });

  it('says what the general way says of damaged bytes too', () => {
    const seed = frameOf([
      printOf(),
      printOf({ symbol: 'SPY' as Ticker, conditions: [' ', 'I'] }),
      printOf(),
    ]);
    const change = fc.tuple(
      fc.nat(seed.length - 1),
      fc.oneof(fc.nat(255), fc.constantFrom(0xa1, 0xc0, 0xd9, 0x90)),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.nat(seed.length), (changes, cut) => {
        const frame = Buffer.from(seed);
        for (const [at, byte] of changes) frame[at] = byte;
        for (const bytes of [frame, frame.subarray(0, cut)])
          expect(heardFrom(bytes, true).heard).to.deep.equal(heardFrom(bytes, false).heard);
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes the quick way for what Alpaca sends, but for the end of a frame', () => {
    const { taken } = heardFrom(frameOf(Array.from({ length: 100 }, () => printOf())), true);
    expect(taken()).to.equal(99);
  });

  it('asks for a line once per symbol, and leaves those without one to the messages', () => {
    const none = 'NONE' as Ticker;
    const decode = createMsgpackMarketDecoder();
    const tail = Array.from({ length: 3 }, () => printOf());
    const prints = [printOf(), printOf({ symbol: none }), printOf(), printOf({ symbol: none }), ...tail];
    const first = heardFrom(frameOf(prints), true, decode);
    expect(first.asked).to.deep.equal(['AAPL', 'NONE']);
    expect(first.heard).to.deep.equal(prints.map(lineOfPrint));
  });

  it('keeps apart symbols whose bytes begin or end alike, however many there are', () => {
    const names = Array.from({ length: 30_000 }, (_, n) => n.toString(36).toUpperCase() as Ticker);
    const nul = ['\0A', 'A\0', 'A', '\0\0\0\0A'] as Ticker[];
    const decode = createMsgpackMarketDecoder();
    for (const symbol of [...names, ...nul, ...nul]) {
      const print = printOf({ symbol });
      const { heard } = heardFrom(frameOf([print, printOf()]), true, decode);
      expect(heard[0]).to.equal(lineOfPrint(print));
    }
  });
});

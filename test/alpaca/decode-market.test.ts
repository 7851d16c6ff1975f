import { expect } from 'chai';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import type { DecodeError } from '../../lib/adapters/alpaca/codec-decode-base.ts';
import type { DataControl } from '../../lib/adapters/alpaca/codec-decode-control.ts';
import {
  decodeBarsPage,
  decodeLatestTrades,
  decodeMarketJson,
} from '../../lib/adapters/alpaca/codec-decode-market.ts';
import { createMsgpackMarketDecoder } from '../../lib/adapters/alpaca/codec-decode-market-msgpack.ts';
import { MsgpackError, MsgpackReader } from '../../lib/adapters/alpaca/msgpack-reader.ts';
import { isEligible } from '../../lib/domain/sale-conditions.ts';
import { formatInstant, micros, parseInstant } from '../../lib/domain/time.ts';
import type { MarketMessage } from '../../lib/ports/feeds.ts';

const packr = new Packr({ useRecords: false });

type Heard = {
  readonly messages: MarketMessage[];
  readonly controls: DataControl[];
  readonly errors: DecodeError[];
};

function listen(feed: (sink: Parameters<typeof decodeMarketJson>[1]) => void): Heard {
  const heard: Heard = { messages: [], controls: [], errors: [] };
  feed({
    message: (m) => heard.messages.push(m),
    control: (c) => heard.controls.push(c),
    unreadable: (e) => heard.errors.push(e),
  });
  return heard;
}

const fromJson = (text: string): Heard => listen((sink) => decodeMarketJson(text, sink));
const fromBytes = (bytes: Uint8Array): Heard => listen((sink) => createMsgpackMarketDecoder()(bytes, sink));

/** A msgpack timestamp of 8 bytes with nanoseconds, as Alpaca sends it. */
class Stamp {
  readonly seconds: number;
  readonly nanos: number;
  constructor(seconds: number, nanos: number) {
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

/** Encodes a message by hand, so that the decoder is not tested against one library alone. */
function encode(value: unknown): Buffer {
  if (value instanceof Stamp) {
    const out = Buffer.alloc(10);
    out.writeUInt16BE(0xd7ff, 0);
    out.writeBigUInt64BE((BigInt(value.nanos) << 34n) | BigInt(value.seconds), 2);
    return out;
  }
  if (Array.isArray(value)) return Buffer.concat([Buffer.from([0x90 | value.length]), ...value.map(encode)]);
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    return Buffer.concat([
      Buffer.from([0x80 | entries.length]),
      ...entries.flatMap(([k, v]) => [encode(k), encode(v)]),
    ]);
  }
  if (typeof value === 'bigint') {
    const out = Buffer.alloc(9, 0xcf);
    out.writeBigUInt64BE(value, 1);
    return out;
  }
  return Buffer.from(packr.pack(value));
}

const TRADE = {
  T: 't',
  S: 'AAPL',
  i: 96921,
  x: 'D',
  p: 126.55,
  s: 1,
  t: '2021-02-22T15:51:44.208123456Z',
  c: ['@', 'I'],
  z: 'C',
};
const PRINT = {
  symbol: 'AAPL',
  at: parseInstant('2021-02-22T15:51:44.208123Z'),
  price: 1_265_500,
  size: 1,
  exchange: 'D',
  conditions: ['@', 'I'],
  id: '',
};
const BAR = {
  T: 'b',
  S: 'SPY',
  o: 388.985,
  h: 389.13,
  l: 388.975,
  c: 389.12,
  v: 49378,
  n: 461,
  vw: 389.062639,
  t: '2021-02-22T19:15:00Z',
};
const DECODED_BAR = {
  symbol: 'SPY',
  startAt: parseInstant('2021-02-22T19:15:00Z'),
  open: 3_889_850,
  high: 3_891_300,
  low: 3_889_750,
  close: 3_891_200,
  volume: 49378,
  tradeCount: 461,
  vwap: 3_890_626,
};
const QUOTE = {
  T: 'q',
  S: 'AMD',
  bx: 'U',
  bp: 87.66,
  bs: 100,
  ax: 'Q',
  ap: 0,
  as: 0,
  t: '2021-02-22T15:51:45Z',
};

const withStamp = <M extends { readonly t: string }>(message: M, seconds: number, nanos = 0) => ({
  ...message,
  t: new Stamp(seconds, nanos),
});

describe('decode: data frames', () => {
  it('reads a text frame of mixed messages and keeps microseconds', () => {
    const status = { T: 's', S: 'AAPL', sc: 'H', sm: 'Halt', rc: 'T12', t: '2021-02-22T19:15:00Z', z: 'C' };
    const luld = { T: 'l', S: 'IONM', u: 3.24, d: 2.65, i: 'B', t: '2023-04-06T14:34:45.5Z', z: 'C' };
    const heard = fromJson(JSON.stringify([TRADE, BAR, { ...BAR, T: 'u' }, QUOTE, status, luld]));
    expect(heard.errors).to.deep.equal([]);
    expect(heard.messages).to.deep.equal([
      { kind: 'print', print: PRINT },
      { kind: 'bar', bar: DECODED_BAR },
      { kind: 'updatedBar', bar: DECODED_BAR },
      {
        kind: 'quote',
        quote: {
          symbol: 'AMD',
          at: parseInstant('2021-02-22T15:51:45Z'),
          bid: 876_600,
          bidSize: 100,
          ask: 0,
          askSize: 0,
        },
      },
      {
        kind: 'status',
        status: {
          symbol: 'AAPL',
          at: parseInstant('2021-02-22T19:15:00Z'),
          state: 'halted',
          code: 'H',
          reason: 'T12',
        },
      },
      {
        kind: 'luld',
        band: { symbol: 'IONM', at: parseInstant('2023-04-06T14:34:45.5Z'), up: 32_400, down: 26_500 },
      },
    ]);
  });

  it('reads the same messages out of a binary frame, ids beyond 2^53 included', () => {
    const frame = encode([
      withStamp({ ...TRADE, i: 2n ** 60n } as never, 1_614_009_104, 208_123_456),
      withStamp(BAR, 1_614_021_300),
      withStamp({ ...BAR, T: 'u' }, 1_614_021_300),
      withStamp(QUOTE, 1_614_009_105),
    ]);
    const heard = fromBytes(frame);
    expect(heard.errors).to.deep.equal([]);
    expect(heard.messages).to.deep.equal(
      fromJson(JSON.stringify([TRADE, BAR, { ...BAR, T: 'u' }, QUOTE])).messages,
    );
  });

  it('does not rely on the type being the first key, on the order of keys, or on their number', () => {
    const { T, ...rest } = withStamp(TRADE, 1_614_009_104, 208_123_456);
    const shuffled = Object.fromEntries(Object.entries(rest).reverse());
    const wide = { T, ...shuffled, novelty: { deep: [1, { x: null }] }, zz: new Stamp(1, 1), u: 'canceled' };
    const heard = fromBytes(encode([{ ...shuffled, T }, wide]));
    expect(heard.errors).to.deep.equal([]);
    expect(heard.messages).to.deep.equal([
      { kind: 'print', print: PRINT },
      { kind: 'print', print: PRINT },
    ]);
  });

  it('takes prices as text, whole numbers or single floats, and times as text', () => {
    const prices = ['126.55', 126, 126.5];
    const heard = fromBytes(encode(prices.map((p) => ({ ...TRADE, p }))));
    expect(heard.messages.map((m) => m.kind === 'print' && m.print.price)).to.deep.equal([
      1_265_500, 1_260_000, 1_265_000,
    ]);
    const single = Buffer.alloc(5, 0xca);
    single.writeFloatBE(41.0855, 1);
    const fields = Object.entries({ ...TRADE, p: null }).flatMap(([k, v]) => [
      encode(k),
      v === null ? single : encode(v),
    ]);
    const [float] = fromBytes(Buffer.concat([Buffer.from([0x80 | (fields.length / 2)]), ...fields])).messages;
    expect(float?.kind === 'print' && float.print.price).to.equal(410_855);
  });

  it('goes on with the rest of the frame behind a message that it cannot read', () => {
    const good = withStamp(TRADE, 1_614_009_104, 208_123_456);
    const bad = [
      { ...good, p: -1 },
      { ...good, p: 'cheap' },
      { ...good, s: null },
      { ...good, t: 7 },
      { ...good, S: 5 },
      { ...withStamp(BAR, 1), o: 0 },
      { ...withStamp(QUOTE, 1), bp: null },
    ];
    const heard = fromBytes(encode([...bad, good]));
    expect(heard.messages).to.deep.equal([{ kind: 'print', print: PRINT }]);
    expect(heard.errors).to.have.length(bad.length);
    const text = fromJson(JSON.stringify([{ ...TRADE, p: -1 }, 17, null, { ...TRADE, c: null }]));
    expect(text.errors).to.have.length(3);
    expect(text.messages).to.have.length(1);
  });

  it('delivers what stands before the place where a frame is cut', () => {
    const one = encode(withStamp(TRADE, 1_614_009_104, 208_123_456));
    const whole = Buffer.concat([Buffer.from([0x92]), one, one]);
    for (let length = 0; length < whole.length; length += 1) {
      const heard = fromBytes(whole.subarray(0, length));
      expect(heard.errors, `${length}`).to.have.length(1);
      expect(heard.messages).to.have.length(length > one.length ? 1 : 0);
    }
  });

  it('reads control messages in both codecs', () => {
    const frames = [
      { T: 'success', msg: 'connected' },
      { T: 'success', msg: 'authenticated' },
      { T: 'error', code: 406, msg: 'connection limit exceeded' },
      { T: 'error' },
      { T: 'subscription', trades: ['AAPL', 7], bars: [], odd: null },
    ];
    const expected = [
      { kind: 'connected' },
      { kind: 'authenticated' },
      { kind: 'error', code: 406, text: 'connection limit exceeded' },
      { kind: 'error', code: null, text: 'no reason given' },
      { kind: 'subscription', channels: { trades: ['AAPL'], bars: [] } },
    ];
    expect(fromJson(JSON.stringify(frames)).controls).to.deep.equal(expected);
    expect(fromBytes(encode(frames)).controls).to.deep.equal(expected);
    expect(fromJson(JSON.stringify(frames[1])).controls).to.deep.equal([{ kind: 'authenticated' }]);
  });

  it('passes over kinds that are not known or not needed', () => {
    const heard = fromJson(JSON.stringify(['c', 'x', 'd', 'i', 'zz'].map((T) => ({ T, S: 'A' }))));
    expect(heard).to.deep.equal({ messages: [], controls: [], errors: [] });
  });

  it('takes an imbalance for no halt, a resume for trading, and anything unknown for a halt', () => {
    const stateOf = (sc: string) => {
      const heard = fromJson(JSON.stringify([{ T: 's', S: 'A', sc, rc: '', t: '2026-10-05T19:50:00Z' }]));
      const [message] = heard.messages;
      return message?.kind === 'status' ? message.status.state : null;
    };
    for (const code of ['5', '6', '7', '8', '9', 'A', 'C', 'D', 'E'])
      expect(stateOf(code), code).to.equal(null);
    for (const code of ['T', '3']) expect(stateOf(code), code).to.equal('trading');
    for (const code of ['2', 'H', 'P', 'Q', 'F', 'quark']) expect(stateOf(code), code).to.equal('halted');
  });

  it('never throws, whatever the bytes and whatever the JSON', () => {
    const decode = createMsgpackMarketDecoder();
    const sink = { message: () => {}, control: () => {}, unreadable: () => {} };
    const seed = encode([withStamp(TRADE, 1_614_009_104, 1), withStamp(BAR, 1), withStamp(QUOTE, 1)]);
    const change = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), change, fc.jsonValue(), (bytes, changes, json) => {
        decode(bytes, sink);
        const mutated = Buffer.from(seed);
        for (const [at, byte] of changes) mutated[at] = byte;
        decode(mutated, sink);
        decodeMarketJson(JSON.stringify(json), sink);
        decodeMarketJson(Buffer.from(bytes).toString('latin1'), sink);
        for (const key of Object.keys(TRADE))
          decodeMarketJson(JSON.stringify([{ ...TRADE, [key]: json }]), sink);
      }),
      { numRuns: 800 },
    );
  });
});

describe('decode: MessagePack', () => {
  it('reads and skips whatever another encoder writes', () => {
    const anything = fc.anything({
      maxDepth: 4,
      values: [
        fc.integer(),
        fc.double({ noNaN: true }),
        fc.string({ maxLength: 300 }),
        fc.boolean(),
        fc.constant(null),
      ],
      key: fc.string({ minLength: 1 }),
    });
    fc.assert(
      fc.property(anything, (value) => {
        const bytes = packr.pack(value);
        const reader = new MsgpackReader();
        reader.reset(bytes);
        reader.skip();
        expect(reader.isAtEnd).to.equal(true);
        reader.reset(bytes);
        expect(JSON.stringify(reader.value())).to.equal(JSON.stringify(value));
        expect(reader.isAtEnd).to.equal(true);
      }),
    );
  });

  it('reads timestamps of every width to the microsecond', () => {
    const reader = new MsgpackReader();
    const read = (bytes: readonly number[]): string => {
      reader.reset(Buffer.from(bytes));
      return formatInstant(micros(reader.timestampMicros()));
    };
    expect(read([0xd6, 0xff, 0x60, 0x33, 0xd3, 0x10])).to.equal('2021-02-22T15:51:44.000000Z');
    expect(read([...encode(new Stamp(1_614_009_104, 999_999_999))])).to.equal('2021-02-22T15:51:44.999999Z');
    expect(read([0xc7, 12, 0xff, 0, 0, 0x03, 0xe8, 0, 0, 0, 0, 0x60, 0x33, 0xd3, 0x10])).to.equal(
      '2021-02-22T15:51:44.000001Z',
    );
  });

  it('stops at nesting without end', () => {
    const reader = new MsgpackReader();
    const deep = Buffer.alloc(10_000, 0x91);
    reader.reset(deep);
    expect(() => reader.skip()).to.throw(MsgpackError);
    reader.reset(deep);
    expect(() => reader.value()).to.throw(MsgpackError);
  });

  it('gives equal bytes one string, and keeps apart what differs', () => {
    const reader = new MsgpackReader();
    const names = Array.from({ length: 40_000 }, (_, i) => `S${i}`);
    for (let round = 0; round < 2; round += 1) {
      for (const name of names) {
        reader.reset(packr.pack(name));
        expect(reader.internedString()).to.equal(name);
      }
    }
  });
});

describe('decode: data REST', () => {
  it('reads a page of bars, symbols without any among them', () => {
    const { S: _, T: __, ...bar } = BAR;
    const page = decodeBarsPage({ bars: { SPY: [bar], PPLT: null }, next_page_token: 'QUFQTHxNfDE2' });
    expect(page.ok && page.value.nextPage).to.equal('QUFQTHxNfDE2');
    expect(page.ok && [...page.value.bars.values()]).to.deep.equal([[DECODED_BAR], []]);
    const empty = decodeBarsPage({ bars: null, next_page_token: null });
    expect(empty.ok && empty.value.bars.size).to.equal(0);
    for (const broken of [{ bars: [] }, { bars: { SPY: 7 } }, { bars: {}, next_page_token: 7 }, undefined])
      expect(decodeBarsPage(broken).ok, JSON.stringify(broken)).to.equal(false);
  });

  it('reads latest trades', () => {
    const latest = decodeLatestTrades({ trades: { AAPL: TRADE, PPLT: null } });
    expect(latest.ok && [...latest.value]).to.deep.equal([['AAPL', { price: PRINT.price, at: PRINT.at }]]);
    expect(decodeLatestTrades({ trades: { AAPL: { ...TRADE, p: 0 } } }).ok).to.equal(false);
  });
});

describe('sale conditions', () => {
  it('lets regular, sweep, opening, closing and re-opening prints set the mark', () => {
    for (const conditions of [[], [' '], ['@'], ['F'], ['@', 'F'], ['O'], ['6'], ['5'], ['X'], ['L'], ['€']])
      expect(isEligible(conditions), conditions.join()).to.equal(true);
  });

  it('lets no other kind set it, alone or beside a regular one', () => {
    for (const letter of 'BCGHIMNPQRTUVWZ47') {
      expect(isEligible([letter]), letter).to.equal(false);
      expect(isEligible(['@', ' ', letter]), letter).to.equal(false);
    }
  });
});

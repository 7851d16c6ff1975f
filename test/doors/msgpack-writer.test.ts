import { expect } from 'chai';
import fc from 'fast-check';
import { unpack } from 'msgpackr';
import { PackedInstant, packArrayHead, packMessage } from '../../lib/adapters/exchange/msgpack-writer.ts';
import { type Micros, micros } from '../../lib/domain/time.ts';

/** JSON values as the doors send them, with integers of every width and texts of every header form. */
const jsonValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.integer({ min: 250, max: 70_000 }).map((length) => 'x'.repeat(length)),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== '__proto__'),
      tie('value'),
    ),
  ),
})).value;

describe('msgpack writer', () => {
  it('writes what msgpackr reads back', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(unpack(packMessage(value))).to.deep.equal(value);
      }),
      { numRuns: 300 },
    );
  });

  it('writes instants as 64-bit timestamps with microseconds in the nanosecond field', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), (at) => {
        const bytes = packMessage(new PackedInstant(at as Micros));
        expect([bytes[0], bytes[1], bytes.length]).to.deep.equal([0xd7, 0xff, 10]);
        const high = bytes.readUInt32BE(2);
        const seconds = (high % 4) * 0x1_0000_0000 + bytes.readUInt32BE(6);
        const nanos = Math.floor(high / 4);
        expect(seconds * 1_000_000 + nanos / 1_000).to.equal(at);
      }),
    );
  });

  it('gives other readers a date', () => {
    const read = unpack(packMessage({ t: new PackedInstant(micros(1_381_152_600_123_000)) }));
    expect(read.t).to.be.instanceOf(Date);
    expect(read.t.toISOString()).to.equal('2013-10-07T13:30:00.123Z');
  });

  it('keeps the order of keys: T comes first', () => {
    const bytes = packMessage({ T: 'q', S: 'SPY' });
    expect([...bytes.subarray(0, 3)]).to.deep.equal([0x82, 0xa1, 'T'.charCodeAt(0)]);
  });

  it('puts a frame together from messages packed before', () => {
    for (const length of [1, 15, 16, 40, 70_000]) {
      const messages = Array.from({ length }, (_, index) => packMessage(index));
      const frame = unpack(Buffer.concat([packArrayHead(length), ...messages])) as number[];
      expect(frame).to.have.length(length);
      expect(frame.at(-1)).to.equal(length - 1);
    }
  });

  it('refuses what is no message', () => {
    expect(() => packMessage({ f: () => 1 })).to.throw('JSON values');
  });
});

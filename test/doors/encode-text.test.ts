import { expect } from 'chai';
import fc from 'fast-check';
import {
  activityStamp,
  amountText,
  averageText,
  eventIdText,
  instantText,
  newYorkText,
  ratioText,
  sharesText,
} from '../../lib/adapters/alpaca/codec-encode-text.ts';
import { parseDecimal } from '../../lib/domain/money.ts';
import { type Micros, micros, parseInstant } from '../../lib/domain/time.ts';

const at = (text: string): Micros => parseInstant(text) ?? micros(0);

describe('amounts and instants on the wire', () => {
  it('writes amounts as plain decimals without padding', () => {
    expect(amountText(1_873_500)).to.equal('187.35');
    expect(amountText(1_500_000)).to.equal('150');
    expect(amountText(-5_000)).to.equal('-0.5');
    expect(amountText(1)).to.equal('0.0001');
    expect(amountText(0)).to.equal('0');
    expect(amountText(-0)).to.equal('0');
  });

  it('amounts read back as themselves', () => {
    fc.assert(
      fc.property(fc.integer({ min: -9e11, max: 9e11 }), (units) => {
        expect(parseDecimal(amountText(units))).to.equal(units === 0 ? 0 : units);
      }),
    );
  });

  it('an average times its shares rounds back to the notional', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 20_000_000 }),
        fc.integer({ min: 0, max: 99 }),
        (shares, each, odd) => {
          const notional = shares * each + odd;
          const average = Number(averageText(notional, shares));
          expect(Math.round(average * shares * 10_000)).to.equal(notional);
        },
      ),
    );
  });

  it('shares and ratios have no exponent', () => {
    expect(sharesText(100)).to.equal('100');
    expect(sharesText(0.000000001)).to.equal('0.000000001');
    expect(sharesText(-0.5)).to.equal('-0.5');
    expect(ratioText(1, 100)).to.equal('0.01');
    expect(ratioText(1, 3)).to.equal('0.3333333333');
    expect(ratioText(5, 0)).to.equal('0');
  });

  it('cuts the zeros of a fraction, not those of the seconds', () => {
    expect(instantText(at('2013-10-07T10:00:00Z'))).to.equal('2013-10-07T10:00:00Z');
    expect(instantText(at('2013-10-07T10:00:00.120Z'))).to.equal('2013-10-07T10:00:00.12Z');
    expect(instantText(at('2013-10-07T10:00:10.000001Z'))).to.equal('2013-10-07T10:00:10.000001Z');
  });

  it('shows New York wall time with its offset, in summer and in winter', () => {
    expect(newYorkText(at('2013-10-07T13:30:00Z'))).to.equal('2013-10-07T09:30:00-04:00');
    expect(newYorkText(at('2019-02-11T14:30:00.25Z'))).to.equal('2019-02-11T09:30:00.25-05:00');
    expect(newYorkText(at('2019-02-12T02:00:00Z'))).to.equal('2019-02-11T21:00:00-05:00');
  });

  it('New York text and UTC text are the same instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1.2e15, max: 1.9e15 }), (value) => {
        expect(parseInstant(newYorkText(micros(value)))).to.equal(value);
        expect(parseInstant(instantText(micros(value)))).to.equal(value);
      }),
    );
  });

  it('stamps activities in New York wall time', () => {
    expect(activityStamp(at('2022-02-02T18:55:09.981Z'))).to.equal('20220202135509981');
  });

  it('event ids are ULIDs and sort by time, then by number', () => {
    const ids = [
      eventIdText(at('2013-10-07T13:30:00Z'), 1),
      eventIdText(at('2013-10-07T13:30:00Z'), 2),
      eventIdText(at('2013-10-07T13:30:01Z'), 1),
    ];
    for (const id of ids) expect(id).to.match(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(ids.toSorted()).to.deep.equal(ids);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import {
  duplicated,
  type JudgedOrder,
  notFlat,
  overlapping,
  shorted,
  soldLate,
  spoken,
  tooFast,
  touched,
  uncertified,
} from '../../lib/app/drills/judge.ts';
import { judgeDrill } from '../../lib/app/drills/verdict.ts';
import {
  at,
  booksOf,
  CLOSE_AT,
  certificateOf,
  DRILL,
  END,
  evidenceOf,
  fill,
  NOBODY,
  order,
  SPY,
} from './support.ts';

describe('the judge of a drill', () => {
  it('finds nothing wrong with a plain round trip', () => {
    const broken = judgeDrill(DRILL, evidenceOf({})).filter(({ evidence }) => evidence !== null);
    expect(broken).to.deep.equal([]);
  });

  it('names the sale that sold more than was held', () => {
    const executions = [fill('buy', 10, 1), fill('sell', 10, 2), fill('sell', 4, 3)];
    expect(shorted({ executions }, NOBODY)).to.contain('-4 SPY left');
    expect(shorted({ executions: executions.slice(0, 2) }, NOBODY)).to.equal(null);
    expect(shorted({ executions: [fill('sell', 1, 1)] }, new Map([[SPY, 7]]))).to.contain('6 SPY left');
  });

  it('sees every history that ever goes short, and no other', () => {
    const trade = fc.record({
      side: fc.constantFrom('buy' as const, 'sell' as const),
      qty: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(trade, { maxLength: 12 }), (trades) => {
        let held = 0;
        const isShort = trades.some(({ side, qty }) => {
          held += side === 'buy' ? qty : -qty;
          return held < 0;
        });
        const executions = trades.map(({ side, qty }, index) => fill(side, qty, index));
        expect(shorted({ executions }, NOBODY) !== null).to.equal(isShort);
      }),
    );
  });

  it('tells what is held and open, and leaves what others hold', () => {
    const view = booksOf({
      positions: [{ symbol: SPY, shares: 7 }],
      openOrders: [{ id: 'x' as never, clientOrderId: 'scalpd-20261005-SPY-1-0', symbol: SPY }],
    });
    expect(notFlat(view, NOBODY)).to.equal('the exchange holds 7 SPY, order scalpd-20261005-SPY-1-0 is open');
    expect(notFlat({ ...view, openOrders: [] }, new Map([[SPY, 7]]))).to.equal(null);
    expect(notFlat(booksOf({ positions: [] }), new Map([[SPY, 7]]))).to.equal('7 SPY of others are gone');
  });

  it('knows an intent that was sent twice from one that was refused first', () => {
    const [first, again] = [order({ id: '1-0' }), order({ id: '1-1' })];
    expect(duplicated([first, again])).to.contain('SPY-1-1 repeats');
    expect(duplicated([{ ...first, rejected: true }, again])).to.equal(null);
    expect(duplicated([{ ...first, rejected: true }, first])).to.contain('SPY-1-0 repeats');
    expect(duplicated([{ ...first, clientOrderId: 'by-hand' }])).to.contain('no id of ours');
  });

  it('sees two orders of one symbol that live at once', () => {
    const orders: readonly JudgedOrder[] = [
      order({ id: '1-0', from: 1, until: 5 }),
      order({ id: '2-0', from: 5, until: null }),
    ];
    expect(overlapping(orders)).to.equal(null);
    expect(overlapping([...orders, order({ id: '3-0', from: 9 })])).to.contain('is open still');
    expect(overlapping([order({ id: '1-0', until: 5 }), order({ id: '2-0', from: 4 })])).to.contain(
      'lived until',
    );
  });

  it('counts requests, the close, the silences and the shares of others', () => {
    expect(tooFast({ requestPeak: 200 }, 200)).to.equal(null);
    expect(tooFast({ requestPeak: 201 }, 200)).to.contain('201 requests');
    const late = { ...fill('sell', 1, 0), at: CLOSE_AT };
    expect(soldLate({ executions: [late] }, CLOSE_AT)).to.contain('after the close');
    const silence = { from: at(3), until: at(6), symbol: null, why: 'the kill switch was pulled' };
    expect(spoken([order({ from: 2 }), order({ from: 6 })], [silence])).to.equal(null);
    expect(spoken([order({ from: 3 })], [silence])).to.contain('the kill switch was pulled');
    expect(spoken([order({ from: 4, side: 'sell' })], [silence])).to.equal(null);
    expect(spoken([order({ from: 4, side: 'sell' })], [{ ...silence, symbol: SPY }])).to.contain('(sell)');
    expect(touched([order({})], new Map([[SPY, 7]]))).to.contain('what others hold');
  });

  it('wants a certificate that says flat, and why not where others hold shares', () => {
    const others = new Map([[SPY, 7]]);
    const open = { flat: false, evidence: ['7 shares at the broker'] };
    expect(uncertified(null, NOBODY)).to.contain('no flat certificate');
    expect(uncertified(certificateOf([{}]), NOBODY)).to.equal(null);
    expect(uncertified(certificateOf([open]), NOBODY)).to.contain('7 shares at the broker');
    const unknown = { flat: null, unproven: ['the journal must tell every step'] };
    expect(uncertified(certificateOf([unknown]), NOBODY)).to.contain('must tell every step');
    expect(uncertified({ ...certificateOf([{}]), flat: null }, NOBODY)).to.contain('null');
    expect(uncertified(certificateOf([open]), others)).to.equal(null);
    expect(uncertified(certificateOf([{}]), others)).to.contain('with 7 shares of others');
    expect(uncertified(certificateOf([unknown]), NOBODY, true), 'records were lost').to.equal(null);
    expect(uncertified(certificateOf([open]), NOBODY, true)).to.contain('7 shares at the broker');
    expect(uncertified(certificateOf([{ flat: false }]), others)).to.contain('nothing says why');
  });

  it('blames the invariant that broke, and no other', () => {
    const oversold = booksOf({ executions: [fill('buy', 10, 1), fill('sell', 14, 2), fill('buy', 4, 3)] });
    const broken = (evidence: ReturnType<typeof evidenceOf>): readonly string[] =>
      judgeDrill(DRILL, evidence)
        .filter((verdict) => verdict.evidence !== null)
        .map(({ invariant }) => invariant);
    expect(broken(evidenceOf({ after: oversold }))).to.deep.equal(['neverShort']);
    expect(broken(evidenceOf({ after: booksOf({ hits: {} }) }))).to.deep.equal(['struck']);
    expect(broken(evidenceOf({ marks: new Set(['shares held']) }))).to.deep.equal(['recovered']);
    expect(broken(evidenceOf({ after: booksOf({ cash: 1_000_100 as never }) }))).to.deep.equal([
      'booksAgree',
    ]);
    expect(broken(evidenceOf({ ends: [{ result: null, code: 1, signal: null }] }))).to.deep.equal([
      'ended',
      'booksAgree',
    ]);
    expect(broken(evidenceOf({ certificate: null }))).to.deep.equal(['certificate']);
    const crash = { level: 'error', event: 'daemon.crashed', fields: { text: 'Error: no\n at x' } } as const;
    expect(broken(evidenceOf({ lines: [crash], ends: [END] }))).to.deep.equal(['noAlarms']);
  });

  it('says why nothing was bought where that is what was missing', () => {
    const line = { level: 'info', event: 'lane.entry.refused', fields: { code: 'staleMark' } } as const;
    const verdicts = judgeDrill(DRILL, evidenceOf({ marks: new Set(['noticed']), lines: [line] }));
    expect(verdicts.find(({ invariant }) => invariant === 'struck')?.evidence).to.equal(
      'never seen: shares held (entries refused: staleMark)',
    );
  });
});

import { expect } from 'chai';
import type { EntryGate, EntryRefusal, LaneParams } from '../../lib/domain/lane-types.ts';
import { cash, qty, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { before as earlier, micros, minutes, seconds } from '../../lib/domain/time.ts';
import { at, barAt, cancels, only, planOf, refusals, Story, submits, usd } from './story.ts';

describe('entries of a lane', () => {
  it('buy the floor of lot by price at the last trade, good for the day, with a short life in the queue', () => {
    const story = new Story({ params: { lot: cash(2_050 * UNITS_PER_USD) } });
    expect(story.enter()).to.deep.equal({
      clientOrderId: 'scalpd-20240103-SPY-1-0',
      symbol: 'SPY',
      side: 'buy',
      qty: 20,
      price: { type: 'limit', limit: usd(100) },
      purpose: 'entry',
      decidedAt: at('09:51'),
      mark: { price: usd(100), at: at('09:51') },
      expiresAt: at('09:51:05'),
    });
  });

  const cases: readonly (readonly [EntryRefusal, string, (story: Story) => void, Partial<LaneParams>?])[] = [
    [
      'noMark',
      'no last trade is known',
      (story) => {
        story.mark = null;
      },
    ],
    [
      'noMark',
      'the last trade rounds to nothing',
      (story) => {
        story.mark = { price: usd(0), at: story.now };
      },
    ],
    [
      'staleMark',
      'the last trade has not happened yet',
      (story) => {
        story.mark = { price: usd(100), at: micros(story.now + minutes(1) + 1) };
      },
    ],
    [
      'staleMark',
      'the last trade is older than allowed',
      (story) => {
        story.mark = { price: usd(100), at: earlier(story.now, seconds(15.000001)) };
      },
    ],
    ['zeroShares', 'the lot does not buy a share', () => undefined, { lot: cash(99 * UNITS_PER_USD) }],
    [
      'halted',
      'the symbol is halted',
      (story) => {
        story.tell({ kind: 'haltChanged', halt: 'halted' });
      },
    ],
    [
      'afterCutoff',
      'the cutoff has passed',
      (story) => {
        story.pass(at('15:53'));
      },
    ],
    [
      'beforeOpen',
      'the session has not begun',
      (story) => {
        story.tell({ kind: 'sessionOpened', plan: planOf('2024-01-04') });
      },
    ],
    [
      'paused',
      'the operator paused it',
      (story) => {
        story.mode('paused');
      },
    ],
    [
      'exitOnly',
      'it may only exit',
      (story) => {
        story.mode('exitOnly');
      },
    ],
    [
      'exitOnly',
      'it is flattening',
      (story) => {
        story.mode('flattening');
      },
    ],
    [
      'exitOnly',
      'there are shares that are not ours',
      (story) => {
        story.mode('halted');
      },
    ],
    [
      'busy',
      'an entry is out',
      (story) => {
        story.enter();
      },
    ],
    [
      'busy',
      'a position is there',
      (story) => {
        story.buy();
      },
    ],
    ['entriesMax', 'the entries of the day are used up', () => undefined, { entriesMax: 0 }],
  ];
  for (const [code, when, prepare, params] of cases)
    it(`are refused as ${code} when ${when}`, () => {
      const story = new Story(params === undefined ? {} : { params });
      prepare(story);
      expect(refusals(story.signal())).to.deep.equal([code]);
    });

  for (const code of ['tradeFeedDown', 'dataFeedDown'] as const)
    it(`are refused as ${code} while the gate says so`, () => {
      const story = new Story();
      const shut: EntryGate = { kind: 'shut', code };
      story.tell({ kind: 'gateChanged', gate: shut });
      expect(refusals(story.signal())).to.deep.equal([code]);
      story.tell({ kind: 'gateChanged', gate: { kind: 'open' } });
      expect(story.enter().qty).to.equal(20);
    });

  it('take a last trade that is just young enough', () => {
    const story = new Story();
    story.mark = { price: usd(100), at: earlier(story.now, seconds(15)) };
    expect(story.enter().qty).to.equal(20);
  });

  it('come from live bars alone, and from the last one only', () => {
    const story = new Story();
    expect(refusals(story.signal('backfilled'))).to.deep.equal(['backfilled']);
    const old = barAt(earlier(story.now, minutes(2)));
    const commands = story.tell({ kind: 'barClosed', bar: old, origin: 'live', signal: 'enter' });
    expect(refusals(commands)).to.deep.equal(['backfilled']);
    expect(story.tell({ kind: 'barClosed', bar: old, origin: 'live', signal: 'none' })).to.deep.equal([]);
  });

  it('wait after a halt for a whole bar that began after it', () => {
    const story = new Story();
    story.tell({ kind: 'haltChanged', halt: 'halted' });
    story.pass(at('09:55:30'));
    story.tell({ kind: 'haltChanged', halt: 'trading' });
    story.pass(at('09:56'));
    expect(refusals(story.signal())).to.deep.equal(['stale']);
    story.pass(at('09:57'));
    expect(story.enter().qty).to.equal(20);
  });

  it('are canceled when patience is over, and the shares that filled are sold', () => {
    const story = new Story();
    const entry = story.enter();
    story.report(entry, 'new');
    story.report(entry, 'partially_filled', { lastQty: 7, cumQty: qty(7) });
    expect(story.pass(at('09:52:59.9'))).to.deep.equal([]);
    const [cancel] = story.pass(at('09:53'));
    // First fill at 09:51: holding time is over at the same instant, and it is the more urgent reason.
    expect(cancel).to.deep.include({ kind: 'cancel', purpose: 'bailOut' });
    expect(only(submits(story.report(entry, 'canceled', { cumQty: qty(7) })))).to.include({
      qty: 7,
      purpose: 'bailOut',
    });
  });

  it('are asked to go again when the cancel is not heard of', () => {
    const story = new Story();
    const entry = story.enter();
    const commands = story.pass(at('09:53:25'));
    expect(cancels(commands)).to.deep.equal(Array(3).fill(entry.clientOrderId));
  });

  it('keep the lane waiting until the fills add up to what the end says', () => {
    const story = new Story();
    const entry = story.enter();
    story.report(entry, 'canceled', { cumQty: qty(7) });
    expect(story.lane.stage).to.have.nested.property('order.kind', 'closing');
    story.pass(at('09:55'));
    expect(story.sent()).to.have.length(1);
    story.report(entry, 'partially_filled', { lastQty: 4, cumQty: qty(4) });
    expect(story.sent()).to.have.length(1);
    story.report(entry, 'partially_filled', { lastQty: 3, cumQty: qty(7) });
    expect(story.sent().at(-1)).to.match(/^sell 7 /);
  });

  it('are stopped by a pause, by exit-only and by the kill', () => {
    for (const mode of ['paused', 'exitOnly'] as const) {
      const story = new Story();
      story.enter();
      expect(story.mode(mode)).to.deep.include({
        kind: 'cancel',
        clientOrderId: 'scalpd-20240103-SPY-1-0',
        purpose: 'entryStop',
      });
    }
    const story = new Story();
    story.enter();
    expect(only(story.mode('flattening'))).to.include({ kind: 'cancel', purpose: 'flatten' });
  });

  it('wait while an earlier order is in doubt', () => {
    const story = new Story();
    const entry = story.enter();
    story.report(entry, 'canceled');
    story.report(entry, 'canceled', { cumQty: qty(3) });
    expect(story.lane.stage.kind).to.equal('flat');
    expect(refusals(story.signal())).to.deep.equal(['busy']);
  });

  it('count once they left the house', () => {
    const story = new Story({ params: { entriesMax: 1 } });
    story.verdict(story.enter(), { kind: 'denied', code: 'collar', text: 'denied' });
    story.verdict(story.enter(), { kind: 'expired' });
    story.report(story.enter(), 'canceled');
    expect(refusals(story.signal())).to.deep.equal(['entriesMax']);
    story.tell({ kind: 'sessionOpened', plan: planOf('2024-01-04') });
    story.pass(at('10:00', '2024-01-04'));
    expect(story.enter().clientOrderId).to.equal('scalpd-20240104-SPY-1-0');
  });

  it('cool off after losses in a row', () => {
    const story = new Story({ params: { lossesMax: 2, coolOff: minutes(10) } });
    for (const exitPx of [99, 99]) {
      story.buy();
      const exit = submits(story.commands).at(-1);
      if (exit !== undefined) story.report(exit, 'filled', { lastQty: 20, lastPx: usd(exitPx) });
    }
    expect(refusals(story.signal())).to.deep.equal(['coolingOff']);
    story.pass(micros(at('10:01') - 1));
    expect(refusals(story.signal()), 'a microsecond before its end').to.deep.equal(['coolingOff']);
    story.pass(at('10:01'));
    expect(story.enter().qty).to.equal(20);
  });
});

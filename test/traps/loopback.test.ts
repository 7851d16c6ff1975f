import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { seconds } from '../../lib/domain/time.ts';
import type { ScriptedFault } from '../../lib/sim/fault-types.ts';
import { removeScratch } from '../support/scratch.ts';
import { lowestPosition, ordersOf, positionOf, sharesOf } from './judge.ts';
import { type LoopbackDay, openLoopbackDay } from './loopback.ts';
import { crossing, minutesOf, utc } from './minutes.ts';

const AAA = 'AAA' as Ticker;
const BBB = 'BBB' as Ticker;

/** Minutes to connect before the signal, for a busy machine; each day is played to `until`. */
const DAYS = {
  /** Bought at 20:52, filled at 20:53:55: the flatten comes before the two minutes are over. */
  H1: {
    startAt: '20:46:00',
    until: '20:55:40',
    items: minutesOf(AAA, crossing('20:30', 100, [100.25, 100.2, 100.1, 100.1, 100.1, 100.1])),
    script: [],
  },
  /** AAA's buy never fills, its cancel is answered 422 at first; BBB's signal comes two minutes later. */
  H6: {
    startAt: '14:46:00',
    until: '14:55:40',
    items: [
      ...minutesOf(AAA, crossing('14:30', 100, [100.3, 100.3, 100.3, 100.3, 100.3, 100.3])),
      ...minutesOf(BBB, crossing('14:32', 50, [50.1, 50.2, 50.2, 50.2])),
    ],
    script: [
      answered('DELETE', '^/v2/orders/', { kind: 'answer', status: 422, body: 'json', accept: false }),
    ],
  },
  H7: {
    startAt: '14:46:00',
    until: '14:54:50',
    items: minutesOf(AAA, crossing('14:30', 100, [100.2, 100.2, 100.2, 100.2, 100.2])),
    script: [answered('POST', '^/v2/orders$', { kind: 'silence', accept: true })],
  },
  /** The exit fills at 14:53; the next signal comes at 14:56. */
  H14: {
    startAt: '14:46:00',
    until: '14:56:20',
    items: minutesOf(AAA, crossing('14:30', 100, [100.2, 100.3, 99.8, 100.4, 100.4, 100.4])),
    script: [],
    positionsLag: seconds(10),
  },
} as const;

/** The four traps that live on the wire, with the daemon as it is shipped: real sockets, threads, journal and clock. */
describe('the traps of the published script, over loopback', function () {
  this.timeout(60_000);
  let days: Readonly<Record<keyof typeof DAYS, LoopbackDay>>;

  before('the four days are played side by side', async () => {
    const [H1, H6, H7, H14] = await Promise.all([
      openLoopbackDay(DAYS.H1),
      openLoopbackDay(DAYS.H6),
      openLoopbackDay(DAYS.H7),
      openLoopbackDay(DAYS.H14),
    ]);
    days = { H1, H6, H7, H14 };
    await Promise.all([
      H1.until(DAYS.H1.until),
      H6.until(DAYS.H6.until),
      H7.until(DAYS.H7.until),
      H14.until(DAYS.H14.until),
    ]);
  });

  after(async () => {
    await Promise.all(Object.values(days ?? {}).map((day) => day.close()));
    removeScratch();
  });

  it('H1 the resting exit is canceled before the end-of-day sell, and the lane is flat at the close', () => {
    expect(outcomes(days.H1)).to.deep.equal([
      'buy limit filled',
      'sell limit canceled',
      'sell market filled',
    ]);
    const [, exit, sell] = ordersOf(days.H1);
    expect(exit?.canceledAt).to.be.at.least(utc('20:55:00'));
    expect(sell?.submittedAt).to.be.at.least(exit?.canceledAt ?? Number.POSITIVE_INFINITY);
    expect(positionOf(days.H1, AAA)).to.equal(0);
  });

  it('H6 a cancel that is answered 422 is looked up and repeated, and the other symbols trade on', () => {
    expect(outcomes(days.H6, AAA)).to.deep.equal(['buy limit canceled']);
    expect(outcomes(days.H6, BBB)).to.deep.equal(['buy limit filled', 'sell limit filled']);
    expect(positionOf(days.H6, BBB)).to.equal(0);
  });

  it('H7 a submit without an answer that was accepted is looked up, never sent again', () => {
    expect(outcomes(days.H7)).to.deep.equal([
      'buy limit filled',
      'sell limit canceled',
      'sell market filled',
    ]);
    expect(sharesOf(days.H7, AAA, 'buy')).to.equal(19);
    expect(positionOf(days.H7, AAA)).to.equal(0);
    expect(lowestPosition(days.H7, AAA)).to.equal(0);
  });

  it('H14 positions that lag behind a fill hold up neither the exit nor the next entry', () => {
    const [entry, exit, next] = ordersOf(days.H14);
    expect(outcomes(days.H14).slice(0, 2)).to.deep.equal(['buy limit filled', 'sell limit filled']);
    // Before the positions show the fill.
    expect((exit?.submittedAt ?? 0) - (entry?.filledAt ?? 0)).to.be.below(seconds(10));
    expect(next?.side).to.equal('buy');
    expect(days.H14.log.filter(({ event }) => event === 'reconcile.discrepancy')).to.deep.equal([]);
  });
});

function answered(
  method: string,
  path: string,
  action: Extract<ScriptedFault, { kind: 'rest' }>['action'],
): ScriptedFault {
  return {
    kind: 'rest',
    match: { method, path, side: null, symbol: null },
    from: null,
    times: 1,
    action,
  };
}

const outcomes = (day: LoopbackDay, symbol?: Ticker): readonly string[] =>
  ordersOf(day, symbol).map(({ side, type, status }) => `${side} ${type} ${status}`);

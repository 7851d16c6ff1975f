import { expect } from 'chai';
import fc from 'fast-check';
import { type Lane, openLane } from '../../lib/domain/lane.ts';
import type { Bar, Mark } from '../../lib/domain/market.ts';
import { after as later, type Micros, minutes } from '../../lib/domain/time.ts';
import { createLaneRunner, type LaneRunner } from '../../lib/engine/lane-runner.ts';
import type { LaneInputMessage, LaneStart, LaneStep } from '../../lib/ports/lane-protocol.ts';
import type { Strategy } from '../../lib/strategy/contract.ts';
import { neverEnter } from '../../lib/strategy/never-enter.ts';
import { smaCross } from '../../lib/strategy/sma-cross.ts';
import { ModelBroker } from './model-broker.ts';
import { at, barAt, only, PARAMS, planOf, SPY, submits, usd } from './story.ts';

const SETTING = { name: 'sma-cross', period: 3 };
const MARK: Mark = { price: usd(100), at: at('09:35') };

function start(says: Partial<LaneStart> = {}): LaneStart {
  return { symbol: SPY, params: PARAMS, strategy: SETTING, lane: openLane(PARAMS), bars: [], ...says };
}

/** A runner in an open session, with a mark that is always fresh. */
function opened(
  says: Partial<LaneStart> = {},
  strategy: Strategy = smaCross,
): {
  readonly runner: LaneRunner;
  readonly marks: { mark: Mark | null };
} {
  const marks = { mark: MARK as Mark | null };
  const runner = createLaneRunner(start(says), strategy, { read: () => marks.mark });
  runner.feed({ kind: 'sessionOpened', at: at('09:30'), plan: planOf() });
  runner.feed({ kind: 'gateChanged', at: at('09:30'), gate: { kind: 'open' } });
  return { runner, marks };
}

const minute = (index: number): Micros => later(at('09:30'), minutes(index));
const bar = (index: number, close: number): Bar => barAt(minute(index), usd(close));
const bars = (list: readonly Bar[], origin: 'live' | 'backfilled' = 'live'): LaneInputMessage => ({
  kind: 'bars',
  at: later(list.at(-1)?.startAt ?? minute(0), minutes(1)),
  bars: list,
  origin,
});
/** Crosses its average of three on the fourth bar. */
const CROSSING = [bar(0, 100), bar(1, 100), bar(2, 99), bar(3, 101)];

const commandsOf = (steps: readonly LaneStep[]) => steps.flatMap(({ commands }) => commands);

describe('the lane runner', () => {
  it('turns bars into one event each and lets the last one enter', () => {
    const { runner } = opened();
    for (const one of CROSSING.slice(0, 3)) expect(commandsOf(runner.feed(bars([one])))).to.deep.equal([]);
    const step = only(runner.feed(bars(CROSSING.slice(3))));
    expect(step.event).to.include({ kind: 'barClosed', signal: 'enter', origin: 'live', mark: MARK });
    expect(only(submits(step.commands))).to.include({ side: 'buy', qty: 20, mark: MARK });
    expect(runner.barsSeen()).to.equal(4);
    expect(runner.facts()).to.deep.equal({ close: 101, sma: 100 });
    expect(runner.wakeAt()).to.equal(minute(6));
  });

  it('reads the mark when it decides', () => {
    const { runner, marks } = opened();
    marks.mark = null;
    const commands = commandsOf(runner.feed(bars(CROSSING)));
    expect(only(commands)).to.include({ kind: 'entryRefused', code: 'noMark' });
  });

  it('shows the strategy each session bar once, in order', () => {
    const seen: Bar[] = [];
    const spy: Strategy = {
      ...neverEnter,
      onBar: (_, one) => {
        seen.push(one);
        return { state: 0, signal: 'none', facts: {} };
      },
    };
    const { runner } = opened({}, spy);
    runner.feed(bars([bar(-5, 99), bar(0, 100), bar(1, 101), bar(1, 102)]));
    runner.feed(bars([bar(0, 103), bar(2, 104)], 'backfilled'));
    runner.feed(bars([{ ...bar(3, 105), symbol: 'IBM' as typeof SPY }, bar(390, 106)]));
    expect(seen.map(({ close }) => close / 10_000)).to.deep.equal([100, 101, 104]);
    expect(runner.barsSeen()).to.equal(3);
  });

  it('never enters on a bar that was fetched', () => {
    const { runner } = opened();
    const commands = commandsOf(runner.feed(bars(CROSSING, 'backfilled')));
    expect(only(commands)).to.include({ kind: 'entryRefused', code: 'backfilled' });
  });

  it('is warmed up by the bars it starts with, whether the session is known yet or not', () => {
    const warm = CROSSING.slice(0, 3);
    const { runner } = opened({ bars: warm });
    expect(runner.barsSeen()).to.equal(3);
    expect(submits(commandsOf(runner.feed(bars(CROSSING.slice(3)))))).to.have.length(1);

    const lane = opened().runner.lane();
    const taken = createLaneRunner(start({ lane, bars: warm }), smaCross, { read: () => MARK });
    expect(taken.barsSeen()).to.equal(3);
    expect(submits(commandsOf(taken.feed(bars(CROSSING.slice(3)))))).to.have.length(1);
  });

  it('begins afresh with the next session, and goes on when the same one is opened again', () => {
    const { runner } = opened({ bars: CROSSING.slice(0, 3) });
    runner.feed({ kind: 'sessionOpened', at: at('09:34'), plan: planOf('2024-01-03', '13:00') });
    expect(runner.barsSeen()).to.equal(3);
    runner.feed({ kind: 'sessionOpened', at: at('08:00', '2024-01-04'), plan: planOf('2024-01-04') });
    expect(runner.barsSeen()).to.equal(0);
  });

  it('brings a lane home without a strategy of its own', () => {
    const { runner } = opened();
    const entry = only(submits(commandsOf(runner.feed(bars(CROSSING)))));
    const lane = JSON.parse(JSON.stringify(runner.lane())) as Lane;
    const custodian = createLaneRunner(start({ lane }), neverEnter, { read: () => MARK });
    const broker = new ModelBroker();
    broker.take(entry, minute(4));
    broker.fill(entry.clientOrderId, 20, usd(100), minute(4));
    const steps = broker.wire.flatMap((report) =>
      custodian.feed({ kind: 'reported', at: minute(4), report }),
    );
    expect(only(submits(commandsOf(steps)))).to.include({ side: 'sell', qty: 20 });
    expect(commandsOf(custodian.feed(bars([bar(4, 200)])))).to.deep.equal([]);
  });

  it('gives equal steps for equal inputs, also when the lane is carried over as JSON in between', () => {
    const day = fc.array(
      fc.record({ close: fc.integer({ min: 99, max: 101 }), fill: fc.nat(25), poll: fc.boolean() }),
      { minLength: 10, maxLength: 60 },
    );
    let orders = 0;
    fc.assert(
      fc.property(day, fc.nat(59), (list, cut) => {
        const played = play(list, null);
        expect(play(list, null)).to.deep.equal(played);
        expect(play(list, cut % list.length)).to.deep.equal(played);
        orders += submits(commandsOf(played)).length;
      }),
      { numRuns: 60 },
    );
    expect(orders).to.be.greaterThan(100);
  });
});

/** A day in front of the model broker; at minute `cut` another runner takes the lane over. */
function play(
  list: readonly { readonly close: number; readonly fill: number; readonly poll: boolean }[],
  cut: number | null,
): readonly LaneStep[] {
  const broker = new ModelBroker();
  const steps: LaneStep[] = [];
  let mark: Mark = MARK;
  const marks = { read: () => mark };
  const told: Bar[] = [];
  let runner = createLaneRunner(start(), smaCross, marks);
  const feed = (input: LaneInputMessage): void => {
    for (const step of runner.feed(input)) {
      steps.push(step);
      for (const command of step.commands) {
        if (command.kind === 'submit') broker.take(command.intent, input.at);
        if (command.kind === 'cancel') broker.end(command.clientOrderId, 'canceled', input.at);
      }
    }
  };
  feed({ kind: 'sessionOpened', at: at('09:30'), plan: planOf() });
  feed({ kind: 'gateChanged', at: at('09:30'), gate: { kind: 'open' } });
  list.forEach(({ close, fill, poll }, index) => {
    if (index === cut) {
      const lane = JSON.parse(JSON.stringify(runner.lane())) as Lane;
      runner = createLaneRunner(start({ lane, bars: told }), smaCross, marks);
    }
    const now = minute(index + 1);
    mark = { price: usd(close), at: now };
    for (let wake = runner.wakeAt(); wake !== null && wake <= now; wake = runner.wakeAt())
      feed({ kind: 'woke', at: wake });
    const next = bar(index, close);
    told.push(next);
    feed(bars([next]));
    for (const { intent } of broker.live()) broker.fill(intent.clientOrderId, 1 + fill, usd(close), now);
    // Reports of a minute arrive newest first; every other minute only a query tells.
    for (const report of broker.wire.splice(0).reverse())
      if (!poll) feed({ kind: 'reported', at: now, report });
    if (poll)
      for (const id of broker.books.keys()) {
        const report = broker.query(id, now);
        if (report !== null) feed({ kind: 'reported', at: now, report });
      }
  });
  return steps;
}

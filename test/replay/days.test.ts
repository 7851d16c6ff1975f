import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { after as later, type Micros, minutes, type SessionDay, seconds } from '../../lib/domain/time.ts';
import { NO_FAULTS } from '../../lib/sim/fault-types.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { DAY, type DayOptions, type SimulatedDay, sessionOf, startDay } from '../engine/simulated-day.ts';
import { faultsOf, replayed } from './recorded-day.ts';

const SHORT = sessionOf('09:30', '10:30');
const SYMBOLS = ['SPY', 'BAC', 'F'] as Ticker[];

const simulated = (over: Partial<DayOptions> = {}): Promise<SimulatedDay> =>
  startDay({ seed: 3, session: SHORT, symbols: SYMBOLS, printsPerDay: 4_000, ...over });
const at = (minute: number): Micros => later(SHORT.openAt, minutes(minute));

/** Everything that is recorded of a day is decided again, and all of it is the same. */
async function expectSame(day: SimulatedDay, of: SessionDay = DAY): Promise<void> {
  const result = replayed(await day.journal.read(of));
  expect(faultsOf(result)).to.deep.equal([]);
  expect(result.strategyAssumed).to.equal(false);
  expect(result.lanes.map(({ symbol }) => symbol)).to.have.members(SYMBOLS);
  for (const { symbol, steps, equal } of result.lanes) {
    expect(steps, symbol).to.be.greaterThan(50);
    expect(equal, symbol).to.equal(steps);
  }
}

const begins = async (day: SimulatedDay, symbol: Ticker): Promise<number> =>
  replayed(await day.journal.read(DAY)).lanes.find((lane) => lane.symbol === symbol)?.begins ?? 0;

describe('replay: every simulated day decides the same again', function () {
  this.timeout(60_000);

  for (const seed of [1, 2])
    it(`under faults of both streams and of requests, seed ${seed}`, async () => {
      const rates = {
        updateDrop: 0.2,
        updateDuplicate: 0.2,
        updateDelay: 0.2,
        dataDrop: 0.05,
        dataDelay: 0.1,
        restAcceptedReset: 0.08,
        restServerError: 0.08,
        restRateLimited: 0.03,
      };
      const day = await simulated({ seed, faults: { ...NO_FAULTS, rates } });
      await day.finish();
      await expectSame(day);
    });

  for (const seed of [3, 4])
    it(`with the daemon killed and lanes lost at any moment, seed ${seed}`, async () => {
      const random = createRandom(`replay/${seed}`);
      const day = await simulated({ seed, exchange: { latencyOut: 1_000_000 } });
      for (let now = at(5); now < at(52); now = later(now, seconds(random.integer(60, 400)))) {
        await day.runTo(now);
        const symbol = SYMBOLS[random.integer(0, SYMBOLS.length - 1)] as Ticker;
        const what = random.integer(0, 2);
        if (what === 0) await day.restart();
        else if (what === 1) day.lanes().lose(symbol, { code: 'threw', text: 'a test' });
        else day.lanes().hang(symbol);
      }
      await day.finish();
      await expectSame(day);
      expect(await begins(day, 'SPY' as Ticker)).to.be.greaterThan(3);
    });

  it('with bars that came while a lane was handed back, and its average warmed up on them', async () => {
    const day = await simulated();
    await day.runTo(at(30));
    day.lanes().lose('F' as Ticker, { code: 'threw', text: 'a test' });
    await day.runTo(at(45));
    const records = await day.journal.read(DAY);
    const back = records.findLast(
      ({ kind, symbol, body }) =>
        kind === 'session' && symbol === 'F' && (body as { owner?: string }).owner === 'thread',
    );
    const { bars } = (back?.body ?? { bars: [] }) as { bars: readonly unknown[] };
    expect(bars.length).to.be.within(28, 31);
    await day.finish();
    await expectSame(day);
  });

  it('with a lane that was paused and resumed, and a restart', async () => {
    const day = await simulated();
    await day.runTo(at(25));
    const order = { symbol: 'BAC' as Ticker, by: 'somebody', why: 'a test' };
    expect(day.engine().pause(order)).to.include({ kind: 'done' });
    await day.runTo(at(40));
    expect(day.engine().resume({ ...order, clearLatches: false })).to.include({ kind: 'done' });
    await day.runTo(at(45));
    await day.restart();
    await day.finish();
    await expectSame(day);
  });

  it('with halts, an operator who flattens, and a start in mid-session', async () => {
    const script = [
      { kind: 'act' as const, at: at(31), action: { kind: 'halt' as const, symbol: 'F' as Ticker } },
      { kind: 'act' as const, at: at(36), action: { kind: 'resume' as const, symbol: 'F' as Ticker } },
    ];
    const day = await simulated({ startAt: at(22), faults: { ...NO_FAULTS, script } as never });
    await day.runTo(at(44));
    day.engine().flatten({ symbol: null, by: 'somebody', why: 'a test' });
    await day.runTo(at(46));
    day.engine().resume({ symbol: null, by: 'somebody', why: 'a test', clearLatches: false });
    await day.finish();
    await expectSame(day);
  });

  it('on the second session of one run, and when the daemon came long before the first', async () => {
    const next = sessionOf('09:30', '10:15', '2026-10-06' as SessionDay);
    const day = await simulated({ more: [next], startAt: later(SHORT.openAt, minutes(-90)) });
    await day.finish();
    await day.runTo(later(next.closeAt, minutes(3)));
    await expectSame(day);
    const second = replayed(await day.journal.read(next.day));
    expect(faultsOf(second)).to.deep.equal([]);
    expect(second.lanes.map(({ steps }) => steps > 40)).to.deep.equal([true, true, true]);
  });

  it('up to where a journal is cut, at every record of a busy minute', async () => {
    const day = await simulated();
    await day.runTo(at(40));
    const records = await day.journal.read(DAY);
    const from = records.findIndex(({ kind }) => kind === 'request');
    for (let cut = from; cut < from + 40; cut += 1)
      expect(faultsOf(replayed(records.slice(0, cut))), `cut at ${cut}`).to.deep.equal([]);
  });

  it('but for what was decided while the journal took nothing, which is told', async () => {
    const day = await simulated();
    await day.runTo(at(30));
    day.journal.fail(true);
    await day.runTo(at(34));
    day.journal.fail(false);
    await day.finish();
    const result = replayed(await day.journal.read(DAY));
    for (const { symbol, difference, gaps, steps, equal } of result.lanes) {
      expect(difference, symbol).to.equal(null);
      expect(gaps.length, symbol).to.be.greaterThan(0);
      expect(gaps[0], symbol).to.contain('could not be written: disk full');
      expect(steps, 'before and after').to.be.greaterThan(50);
      expect(equal, symbol).to.equal(steps);
    }
  });
});

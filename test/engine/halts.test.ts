import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { price } from '../../lib/domain/money.ts';
import {
  before as earlier,
  after as later,
  type Micros,
  micros,
  minutes,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';
import {
  enterAtBars,
  HALF_HOUR,
  laneOf,
  loggedOf,
  ordersOf,
  startHolding,
  until,
  withItems,
} from './holding.ts';
import { judge, type SimulatedDay, sessionOf } from './simulated-day.ts';

const SPY = 'SPY' as Ticker;
const BAC = 'BAC' as Ticker;
const { openAt, closeAt } = HALF_HOUR;
const FLATTEN_AT = earlier(closeAt, minutes(5));

const halt = (day: SimulatedDay, symbol = SPY): void =>
  day.exchange.act({ kind: 'halt', symbol, code: 'H', reason: 'LUDP' });
const resume = (day: SimulatedDay, symbol = SPY): void => day.exchange.act({ kind: 'resume', symbol });

const submittedWithin = (day: SimulatedDay, from: Micros, to: Micros, symbol = SPY) =>
  ordersOf(day, symbol).filter(({ submittedAt }) => submittedAt > from && submittedAt < to);

const untilHeld = (day: SimulatedDay): Promise<void> =>
  until(day, later(openAt, minutes(10)), () => laneOf(day, SPY).stage === 'exiting', 'SPY holds shares');

describe('halts', function () {
  this.timeout(60_000);

  it('just before the flatten: only the cancel goes into the halt, and the sell right after the resume', async () => {
    const day = await startHolding();
    await untilHeld(day);
    const haltedAt = earlier(FLATTEN_AT, minutes(1));
    await day.runTo(haltedAt);
    halt(day);
    const resumedAt = later(FLATTEN_AT, minutes(2));
    await day.runTo(resumedAt);
    expect(submittedWithin(day, haltedAt, resumedAt), 'nothing is sent into the halt').to.deep.equal([]);
    expect(ordersOf(day, SPY).at(-1)?.status, 'but the cancel').to.equal('canceled');
    expect(laneOf(day, SPY)).to.include({ halted: true, stage: 'exposed' });
    expect(laneOf(day, BAC).shares, 'the others got out').to.equal(0);
    resume(day);
    await day.runTo(later(resumedAt, seconds(20)));
    expect(laneOf(day, SPY).shares).to.equal(0);
    expect((await day.finish()).flat).to.equal(true);
    expect(judge(day)).to.deep.equal([]);
  });

  it('through the close: reported with the halt, the others flat, and sold at the next open after the resume', async () => {
    const next = sessionOf('09:30', '10:00', '2026-10-06' as SessionDay);
    const day = await startHolding({ more: [next] });
    await untilHeld(day);
    await day.runTo(earlier(FLATTEN_AT, minutes(1)));
    const haltedAt = day.clock.now();
    halt(day);
    const report = await day.finish();
    expect(report.flat).to.equal(false);
    expect(report.symbols.filter(({ flat }) => !flat).map(({ symbol }) => symbol)).to.deep.equal([SPY]);
    expect(report.open.join('\n')).to.match(/^SPY: .*halted since 2026-10-05T/m);
    expect(loggedOf(day, 'lane.alarm').map(({ fields }) => fields.code)).to.include('notFlatAtClose');
    expect(loggedOf(day, 'flatten.unfinished').map(({ fields }) => fields.symbols)).to.deep.equal([[SPY]]);
    expect(submittedWithin(day, haltedAt, next.openAt)).to.deep.equal([]);
    const resumedAt = later(next.openAt, minutes(4));
    await day.runTo(resumedAt);
    expect(submittedWithin(day, haltedAt, resumedAt), 'still halted').to.deep.equal([]);
    resume(day);
    await day.runTo(later(resumedAt, seconds(20)));
    expect(laneOf(day, SPY).shares, 'shares of an earlier session go at the market').to.equal(0);
    await day.runTo(later(next.closeAt, minutes(3)));
    expect(day.reports.at(-1)?.flat).to.equal(true);
  });

  it('through the close with the kill switch on: the next open says that it is being flattened, and when it is', async () => {
    const next = sessionOf('09:30', '10:00', '2026-10-06' as SessionDay);
    const day = await startHolding({ more: [next] });
    await untilHeld(day);
    await day.runTo(earlier(FLATTEN_AT, minutes(1)));
    halt(day);
    day.engine().kill({ by: 'ann', why: 'news' });
    await day.finish();
    expect(laneOf(day, SPY).shares).to.be.above(0);
    resume(day);
    await day.runTo(earlier(next.openAt, seconds(1)));
    expect(loggedOf(day, 'flatten.begun'), 'nobody gets out at night').to.have.length(1);
    await day.runTo(later(next.openAt, minutes(2)));
    const [, again, ...more] = loggedOf(day, 'flatten.begun');
    expect(again?.fields).to.include({ reason: 'kill', lanes: 1 });
    expect(again?.at).to.equal(next.openAt);
    expect(more).to.deep.equal([]);
    expect(laneOf(day, SPY).shares).to.equal(0);
    expect(loggedOf(day, 'flatten.done')).to.have.length(1);
    await day.restart();
    expect(day.engine().status().latch, 'the new day knows it').to.contain('ann').and.contain('news');
    await day.runTo(later(next.openAt, minutes(10)));
    const bought = ordersOf(day, SPY).filter(
      ({ side, submittedAt }) => side === 'buy' && submittedAt > next.openAt,
    );
    expect(bought, 'the signal of the third bar finds the latch on').to.deep.equal([]);
  });

  for (const [left, sold] of [
    [5, true],
    [0.5, false],
  ] as const)
    it(`resumed ${left} s before the close: ${sold ? 'sold' : 'not sold any more, and reported'}`, async () => {
      const day = await startHolding();
      await untilHeld(day);
      await day.runTo(earlier(FLATTEN_AT, minutes(1)));
      halt(day);
      await day.runTo(earlier(closeAt, seconds(left)));
      resume(day);
      const report = await day.finish();
      expect(report.flat).to.equal(sold);
      const late = ordersOf(day, SPY).filter(({ submittedAt }) => submittedAt > earlier(closeAt, seconds(1)));
      expect(late, 'no sell may reach the broker after the close').to.deep.equal([]);
      if (!sold) expect(report.open.join()).to.include('SPY');
    });

  it('while an entry is in flight: its patience stands still, and nothing else is sent', async () => {
    // Nothing fills: the entry rests until its patience ends.
    const day = await startHolding({
      exchange: {
        latencyOut: 2_000_000,
        fillRules: [{ match: { side: 'buy', symbol: SPY }, model: { kind: 'never' }, times: null }],
      },
    });
    await until(day, later(openAt, minutes(10)), () => laneOf(day, SPY).stage === 'entering', 'an entry');
    const [entry] = ordersOf(day, SPY);
    const haltedAt = day.clock.now();
    halt(day);
    const resumedAt = later(haltedAt, minutes(5));
    await day.runTo(resumedAt);
    expect(laneOf(day, SPY).stage).to.equal('entering');
    expect(submittedWithin(day, haltedAt, resumedAt)).to.deep.equal([]);
    resume(day);
    await day.runTo(later(resumedAt, seconds(100)));
    expect(ordersOf(day, SPY)[0]?.status, 'two minutes of trading have not passed').to.equal('new');
    await day.runTo(later(resumedAt, seconds(130)));
    expect(ordersOf(day, SPY)[0]).to.include({ id: entry?.id, status: 'canceled' });
    expect((await day.finish()).flat).to.equal(true);
    expect(judge(day)).to.deep.equal([]);
  });

  it('an entry that waits in the queue does not leave into the halt', async () => {
    const day = await startHolding();
    const barAt = later(openAt, minutes(3));
    await day.runTo(barAt);
    // The budget is used up for three seconds: the entry of this bar waits.
    day.engine().observeRate({ limit: null, remaining: 0, resetAt: later(barAt, seconds(3)) });
    await day.runTo(later(barAt, seconds(1)));
    expect(laneOf(day, SPY).stage).to.equal('entering');
    halt(day);
    await day.runTo(later(barAt, seconds(20)));
    expect(ordersOf(day, SPY)).to.deep.equal([]);
    expect(ordersOf(day, BAC), 'the others leave').to.not.deep.equal([]);
    expect(
      loggedOf(day, 'lane.entry.refused')
        .filter(({ fields }) => fields.symbol === SPY)
        .map(({ fields }) => fields.code),
    ).to.deep.equal(['halted']);
    resume(day);
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('an exit that waits in the queue does not leave into the halt, and leaves after it', async () => {
    const day = await startHolding({
      exchange: {
        fillRules: [
          {
            match: { side: 'buy', symbol: SPY },
            model: { kind: 'partial', pieces: 1, only: null, delay: 5_000_000 },
            times: null,
          },
        ],
      },
    });
    await until(day, later(openAt, minutes(10)), () => laneOf(day, SPY).stage === 'entering', 'an entry');
    day.engine().observeRate({ limit: null, remaining: 0, resetAt: later(day.clock.now(), seconds(60)) });
    await until(day, later(day.clock.now(), seconds(50)), () => laneOf(day, SPY).shares > 0, 'a fill');
    expect(laneOf(day, SPY).stage, 'the exit is decided, and waits').to.equal('exiting');
    halt(day);
    const haltedAt = day.clock.now();
    const resumedAt = later(haltedAt, minutes(3));
    await day.runTo(resumedAt);
    expect(submittedWithin(day, haltedAt, resumedAt)).to.deep.equal([]);
    resume(day);
    await day.runTo(later(resumedAt, seconds(10)));
    const since = micros(resumedAt - 1);
    expect(submittedWithin(day, since, day.clock.now()).map(({ side }) => side)).to.deep.equal(['sell']);
    expect((await day.finish()).flat).to.equal(true);
    expect(judge(day)).to.deep.equal([]);
  });

  it('a process that starts inside the halt hears the resume', async () => {
    const day = await startHolding();
    await untilHeld(day);
    halt(day);
    await day.runTo(later(day.clock.now(), seconds(30)));
    await day.restart();
    expect(laneOf(day, SPY)).to.include({ halted: true });
    await day.runTo(later(day.clock.now(), seconds(30)));
    resume(day);
    await day.runTo(later(day.clock.now(), seconds(2)));
    expect(laneOf(day, SPY).halted).to.equal(false);
    expect((await day.finish()).flat).to.equal(true);
    expect(judge(day)).to.deep.equal([]);
  });

  it('a resume that was lost with the feed is proven by the first print after it came back', async () => {
    const day = await startHolding();
    await untilHeld(day);
    await day.runTo(earlier(closeAt, minutes(4)));
    halt(day);
    await day.runTo(earlier(closeAt, minutes(3)));
    day.feeds.cut('data', seconds(130));
    await day.runTo(earlier(closeAt, seconds(90)));
    resume(day);
    // A whole bar of trading would come at the close: too late to sell.
    expect((await day.finish()).flat).to.equal(true);
    expect(judge(day)).to.deep.equal([]);
  });

  it('a halted symbol and a dead feed are told apart', async () => {
    const day = await startHolding({ strategy: enterAtBars(5, 8), params: { holdMax: minutes(2) } });
    await day.runTo(later(openAt, minutes(2)));
    halt(day);
    await day.runTo(later(openAt, seconds(5 * 60 + 2)));
    expect(laneOf(day, SPY)).to.deep.include({ halted: true, gate: { kind: 'open' } });
    expect(laneOf(day, BAC)).to.deep.include({ halted: false, gate: { kind: 'open' } });
    expect(ordersOf(day, BAC), 'the others trade on').to.have.length.above(0);
    resume(day);
    await day.runTo(later(openAt, minutes(6)));
    day.feeds.cut('data', minutes(3));
    await day.runTo(later(openAt, minutes(7)));
    for (const symbol of [SPY, BAC])
      expect(laneOf(day, symbol)).to.deep.include({
        halted: false,
        gate: { kind: 'shut', code: 'dataFeedDown' },
      });
    expect((await day.finish()).flat).to.equal(true);
    expect(judge(day)).to.deep.equal([]);
  });

  it('in the LULD limit state nothing is bought; wider bands let entries through again', async () => {
    const band = (minute: number, up: number, down: number) => ({
      kind: 'luld' as const,
      at: later(openAt, minutes(minute)),
      band: { symbol: SPY, at: later(openAt, minutes(minute)), up: price(up), down: price(down) },
    });
    const day = await startHolding({
      strategy: enterAtBars(4, 7),
      params: { holdMax: minutes(10) },
      // A band far below the market: every trade is at its upper edge or beyond.
      tape: (tape) => withItems(tape, [band(2, 10_000, 5_000), band(5, 100_000_000, 10_000)]),
    });
    await day.runTo(later(openAt, seconds(4 * 60 + 10)));
    expect(ordersOf(day, SPY)).to.deep.equal([]);
    expect(
      loggedOf(day, 'lane.entry.refused').map(({ fields }) => [fields.symbol, fields.code]),
    ).to.deep.include([SPY, 'luld']);
    expect(ordersOf(day, BAC), 'a symbol without bands trades').to.have.length.above(0);
    await day.runTo(later(openAt, seconds(7 * 60 + 10)));
    expect(ordersOf(day, SPY)).to.have.length.above(0);
    expect((await day.finish()).flat).to.equal(true);
    expect(judge(day)).to.deep.equal([]);
  });
});

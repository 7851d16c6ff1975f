import { expect } from 'chai';
import { type Cash, price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import { after as later, minutes, seconds } from '../../lib/domain/time.ts';
import { laneOf, loggedOf, until } from '../engine/holding.ts';
import { judge } from '../simulation/judge.ts';
import { peacefulDay } from '../simulation/peaceful-day.ts';
import { runScenario } from '../simulation/run-scenario.ts';
import { AAPL, at, buys, endsFlat, KEEN, SPY, sharesAt, startOne, untilHeld } from './support.ts';

describe('failures: threads, process, disk, clock', function () {
  this.timeout(60_000);

  for (const [how, code] of [
    ['throws', 'threw'],
    ['runs out of heap', 'outOfMemory'],
    ['hangs', null],
  ] as const)
    it(`worker ${how}: the custodian exits the shares, a new worker takes over`, async () => {
      const day = await startOne([], { symbols: [SPY, AAPL] });
      await untilHeld(day);
      if (code === null) day.lanes().hang(SPY);
      else day.lanes().lose(SPY, { code, text: how });
      await day.runTo(later(day.clock.now(), code === null ? seconds(7) : seconds(0)));
      expect(laneOf(day, SPY).owner).to.equal('custodian');
      expect(laneOf(day, AAPL).owner, 'the others do not notice').to.equal('thread');
      await day.runTo(at(6));
      expect(laneOf(day, SPY)).to.include({ shares: 0, owner: 'thread' });
      await endsFlat(day);
    });

  it('worker lost three times in ten minutes: the lane stays exit-only', async () => {
    const day = await startOne([]);
    for (let lost = 0; lost < 3; lost += 1) {
      await day.runTo(later(day.clock.now(), minutes(1)));
      day.lanes().lose(SPY, { code: 'threw', text: 'again' });
    }
    await day.runTo(at(20));
    expect(laneOf(day, SPY)).to.include({ owner: 'custodian', mode: 'exitOnly' });
    expect(buys(day)).to.deep.equal([]);
  });

  for (const journal of ['kept', 'lost'] as const)
    it(`process killed, the journal ${journal}: the next one agrees with the broker, sells once`, async () => {
      const day = await startOne([]);
      await untilHeld(day);
      const held = sharesAt(day);
      if (journal === 'lost') day.journal.forget();
      await day.restart();
      expect(laneOf(day, SPY)).to.include({ shares: held, mode: 'active' });
      await endsFlat(day);
      expect(buys(day)).to.have.length(1);
    });

  it('process killed, and what is there does not agree: that symbol opens nothing, the others trade', async () => {
    const day = await startOne([], { symbols: [SPY, AAPL] });
    await day.runTo(at(1));
    day.exchange.act({ kind: 'setPosition', symbol: SPY, qty: 7, averagePrice: price(5_000_000) });
    await day.restart();
    await day.runTo(at(3, 30));
    expect(laneOf(day, SPY)).to.include({ mode: 'halted', shares: 0 });
    expect(laneOf(day, AAPL).shares).to.be.greaterThan(0);
    const report = await day.finish();
    expect(buys(day)).to.deep.equal([]);
    expect(report.discrepancies.map(({ symbol, code }) => [symbol, code])).to.deep.equal([[SPY, 'foreign']]);
    expect(sharesAt(day), 'never touched').to.equal(7);
  });

  it('disk full, journal write fails: entries stop, exits go on, loud', async () => {
    const day = await startOne([], { symbols: [SPY, AAPL], strategy: KEEN });
    await untilHeld(day);
    day.journal.fail(true);
    const failedAt = day.clock.now();
    await day.runTo(later(failedAt, minutes(3)));
    expect(laneOf(day, SPY).shares).to.equal(0);
    expect(loggedOf(day, 'journal.failed').map(({ level }) => level)).to.deep.equal(['error']);
    expect(buys(day).filter(({ submittedAt }) => submittedAt > failedAt)).to.deep.equal([]);
    const refusals = loggedOf(day, 'lane.entry.refused').filter((line) => line.at > failedAt);
    expect(refusals.map(({ fields }) => fields.code)).to.include('journalFailed');
    await endsFlat(day);
  });

  it('clock skew to the broker over 1 s: warned, and decisions use broker time', async () => {
    for (const skew of [-8, 8]) {
      const run = await runScenario({ ...peacefulDay(), skew: seconds(skew) });
      expect(judge(run)).to.deep.equal([]);
      expect(run.witness.situations.get('warn clock.drift'), 'once: then the clock follows').to.equal(1);
      expect(run.exchange.ledger().fills.length).to.be.greaterThan(1);
    }
  });

  it('daily loss reached: flattened, latched over a restart, with who and why', async () => {
    const limits = { ...DEFAULT_RISK_LIMITS, dailyLossMax: (UNITS_PER_USD / 100) as Cash };
    const day = await startOne([], {
      params: { holdMax: minutes(20) },
      settings: { risk: { limits, checkEvery: seconds(1) } },
    });
    await until(day, at(20), () => day.engine().status().latch !== null, 'the loss latches');
    await day.runTo(later(day.clock.now(), seconds(10)));
    expect(laneOf(day, SPY).shares).to.equal(0);
    const latch = day.engine().status().latch;
    expect(latch).to.contain('daily loss at');
    await day.restart();
    expect(day.engine().status().latch, 'since then').to.equal(latch);
    await endsFlat(day);
    expect(buys(day)).to.have.length(1);
  });

  it('kill switch: flattened, latched over a restart, with who and why, until an operator clears it', async () => {
    const day = await startOne([], { params: { holdMax: minutes(20) } });
    await untilHeld(day);
    day.engine().kill({ by: 'ann', why: 'news' });
    await day.runTo(later(day.clock.now(), seconds(10)));
    expect(laneOf(day, SPY).shares).to.equal(0);
    await day.restart();
    expect(day.engine().status().latch).to.contain('ann').and.to.contain('news');
    const plain = { symbol: null, by: 'ben', why: 'go on', clearLatches: false };
    expect(day.engine().resume(plain).kind).to.equal('refused');
    expect(day.engine().resume({ ...plain, clearLatches: true }).kind).to.equal('done');
    expect(day.engine().status().latch).to.equal(null);
    await endsFlat(day);
  });
});

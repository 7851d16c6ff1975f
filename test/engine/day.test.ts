import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Cash, UNITS_PER_USD } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import {
  before as earlier,
  after as later,
  type Micros,
  micros,
  minutes,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';
import { NO_FAULTS } from '../../lib/sim/fault-types.ts';
import type { FaultPlan } from '../../lib/sim/faults.ts';
import { judge, type SimulatedDay, SYMBOLS, sessionOf, startDay } from './simulated-day.ts';

/** Ninety minutes are long enough for everything that happens in a day. */
const SHORT = sessionOf('09:30', '11:00');
const SEEDS = [1, 2];

const at = (day: SimulatedDay, minute: number): Micros => later(day.session.openAt, minutes(minute));
const events = (day: SimulatedDay, event: string) => day.log.filter((line) => line.event === event);
const faulty = (rates: FaultPlan['rates']): FaultPlan => ({ ...NO_FAULTS, rates });

async function endsWell(day: SimulatedDay): Promise<void> {
  const report = await day.finish();
  expect(judge(day)).to.deep.equal([]);
  expect(report.flat, report.open.join('; ')).to.equal(true);
  expect(report.discrepancies).to.deep.equal([]);
  const { cash } = day.exchange.ledger();
  const earned = (cash - day.exchange.options.account.cash) / UNITS_PER_USD;
  // A cent: executions that only a query told of are charged as one.
  expect(report.pnlUsd, "our profit after fees and the broker's cash").to.be.closeTo(earned, 0.01);
}

type Begun = { readonly what?: unknown; readonly bars?: readonly unknown[] };
const begins = ({ kind, body }: SimulatedDay['journal']['records'][number]): boolean =>
  kind === 'session' && (body as Begun).what === 'lane';

/** Lanes that somebody began with since that many records, and how many bars each had then. */
const begunLanes = (day: SimulatedDay, since = 0) =>
  day.journal.records
    .slice(since)
    .filter(begins)
    .map(({ symbol, body }) => ({ symbol, bars: (body as Begun).bars?.length }));

const historySteps = (day: SimulatedDay) =>
  day.journal.records.filter(
    ({ kind, body }) =>
      kind === 'input' && (body as { event?: { origin?: unknown } }).event?.origin === 'backfilled',
  );

/** Runs until a lane is in this stage, and says which; every seed of these days has one. */
async function until(day: SimulatedDay, stage: string): Promise<Ticker> {
  for (let now = at(day, 22); now < at(day, 80); now = later(now, seconds(1))) {
    await day.runTo(now);
    const found = day
      .engine()
      .status()
      .lanes.find((lane) => lane.stage === stage);
    if (found !== undefined) return found.symbol;
  }
  throw new Error(`a lane gets to ${stage} within the session`);
}

describe('a whole day of the engine', function () {
  this.timeout(120_000);

  it('trades a full session and ends flat, with the broker and the ledger agreeing', async () => {
    const day = await startDay({ seed: 1, printsPerDay: 800 });
    await endsWell(day);
    const report = day.reports[0];
    expect(report?.roundTrips).to.be.greaterThan(10);
    expect(report?.symbols.map(({ symbol }) => symbol)).to.deep.equal(SYMBOLS);
  });

  const plans: Record<string, FaultPlan> = {
    'fill frames are lost': faulty({ updateDrop: 0.3 }),
    'frames come twice and late': faulty({ updateDuplicate: 0.4, updateDelay: 0.2 }),
    'frames cannot be read': faulty({ updateGarbage: 0.2, updateUnknownEvent: 0.2 }),
    'answers of accepted requests are lost': faulty({
      restAcceptedNoAnswer: 0.08,
      restAcceptedReset: 0.08,
      restAcceptedServerError: 0.08,
    }),
    'requests fail': faulty({ restServerError: 0.1, restReset: 0.1, restRateLimited: 0.05, restDelay: 0.1 }),
  };
  for (const [name, faults] of Object.entries(plans))
    for (const seed of SEEDS)
      it(`ends flat when ${name}, seed ${seed}`, async () => {
        const day = await startDay({ seed, session: SHORT, faults });
        await endsWell(day);
        const hits = [...(day.faults?.hits.values() ?? [])].reduce((sum, count) => sum + count, 0);
        expect(hits, 'the faults struck').to.be.greaterThan(0);
      });

  it('keeps exits going while the trade feed is down, and enters again only after a full look', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    const symbol = await until(day, 'exiting');
    day.feeds.cut('trade', minutes(4));
    const cutAt = day.clock.now();
    await day.runTo(later(cutAt, minutes(3)));
    const lane = day
      .engine()
      .status()
      .lanes.find((each) => each.symbol === symbol);
    expect(lane?.shares, 'bailed out by polling alone').to.equal(0);
    expect(lane?.gate).to.deep.equal({ kind: 'shut', code: 'tradeFeedDown' });
    const entries = day.exchange
      .ledger()
      .orders.filter(({ side, submittedAt }) => side === 'buy' && submittedAt > cutAt);
    expect(entries).to.deep.equal([]);
    await day.runTo(later(cutAt, minutes(6)));
    expect(
      day
        .engine()
        .status()
        .lanes.map(({ gate }) => gate.kind),
    ).to.deep.equal(SYMBOLS.map(() => 'open'));
    await endsWell(day);
  });

  for (const stage of ['entering', 'exiting'])
    it(`a lane that dies while ${stage} is exited by the custodian, and given back when flat`, async () => {
      const day = await startDay({ seed: 3, session: SHORT });
      const symbol = await until(day, stage);
      day.lanes().lose(symbol, { code: 'outOfMemory', text: 'heap limit' });
      expect(owner(day, symbol)).to.equal('custodian');
      await day.runTo(later(day.clock.now(), minutes(6)));
      expect(owner(day, symbol)).to.equal('thread');
      expect(events(day, 'lane.lost')).to.have.length(1);
      await endsWell(day);
    });

  it('a lane that hangs is found by its pings', async () => {
    const day = await startDay({ seed: 3, session: SHORT });
    const symbol = await until(day, 'exiting');
    day.lanes().hang(symbol);
    await day.runTo(later(day.clock.now(), seconds(7)));
    expect(owner(day, symbol)).to.equal('custodian');
    await endsWell(day);
  });

  it('a lane lost three times in ten minutes stays exit-only', async () => {
    const day = await startDay({ seed: 3, session: SHORT });
    const symbol = SYMBOLS[0] as Ticker;
    for (let lost = 0; lost < 3; lost += 1) {
      await day.runTo(later(day.clock.now(), minutes(1)));
      day.lanes().lose(symbol, { code: 'threw', text: 'again' });
    }
    await day.runTo(later(day.clock.now(), minutes(12)));
    const lane = day
      .engine()
      .status()
      .lanes.find((each) => each.symbol === symbol);
    expect(lane).to.include({ owner: 'custodian', mode: 'exitOnly', losses: 3 });
    await endsWell(day);
  });

  for (const stage of ['entering', 'exiting', 'exposed', 'liquidating', 'clearing'])
    it(`goes on after a kill of the process while ${stage}`, async () => {
      const day = await startDay({ seed: 5, session: SHORT, exchange: { latencyOut: 2_000_000 } });
      if (stage === 'exposed') await until(day, 'entering');
      else await until(day, stage);
      await day.restart();
      await endsWell(day);
    });

  it('goes on after kills at many moments', async () => {
    const day = await startDay({
      seed: 6,
      session: SHORT,
      faults: faulty({ restAcceptedReset: 0.1, updateDrop: 0.1 }),
    });
    for (let minute = 23; minute < 82; minute += 7) {
      await day.runTo(later(at(day, minute), seconds(minute % 5)));
      await day.restart();
    }
    await endsWell(day);
  });

  it('half-day: everything is over before 13:00', async () => {
    const session = sessionOf('09:30', '13:00');
    const day = await startDay({ seed: 7, session, startAt: earlier(session.closeAt, minutes(60)) });
    await endsWell(day);
    const last = Math.max(...day.exchange.ledger().fills.map((fill) => fill.at));
    expect(last).to.be.lessThan(later(earlier(session.closeAt, minutes(5)), minutes(1)));
  });

  it('starts in mid-session: the history is fetched before a lane decides', async () => {
    const day = await startDay({ seed: 8, session: SHORT, startAt: later(SHORT.openAt, minutes(40)) });
    await day.runTo(at(day, 42));
    expect(day.engine().status().feed.backfilled).to.be.greaterThan(100);
    await endsWell(day);
    expect(day.reports[0]?.roundTrips).to.be.greaterThan(0);
  });

  it('lanes that start in mid-session begin with the bars so far: no bar of history is a step of its own', async () => {
    const day = await startDay({ seed: 8, session: SHORT, startAt: later(SHORT.openAt, minutes(40)) });
    const begun = begunLanes(day);
    expect(begun.map(({ symbol }) => symbol)).to.have.members(SYMBOLS);
    for (const { symbol, bars } of begun) expect(bars, String(symbol)).to.be.at.least(30);
    expect(historySteps(day)).to.deep.equal([]);
  });

  it('a lane with shares does not wait for history: it starts before any, and its bars come later', async () => {
    const day = await startDay({ seed: 9, session: SHORT });
    const symbol = await until(day, 'exiting');
    const records = day.journal.records.length;
    const asked = day.requests.length;
    await day.restart();
    const begun = begunLanes(day, records);
    expect(begun.find((lane) => lane.symbol === symbol)?.bars).to.equal(0);
    const began = day.journal.records.slice(records).find((record) => begins(record))?.at;
    const bars = day.requests.slice(asked).find(({ what }) => what === 'bars')?.at;
    expect(bars).to.be.at.least(Number(began));
    await endsWell(day);
  });

  it('history that does not come holds a start up for ten seconds', async () => {
    const startAt = later(SHORT.openAt, minutes(40));
    const day = await startDay({
      seed: 8,
      session: SHORT,
      startAt,
      symbols: ['SPY' as Ticker],
      mute: (what) => what === 'bars',
    });
    expect((await day.started()).kind).to.equal('ready');
    expect(begunLanes(day).map(({ bars }) => bars)).to.deep.equal([0]);
    const startedAt = events(day, 'lane.started')[0]?.at;
    expect(startedAt).to.be.within(later(startAt, seconds(10)), later(startAt, seconds(11)));
  });

  it('kill flattens everything, latches, and survives a restart', async () => {
    const day = await startDay({ seed: 9, session: SHORT });
    await until(day, 'exiting');
    day.engine().kill({ by: 'somebody', why: 'a test' });
    await day.runTo(later(day.clock.now(), seconds(10)));
    expect(
      day
        .engine()
        .status()
        .lanes.every(({ shares }) => shares === 0),
    ).to.equal(true);
    const killedAt = day.clock.now();
    await day.restart();
    expect(day.engine().status().latch).to.contain('somebody');
    expect(day.engine().resume({ symbol: null, by: 'x', why: 'y', clearLatches: false }).kind).to.equal(
      'refused',
    );
    await endsWell(day);
    expect(day.exchange.ledger().orders.filter(({ submittedAt }) => submittedAt > killedAt)).to.deep.equal(
      [],
    );
  });

  it('the loss of the day flattens everything and latches', async () => {
    const limits = { ...DEFAULT_RISK_LIMITS, dailyLossMax: (UNITS_PER_USD / 100) as Cash };
    const day = await startDay({
      seed: 1,
      session: SHORT,
      settings: { risk: { limits, checkEvery: seconds(1) } },
    });
    await endsWell(day);
    expect(events(day, 'risk.dailyLoss')).to.have.length(1);
    const latchedAt = events(day, 'risk.dailyLoss')[0]?.at ?? micros(0);
    const entries = day.exchange
      .ledger()
      .orders.filter(({ side, submittedAt }) => side === 'buy' && submittedAt > latchedAt);
    expect(entries).to.deep.equal([]);
  });

  it('a journal that takes nothing stops entries and lets exits go', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    const symbol = await until(day, 'exiting');
    day.journal.fail(true);
    const failedAt = day.clock.now();
    await day.runTo(later(failedAt, minutes(5)));
    expect(
      day
        .engine()
        .status()
        .lanes.find((each) => each.symbol === symbol)?.shares,
    ).to.equal(0);
    expect(events(day, 'journal.failed')).to.have.length(1);
    await endsWell(day);
    const entries = day.exchange
      .ledger()
      .orders.filter(({ side, submittedAt }) => side === 'buy' && submittedAt > failedAt);
    expect(entries).to.deep.equal([]);
  });

  it('stop with `flatten` gets out of everything; with `hold` exits rest', async () => {
    for (const policy of ['flatten', 'hold'] as const) {
      const day = await startDay({ seed: 4, session: SHORT });
      await until(day, 'exiting');
      const stopping = day.engine().stop(policy, later(day.clock.now(), seconds(30)));
      await day.runTo(later(day.clock.now(), seconds(40)));
      const end = await stopping;
      expect(end.inTime).to.equal(true);
      expect(end.flat).to.equal(policy === 'flatten');
      const open = day.exchange
        .ledger()
        .orders.filter(({ status }) => status === 'new' || status === 'partially_filled');
      expect(open.every(({ side }) => side === 'sell')).to.equal(true);
      expect(day.clock.pending(), 'no timer is left behind').to.equal(0);
    }
  });

  it('trades the next session without a restart, and is ready before it opens', async () => {
    const next = sessionOf('09:30', '10:30', '2026-10-06' as SessionDay);
    const day = await startDay({ seed: 12, session: SHORT, more: [next] });
    await day.finish();
    expect(day.engine().status().state).to.equal('waiting');
    await day.runTo(earlier(next.openAt, minutes(1)));
    expect(day.engine().status().session?.day).to.equal(next.day);
    await day.runTo(later(next.closeAt, minutes(3)));
    expect(judge({ ...day, session: next })).to.deep.equal([]);
    expect(day.reports.map((report) => [report.day, report.flat])).to.deep.equal([
      [SHORT.day, true],
      [next.day, true],
    ]);
    expect(day.reports[1]?.submitted).to.be.greaterThan(0);
  });

  it('the same seed gives the same journal, byte for byte', async () => {
    const run = async (): Promise<string> => {
      const faults = faulty({
        updateDrop: 0.1,
        updateDelay: 0.2,
        restAcceptedReset: 0.05,
        restRateLimited: 0.03,
      });
      const day = await startDay({ seed: 11, session: SHORT, faults });
      await day.finish();
      return JSON.stringify(day.journal.records);
    };
    expect(await run()).to.equal(await run());
  });
});

function owner(day: SimulatedDay, symbol: Ticker): string | undefined {
  return day
    .engine()
    .status()
    .lanes.find((lane) => lane.symbol === symbol)?.owner;
}

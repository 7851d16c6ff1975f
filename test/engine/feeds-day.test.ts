import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { price } from '../../lib/domain/money.ts';
import { before as earlier, after as later, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import {
  CONNECT_FAULTS,
  type ConnectFaultKind,
  type FaultKind,
  NO_FAULTS,
  type ScriptedFault,
} from '../../lib/sim/fault-types.ts';
import type { FaultPlan } from '../../lib/sim/faults.ts';
import { barsGiven, barsMissed, entriesOnOldBars } from './feeds-judge.ts';
import { enterAtBars } from './holding.ts';
import { type DayOptions, judge, type SimulatedDay, SYMBOLS, sessionOf, startDay } from './simulated-day.ts';

/** What becomes of a day when its sockets misbehave: the daemon's own connection machines on virtual time. */

const SHORT = sessionOf('09:30', '10:45');
const at = (day: SimulatedDay, minute: number): Micros => later(day.session.openAt, seconds(minute * 60));

/** Strikes one of the next connections of a stream. */
const connect = (
  target: 'data' | 'trading',
  kind: ConnectFaultKind,
  more: { readonly times?: number; readonly after?: number } = {},
): ScriptedFault => ({
  kind: 'connect',
  target,
  from: null,
  times: more.times ?? 1,
  action: { kind, after: more.after ?? 0 },
});

const scripted = (...script: readonly ScriptedFault[]): FaultPlan => ({ ...NO_FAULTS, script });
const open = (options: Omit<DayOptions, 'session'>): Promise<SimulatedDay> =>
  startDay({ session: SHORT, ...options });

type Told = { readonly at: Micros; readonly state: string; readonly text: string };

/** What the log tells of one feed. */
const told = (day: SimulatedDay, feed: 'data' | 'trade'): readonly Told[] =>
  day.log
    .filter(({ event, fields }) => event === 'feed.state' && fields.feed === feed)
    .map((line) => ({ at: line.at, state: String(line.fields.state), text: String(line.fields.text) }));

const states = (day: SimulatedDay, feed: 'data' | 'trade'): readonly string[] =>
  told(day, feed).map(({ state }) => state);

const attempts = (day: SimulatedDay, feed: 'data' | 'trade', from: Micros, to: Micros): number =>
  told(day, feed).filter((each) => each.state === 'connecting' && each.at >= from && each.at < to).length;

/** Announced pauses before the next attempt, in seconds. */
const pauses = (lines: readonly Told[]): readonly number[] =>
  lines.flatMap(({ text }) => [...(/next attempt in ([\d.]+) s/.exec(text)?.slice(1) ?? [])].map(Number));

const entries = (day: SimulatedDay, from: Micros, to: Micros) =>
  day.exchange
    .ledger()
    .orders.filter(({ side, submittedAt }) => side === 'buy' && submittedAt >= from && submittedAt < to);

const lanes = (day: SimulatedDay) => day.engine().status().lanes;

async function endsWell(day: SimulatedDay, since = 0): Promise<void> {
  const report = await day.finish();
  expect(judge(day)).to.deep.equal([]);
  expect(report.flat, report.open.join('; ')).to.equal(true);
  expect(report.discrepancies).to.deep.equal([]);
  expect(entriesOnOldBars(day.journal.records), 'entries on bars that were fetched').to.deep.equal([]);
  expect(barsMissed(day, SHORT, since), 'bars that no lane got').to.deep.equal([]);
}

/** Runs until a lane holds shares. */
async function untilHolding(day: SimulatedDay): Promise<Ticker> {
  for (let now = at(day, 22); now < at(day, 60); now = later(now, seconds(1))) {
    await day.runTo(now);
    const found = lanes(day).find(({ shares, stage }) => shares > 0 && stage === 'exiting');
    if (found !== undefined) return found.symbol;
  }
  throw new Error('a lane holds shares within the session');
}

describe('a day with bad sockets', function () {
  this.timeout(120_000);

  it('trade socket refused for minutes with shares held: exits by REST and polling, no entries', async () => {
    const day = await open({ seed: 2 });
    const symbol = await untilHolding(day);
    const cutAt = day.clock.now();
    day.feeds.cut('trade', minutes(6));
    await day.runTo(later(cutAt, seconds(20)));
    const sweeps = day.requests.filter((each) => each.at > cutAt && each.what === 'ordersSince');
    expect(sweeps.length, 'a listing of working orders each 2 s').to.be.at.least(8);
    await day.runTo(later(cutAt, minutes(3)));
    expect(lanes(day).find((lane) => lane.symbol === symbol)?.shares).to.equal(0);
    await day.runTo(later(cutAt, minutes(6)));
    expect(lanes(day)[0]?.gate).to.deep.equal({ kind: 'shut', code: 'tradeFeedDown' });
    expect(entries(day, later(cutAt, seconds(1)), later(cutAt, minutes(6)))).to.deep.equal([]);
    // 1, 2, 4, 8, 16, then every 30 s at the most.
    expect(attempts(day, 'trade', cutAt, later(cutAt, minutes(6)))).to.be.within(12, 30);
    await day.runTo(later(cutAt, minutes(7)));
    expect(lanes(day).map(({ gate }) => gate.kind)).to.deep.equal(SYMBOLS.map(() => 'open'));
    await endsWell(day);
  });

  it('data socket mute: found by its silence, entries stop, the bars are fetched', async () => {
    const muteAfter = 30 * 60_000_000;
    const day = await open({
      seed: 2,
      faults: scripted(connect('data', 'connectMute', { after: muteAfter })),
    });
    const mutedAt = later(SHORT.openAt, minutes(25));
    await day.runTo(later(mutedAt, minutes(3)));
    const [lost] = told(day, 'data').filter(({ state }) => state === 'waiting');
    expect(lost?.text).to.contain('mute: no data for');
    expect(lost?.at).to.be.within(later(mutedAt, seconds(85)), later(mutedAt, seconds(105)));
    expect(states(day, 'data').at(-1)).to.equal('live');
    expect(entries(day, later(mutedAt, seconds(16)), lost?.at ?? mutedAt)).to.deep.equal([]);
    expect(day.engine().status().feed.backfilled).to.be.at.least(SYMBOLS.length);
    await endsWell(day);
  });

  it('data socket away while a minute ends: its bars are fetched as soon as it is back', async () => {
    const day = await open({ seed: 2, printsPerDay: 8_000 });
    await day.runTo(later(at(day, 25), seconds(57)));
    day.feeds.cut('data', seconds(4));
    // A second or two for the back-off; what is late without a gap is asked for 10 s after the minute.
    await day.runTo(later(at(day, 26), seconds(9)));
    expect(states(day, 'data').at(-1)).to.equal('live');
    expect(barsGiven(day.journal.records, at(day, 25))).to.deep.equal([...SYMBOLS].sort());
    await endsWell(day);
  });

  it('quiet symbols are no dead feed: silence that the broker confirms costs no connection', async () => {
    const symbols = ['BAC', 'F'] as Ticker[];
    const day = await open({ seed: 2, symbols, printsPerDay: 150 });
    await endsWell(day);
    const heard = symbols
      .flatMap((symbol) => day.exchange.prints(symbol, SHORT.openAt, SHORT.closeAt).map((print) => print.at))
      .sort((a, b) => a - b);
    const silence = Math.max(...heard.slice(1).map((instant, index) => instant - (heard[index] ?? 0)));
    expect(silence, 'the longest silence').to.be.greaterThan(seconds(120));
    expect(states(day, 'data')).to.not.include('waiting');
  });

  it('data slot held by another session: one attempt each 90 s, live once it is free', async () => {
    const day = await open({ seed: 1, faults: scripted(connect('data', 'connectSlotTaken', { times: 8 })) });
    const from = earlier(SHORT.openAt, minutes(5));
    await day.runTo(later(from, minutes(10)));
    expect(attempts(day, 'data', from, later(from, minutes(10)))).to.equal(7);
    expect(states(day, 'data').at(-1)).to.equal('slotTaken');
    expect(lanes(day).map(({ gate }) => gate)).to.deep.equal(
      SYMBOLS.map(() => ({ kind: 'shut', code: 'dataFeedDown' })),
    );
    await day.runTo(later(from, minutes(13)));
    expect(states(day, 'data').at(-1)).to.equal('live');
    await endsWell(day);
  });

  it('a process that was killed leaves its slot taken for 90 s: the next one waits and exits meanwhile', async () => {
    const day = await open({ seed: 2, feeds: { staleSlot: seconds(90) } });
    await untilHolding(day);
    const killedAt = day.clock.now();
    const since = day.journal.records.length;
    await day.restart();
    await day.runTo(later(killedAt, minutes(2)));
    const after = told(day, 'data').filter((line) => line.at > killedAt);
    expect(after.map(({ state }) => state)).to.deep.equal([
      ...['connecting', 'authenticating', 'slotTaken'],
      ...['connecting', 'authenticating', 'subscribing', 'live'],
    ]);
    expect(entries(day, later(killedAt, seconds(2)), after.at(-1)?.at ?? killedAt)).to.deep.equal([]);
    await endsWell(day, since);
  });

  it('flapping socket: the pauses grow, and start over only after healthy seconds', async () => {
    const flaps = connect('data', 'connectClose', { times: 6, after: 5_000_000 });
    const day = await open({ seed: 3, faults: scripted(flaps) });
    await day.runTo(at(day, 2));
    const first = pauses(told(day, 'data'));
    expect(first).to.have.length(6);
    first.forEach((pause, losses) => {
      const longest = Math.min(2 ** losses, 30);
      expect(pause, `after ${losses} losses`).to.be.within(longest / 2 - 0.05, longest + 0.05);
    });
    expect(states(day, 'data').at(-1)).to.equal('live');
    await day.runTo(at(day, 3));
    day.feeds.cut('data', seconds(0));
    expect(pauses(told(day, 'data')).at(-1)).to.be.within(0.45, 1.05);
    await endsWell(day);
  });

  it('both sockets down over the flatten, with shares held: flat before the close all the same', async () => {
    const day = await open({
      seed: 2,
      strategy: enterAtBars(54),
      // So many that every minute has a bar.
      printsPerDay: 8_000,
      // Exits rest far above the market, and a halt that nobody tells holds up the bail-out until after the flatten.
      params: { exitMarkup: price(1_000_000), holdMax: minutes(15), lastTradeMaxAge: minutes(2) },
    });
    const flattenAt = earlier(SHORT.closeAt, minutes(5));
    await day.runTo(earlier(flattenAt, minutes(2)));
    const held = lanes(day).filter(({ shares }) => shares > 0);
    expect(held.length).to.be.greaterThan(0);
    day.feeds.cut('trade', minutes(20));
    day.feeds.cut('data', minutes(20));
    for (const { symbol } of held)
      day.exchange.act({ kind: 'halt', symbol, code: 'T1', reason: 'nobody hears of it' });
    await day.runTo(later(flattenAt, seconds(30)));
    expect(lanes(day).filter(({ shares }) => shares > 0).length).to.equal(held.length);
    for (const { symbol } of held) day.exchange.act({ kind: 'resume', symbol });
    await day.runTo(earlier(SHORT.closeAt, minutes(3)));
    expect(lanes(day).every(({ shares }) => shares === 0)).to.equal(true);
    const report = await day.finish();
    expect(judge(day)).to.deep.equal([]);
    expect(report.flat, report.open.join('; ')).to.equal(true);
  });

  it('keeps waiting for sockets that open and say nothing, and for refused ones, within its deadlines', async () => {
    const faults = scripted(
      connect('data', 'connectSilent', { times: 2 }),
      connect('trading', 'connectSilent', { times: 2 }),
      connect('trading', 'connectRefuse', { times: 2 }),
      connect('trading', 'connectSlotTaken', { times: 1 }),
      connect('data', 'connectSlowClient', { times: 1, after: 60_000_000 }),
    );
    const day = await open({ seed: 4, faults });
    await day.runTo(at(day, 1));
    expect(
      told(day, 'data').filter(({ text }) => text.includes('no answer to the authorization')),
    ).to.have.length(2);
    expect(
      told(day, 'trade').filter(({ text }) => text.includes('no answer to the authorization')),
    ).to.have.length(2);
    expect(told(day, 'trade').some(({ text }) => text.includes('429'))).to.equal(true);
    expect(told(day, 'data').some(({ text }) => text.includes('error 407'))).to.equal(true);
    expect(states(day, 'trade').at(-1)).to.equal('live');
    await endsWell(day);
  });

  it('symbols beyond the limit of the plan are told, and shut; the others trade', async () => {
    const day = await open({ seed: 1, feeds: { symbolLimit: 3 } });
    const [status] = told(day, 'data').filter(({ state }) => state === 'live');
    expect(status?.text).to.equal('3 of 5 confirmed; refused by the server: F, INTC');
    expect(lanes(day).map(({ symbol, gate }) => `${symbol} ${gate.kind}`)).to.deep.equal([
      ...['SPY open', 'AAPL open', 'BAC open'],
      ...['F shut', 'INTC shut'],
    ]);
    await endsWell(day);
    expect(new Set(day.exchange.ledger().orders.map(({ symbol }) => symbol))).to.not.include('F');
  });

  it('a key that is refused ends the start, with what the server said', async () => {
    const day = await open({ seed: 1, feeds: { authorized: () => false } });
    expect(await day.started()).to.include({ kind: 'failed', code: 'unauthorized' });
  });

  const rates = {
    ...{ dataDrop: 0.05, dataDuplicate: 0.05, dataDelay: 0.05, dataUnknownEvent: 0.02, dataGarbage: 0.02 },
    ...{
      connectRefuse: 0.1,
      connectSilent: 0.1,
      connectMute: 0.15,
      connectClose: 0.25,
      connectSlowClient: 0.1,
    },
    ...{ updateDrop: 0.1, updateDelay: 0.1 },
  };
  for (const seed of [1, 2, 3])
    it(`frames and connections of all kinds fail: flat, and every lane gets every bar, seed ${seed}`, async () => {
      const day = await open({
        seed,
        faults: { ...NO_FAULTS, rates, connectionLife: [10_000_000, 600_000_000] },
        feeds: { staleSlot: seconds(90) },
      });
      await endsWell(day);
      const hits = (kind: FaultKind): number => day.faults?.hits.get(kind) ?? 0;
      for (const kind of ['dataDrop', 'dataDelay', 'dataDuplicate', 'dataGarbage'] as const)
        expect(hits(kind), kind).to.be.greaterThan(0);
      expect(CONNECT_FAULTS.reduce((sum, kind) => sum + hits(kind), 0)).to.be.greaterThan(0);
    });

  it('the same seed gives the same journal, byte for byte', async () => {
    const run = async (): Promise<string> => {
      const day = await open({
        seed: 5,
        faults: { ...NO_FAULTS, rates, connectionLife: [10_000_000, 600_000_000] },
      });
      await day.finish();
      return JSON.stringify([day.journal.records, day.log]);
    };
    expect(await run()).to.equal(await run());
  });
});

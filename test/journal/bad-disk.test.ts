import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { sharesHeld } from '../../lib/domain/lane.ts';
import { between, after as later, type Micros, millis, minutes, seconds } from '../../lib/domain/time.ts';
import { foldDay } from '../../lib/engine/restore.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import type { GapBody, JournalRecord } from '../../lib/ports/journal.ts';
import { DAY, judge, type SimulatedDay, SYMBOLS, sessionOf, startDay } from '../engine/simulated-day.ts';

/** The whole engine on virtual time, with a journal whose disk is full, or slow. */

const SHORT = sessionOf('09:30', '10:30');

const events = (day: SimulatedDay, event: string) => day.log.filter((line) => line.event === event);
const lanesOf = (day: SimulatedDay) => day.engine().status().lanes;

async function until(day: SimulatedDay, wanted: string): Promise<void> {
  for (let at = SHORT.openAt; at < SHORT.closeAt; at = later(at, seconds(1))) {
    await day.runTo(at);
    if (lanesOf(day).some(({ stage }) => stage === wanted)) return;
  }
  throw new Error(`the day must have a lane that is ${wanted}`);
}
const untilHeld = (day: SimulatedDay): Promise<void> => until(day, 'exiting');

/** Every record takes that long to be written, in order. */
function slow(day: SimulatedDay, wait: Parameters<typeof later>[1]): void {
  const journal = day.journal as { append(record: JournalRecord): Promise<void> };
  const write = journal.append;
  journal.append = (record) =>
    new Promise((resolve) => day.clock.at(later(day.clock.now(), wait), () => resolve(write(record))));
}

describe('a journal on a bad disk', function () {
  this.timeout(60_000);

  it('full for three minutes: exits go, entries wait, told once at each end, and the gap is written down', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await untilHeld(day);
    const from = day.clock.now();
    day.journal.fail(true);
    await day.runTo(later(from, minutes(3)));
    expect(lanesOf(day).map(({ shares }) => shares)).to.deep.equal([0, 0, 0, 0, 0]);
    expect(day.engine().status()).to.include({ journalBroken: true });
    day.journal.fail(false);
    const until = day.clock.now();
    await day.runTo(later(until, minutes(10)));
    const bought = day.exchange.ledger().orders.filter(({ side }) => side === 'buy');
    expect(bought.filter(({ submittedAt }) => submittedAt > from && submittedAt < until)).to.deep.equal([]);
    expect(bought.filter(({ submittedAt }) => submittedAt > until)).not.to.deep.equal([]);

    const gaps = day.journal.records.filter(({ kind }) => kind === 'gap');
    const lost = gaps.reduce((sum, { body }) => sum + (body as GapBody).records, 0);
    expect(lost).to.be.above(0);
    expect(day.engine().status()).to.include({ journalBroken: false, journalLost: lost });
    expect(events(day, 'journal.failed')).to.have.length(1);
    expect(events(day, 'journal.mended').map(({ fields }) => fields.lost)).to.deep.equal([lost]);
    for (const { body } of gaps) expect((body as GapBody).cause).to.equal('disk full');
    expect(new Set(gaps.map(({ symbol }) => symbol)).size).to.equal(gaps.length);
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('after the gap the journal folds to the lanes as they are, and a restart takes them from it', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await untilHeld(day);
    day.journal.fail(true);
    await day.runTo(later(day.clock.now(), minutes(3)));
    day.journal.fail(false);
    await day.runTo(later(day.clock.now(), minutes(8)));
    const { lanes, doubtful } = foldDay(await day.journal.read(DAY), () => undefined);
    expect([...doubtful]).to.deep.equal([]);
    const before = lanesOf(day);
    for (const { symbol, shares, realized, roundTrips } of before) {
      const lane = lanes.get(symbol);
      expect(lane && { shares: sharesHeld(lane), ...lane.day }, symbol).to.include({
        shares,
        realized,
        roundTrips,
      });
    }
    await day.restart();
    expect(events(day, 'journal.incomplete')).to.deep.equal([]);
    for (const { symbol, realized } of before)
      expect(lanesOf(day).find((lane) => lane.symbol === symbol)?.realized, symbol).to.equal(realized);
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('what an operator ordered, or lifted, while the disk was full outlives a restart', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await untilHeld(day);
    const order = (symbol: string | undefined) => ({ symbol: symbol as Ticker, by: 'ann', why: 'news' });
    const [paused, flattened, lifted] = SYMBOLS;
    day.engine().pause(order(lifted));
    await day.runTo(later(day.clock.now(), seconds(1)));
    day.journal.fail(true);
    await day.runTo(later(day.clock.now(), minutes(1)));
    day.engine().pause(order(paused));
    day.engine().flatten(order(flattened));
    day.engine().resume({ ...order(lifted), clearLatches: false });
    await day.runTo(later(day.clock.now(), minutes(1)));
    day.journal.fail(false);
    await day.runTo(later(day.clock.now(), minutes(2)));
    const modes = () => lanesOf(day).map(({ symbol, mode }) => `${symbol} ${mode}`);
    const before = modes();
    expect(before.slice(0, 3)).to.deep.equal([
      `${paused} paused`,
      `${flattened} flattening`,
      `${lifted} active`,
    ]);
    await day.restart();
    expect(modes()).to.deep.equal(before);
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('a latch that was cleared while the disk was full stays cleared, one that was not stays on', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await untilHeld(day);
    day.engine().kill({ by: 'ann', why: 'news' });
    await day.runTo(later(day.clock.now(), minutes(1)));
    day.journal.fail(true);
    await day.runTo(later(day.clock.now(), minutes(1)));
    day.engine().resume({ symbol: null, by: 'ann', why: 'over', clearLatches: true });
    await day.runTo(later(day.clock.now(), minutes(1)));
    day.journal.fail(false);
    await day.runTo(later(day.clock.now(), minutes(2)));
    await day.restart();
    expect(new Set(lanesOf(day).map(({ mode }) => mode))).to.deep.equal(new Set(['active']));
    day.journal.fail(true);
    await day.runTo(later(day.clock.now(), minutes(2)));
    day.engine().kill({ by: 'bob', why: 'again' });
    await day.runTo(later(day.clock.now(), minutes(1)));
    day.journal.fail(false);
    await day.runTo(later(day.clock.now(), minutes(2)));
    await day.restart();
    expect(new Set(lanesOf(day).map(({ mode }) => mode))).to.deep.equal(new Set(['flattening']));
    expect(day.engine().status().latch).to.contain('bob').and.to.contain('again');
  });

  it('killed while the disk is full: the broker is asked for what the journal does not know', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await until(day, 'entering');
    day.journal.fail(true);
    await day.runTo(later(day.clock.now(), minutes(3)));
    const before = lanesOf(day);
    day.journal.fail(false);
    await day.restart();
    expect(events(day, 'journal.incomplete')).not.to.deep.equal([]);
    for (const { symbol, realized, shares } of before)
      expect(
        lanesOf(day).find((lane) => lane.symbol === symbol),
        symbol,
      ).to.include({ realized, shares });
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('started on a full disk with shares held: they are sold, nothing is bought, and it recovers by itself', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await untilHeld(day);
    const held = lanesOf(day).filter(({ shares }) => shares > 0);
    const from = day.clock.now();
    day.journal.fail(true);
    await day.restart();
    expect(events(day, 'journal.incomplete'), 'the lanes are those of the journal').to.deep.equal([]);
    expect(day.engine().status()).to.include({ journalBroken: true });
    expect(events(day, 'journal.failed')).to.have.length(1);
    await day.runTo(later(day.clock.now(), minutes(10)));
    expect(lanesOf(day).map(({ shares }) => shares)).to.deep.equal([0, 0, 0, 0, 0]);
    const sold = day.exchange.ledger().fills.filter(({ side, at }) => side === 'sell' && at > from);
    expect(new Set(sold.map(({ symbol }) => symbol))).to.include.all.keys(
      ...held.map(({ symbol }) => symbol),
    );
    day.journal.fail(false);
    const until = day.clock.now();
    await day.runTo(later(until, minutes(12)));
    const bought = day.exchange.ledger().orders.filter(({ side }) => side === 'buy');
    expect(bought.filter(({ submittedAt }) => submittedAt > from && submittedAt < until)).to.deep.equal([]);
    expect(bought.filter(({ submittedAt }) => submittedAt > until)).not.to.deep.equal([]);
    expect(day.engine().status()).to.include({ journalBroken: false });
    const { doubtful } = foldDay(await day.journal.read(DAY), () => undefined);
    expect([...doubtful], 'the gap is told, and every lane begins anew behind it').to.deep.equal([]);
    expect(day.journal.records.some(({ kind }) => kind === 'gap')).to.equal(true);
    await day.restart();
    expect(events(day, 'journal.incomplete')).to.deep.equal([]);
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('killed between the gap and the new beginning of a lane: that lane is taken from the broker', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await untilHeld(day);
    const held = lanesOf(day).find(({ shares }) => shares > 0);
    const gap = { what: 'lost', records: 3, from: day.clock.now(), to: day.clock.now(), cause: 'disk full' };
    await day.journal.append({
      day: DAY,
      at: day.clock.now(),
      kind: 'gap',
      symbol: held?.symbol ?? null,
      body: gap,
    });
    const { doubtful } = foldDay(await day.journal.read(DAY), () => undefined);
    expect([...doubtful]).to.deep.equal([held?.symbol]);
    await day.restart();
    expect(events(day, 'journal.incomplete').map(({ fields }) => fields.symbol)).to.deep.equal([
      held?.symbol,
    ]);
    const started = day.journal.records.findLast(
      ({ body }) => (body as { what?: string }).what === 'started',
    );
    expect(started?.body).to.deep.include({ fromBroker: [held?.symbol] });
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
  });

  it('slow by a second: exits wait for the journal as long as they may and no longer', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await untilHeld(day);
    slow(day, seconds(1));
    await day.finish();
    expect(judge(day)).to.deep.equal([]);
    const { journalPatience } = DEFAULT_ENGINE_SETTINGS.gateway;
    const waits = sellWaits(day);
    expect(waits.length).to.be.above(0);
    for (const wait of waits) expect(wait).to.be.at.most(journalPatience + CROSSING);
    expect(events(day, 'journal.slow')).to.have.length(waits.length);
  });

  it('slower than an entry may wait: no entry leaves late', async () => {
    const day = await startDay({ seed: 2, session: SHORT });
    await untilHeld(day);
    const from = day.clock.now();
    slow(day, seconds(20));
    await day.finish();
    const late = day.exchange
      .ledger()
      .orders.filter(({ side, submittedAt }) => side === 'buy' && submittedAt > later(from, seconds(1)));
    expect(late).to.deep.equal([]);
    expect(events(day, 'order.lapsed')).not.to.deep.equal([]);
    expect(judge(day)).to.deep.equal([]);
  });
});

/** A decision's way from the lane to the gateway in a simulated day, both ways, and more. */
const CROSSING = millis(1);

/** How long each sell whose record was slow waited, from its decision to its leaving. */
function sellWaits(day: SimulatedDay): readonly number[] {
  const decided = new Map<unknown, Micros>();
  for (const { kind, body } of day.journal.records) {
    const { what, intent } = body as {
      what?: string;
      intent?: { clientOrderId: string; decidedAt: Micros; side: string };
    };
    if (kind === 'request' && what === 'submit' && intent?.side === 'sell')
      decided.set(intent.clientOrderId, intent.decidedAt);
  }
  const slowAt = new Set(events(day, 'journal.slow').map(({ at }) => at));
  return events(day, 'order.submitted').flatMap(({ at, fields }) => {
    const decidedAt = decided.get(fields.clientOrderId);
    return decidedAt === undefined || !slowAt.has(at) ? [] : [between(decidedAt, at)];
  });
}

import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { openLane } from '../../lib/domain/lane.ts';
import type { Bar } from '../../lib/domain/market.ts';
import { price } from '../../lib/domain/money.ts';
import { type Order, openOrder } from '../../lib/domain/order.ts';
import { after as later, minutes } from '../../lib/domain/time.ts';
import { createFeedHub } from '../../lib/engine/feed-hub.ts';
import { isUpdatedBar, laneBeginIn, updatedBarRecord } from '../../lib/engine/lane-records.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { foldDay } from '../../lib/engine/restore.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { DAY, laneParams, sessionOf, startDay } from '../engine/simulated-day.ts';
import { intentOf, loggingTo, SPY, START, scriptedBroker } from '../engine/support.ts';
import { faultsOf, replayed, SETTING } from './recorded-day.ts';

const SHORT = sessionOf('09:30', '10:30');
const SYMBOLS = ['BAC', 'F'] as Ticker[];

const BAR: Bar = {
  symbol: SPY,
  startAt: START,
  open: price(100),
  high: price(100),
  low: price(100),
  close: price(100),
  volume: 1,
  tradeCount: 1,
  vwap: price(100),
};

const whatOf = ({ body }: StoredRecord): unknown => (body as { readonly what?: unknown }).what;

describe('replay: what the journal has to say for it', function () {
  this.timeout(60_000);
  let records: readonly StoredRecord[] = [];

  before(async () => {
    const day = await startDay({ seed: 3, session: SHORT, symbols: SYMBOLS, printsPerDay: 3_000 });
    await day.runTo(later(SHORT.openAt, minutes(30)));
    day.lanes().lose('F' as Ticker, { code: 'threw', text: 'a test' });
    await day.finish();
    records = await day.journal.read(DAY);
  });

  it('each begin with a lane tells its owner, its strategy, its bars and its state', () => {
    const begins = records.flatMap(({ kind, symbol, body }) => {
      const begin = kind === 'session' && symbol === 'F' ? laneBeginIn(body) : null;
      return begin === null ? [] : [begin];
    });
    expect(begins.map(({ owner }) => owner)).to.deep.equal(['thread', 'custodian', 'thread']);
    for (const { strategy } of begins) expect(strategy).to.deep.equal(SETTING);
    expect(begins[0]?.bars).to.deep.equal([]);
    expect(begins[2]?.bars.length).to.be.greaterThan(25);
    const [started] = records;
    expect(started?.body).to.deep.include({
      what: 'started',
      build: 'unknown',
      strategy: SETTING,
      fromBroker: SYMBOLS,
    });
  });

  it('a journal from before that says no strategy and no owner replays by the one that is configured', async () => {
    const day = await startDay({ seed: 3, session: SHORT, symbols: SYMBOLS, printsPerDay: 3_000 });
    await day.finish();
    const written = await day.journal.read(DAY);
    const began = written.filter((record) => whatOf(record) === 'began');
    const old = written
      .filter((record) => whatOf(record) !== 'began')
      .flatMap((record) => {
        if (whatOf(record) === 'started') return began;
        const begin = record.kind === 'session' ? laneBeginIn(record.body) : null;
        return begin === null ? [record] : [{ ...record, body: { what: 'lane', lane: begin.lane } }];
      });
    const result = replayed(old);
    expect(faultsOf(result)).to.deep.equal([]);
    expect(result.strategyAssumed).to.equal(true);
    const other = replayed(old, { strategy: { name: 'sma-cross', period: 7 }, strategyOf: () => neverSays });
    expect(other.lanes.map(({ difference }) => difference?.kind)).to.deep.equal(['signal', 'signal']);
  });

  it('a lane of a journal from before has its strays among its past orders, and is read with them apart', () => {
    const live = openOrder(intentOf('exit', 1));
    const over: Order = {
      kind: 'done',
      intent: intentOf('exit', 2),
      ledger: live.ledger,
      ending: 'canceled',
      endedAt: START,
    };
    const { strays: _, ...old } = { ...openLane(laneParams(SPY)), past: [over, live] };
    const begin = laneBeginIn({ v: 2, what: 'lane', owner: 'thread', bars: [], lane: old });
    expect(begin?.lane).to.deep.equal({ ...old, past: [over], strays: [live] });
  });

  it('corrections of bars are written down, and are no steps', () => {
    const corrected: Bar[] = [];
    const clock = createVirtualClock(START);
    const bucket = createTokenBucket({ limit: 200, reserve: 0, window: minutes(1) });
    const hub = createFeedHub({
      clock,
      broker: scriptedBroker(),
      queue: createRequestQueue(clock, bucket, DEFAULT_ENGINE_SETTINGS.gateway),
      log: loggingTo([]),
      settings: DEFAULT_ENGINE_SETTINGS.feed,
      symbols: [SPY],
      events: {
        onInput: () => undefined,
        onMark: () => undefined,
        onUpdatedBar: (bar) => corrected.push(bar),
      },
    });
    hub.message({ kind: 'updatedBar', bar: BAR });
    hub.message({ kind: 'updatedBar', bar: { ...BAR, symbol: 'ZZZ' as Ticker } });
    hub.stop();
    expect(corrected).to.deep.equal([BAR]);

    const body = updatedBarRecord(BAR);
    expect(isUpdatedBar(JSON.parse(JSON.stringify(body)))).to.equal(true);
    const among = records.flatMap((record): StoredRecord[] =>
      record.kind === 'input' ? [record, { ...record, body }] : [record],
    );
    expect(faultsOf(replayed(among))).to.deep.equal([]);
    const folded = foldDay(among, () => undefined);
    expect(folded.damages).to.deep.equal([]);
    expect(folded.lanes).to.deep.equal(foldDay(records, () => undefined).lanes);
  });
});

const neverSays = {
  name: 'never-says',
  check: () => [],
  open: () => null,
  onBar: () => ({ state: null, signal: 'none' as const, facts: {} }),
};

import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Bar } from '../../lib/domain/market.ts';
import { price } from '../../lib/domain/money.ts';
import { planSession } from '../../lib/domain/session.ts';
import { after as later, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { createFeedHub } from '../../lib/engine/feed-hub.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Broker } from '../../lib/ports/broker.ts';
import { sessionOf } from './simulated-day.ts';
import { advance, failure, loggingTo, SPY, scriptedBroker } from './support.ts';

const SESSION = sessionOf('09:30', '16:00');
const PLAN = planSession(SESSION, minutes(5), minutes(2));
const OTHER = 'BAC' as Ticker;

const barAt = (minute: number, symbol = SPY): Bar => ({
  symbol,
  startAt: later(SESSION.openAt, minutes(minute)),
  open: price(1),
  high: price(1),
  low: price(1),
  close: price(100 + minute),
  volume: 1,
  tradeCount: 1,
  vwap: price(1),
});

const tradedAlways = (symbol: Ticker): Bar[] =>
  Array.from({ length: 10 }, (_, minute) => barAt(minute, symbol));

type Bars = Awaited<ReturnType<Broker['bars']>>;

/** Time is in minutes after the open; `history` is what the broker knows. */
function world(openedAt: number, history: readonly Bar[] = []) {
  const at = (minute: number): Micros => later(SESSION.openAt, seconds(minute * 60));
  const clock = createVirtualClock(at(openedAt));
  const asked: string[] = [];
  const state = { answer: null as (() => Promise<Bars>) | null };
  const broker: Broker = {
    ...scriptedBroker(),
    async bars(symbols, from, to) {
      asked.push(
        `${symbols.join()} ${(from - SESSION.openAt) / minutes(1)}..${(to - SESSION.openAt) / minutes(1)}`,
      );
      if (state.answer !== null) return state.answer();
      const found = symbols.map(
        (symbol) =>
          [
            symbol,
            history.filter((bar) => bar.symbol === symbol && bar.startAt >= from && bar.startAt < to),
          ] as const,
      );
      return { kind: 'ok', value: new Map(found) };
    },
  };
  const bucket = createTokenBucket({ limit: 200, reserve: 0, window: minutes(1) });
  const told: string[] = [];
  const hub = createFeedHub({
    clock,
    broker,
    queue: createRequestQueue(clock, bucket, DEFAULT_ENGINE_SETTINGS.gateway),
    log: loggingTo([]),
    settings: DEFAULT_ENGINE_SETTINGS.feed,
    symbols: [SPY, OTHER],
    events: {
      onInput(symbol, input) {
        if (symbol !== SPY) return;
        if (input.kind === 'bars')
          told.push(`${input.origin} ${input.bars.map(({ close }) => close - 100).join()}`);
        if (input.kind === 'haltChanged') told.push(input.halt);
      },
      onMark: (symbol, mark) => void (symbol === SPY && told.push(`mark ${mark.price}`)),
    },
  });
  hub.openSession(PLAN);
  const run = (minute: number): Promise<void> => advance(clock, at(minute));
  const live = (minute: number): void => hub.message({ kind: 'bar', bar: barAt(minute) });
  return { clock, hub, bucket, asked, told, state, run, live, at };
}

describe('feed hub', () => {
  it('hands live bars on as they come', async () => {
    const { hub, told, asked, run, live } = world(-1);
    hub.gap();
    for (const minute of [0, 1, 3]) {
      await run(minute + 1.01);
      live(minute);
    }
    expect(told).to.deep.equal(['live 0', 'live 1', 'live 3']);
    const ofSpy = asked.filter((question) => question.startsWith('SPY'));
    expect(ofSpy, 'a minute without a bar is asked about once').to.deep.equal(['SPY,BAC 2..3']);
  });

  it('fetches what is missing at a start in mid-session, in one request for all symbols', async () => {
    const { told, asked, run } = world(
      3.5,
      [0, 1, 2].map((minute) => barAt(minute)),
    );
    await run(3.6);
    expect(asked).to.deep.equal(['SPY,BAC 0..3']);
    expect(told).to.deep.equal(['backfilled 0,1,2']);
  });

  it('a lane sees no live bar before what a gap swallowed', async () => {
    const { hub, told, state, run, live } = world(
      -1,
      [1, 2].map((minute) => barAt(minute)),
    );
    await run(1.01);
    live(0);
    hub.gap();
    let answer: (bars: Bars) => void = () => undefined;
    state.answer = () => new Promise((resolve) => (answer = resolve));
    await run(4.01);
    live(3);
    expect(told).to.deep.equal(['live 0']);
    state.answer = null;
    answer({ kind: 'ok', value: new Map() });
    await run(4.05);
    expect(told).to.deep.equal(['live 0', 'backfilled 1,2', 'live 3']);
  });

  it('asks again for a minute that the broker had not finished before', async () => {
    const history: Bar[] = [barAt(0)];
    const { told, asked, run, live } = world(2.001, history);
    await run(2.01);
    history.push(barAt(1));
    await run(3.01);
    live(2);
    await run(3.02);
    expect(asked).to.deep.equal(['SPY,BAC 0..2', 'SPY,BAC 1..2']);
    expect(told).to.deep.equal(['backfilled 0', 'backfilled 1', 'live 2']);
  });

  it('a live bar that waited too long is a backfilled one', async () => {
    const { told, state, run, live } = world(2.5);
    state.answer = async () => ({ kind: 'failed', failure: failure('timeout') });
    await run(3.01);
    live(2);
    await run(3.4);
    state.answer = null;
    await run(4);
    expect(told).to.deep.equal(['backfilled 2']);
  });

  it('goes on asking while the broker fails, with a growing pause', async () => {
    const { asked, told, state, run } = world(2.5, [barAt(0)]);
    state.answer = async () => ({ kind: 'failed', failure: failure('serverError') });
    await run(4.5);
    expect(asked.length).to.be.within(5, 9);
    state.answer = null;
    await run(6);
    expect(told).to.deep.equal(['backfilled 0']);
  });

  it('takes a whole bar since the halt for the resume that nobody told', async () => {
    const { hub, told, run, live, at } = world(-1);
    await run(1.01);
    live(0);
    await run(1.5);
    hub.message({
      kind: 'status',
      status: { symbol: SPY, at: at(1.5), state: 'halted', code: 'H', reason: 'T1' },
    });
    await run(2.01);
    live(1);
    expect(told, 'that minute had begun before the halt').to.deep.equal(['live 0', 'halted', 'live 1']);
    await run(6.01);
    live(5);
    expect(told).to.deep.equal(['live 0', 'halted', 'live 1', 'trading', 'live 5']);
  });

  it('takes a whole bar that had to be fetched for the resume as well: a mute feed tells neither, and is not missed in a halt', async () => {
    const { hub, told, run, live, at } = world(-1, [barAt(1), barAt(3)]);
    const halt = (minute: number): void =>
      hub.message({
        kind: 'status',
        status: { symbol: SPY, at: at(minute), state: 'halted', code: 'H', reason: 'T1' },
      });
    await run(1.01);
    live(0);
    await run(1.5);
    halt(1.5);
    await run(2.5);
    expect(told, 'that minute had begun before the halt').to.deep.equal(['live 0', 'halted', 'backfilled 1']);
    await run(2.6);
    halt(2.6);
    await run(4.5);
    expect(told.slice(3), 'a whole minute after the newest word of the halt').to.deep.equal([
      'trading',
      'backfilled 3',
    ]);
  });

  it('a bar from before the newest word of the halt proves no resume', async () => {
    const { hub, told, run, at } = world(-1, [barAt(2)]);
    for (const minute of [1.5, 3.01]) {
      await run(minute);
      hub.message({
        kind: 'status',
        status: { symbol: SPY, at: at(minute), state: 'halted', code: 'H', reason: 'T1' },
      });
    }
    await run(4.5);
    expect(told).to.deep.equal(['halted', 'backfilled 2']);
  });

  it('a data host without budget holds nobody else up', async () => {
    const { asked, bucket, state, run } = world(2.5, [barAt(0)]);
    state.answer = async () => ({ kind: 'failed', failure: failure('rateLimited') });
    await run(2.6);
    expect(asked).to.have.length.above(0);
    expect(bucket.pausedUntil()).to.equal(null);
  });

  it('shows each bar once, and none from outside the session', async () => {
    const { told, run, live } = world(-1);
    await run(1.01);
    live(-1);
    live(0);
    live(0);
    await run(391);
    live(390);
    expect(told).to.deep.equal(['live 0']);
  });

  it('takes eligible prints alone for the mark, and never an older one', async () => {
    const { hub, told, at } = world(1);
    const print = (units: number, minute: number, conditions: readonly string[] = ['@']) =>
      hub.message({
        kind: 'print',
        print: {
          symbol: SPY,
          at: at(minute),
          price: price(units),
          size: 100,
          exchange: 'V',
          conditions,
          id: '1',
        },
      });
    print(100, 1);
    print(200, 1.1, ['@', 'I']);
    print(300, 0.9);
    print(400, 1.2);
    expect(told).to.deep.equal(['mark 100', 'mark 400']);
    expect(hub.mark(SPY)?.price).to.equal(400);
  });

  it('knows a quiet market from a dead feed: the broker has no bar either', async () => {
    const quiet = world(-1);
    await quiet.run(5.5);
    expect(quiet.hub.dueSince(quiet.at(5.5))).to.equal(quiet.at(5));
    const dead = world(-1, tradedAlways(SPY));
    await dead.run(5.5);
    expect(dead.hub.dueSince(dead.at(5.5))).to.equal(SESSION.openAt);
    const unproven = world(-1);
    unproven.state.answer = async () => ({ kind: 'failed', failure: failure('timeout') });
    await unproven.run(5.5);
    expect(unproven.hub.dueSince(unproven.at(5.5))).to.equal(SESSION.openAt);
  });

  it('tells a halt once, and when data are due', async () => {
    const untilHalt = [SPY, OTHER].flatMap(tradedAlways).filter(({ startAt }) => startAt < barAt(5).startAt);
    const { hub, told, at, run } = world(-1, untilHalt);
    const halt = (symbol: Ticker, state: 'halted' | 'trading'): void =>
      hub.message({ kind: 'status', status: { symbol, at: at(0), state, code: 'H', reason: 'news' } });
    expect(hub.dueSince(at(-1)), 'before the open').to.equal(null);
    await run(5);
    expect(hub.dueSince(at(5))).to.equal(SESSION.openAt);
    halt(SPY, 'halted');
    halt(SPY, 'halted');
    expect(told.filter((line) => !line.startsWith('backfilled'))).to.deep.equal(['halted']);
    expect(hub.dueSince(at(5)), 'the other one trades').to.equal(SESSION.openAt);
    halt(OTHER, 'halted');
    expect(hub.dueSince(at(5))).to.equal(null);
    await run(7);
    halt(SPY, 'trading');
    expect(hub.dueSince(at(7))).to.equal(at(7));
    expect(hub.dueSince(at(390)), 'after the close').to.equal(null);
  });

  it('a print from the future does not keep out the prints that follow', () => {
    const { hub, at } = world(5);
    const print = (units: number, minute: number): void =>
      hub.message({
        kind: 'print',
        print: {
          symbol: SPY,
          at: at(minute),
          price: price(units),
          size: 1,
          exchange: 'V',
          conditions: [],
          id: '',
        },
      });
    print(100, 5);
    print(900, 60 * 24 * 365);
    print(101, 5);
    expect(hub.mark(SPY)).to.deep.equal({ price: 101, at: at(5) });
    print(102, 5.05);
    print(103, 5.02);
    expect(hub.mark(SPY)?.price, 'clocks differ a little, and order is kept').to.equal(102);
  });

  it('a bar from the future, or off the minute, is no bar: nothing waits for it, nobody is asked', async () => {
    const { hub, told, asked, run, live, at } = world(-1);
    await run(1.01);
    live(0);
    live(200);
    hub.message({ kind: 'updatedBar', bar: barAt(300) });
    hub.message({ kind: 'bar', bar: { ...barAt(0), startAt: at(0.5) } });
    await run(2.01);
    live(1);
    await run(10);
    expect(told).to.deep.equal(['live 0', 'live 1']);
    const ofSpy = asked.filter((question) => question.startsWith('SPY'));
    expect(ofSpy.length, 'once a minute while it is silent').to.be.at.most(9);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Bar } from '../../lib/domain/market.ts';
import { price } from '../../lib/domain/money.ts';
import { planSession } from '../../lib/domain/session.ts';
import { after as later, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { type BarKeeper, type BarOrigin, createBarKeeper } from '../../lib/engine/bar-keeper.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Broker } from '../../lib/ports/broker.ts';
import { sessionOf } from './simulated-day.ts';
import { advance, failure, loggingTo, SPY, scriptedBroker } from './support.ts';

const LENGTH = 20;
const SESSION = sessionOf('09:30', '09:50');
const PLAN = planSession(SESSION, minutes(5), minutes(2));
const SYMBOLS = [SPY, 'BAC' as Ticker];
const at = (minute: number): Micros => later(SESSION.openAt, seconds(minute * 60));

const barAt = (symbol: Ticker, minute: number): Bar => ({
  symbol,
  startAt: at(minute),
  open: price(1),
  high: price(1),
  low: price(1),
  close: price(1_000 + minute),
  volume: 1,
  tradeCount: 1,
  vwap: price(1),
});

/** What becomes of one bar on its way: when it comes, in seconds after its minute, each time that it comes. */
type Journey = readonly number[];
type Story = {
  /** By symbol and minute; `null` for a minute without a trade. */
  readonly journeys: readonly (readonly (Journey | null)[])[];
  /** From and to, in minutes: the data host answers with failures. */
  readonly down: readonly [number, number];
  /** When the feed says that it was away, in minutes. */
  readonly gaps: readonly number[];
  /** Seconds after its minute at which the broker's history has a bar. */
  readonly lag: number;
  readonly latency: number;
};

type Handed = { readonly at: Micros; readonly bar: Bar; readonly origin: BarOrigin };

async function live(story: Story, also: (keeper: BarKeeper) => void = () => undefined, alsoAt = 0) {
  const clock = createVirtualClock(at(-1));
  const handed = new Map<Ticker, Handed[]>(SYMBOLS.map((symbol) => [symbol, []]));
  const keeper = createBarKeeper({
    clock,
    broker: brokerOf(story, clock),
    queue: createRequestQueue(
      clock,
      createTokenBucket({ limit: 200, reserve: 0, window: minutes(1) }),
      DEFAULT_ENGINE_SETTINGS.gateway,
    ),
    log: loggingTo([]),
    settings: DEFAULT_ENGINE_SETTINGS.feed,
    symbols: SYMBOLS,
    onBars(symbol, bars, origin) {
      handed.get(symbol)?.push(...bars.map((bar) => ({ at: clock.now(), bar, origin })));
    },
  });
  keeper.openSession(PLAN);
  send(story, clock, keeper);
  clock.at(at(alsoAt), () => also(keeper));
  await advance(clock, at(LENGTH + 5));
  keeper.stop();
  return { handed, keeper, clock };
}

function send(story: Story, clock: VirtualClock, keeper: BarKeeper): void {
  story.journeys.forEach((journeys, n) => {
    journeys.forEach((journey, minute) => {
      const bar = barAt(SYMBOLS[n] ?? SPY, minute);
      for (const wait of journey ?? []) clock.at(later(at(minute + 1), seconds(wait)), () => keeper.bar(bar));
    });
  });
  for (const minute of story.gaps) clock.at(at(minute), keeper.gap);
}

function brokerOf({ journeys, down, lag, latency }: Story, clock: VirtualClock): Broker {
  return {
    ...scriptedBroker(),
    async bars(symbols, from, to) {
      const asked = clock.now();
      await new Promise<void>((resolve) => clock.at(later(asked, seconds(latency)), resolve));
      if (asked >= at(down[0]) && asked < at(down[1]))
        return { kind: 'failed', failure: failure('serverError') };
      const known = (symbol: Ticker): Bar[] =>
        (journeys[SYMBOLS.indexOf(symbol)] ?? []).flatMap((journey, minute) => {
          const bar = barAt(symbol, minute);
          const isThere = journey !== null && asked >= later(at(minute + 1), seconds(lag));
          return isThere && bar.startAt >= from && bar.startAt < to ? [bar] : [];
        });
      return { kind: 'ok', value: new Map(symbols.map((symbol) => [symbol, known(symbol)])) };
    },
  };
}

describe('bar keeper', () => {
  const journey = fc.oneof(
    { weight: 6, arbitrary: fc.constant<Journey>([0.1]) },
    { weight: 2, arbitrary: fc.constant<Journey>([]) },
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant<Journey>([0.1, 0.1]) },
    {
      weight: 2,
      arbitrary: fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 1, maxLength: 3 }),
    },
  );
  const story: fc.Arbitrary<Story> = fc.record({
    journeys: fc.tuple(
      fc.array(journey, { minLength: LENGTH, maxLength: LENGTH }),
      fc.array(journey, { minLength: LENGTH, maxLength: LENGTH }),
    ),
    down: fc.tuple(fc.integer({ min: 0, max: LENGTH }), fc.integer({ min: 0, max: LENGTH })),
    gaps: fc.array(fc.double({ min: 0, max: LENGTH, noNaN: true }), { maxLength: 4 }),
    // Never later than an answer is believed.
    lag: fc.double({ min: 0, max: 9, noNaN: true }),
    latency: fc.double({ min: 0, max: 3, noNaN: true }),
  });

  it('hands on every bar once and in order, whatever the line and the broker do', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        const { handed, keeper, clock } = await live(told);
        SYMBOLS.forEach((symbol, n) => {
          const wanted = (told.journeys[n] ?? []).flatMap((each, minute) => (each === null ? [] : [minute]));
          const got = (handed.get(symbol) ?? []).map(
            ({ bar }) => (bar.startAt - SESSION.openAt) / minutes(1),
          );
          expect(got).to.deep.equal(wanted);
          expect(keeper.bars(symbol)).to.have.length(wanted.length);
        });
        for (const { at: handedAt, bar, origin } of [...handed.values()].flat())
          if (origin === 'live') expect(handedAt - bar.startAt).to.be.at.most(seconds(60 + 15));
        expect(keeper.stats().filling).to.equal(0);
        expect(clock.pending(), 'timers left').to.equal(0);
      }),
      { numRuns: 150 },
    );
  });

  it('a bar that came live stays live although it was also fetched', async () => {
    const journeys = [
      // The bar of minute 2 comes while it is being asked for.
      Array.from(
        { length: LENGTH },
        (_, minute): Journey => (minute === 1 ? [] : [minute === 2 ? 10.5 : 0.1]),
      ),
      Array.from({ length: LENGTH }, (): Journey => [0.1]),
    ];
    const { handed } = await live({ journeys, down: [0, 0], gaps: [], lag: 1, latency: 1 });
    const origins = (handed.get(SPY) ?? []).slice(0, 4).map(({ origin }) => origin);
    expect(origins).to.deep.equal(['live', 'backfilled', 'live', 'live']);
  });

  it('has caught up when nothing is missing, when what was missing is there, and when it is stopped', async () => {
    const whole = Array.from({ length: LENGTH }, (): Journey => []);
    const caughtUp: number[] = [];
    const note = (keeper: BarKeeper, clock: () => Micros): void =>
      void keeper.caughtUp().then(() => caughtUp.push((clock() - SESSION.openAt) / minutes(1)));
    const clock = createVirtualClock(at(6));
    const keeper = createBarKeeper({
      clock,
      // The first answer comes in the ninth minute: until then the host answers with failures.
      broker: brokerOf({ journeys: [whole, whole], down: [6, 8], gaps: [], lag: 1, latency: 3 }, clock),
      queue: createRequestQueue(
        clock,
        createTokenBucket({ limit: 200, reserve: 0, window: minutes(1) }),
        DEFAULT_ENGINE_SETTINGS.gateway,
      ),
      log: loggingTo([]),
      settings: DEFAULT_ENGINE_SETTINGS.feed,
      symbols: SYMBOLS,
      onBars: () => undefined,
    });
    note(keeper, clock.now);
    await advance(clock, at(6));
    expect(caughtUp, 'nothing was asked for').to.deep.equal([6]);
    keeper.openSession(PLAN);
    note(keeper, clock.now);
    await advance(clock, at(8));
    expect(caughtUp, 'the host is down').to.have.lengthOf(1);
    await advance(clock, at(10));
    expect(caughtUp[1]).to.be.within(8, 9);
    expect(keeper.bars(SPY)).to.have.length.of.at.least(6);
    clock.at(at(11), keeper.gap);
    await advance(clock, at(11));
    note(keeper, clock.now);
    keeper.stop();
    await advance(clock, at(11));
    expect(caughtUp, 'a stop ends the waiting').to.have.lengthOf(3);
  });

  it('a correction counts for a bar that was not handed on yet, and changes nothing else', async () => {
    const lost = Array.from({ length: LENGTH }, (_, minute): Journey => (minute < 3 ? [] : [0.1]));
    const whole = Array.from({ length: LENGTH }, (): Journey => [0.1]);
    const corrected = (minute: number): Bar => ({ ...barAt(SPY, minute), close: price(7) });
    const closes = async (sentAt: number): Promise<readonly number[]> => {
      const { handed } = await live(
        { journeys: [lost, whole], down: [0, 4], gaps: [], lag: 1, latency: 1 },
        (keeper) => {
          keeper.bar(barAt(SPY, 2));
          keeper.bar(corrected(2));
        },
        sentAt,
      );
      return (handed.get(SPY) ?? []).map(({ bar }) => bar.close);
    };
    // Bars 0 and 1 cannot be had before 4:00: until then bar 2 waits.
    expect((await closes(3.5)).slice(0, 4)).to.deep.equal([1_000, 1_001, 7, 1_003]);
    expect((await closes(8)).slice(0, 4)).to.deep.equal([1_000, 1_001, 1_002, 1_003]);
  });
});

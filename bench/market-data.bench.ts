import { unpack } from 'msgpackr';
import { createMsgpackMarketDecoder } from '../lib/adapters/alpaca/codec-decode-market-msgpack.ts';
import { codecFor } from '../lib/adapters/exchange/data-codec.ts';
import { openPiscinaLanes } from '../lib/adapters/threads/piscina-lanes.ts';
import type { SessionPlan } from '../lib/domain/session.ts';
import { after, minutes, seconds } from '../lib/domain/time.ts';
import { createFeedHub, type FeedHub } from '../lib/engine/feed-hub.ts';
import type { LaneHost } from '../lib/ports/lane-host.ts';
import type { MarketEvent } from '../lib/sim/exchange-api.ts';
import { type Benchmark, interleave, spreadOf } from './figure.ts';
import { handClock, NO_BROKER, NO_LOG, NO_QUEUE } from './parts/idle-queue.ts';
import { barAt, laneStart, planOf, tickers } from './parts/lane-starts.ts';
import { recordMarket } from './parts/recorded-market.ts';

const PER_FRAME = 100;
/** Of the regular session of one day. */
const BARS_PER_SYMBOL = 390;

/**
 * From a frame's bytes to the lanes, on the main thread: trades end in the shared marks of the lanes' threads, bars in a
 * decision of each lane. The sockets are left out; the floor is decoding the same frames and nothing else.
 */
const marketData: Benchmark = {
  name: 'market-data',
  async run({ quick }, report) {
    const symbols = quick ? 2 : 50;
    const items = recordMarket(symbols, quick ? 200 : 6_000);
    const trades = framesOf(items.filter((item) => item.kind === 'print'));
    const barsEach = quick ? 5 : BARS_PER_SYMBOL;
    const rounds = quick ? 1 : 7;
    const lanes = await openLanes(symbols);
    // Lanes take each bar once, so every round brings a day of its own.
    let day = 0;
    const nextDay = (): Day => dayOfBars(symbols, barsEach, planOf(day++));
    const bars = nextDay().frames;

    const ofTrades = await interleave(rounds, {
      through: () => lanes.feedTrades(trades),
      decoding: async () => decodeOnly(trades),
      msgpackr: async () => unpackOnly(trades),
    });
    const ofBars = await interleave(rounds, {
      through: () => lanes.feedBars(nextDay()),
      decoding: async () => decodeOnly(bars),
    });
    await lanes.close();

    const rate = (frames: Frames, took: readonly number[]) =>
      spreadOf(took.map((ms) => (frames.messages / ms) * 1_000));
    const decodingTrades = { name: 'decoding alone', ...rate(trades, ofTrades.decoding) };
    report({
      name: `trades decoded and fanned out to ${symbols} lanes`,
      unit: 'trades/s',
      measured: rate(trades, ofTrades.through),
      floor: decodingTrades,
    });
    report({
      name: 'trades unpacked by msgpackr, into objects alone',
      unit: 'trades/s',
      measured: rate(trades, ofTrades.msgpackr),
      floor: decodingTrades,
    });
    report({
      name: `bars decoded, fanned out and decided by ${symbols} lanes`,
      unit: 'bars/s',
      measured: rate(bars, ofBars.through),
      floor: { name: 'decoding alone', ...rate(bars, ofBars.decoding) },
    });
  },
};
export default marketData;

type Frames = { readonly frames: readonly Buffer[]; readonly messages: number };
type Day = { readonly plan: SessionPlan; readonly frames: Frames };

/** Binary frames as Alpaca sends them. */
function framesOf(events: readonly MarketEvent[]): Frames {
  const codec = codecFor('application/msgpack');
  const frames: Buffer[] = [];
  for (let first = 0; first < events.length; first += PER_FRAME) {
    const encoded = events.slice(first, first + PER_FRAME).map((event) => codec.encodeEvent(event));
    frames.push(Buffer.from(codec.frame(encoded)));
  }
  return { frames, messages: events.length };
}

/** A minute's bars share frames, as they do in life. */
function dayOfBars(symbols: number, barsEach: number, plan: SessionPlan): Day {
  const minutesOf = Array.from({ length: barsEach }, (_, n) =>
    framesOf(
      tickers(symbols).map((symbol, s) => ({
        kind: 'bar',
        bar: barAt(symbol, plan, n, 100 + Math.sin(n + s)),
      })),
    ),
  );
  return {
    plan,
    frames: { frames: minutesOf.flatMap(({ frames }) => frames), messages: symbols * barsEach },
  };
}

const NOT_EXPECTED = {
  control: (): void => {},
  unreadable(error: unknown): void {
    throw new Error(`every frame of this benchmark can be read. Found: ${JSON.stringify(error)}`);
  },
};

function decodeOnly({ frames, messages }: Frames): number {
  const decode = createMsgpackMarketDecoder();
  let seen = 0;
  const sink = {
    ...NOT_EXPECTED,
    message(): void {
      seen += 1;
    },
  };
  const startedAt = performance.now();
  for (const frame of frames) decode(frame, sink);
  const took = performance.now() - startedAt;
  if (seen !== messages) throw new Error(`every message is decoded: ${messages}. Found: ${seen}`);
  return took;
}

function unpackOnly({ frames }: Frames): number {
  const startedAt = performance.now();
  for (const frame of frames) unpack(frame);
  return performance.now() - startedAt;
}

async function openLanes(count: number) {
  const symbols = tickers(count);
  let decided = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let onAllDecided: () => void = () => {};
  const decidedUpTo = (number: number): Promise<void> =>
    new Promise((resolve) => {
      wanted = number;
      onAllDecided = resolve;
      if (decided >= wanted) resolve();
    });
  const host = openPiscinaLanes(
    { maxThreads: count, marksCapacity: count, stallMs: 60_000, onError: (error) => console.error(error) },
    {
      onUplink({ kind }) {
        if (kind !== 'decided') return;
        decided += 1;
        if (decided >= wanted) onAllDecided();
      },
      onLost: (symbol, loss) => console.error(symbol, loss),
    },
  );
  await host.start(symbols.map(laneStart));
  return {
    close: () => host.close(),
    async feedTrades({ frames }: Frames): Promise<number> {
      const { hub } = openHub(host, planOf(0));
      const decode = createMsgpackMarketDecoder();
      const sink = { ...NOT_EXPECTED, message: hub.message };
      const startedAt = performance.now();
      for (const frame of frames) decode(frame, sink);
      return performance.now() - startedAt;
    },
    /** A session's bars; each minute's are sent when those of the minute before are decided. */
    async feedBars({ plan, frames: { frames, messages } }: Day): Promise<number> {
      decided = 0;
      const { hub, clock } = openHub(host, plan);
      for (const symbol of symbols) host.post(symbol, { kind: 'sessionOpened', at: plan.openAt, plan });
      await decidedUpTo(count);
      decided = 0;
      const decode = createMsgpackMarketDecoder();
      const sink = {
        ...NOT_EXPECTED,
        message(message: Parameters<FeedHub['message']>[0]): void {
          if (message.kind === 'bar') clock.set(after(message.bar.startAt, seconds(61)));
          hub.message(message);
        },
      };
      let sent = 0;
      const startedAt = performance.now();
      for (const frame of frames) {
        decode(frame, sink);
        sent = hub.stats().bars;
        await decidedUpTo(sent);
      }
      const took = performance.now() - startedAt;
      if (sent !== messages) throw new Error(`every bar reaches its lane: ${messages}. Found: ${sent}`);
      return took;
    },
  };
}

function openHub(host: LaneHost, plan: SessionPlan) {
  const clock = handClock(plan.openAt);
  const hub = createFeedHub({
    clock,
    broker: NO_BROKER,
    queue: NO_QUEUE,
    log: NO_LOG,
    settings: { retryFirst: seconds(1), retryMax: seconds(30), liveFor: minutes(1), lateMax: seconds(10) },
    symbols: tickers(676),
    events: {
      onInput: (symbol, input) => host.post(symbol, input),
      onMark: (symbol, mark) => host.setMark(symbol, mark),
    },
  });
  hub.openSession(plan);
  return { hub, clock };
}

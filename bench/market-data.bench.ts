import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { unpack } from 'msgpackr';
import { createMsgpackMarketDecoder } from '../lib/adapters/alpaca/codec-decode-market-msgpack.ts';
import { openDataFeed } from '../lib/adapters/alpaca/data-feed.ts';
import { openPiscinaLanes } from '../lib/adapters/threads/piscina-lanes.ts';
import { createExchangeClock } from '../lib/adapters/time/exchange-clock.ts';
import type { Ticker } from '../lib/domain/ids.ts';
import type { Mark } from '../lib/domain/market.ts';
import type { SessionPlan } from '../lib/domain/session.ts';
import { after, minutes, seconds } from '../lib/domain/time.ts';
import { createFeedHub, type FeedHub } from '../lib/engine/feed-hub.ts';
import type { LaneHost } from '../lib/ports/lane-host.ts';
import { type Benchmark, interleave, spreadOf } from './figure.ts';
import { createFastestDecoder } from './parts/fastest-decoder.ts';
import { handClock, NO_BROKER, NO_LOG, NO_QUEUE } from './parts/idle-queue.ts';
import { barAt, laneStart, planOf, tickers } from './parts/lane-starts.ts';
import { type Frames, framesOf, tradesOf } from './parts/market-frames.ts';
import type { Serving } from './parts/trade-sender.ts';

/** Of the regular session of one day. */
const BARS_PER_SYMBOL = 390;

/**
 * Market data to the lanes: trades from a sender's socket, and from frames in memory, to the marks that lanes decide on;
 * bars to a decision of each lane. The floor of trades is decoding alone: the fields that a mark needs, out of the same
 * frames in memory, by the fastest decoder that was found.
 */
const marketData: Benchmark = {
  name: 'market-data',
  async run({ quick }, report) {
    await trades(quick, report);
    await bars(quick, report);
  },
};
export default marketData;

type Report = Parameters<Benchmark['run']>[1];

const rateOf = (messages: number, took: readonly number[]) =>
  spreadOf(took.map((ms) => (messages / ms) * 1_000));

// --- trades --------------------------------------------------------------------------------------------------------------

async function trades(quick: boolean, report: Report): Promise<void> {
  const symbols = quick ? 4 : 500;
  const printsPerDay = quick ? 200 : 4_000;
  const { trades, marks } = tradesOf(symbols, printsPerDay);
  const sender = await openSender(symbols, printsPerDay);
  const lanes = await openLanes(symbols, quick ? 1 : 10);
  const rounds = await interleave(quick ? 1 : 7, {
    socket: () => lanes.feedFromSocket(sender, trades.messages, marks),
    memory: () => lanes.feedTrades(trades, marks),
    fastest: async () => decodeFastest(trades),
    ours: async () => decodeOnly(trades),
    msgpackr: async () => unpackOnly(trades),
  });
  await lanes.close();
  sender.close();

  const rate = (took: readonly number[]) => rateOf(trades.messages, took);
  const floor = { name: 'decoding alone, fastest decoder', ...rate(rounds.fastest) };
  const line = (name: string, took: readonly number[]): void =>
    report({ name, unit: 'trades/s', measured: rate(took), floor });
  line(`trades from socket frame to the marks of ${symbols} lanes`, rounds.socket);
  line(`trades from frames in memory to the marks of ${symbols} lanes`, rounds.memory);
  line('trades decoded into messages alone', rounds.ours);
  line('trades unpacked by msgpackr, into objects alone', rounds.msgpackr);
}

type Sender = { readonly url: string; go(): void; close(): void };

async function openSender(symbols: number, printsPerDay: number): Promise<Sender> {
  const file = fileURLToPath(new URL('./parts/trade-sender.js', import.meta.url));
  const child = fork(file, [String(symbols), String(printsPerDay)]);
  const [serving] = (await once(child, 'message')) as [Serving];
  return { url: serving.url, go: () => child.send('go'), close: () => child.disconnect() };
}

const NOT_EXPECTED = {
  control: (): void => {},
  unreadable(error: unknown): void {
    throw new Error(`every frame of this benchmark can be read. Found: ${JSON.stringify(error)}`);
  },
};

function decodeFastest({ frames, messages }: Frames): number {
  const { decode } = createFastestDecoder();
  let seen = 0;
  const startedAt = performance.now();
  for (const frame of frames) seen += decode(frame);
  const took = performance.now() - startedAt;
  insistOn(messages, seen);
  return took;
}

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
  insistOn(messages, seen);
  return took;
}

function unpackOnly({ frames }: Frames): number {
  const startedAt = performance.now();
  for (const frame of frames) unpack(frame);
  return performance.now() - startedAt;
}

function insistOn(messages: number, seen: number): void {
  if (seen !== messages) throw new Error(`every message is taken: ${messages}. Found: ${seen}`);
}

// --- bars ----------------------------------------------------------------------------------------------------------------

async function bars(quick: boolean, report: Report): Promise<void> {
  const symbols = quick ? 2 : 50;
  const barsEach = quick ? 5 : BARS_PER_SYMBOL;
  const lanes = await openLanes(symbols, symbols);
  // Lanes take each bar once, so every round brings a day of its own.
  let day = 0;
  const nextDay = (): Day => dayOfBars(symbols, barsEach, planOf(day++));
  const { frames } = nextDay();
  const rounds = await interleave(quick ? 1 : 5, {
    through: () => lanes.feedBars(nextDay()),
    decoding: async () => decodeOnly(frames),
  });
  await lanes.close();
  report({
    name: `bars decoded, fanned out and decided by ${symbols} lanes`,
    unit: 'bars/s',
    measured: rateOf(frames.messages, rounds.through),
    floor: { name: 'decoding alone', ...rateOf(frames.messages, rounds.decoding) },
  });
}

type Day = { readonly plan: SessionPlan; readonly frames: Frames };

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

// --- lanes ---------------------------------------------------------------------------------------------------------------

async function openLanes(count: number, threads: number) {
  const symbols = tickers(count);
  let decided = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let onAllDecided: () => void = () => {};
  /** The mark that each lane's latest decision was made on. */
  const seen = new Map<Ticker, Mark | null>();
  const decidedUpTo = (number: number): Promise<void> =>
    new Promise((resolve) => {
      wanted = number;
      onAllDecided = resolve;
      if (decided >= wanted) resolve();
    });
  const host = openPiscinaLanes(
    { maxThreads: threads, marksCapacity: count, stallMs: 60_000, onError: (error) => console.error(error) },
    {
      onUplink(uplink) {
        if (uplink.kind !== 'decided') return;
        seen.set(uplink.symbol, uplink.steps.at(-1)?.event.mark ?? null);
        decided += 1;
        if (decided >= wanted) onAllDecided();
      },
      onLost: (symbol, loss) => console.error(symbol, loss),
    },
  );
  await host.start(symbols.map(laneStart));
  let round = 0;

  /** Asks every lane for a decision and compares what it was made on with what was sent. */
  async function insistOnMarks(marks: ReadonlyMap<Ticker, Mark>): Promise<void> {
    decided = 0;
    const plan = planOf(round);
    round += 1;
    for (const symbol of symbols) host.post(symbol, { kind: 'sessionOpened', at: plan.openAt, plan });
    await decidedUpTo(count);
    for (const [symbol, { price, at }] of marks) {
      const mark = seen.get(symbol);
      if (mark?.price !== price || mark.at !== at)
        throw new Error(`the lane of ${symbol} decides on ${price} at ${at}. Found: ${JSON.stringify(mark)}`);
    }
  }

  return {
    close: () => host.close(),
    async feedTrades({ frames, messages }: Frames, marks: ReadonlyMap<Ticker, Mark>): Promise<number> {
      const { hub } = openHub(host, planOf(0));
      const decode = createMsgpackMarketDecoder();
      const sink = { ...NOT_EXPECTED, message: hub.message, prints: hub.prints };
      const startedAt = performance.now();
      for (const frame of frames) {
        decode(frame, sink);
        hub.prints.turnOver();
      }
      const took = performance.now() - startedAt;
      insistOn(messages, hub.stats().prints);
      await insistOnMarks(marks);
      return took;
    },
    /** From the word to the sender until the last trade is taken. */
    async feedFromSocket(
      sender: Sender,
      messages: number,
      marks: ReadonlyMap<Ticker, Mark>,
    ): Promise<number> {
      const { hub } = openHub(host, planOf(0));
      const clock = createExchangeClock({ at: planOf(0).openAt, speed: 1 });
      let onLive: () => void = () => {};
      let onAll: () => void = () => {};
      const live = new Promise<void>((resolve) => {
        onLive = resolve;
      });
      const all = new Promise<void>((resolve) => {
        onAll = resolve;
      });
      const feed = openDataFeed(
        { url: `${sender.url}/v2/iex`, keyId: 'bench', secret: 'bench', clock, speed: 1, random: () => 0 },
        symbols,
        {
          onStatus: ({ state }) => state === 'live' && onLive(),
          onMessage: hub.message,
          prints: {
            ...hub.prints,
            turnOver() {
              hub.prints.turnOver();
              if (hub.stats().prints >= messages) onAll();
            },
          },
          dueSince: () => null,
        },
      );
      feed.start();
      await live;
      const startedAt = performance.now();
      sender.go();
      await all;
      const took = performance.now() - startedAt;
      await feed.close();
      clock.close();
      insistOn(messages, hub.stats().prints);
      await insistOnMarks(marks);
      return took;
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
      insistOn(messages, sent);
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

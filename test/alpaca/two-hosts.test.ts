import { expect } from 'chai';
import { openDataFeed } from '../../lib/adapters/alpaca/data-feed.ts';
import { openTradeFeed } from '../../lib/adapters/alpaca/trade-feed.ts';
import { startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { after, type Duration, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { type ConnectionPolicy, dataPolicy } from '../../lib/engine/connection-types.ts';
import { createDirectFeeds } from '../../lib/engine/direct-feeds.ts';
import { runLockstep } from '../../lib/engine/lockstep.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { DataFeedEvents, Feed, FeedStatus, TradeFeedEvents } from '../../lib/ports/feeds.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import { type ConnectFaultKind, NO_FAULTS } from '../../lib/sim/fault-types.ts';
import { createFaults, type Faults } from '../../lib/sim/faults.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';
import { exchangeOptions, OPEN, steadyMarket, TEN } from '../doors/support.ts';
import { Log } from './feed-stand.ts';

/*
 * One driver, two hosts: what befalls a connection must look the same to the machine whether the exchange's doors are real
 * sockets on loopback or simulated ones on virtual time.
 */

type Case = {
  readonly name: string;
  readonly stream: 'data' | 'trading';
  readonly fault?: ConnectFaultKind;
  readonly symbolLimit?: number;
  readonly wrongKey?: boolean;
};

const FAULTS: readonly ConnectFaultKind[] = [
  'connectRefuse',
  'connectSlotTaken',
  'connectSilent',
  'connectClose',
  'connectSlowClient',
];
const CASES: readonly Case[] = [
  ...(['data', 'trading'] as const).flatMap((stream): Case[] => [
    { name: `${stream}: nothing`, stream },
    { name: `${stream}: wrong key`, stream, wrongKey: true },
    ...FAULTS.map((fault) => ({ name: `${stream}: ${fault}`, stream, fault })),
  ]),
  { name: 'data: connectMute', stream: 'data', fault: 'connectMute' },
  { name: 'data: a limit of one symbol', stream: 'data', symbolLimit: 1 },
];

/** Exchange seconds per wall second on loopback. */
const SPEED = 500;
/** The machine's own deadlines do not run while it stands still: no turn of the event loop counts for more than this. */
const TURN_MILLIS_MAX = 5;
const SYMBOLS = ['SPY', 'BAC'] as Ticker[];
/** Four seconds of wall time: long enough for a slow machine to be live before it. */
const LIFE = 2_000_000_000;

const newExchange = (): Exchange =>
  createExchange(
    exchangeOptions(),
    tapeFromItems(SYMBOLS, [steadyMarket(SYMBOLS, OPEN, after(TEN, minutes(350)))]),
  );

function faultsOf({ stream, fault }: Case): Faults {
  const action = { kind: fault ?? 'connectClose', after: LIFE } as const;
  const times = fault === undefined ? 0 : 1;
  const script = [{ kind: 'connect', target: stream, from: null, times, action } as const];
  return createFaults({ ...NO_FAULTS, script }, createRandom(1));
}

function policyOf({ stream }: Case): ConnectionPolicy {
  const policy = { ...dataPolicy(SPEED), pingEvery: seconds(200) };
  return { ...policy, muteAfter: stream === 'data' ? seconds(500) : null };
}

/** Where a case ends: live again after what struck it, or refused. */
const isOver = ({ fault, wrongKey }: Case, told: readonly FeedStatus[]): boolean => {
  const lives = told.filter(({ state }) => state === 'live').length;
  const dies = fault === 'connectMute' || fault === 'connectClose' || fault === 'connectSlowClient';
  return wrongKey === true ? told.at(-1)?.state === 'refused' : lives >= (dies ? 2 : 1);
};

const show = (told: readonly FeedStatus[]): readonly string[] =>
  told.map(({ state, missing }) =>
    missing === undefined ? state : `${state} without ${missing.join() || 'none'}`,
  );

function eventsInto(onStatus: (status: FeedStatus) => void): DataFeedEvents & TradeFeedEvents {
  const nothing = (): void => undefined;
  const dueSince = (): Micros => TEN;
  return { onStatus, onMessage: nothing, onReport: nothing, onUnreadable: nothing, dueSince };
}

async function onVirtualTime(each: Case): Promise<readonly string[]> {
  const clock = createVirtualClock(TEN);
  const exchange = newExchange();
  const told: FeedStatus[] = [];
  const policy = policyOf(each);
  const feeds = createDirectFeeds({
    clock,
    exchange,
    connecting: seconds(3),
    faults: faultsOf(each),
    symbolLimit: each.symbolLimit ?? null,
    authorized: () => each.wrongKey !== true,
    dataPolicy: policy,
    tradePolicy: policy,
  });
  // Time is run to its end; what comes after the case is over does not belong to it.
  const events = eventsInto((status) => {
    if (!isOver(each, told)) told.push(status);
  });
  const feed = each.stream === 'data' ? feeds.openDataFeed(SYMBOLS, events) : feeds.openTradeFeed(events);
  feed.start();
  const goOn = (): boolean => !isOver(each, told);
  await runLockstep(exchange, clock, after(TEN, minutes(119)), () => Promise.resolve(), goOn);
  return show(told);
}

/** Runs as wall time does, and slower when the machine is. */
function tickingClock() {
  const clock = createVirtualClock(TEN);
  let before = performance.now();
  const ticker = setInterval(() => {
    const now = performance.now();
    const passed = Math.min(now - before, TURN_MILLIS_MAX);
    before = now;
    clock.runUntil(after(clock.now(), Math.round(passed * 1_000 * SPEED) as Duration));
  }, 1);
  return { ...clock, close: () => clearInterval(ticker) };
}

async function onLoopback(each: Case): Promise<readonly string[]> {
  const clock = tickingClock();
  const server = await startExchangeServer({
    exchange: newExchange(),
    speed: SPEED,
    faults: faultsOf(each),
    keys: { key: 'PKTEST', secret: 'secret' },
    plan: { symbolLimit: each.symbolLimit ?? null },
  });
  const told = new Log<FeedStatus>();
  const options = {
    keyId: each.wrongKey === true ? 'PKOTHER' : 'PKTEST',
    secret: 'secret',
    clock,
    speed: SPEED,
    random: () => 0.5,
    policy: policyOf(each),
  };
  const events = eventsInto((status) => told.add(status));
  const feed: Feed =
    each.stream === 'data'
      ? openDataFeed({ ...options, url: `${server.dataStreamUrl}/v2/iex` }, SYMBOLS, events)
      : openTradeFeed({ ...options, url: server.tradeStreamUrl }, events);
  feed.start();
  await told.until((items) => isOver(each, items));
  const states = show(told.items);
  await feed.close();
  await server.close();
  clock.close();
  return states;
}

describe('one connection driver on two hosts', function () {
  this.timeout(120_000);

  it('lives through the same states on real sockets and on virtual time', async () => {
    // All at once: most of the time is waiting.
    const pairs = await Promise.all(
      CASES.map(async (each) => ({
        name: each.name,
        virtual: await onVirtualTime(each),
        loopback: await onLoopback(each),
      })),
    );
    for (const { name, virtual, loopback } of pairs) expect(virtual, name).to.deep.equal(loopback);
    const reached = new Set(pairs.flatMap(({ virtual }) => virtual));
    expect([...reached]).to.include.members(['slotTaken', 'refused', 'waiting', 'live without none']);
    expect([...reached]).to.include('live without BAC');
  });
});

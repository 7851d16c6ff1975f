import { openPiscinaLanes, type PiscinaLanesOptions } from '../../lib/adapters/threads/piscina-lanes.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { openLane, reduceLane } from '../../lib/domain/lane.ts';
import type { LaneCommand, LaneEvent, LaneParams } from '../../lib/domain/lane-types.ts';
import type { Bar } from '../../lib/domain/market.ts';
import { cash, price } from '../../lib/domain/money.ts';
import { planSession } from '../../lib/domain/session.ts';
import { after, type Micros, micros, minutes, type SessionDay, seconds } from '../../lib/domain/time.ts';
import type { LaneHost, LaneLoss } from '../../lib/ports/lane-host.ts';
import type {
  LaneInputMessage,
  LaneStart,
  LaneUplink,
  StrategySetting,
} from '../../lib/ports/lane-protocol.ts';

export const SPY = 'SPY' as Ticker;
export const AAPL = 'AAPL' as Ticker;
export const QQQ = 'QQQ' as Ticker;

/** 2026-10-05, 09:30 to 16:00 in New York. */
const openAt = micros(1_791_207_000_000_000);
const plan = planSession(
  { day: '2026-10-05' as SessionDay, openAt, closeAt: after(openAt, minutes(390)), halfDay: false },
  minutes(5),
  seconds(120),
);

export const fixtureUrl = (file: string): string => new URL(`./fixtures/${file}`, import.meta.url).href;
const ENTER_ALWAYS: StrategySetting = { name: fixtureUrl('enter-always.js') };
export const misbehave = (how: string): StrategySetting => ({ name: fixtureUrl('misbehave.js'), how });

const paramsOf = (symbol: Ticker): LaneParams => ({
  symbol,
  lot: cash(20_000_000),
  entryPatience: seconds(120),
  entryQueueMax: seconds(5),
  lastTradeMaxAge: seconds(15),
  exitMarkup: price(0),
  holdMax: seconds(120),
  exitRetryFirst: seconds(1),
  exitRetryMax: seconds(30),
  cancelRetry: seconds(5),
  entriesMax: 50,
  lossesMax: 5,
  coolOff: minutes(15),
});

/** A lane in an open session with an open gate: its next signal is an entry. */
export function laneStart(symbol: Ticker, strategy: StrategySetting = ENTER_ALWAYS): LaneStart {
  const params = paramsOf(symbol);
  const events: readonly LaneEvent[] = [
    { kind: 'sessionOpened', at: openAt, mark: null, plan },
    { kind: 'gateChanged', at: openAt, mark: null, gate: { kind: 'open' } },
  ];
  const lane = events.reduce((state, event) => reduceLane(state, event)[0], openLane(params));
  return { symbol, params, strategy, lane, bars: [] };
}

/** The instant at which the session's minute `n` is complete, counted from 1. */
export const minuteEnd = (n: number): Micros => after(openAt, minutes(n));

/** A live bar of minute `n`, with the close given in dollars. */
export function barInput(symbol: Ticker, n: number, close = 100): LaneInputMessage {
  const px = price(close * 10_000);
  const bar: Bar = {
    symbol,
    startAt: minuteEnd(n - 1),
    open: px,
    high: px,
    low: px,
    close: px,
    volume: 100,
    tradeCount: 1,
    vwap: px,
  };
  return { kind: 'bars', at: minuteEnd(n), bars: [bar], origin: 'live' };
}

export type Heard = { readonly symbol: Ticker; readonly loss: LaneLoss };

/** A host whose events are kept, with a way to wait for one of them. */
export type WatchedLanes = {
  readonly host: LaneHost;
  readonly uplinks: LaneUplink[];
  readonly losses: Heard[];
  readonly errors: unknown[];
  /** Resolves as soon as `holds` is true, asked after every event. */
  until(holds: () => boolean): Promise<void>;
};

export function openWatchedLanes(options: Partial<PiscinaLanesOptions> = {}): WatchedLanes {
  const uplinks: LaneUplink[] = [];
  const losses: Heard[] = [];
  const errors: unknown[] = [];
  const waiting = new Set<() => void>();
  const happened = (): void => {
    for (const look of waiting) look();
  };
  const onError = (error: unknown): void => {
    errors.push(error);
    happened();
  };
  const host = openPiscinaLanes(
    // A machine that is busy with other things must not look like a stalled thread.
    { maxThreads: 8, marksCapacity: 64, stallMs: 20_000, onError, ...options },
    {
      onUplink(uplink) {
        uplinks.push(uplink);
        happened();
      },
      onLost(symbol, loss) {
        losses.push({ symbol, loss });
        happened();
      },
    },
  );
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { host, uplinks, losses, errors, until };
}

/** Every command a lane has asked for so far. */
export const commandsOf = (uplinks: readonly LaneUplink[], symbol: Ticker): readonly LaneCommand[] =>
  uplinks.flatMap((uplink) =>
    uplink.kind === 'decided' && uplink.symbol === symbol
      ? uplink.steps.flatMap((step) => step.commands)
      : [],
  );

import type { Ticker } from '../../lib/domain/ids.ts';
import { openLane } from '../../lib/domain/lane.ts';
import type { LaneParams } from '../../lib/domain/lane-types.ts';
import type { Bar } from '../../lib/domain/market.ts';
import { cash, price } from '../../lib/domain/money.ts';
import { planSession, type SessionPlan } from '../../lib/domain/session.ts';
import { after, formatInstant, micros, minutes, type SessionDay, seconds } from '../../lib/domain/time.ts';
import type { LaneInputMessage, LaneStart } from '../../lib/ports/lane-protocol.ts';

/** Lanes as the daemon starts them by default, on one made-up session. */

/** 2026-10-05, 09:30 in New York. */
const FIRST_OPEN_AT = micros(1_791_207_000_000_000);

/** Session `n`, one a day; weekends are no concern here. */
export function planOf(n: number): SessionPlan {
  const openAt = after(FIRST_OPEN_AT, minutes(n * 1_440));
  const day = formatInstant(openAt).slice(0, 10) as SessionDay;
  return planSession(
    { day, openAt, closeAt: after(openAt, minutes(390)), halfDay: false },
    minutes(5),
    seconds(120),
  );
}

/** `AA`, `AB`, …: as many different tickers as asked for, up to 676. */
export const tickers = (count: number): readonly Ticker[] =>
  Array.from(
    { length: count },
    (_, n) => String.fromCharCode(65 + Math.floor(n / 26), 65 + (n % 26)) as Ticker,
  );

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

export function laneStart(symbol: Ticker): LaneStart {
  const params = paramsOf(symbol);
  return { symbol, params, strategy: { name: 'sma-cross', period: 20 }, lane: openLane(params), bars: [] };
}

/** Bar `n` of a session, from 0, closing where the caller says (dollars). */
export function barAt(symbol: Ticker, plan: SessionPlan, n: number, close: number): Bar {
  const px = price(Math.round(close * 10_000));
  return {
    symbol,
    startAt: after(plan.openAt, minutes(n)),
    open: px,
    high: px,
    low: px,
    close: px,
    volume: 1_000,
    tradeCount: 10,
    vwap: px,
  };
}

/** The same bar as a lane is fed it, the moment it is complete. */
export const barInput = (symbol: Ticker, plan: SessionPlan, n: number, close: number): LaneInputMessage => ({
  kind: 'bars',
  at: after(plan.openAt, minutes(n + 1)),
  bars: [barAt(symbol, plan, n, close)],
  origin: 'live',
});

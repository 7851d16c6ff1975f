import type { LaneParams } from '../../domain/lane-types.ts';
import { type Duration, millis } from '../../domain/time.ts';
import { transportWait } from '../../engine/connection-types.ts';
import { DEFAULT_ENGINE_SETTINGS, type EngineSettings } from '../../engine/settings.ts';
import type { Config, SymbolSetting } from './config.ts';

/** The parameters of one lane, as the configuration gives them. */
export function toLaneParams(config: Config, { symbol, lot }: SymbolSetting): LaneParams {
  return {
    symbol,
    lot,
    entryQueueMax: config.gateway.entryLife,
    entryPatience: config.entry.patience,
    lastTradeMaxAge: config.entry.lastTradeMaxAge,
    exitMarkup: config.exit.markup,
    holdMax: config.exit.holdMax,
    exitRetryFirst: config.exit.retryFirst,
    exitRetryMax: config.exit.retryMax,
    cancelRetry: config.exit.cancelRetry,
    entriesMax: config.risk.entriesMax,
    lossesMax: config.risk.lossesMax,
    coolOff: config.risk.coolOff,
  };
}

/**
 * What the engine works by. `speed` is the clock's, in exchange seconds per wall second. The engine measures in exchange
 * time, so the settings that guard this machine are stretched by it; and what waits for an answer of the network never
 * waits less than a wall time in which one can come, or a fast clock would ask for what is already on its way.
 */
export function toEngineSettings(config: Config, speed: number): EngineSettings {
  const wall = (duration: Duration): Duration => Math.ceil(duration * speed) as Duration;
  const standard = DEFAULT_ENGINE_SETTINGS;
  const answered = (wait: Duration, wallMillis: number): Duration =>
    transportWait(wait, millis(wallMillis), speed);
  const { session, tracker, feed, reconcile } = standard;
  return {
    ...standard,
    lanes: config.symbols.map((each) => {
      const lane = toLaneParams(config, each);
      return { ...lane, cancelRetry: answered(lane.cancelRetry, 50) };
    }),
    strategy: config.strategy,
    session: {
      ...session,
      flattenBeforeClose: config.session.flattenBeforeClose,
      closeLag: answered(session.closeLag, 100),
      retryFirst: answered(session.retryFirst, 200),
      startPatience: answered(session.startPatience, 20_000),
      driftMax: wall(session.driftMax),
    },
    tracker: {
      ...tracker,
      pollFirst: answered(tracker.pollFirst, 20),
      pollMax: answered(tracker.pollMax, 500),
      silenceMax: answered(tracker.silenceMax, 50),
      absentAfter: answered(tracker.absentAfter, 100),
      sweepEvery: answered(tracker.sweepEvery, 500),
      sweepEveryBlind: answered(tracker.sweepEveryBlind, 100),
    },
    feed: {
      retryFirst: answered(feed.retryFirst, 50),
      retryMax: answered(feed.retryMax, 1_000),
      liveFor: answered(feed.liveFor, 100),
      lateMax: answered(feed.lateMax, 50),
    },
    reconcile: {
      ...reconcile,
      every: answered(reconcile.every, 500),
      everyIdle: answered(reconcile.everyIdle, 500),
      retryAfter: answered(reconcile.retryAfter, 50),
      recheckAfter: answered(reconcile.recheckAfter, 100),
    },
    gateway: {
      ...standard.gateway,
      requestsPerMinute: config.gateway.requestsPerMinute,
      exitReserve: config.gateway.exitReserve,
      journalPatience: wall(standard.gateway.journalPatience),
    },
    supervisor: {
      ...standard.supervisor,
      pingEvery: wall(standard.supervisor.pingEvery),
      stallAfter: wall(standard.supervisor.stallAfter),
      restartPause: wall(standard.supervisor.restartPause),
    },
    overload: { shutAfter: wall(standard.overload.shutAfter), calmAfter: wall(standard.overload.calmAfter) },
    risk: {
      limits: {
        sharesPerOrderMax: config.risk.orderQtyMax,
        notionalPerOrderMax: config.risk.orderNotionalMax,
        collarBps: Math.round(config.risk.priceCollar * 10_000),
        grossExposureMax: config.risk.grossExposureMax,
        dailyLossMax: config.risk.dailyLossMax,
      },
      checkEvery: wall(1_000_000 as Duration),
    },
    // The rates in force on the session's day.
    fees: null,
  };
}

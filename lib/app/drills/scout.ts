import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../../adapters/config/config.ts';
import { loadStrategy } from '../../adapters/threads/strategy-loader.ts';
import { wallTime } from '../../adapters/time/calendar.ts';
import type { Ticker } from '../../domain/ids.ts';
import type { Bar } from '../../domain/market.ts';
import { isSessionBar, planSession, type SessionPlan } from '../../domain/session.ts';
import { after, between, type Duration, type Micros, millis, minutes, seconds } from '../../domain/time.ts';
import { createExchange } from '../../sim/exchange.ts';
import { createRandom } from '../../sim/random.ts';
import { buildExchange, type ExchangeFacts } from '../exchange-options.ts';
import type { DrillTimes, Scene } from './drill.ts';

/**
 * Looks through invented days for a place where a drill can strike: the market does not depend on us, so what the
 * operator's strategy will say is known before the day is played.
 */
export type Opportunity = { readonly facts: ExchangeFacts; readonly times: DrillTimes };

/** A Monday of ordinary length, and the day after Thanksgiving, which closes at 13:00. */
const DAYS: Readonly<Record<Scene, string>> = {
  trading: '2026-10-05',
  close: '2026-10-05',
  halfDay: '2026-11-27',
};
/** Days that are looked through before a drill is given up. */
const MARKETS_MAX = 60;
const MINUTE = minutes(1);

export type Signal = { readonly symbol: Ticker; readonly at: Micros };

/** Entry signals of one day that buy at least one share, in time order. */
export async function signalsOf(
  config: Config,
  facts: ExchangeFacts,
): Promise<{ readonly plan: SessionPlan; readonly signals: readonly Signal[] }> {
  const built = await buildExchange(facts);
  const [session] = built.ok ? built.sessions : [];
  if (!built.ok || session === undefined)
    throw new Error(
      `A drill must have a market. Found: ${built.ok ? 'no session' : built.mistakes.join('; ')}`,
    );
  const strategy = await loadStrategy(config.strategy);
  const { name: _, ...options } = config.strategy;
  const lots = new Map(config.symbols.map(({ symbol, lot }) => [symbol, lot]));
  const states = new Map<Ticker, unknown>();
  const signals: Signal[] = [];
  const exchange = createExchange(built.options, built.tape);
  const see = (bar: Bar): void => {
    if (!isSessionBar(session, bar.startAt)) return;
    const { state, signal } = strategy.onBar(states.get(bar.symbol) ?? strategy.open(options), bar);
    states.set(bar.symbol, state);
    if (signal === 'enter' && (lots.get(bar.symbol) ?? 0) >= bar.close)
      signals.push({ symbol: bar.symbol, at: after(bar.startAt, MINUTE) });
  };
  exchange.onMarketEvent((event) => {
    if (event.kind === 'bar') see(event.bar);
  });
  exchange.advanceTo(session.closeAt);
  return { plan: planSession(session, config.session.flattenBeforeClose, config.exit.holdMax), signals };
}

/** The first market of the seed with a signal where the scene needs one; `null` when no market has it. */
export async function findOpportunity(
  config: Config,
  scene: Scene,
  seed: string,
  lead: Duration,
  stop: AbortSignal,
): Promise<Opportunity | null> {
  const random = createRandom(`drill/${seed}`);
  for (let market = 0; market < MARKETS_MAX; market += 1) {
    // A day takes a fraction of a second: whoever else has something to do gets his turn.
    await nextTurn();
    if (stop.aborted) return null;
    const facts = factsOf(config, scene, random.integer(0, 4_294_967_295));
    const { plan, signals } = await signalsOf(config, facts);
    const signal = scene === 'trading' ? busiest(plan, signals) : lastMoment(config, plan, signals);
    if (signal === null) continue;
    const startAt = Math.max(signal.at - lead, plan.openAt);
    const minute = (startAt - (startAt % MINUTE)) as Micros;
    return {
      facts: { ...facts, startAt: wallTime(minute).slice(0, 5) },
      times: {
        ...plan,
        startAt: minute,
        symbol: signal.symbol,
        signalAt: signal.at,
        symbols: config.symbols.map(({ symbol }) => symbol),
        fillDelay: scene === 'trading' ? QUICKLY : between(signal.at, fillTarget(config, plan)),
        strikeAt: strikeAt(config, plan),
        holdMax: config.exit.holdMax,
      },
    };
  }
  return null;
}

const factsOf = (config: Config, scene: Scene, seed: number): ExchangeFacts => ({
  tapePaths: [],
  symbols: config.symbols.map(({ symbol }) => symbol),
  seed,
  day: DAYS[scene],
  cashUsd: config.exchange.cash / 10_000,
});

/** Long enough after the open for a history of bars, and the more signals follow at once, the better. */
function busiest(plan: SessionPlan, signals: readonly Signal[]): Signal | null {
  const within = (from: Micros, wait: Duration): number =>
    signals.filter(({ at }) => at >= from && at < from + wait).length;
  const usable = signals.filter(
    ({ at }) => at >= plan.openAt + minutes(40) && at < plan.entryCutoffAt - minutes(15),
  );
  const [first] = usable.toSorted((a, b) => within(b.at, minutes(6)) - within(a.at, minutes(6)));
  return first ?? null;
}

/**
 * The last entry of the day: sent before the cutoff, and filled so late that it is held at `strikeAt` and when the flatten
 * begins.
 */
function lastMoment(config: Config, plan: SessionPlan, signals: readonly Signal[]): Signal | null {
  const from = fillTarget(config, plan) - config.entry.patience * 0.9;
  const until = Math.min(plan.entryCutoffAt, fillTarget(config, plan)) - seconds(2);
  // An earlier signal of the same symbol would leave the lane busy with another position.
  const busyFor = config.entry.patience + config.exit.holdMax + minutes(1);
  const isFree = ({ symbol, at }: Signal): boolean =>
    !signals.some((other) => other.symbol === symbol && other.at < at && other.at > at - busyFor);
  return signals.find((signal) => signal.at > from && signal.at < until && isFree(signal)) ?? null;
}

/** A minute before the flatten; with a shorter holding time later, for the shares must live to see both. */
const strikeAt = ({ exit }: Config, { flattenAt }: SessionPlan): Micros =>
  Math.floor(flattenAt - Math.min(minutes(1), exit.holdMax / 2)) as Micros;

/**
 * After the cutoff, so that the holding time reaches over the flatten; before the strike; and not so long after the last
 * minute bar before the cutoff that the entry's patience is over.
 */
function fillTarget(config: Config, plan: SessionPlan): Micros {
  const room = between(plan.entryCutoffAt, strikeAt(config, plan)) * 0.6;
  const patience = config.entry.patience * 0.9 - minutes(1) - seconds(5);
  return Math.floor(plan.entryCutoffAt + Math.max(Math.min(room, patience), seconds(2))) as Micros;
}

const QUICKLY = millis(300);

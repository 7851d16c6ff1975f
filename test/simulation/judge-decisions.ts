import type { Ticker } from '../../lib/domain/ids.ts';
import { formatInstant, type Micros, type SessionDay } from '../../lib/domain/time.ts';
import { laneBeginIn, stepIn } from '../../lib/engine/lane-records.ts';
import type { Run } from './run-scenario.ts';
import { byAnotherHand } from './scenario-facts.ts';
import type { Report } from './violation.ts';

type Seen = { readonly at: Micros; readonly symbol: Ticker; readonly startAt: Micros };

/**
 * No entry while an earlier bar of the session is missing from the lane's average, however its frame was lost; and in calm
 * weather every bar reaches its lane.
 */
export function judgeDecisions(run: Run, report: Report): void {
  const { scenario, witness, exchange, trail } = run;
  if (trail.refused() > 0) return;
  for (const [index, { day, openAt, closeAt }] of scenario.sessions.entries()) {
    const seen = barsSeen(run, day);
    barsReachLanes(run, index, seen, report);
    signalsAreTraded(run, day, openAt, closeAt, report);
    for (const post of witness.posts) {
      if (post.side !== 'buy' || post.at < openAt || post.at > closeAt) continue;
      const process = witness.processes[post.process];
      if (process === undefined) continue;
      const mine = seen.filter(
        ({ at, symbol }) =>
          symbol === post.symbol && at >= process.startedAt - SKEW_MAX && at <= post.at + SKEW_MAX,
      );
      const newest = Math.max(...mine.map(({ startAt }) => startAt));
      if (!Number.isFinite(newest)) continue;
      const had = new Set(mine.map(({ startAt }) => startAt));
      const missing = exchange
        .bars(post.symbol, openAt, newest as Micros)
        .filter(({ startAt }) => !had.has(startAt));
      const [first] = missing;
      if (first !== undefined)
        report(
          'entryWithoutBars',
          `${post.id}: ${missing.length} bars missing, first ${formatInstant(first.startAt)}`,
        );
    }
  }
}

/** So many signals in a row are not all refused by chance, whatever the weather. */
const SIGNALS_MIN = 12;

/** A daemon that refuses every entry is safe and of no use: with nobody to stop it, some of its signals are traded. */
function signalsAreTraded(run: Run, day: SessionDay, openAt: Micros, closeAt: Micros, report: Report): void {
  const { witness, scenario, trail } = run;
  const stops: ReadonlySet<string> = new Set(['halt', 'brokerDown', 'diskSlow', 'rateStorm', 'cut']);
  const isHeld = witness.operator.length > 0 || scenario.happenings.some(({ kind }) => stops.has(kind));
  if (isHeld || byAnotherHand(run)) return;
  if (witness.posts.some(({ side, at }) => side === 'buy' && at > openAt && at < closeAt)) return;
  const signals = trail.read(day).filter(({ body }) => {
    const event = (body as { readonly event?: { readonly signal?: unknown; readonly origin?: unknown } })
      .event;
    return event?.signal === 'enter' && event.origin === 'live';
  });
  if (signals.length >= SIGNALS_MIN) report('neverTrades', `${signals.length} signals and no entry`);
}

/** After the faults, feeds come back within the wait for a slot that somebody else held. */
const CALM_AFTER = 150_000_000;
/** Bars of the last minute may come after the close. */
const LAST_BAR = 120_000_000;

function barsReachLanes(run: Run, index: number, seen: readonly Seen[], report: Report): void {
  const { scenario, witness, exchange } = run;
  const session = scenario.sessions[index];
  if (session === undefined) return;
  const from = ((scenario.calmFrom[index] ?? session.closeAt) + CALM_AFTER) as Micros;
  const until = (session.closeAt - LAST_BAR) as Micros;
  const daemon = witness.processes.findLast(({ startedAt }) => startedAt < session.closeAt);
  if (daemon?.readyAt == null || daemon.readyAt > from - CALM_AFTER) return;
  for (const symbol of scenario.symbols) {
    const had = new Set(seen.filter((each) => each.symbol === symbol).map(({ startAt }) => startAt));
    const missing = exchange.bars(symbol, from, until).filter(({ startAt }) => !had.has(startAt));
    const [first] = missing;
    if (first !== undefined)
      report('barsWithheld', `${symbol}: ${missing.length} bars, first ${formatInstant(first.startAt)}`);
  }
}

/** Instants of the journal are the process's, which may be off by so much. */
const SKEW_MAX = 9_000_000;

function barsSeen({ trail }: Run, day: Parameters<Run['trail']['read']>[0]): readonly Seen[] {
  const found: Seen[] = [];
  for (const { at, kind, symbol, body } of trail.read(day)) {
    if (symbol === null) continue;
    // The bars that a lane's average begins with.
    const begin = kind === 'session' ? laneBeginIn(body) : null;
    for (const { startAt } of begin?.bars ?? []) found.push({ at, symbol, startAt });
    const event = kind === 'input' || kind === 'request' ? stepIn(body)?.event : undefined;
    if (event?.kind === 'barClosed') found.push({ at, symbol, startAt: event.bar.startAt });
  }
  return found;
}

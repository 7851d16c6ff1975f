import type { Ticker } from '../../lib/domain/ids.ts';
import { after, type Duration, formatInstant, type Micros, seconds } from '../../lib/domain/time.ts';
import { endOf, type Ledger } from './ledger.ts';
import type { Run } from './run-scenario.ts';
import { byAnotherHand } from './scenario-facts.ts';
import type { Report } from './violation.ts';

/** What is left of the faults when they stop: unknowns settle, feeds come back. */
const CALM_AFTER = seconds(100);
/** A connection that was to go mute when it was made still does. Until the pings find out, fills are found by listings. */
const DOOMED = ['connectMute', 'connectClose', 'connectSlowClient'] as const;
/** Cancel, confirmation, market sell, with every request in its queue. */
const BAIL_OUT_WITHIN = seconds(45);
const EXIT_WITHIN = seconds(10);

/** In calm weather a position has its exit at once, and is gone when its holding time is up. */
export function judgePace(run: Run, ledger: Ledger, report: Report): void {
  const calm = calmSpans(run);
  for (const symbol of run.scenario.symbols)
    for (const holding of holdingsOf(ledger, symbol)) {
      if (!calm.some(({ from, until }) => holding.from >= from && holding.until <= until)) continue;
      if (isDisturbed(run, ledger, symbol, holding)) continue;
      heldTooLong(run, symbol, holding, report);
      exitLate(run, ledger, symbol, holding, report);
    }
}

type Span = { readonly from: Micros; readonly until: Micros };

/** Where nothing goes wrong: a daemon is there all the time, its disk works, no hand but ours is on the account. */
function calmSpans(run: Run): readonly Span[] {
  const { scenario, witness } = run;
  if (byAnotherHand(run)) return [];
  const isPeaceful =
    Object.keys(scenario.rates).length === 0 &&
    scenario.happenings.length === 0 &&
    scenario.lateFills === 0 &&
    scenario.exchange.fillRules.length === 0;
  const isDoomed = DOOMED.some((kind) => (scenario.rates[kind] ?? 0) > 0);
  const longestTrouble = (CALM_AFTER + (isDoomed ? scenario.connectionLife[1] : 0)) as Duration;
  return scenario.sessions.flatMap(({ openAt, closeAt }, index) => {
    const daemon = witness.processes.find(
      ({ readyAt, endedAt }) =>
        readyAt !== null && readyAt < closeAt && (endedAt === null || endedAt > closeAt),
    );
    if (daemon?.readyAt == null) return [];
    const stopped = isPeaceful ? openAt : after(scenario.calmFrom[index] ?? closeAt, longestTrouble);
    return [{ from: Math.max(stopped, after(daemon.readyAt, seconds(30))) as Micros, until: closeAt }];
  });
}

/** From the first share to the last. */
function holdingsOf({ moves }: Ledger, symbol: Ticker): readonly Span[] {
  const found: Span[] = [];
  let held = 0;
  let from: Micros | null = null;
  for (const move of moves) {
    if (move.symbol !== symbol) continue;
    held += move.shares;
    if (held > 0) from ??= move.at;
    else if (from !== null) {
      found.push({ from, until: move.at });
      from = null;
    }
  }
  return found;
}

/** The venue may halt the symbol, or have no buyers for a market sell. */
function isDisturbed({ scenario }: Run, ledger: Ledger, symbol: Ticker, { from, until }: Span): boolean {
  const halted = scenario.happenings.some(
    (each) =>
      each.kind === 'halt' && each.symbol === symbol && each.at < until && (each.until ?? until) >= from,
  );
  return (
    halted ||
    ledger.ours.some(
      (order) =>
        order.symbol === symbol &&
        order.type === 'market' &&
        order.submittedAt >= from &&
        endOf(order) > after(order.submittedAt, seconds(5)),
    )
  );
}

function heldTooLong({ scenario }: Run, symbol: Ticker, { from, until }: Span, report: Report): void {
  const most = (scenario.trading.holdMax + BAIL_OUT_WITHIN) as Duration;
  if (until > after(from, most))
    report(
      'heldTooLong',
      `${symbol} from ${formatInstant(from)}: ${(until - from) / 1e6} s, allowed ${most / 1e6} s`,
    );
}

/** Counted from the end of the entry: until then there is nothing to sell, or more to come. */
function exitLate(
  { witness }: Run,
  ledger: Ledger,
  symbol: Ticker,
  { from, until }: Span,
  report: Report,
): void {
  const entry = ledger.ours.findLast(
    (order) => order.symbol === symbol && order.side === 'buy' && order.submittedAt <= from,
  );
  if (entry === undefined) return;
  const due = after(endOf(entry) as Micros, EXIT_WITHIN);
  const exit = witness.posts.find(
    (post) => post.symbol === symbol && post.side === 'sell' && post.at >= from && post.at <= until,
  );
  if (due < until && (exit === undefined || exit.at > due))
    report(
      'exitLate',
      `${entry.clientOrderId} ended at ${formatInstant(endOf(entry) as Micros)}, its exit left at ${exit === undefined ? 'no time' : formatInstant(exit.at)}`,
    );
}

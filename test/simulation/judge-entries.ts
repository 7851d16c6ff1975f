import type { Ticker } from '../../lib/domain/ids.ts';
import { formatInstant, type Micros, millis, minutes, seconds } from '../../lib/domain/time.ts';
import type { Ledger } from './ledger.ts';
import type { Run } from './run-scenario.ts';
import type { Report } from './violation.ts';
import type { Post } from './witness.ts';

/** What was told has crossed to the lane and back by then, the slowest crossing included. */
const HEARD_AFTER = millis(50);

const FLATTEN_LEAD = minutes(5);

/** Every entry, at the instant at which it left the house. */
export function judgeEntries(run: Run, _ledger: Ledger, report: Report): void {
  const rules = [sessionRule(run), operatorRule(run), haltRule(run), feedRule(run)];
  for (const post of run.witness.posts) {
    if (post.side !== 'buy') continue;
    for (const rule of rules) {
      const broken = rule(post);
      if (broken !== null) report(broken[0], `${post.id} at ${formatInstant(post.at)}: ${broken[1]}`);
    }
  }
}

type Rule = (post: Post) => readonly [string, string] | null;

/** The daemon knows the time as well as the broker tells it: a second, and what its clock was off when it started. */
function sessionRule({ scenario }: Run): Rule {
  const slack = seconds(1) + Math.abs(scenario.skew);
  // Computed here and not by the daemon's own plan: a wrong plan must not judge itself.
  const plans = scenario.sessions.map((session) => {
    const cutoff = session.closeAt - FLATTEN_LEAD - scenario.trading.holdMax;
    return { ...session, entryCutoffAt: Math.max(cutoff, session.openAt) as Micros };
  });
  return ({ at }) => {
    const plan = plans.find(({ closeAt }) => at <= closeAt);
    if (plan === undefined) return ['entryOutsideSession', 'after the last close'];
    if (at < plan.openAt - slack) return ['entryOutsideSession', 'before the open'];
    return at > plan.entryCutoffAt + slack
      ? ['entryAfterCutoff', `cutoff ${formatInstant(plan.entryCutoffAt)}`]
      : null;
  };
}

type Span = { readonly from: Micros; until: number; readonly symbol: Ticker | null; readonly what: string };

/**
 * Pause, flatten and kill hold until they are lifted. A process that starts later knows of a pause or a kill what the
 * journal tells; a flatten is done once.
 */
function operatorRule({ witness, trail, scenario }: Run): Rule {
  const spans: (Span & { readonly process: number })[] = [];
  const lift = (whats: readonly string[], symbol: Ticker | null, at: Micros): void => {
    for (const span of spans)
      if (
        span.until === Number.POSITIVE_INFINITY &&
        whats.includes(span.what) &&
        (symbol === null || span.symbol === symbol)
      )
        span.until = at;
  };
  for (const { at, process, what, symbol } of witness.operator) {
    if (what === 'resume') lift(['pause', 'flatten'], symbol, at);
    else if (what === 'clear') lift(['pause', 'flatten', 'kill'], symbol, at);
    else if (what !== 'adopt' && what !== 'adoptAsked')
      spans.push({ from: at, until: Number.POSITIVE_INFINITY, symbol, what, process });
  }
  const written = new Set(
    scenario.sessions
      .flatMap(({ day }) => trail.read(day))
      .filter(({ kind }) => kind === 'operator')
      .map(({ body }) => String((body as { what?: unknown }).what)),
  );
  return (post) => {
    const span = spans.find(
      ({ from, until, symbol, what, process }) =>
        post.at > from &&
        post.at < until &&
        (symbol === null || symbol === post.symbol) &&
        (post.process === process || (what !== 'flatten' && written.has(what))),
    );
    if (span === undefined) return null;
    const name = { pause: 'Pause', flatten: 'Flatten', kill: 'Kill' }[span.what] ?? span.what;
    return [`entryAfter${name}`, `${span.what} at ${formatInstant(span.from)}`];
  };
}

/** The exchange has the symbol halted, and this process was told so. */
function haltRule({ scenario, witness }: Run): Rule {
  const halts = scenario.happenings.flatMap((happening) =>
    happening.kind === 'halt' ? [{ ...happening, until: happening.until ?? Number.POSITIVE_INFINITY }] : [],
  );
  return (post) => {
    const halt = halts.find(
      ({ symbol, at, until }) => symbol === post.symbol && post.at > at && post.at < until,
    );
    if (halt === undefined) return null;
    const last = witness.halts.findLast(
      ({ at, process, symbol }) =>
        process === post.process && symbol === post.symbol && at < post.at - HEARD_AFTER,
    );
    return last?.state === 'halted' ? ['entryWhileHalted', `halted since ${formatInstant(halt.at)}`] : null;
  };
}

function feedRule({ witness }: Run): Rule {
  return (post) => {
    for (const stream of ['trading', 'data'] as const) {
      const last = witness.feeds.findLast(
        (told) => told.process === post.process && told.stream === stream && told.at < post.at - HEARD_AFTER,
      );
      if (last?.live !== true)
        return [
          'entryWithoutFeed',
          `${stream} feed down since ${last === undefined ? 'the start' : formatInstant(last.at)}`,
        ];
    }
    return null;
  };
}

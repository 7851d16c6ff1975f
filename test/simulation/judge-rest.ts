import type { Ticker } from '../../lib/domain/ids.ts';
import { type Lane, sharesHeld } from '../../lib/domain/lane.ts';
import { formatDecimal } from '../../lib/domain/money.ts';
import type { Session } from '../../lib/domain/session.ts';
import { after, before, minutes, seconds } from '../../lib/domain/time.ts';
import type { LaneStatus } from '../../lib/engine/engine-types.ts';
import { foldDay } from '../../lib/engine/restore.ts';
import { endOf, type Ledger } from './ledger.ts';
import type { Run } from './run-scenario.ts';
import { byAnotherHand } from './scenario-facts.ts';
import type { Report } from './violation.ts';

/** What a market sell may take in an open market, and a start under way besides. */
const TIME_TO_FLATTEN = seconds(60);

/** After the faults have stopped it comes to rest: flat at the close, agreed, and the journal tells the same. */
export function judgeRest(run: Run, ledger: Ledger, report: Report): void {
  for (const session of run.scenario.sessions) {
    flatAtClose(run, ledger, session, report);
    reportIsTrue(run, ledger, session, report);
    journalTellsTheSame(run, session, report);
    everythingAgrees(run, ledger, session, report);
  }
}

/** Shares that no daemon could have sold: halted into the close, no buyers for the last minute, or no daemon in time. */
function cannotBeFlat(
  { scenario, witness }: Run,
  ledger: Ledger,
  { closeAt }: Session,
  symbol: Ticker,
): string | null {
  const lastChance = before(closeAt, TIME_TO_FLATTEN);
  const halted = scenario.happenings.some(
    (happening) =>
      happening.kind === 'halt' &&
      happening.symbol === symbol &&
      happening.at < closeAt &&
      (happening.until === null || happening.until > lastChance),
  );
  if (halted) return 'halted into the close';
  const unsold = ledger.ours.some(
    (order) =>
      order.symbol === symbol &&
      order.type === 'market' &&
      order.submittedAt < lastChance &&
      endOf(order) >= closeAt,
  );
  if (unsold) return 'a market sell found no buyers';
  const daemon = witness.processes.findLast(({ startedAt }) => startedAt < closeAt);
  if (
    daemon === undefined ||
    daemon.readyAt === null ||
    daemon.readyAt > lastChance ||
    (daemon.endedAt ?? closeAt) < closeAt
  )
    return 'no daemon in time';
  return null;
}

function flatAtClose(run: Run, ledger: Ledger, session: Session, report: Report): void {
  const { closeAt } = session;
  for (const symbol of run.scenario.symbols) {
    const held = ledger.ownShares(symbol, closeAt);
    if (held !== 0 && cannotBeFlat(run, ledger, session, symbol) === null)
      report('notFlat', `${symbol}: ${held} shares`);
  }
  for (const order of ledger.ours)
    if (order.submittedAt < closeAt && endOf(order) > after(closeAt, seconds(1)))
      report('orderLeft', `${order.clientOrderId} is ${order.status}`);
}

function reportIsTrue(run: Run, ledger: Ledger, { day, openAt, closeAt }: Session, report: Report): void {
  const { witness, scenario } = run;
  const made = witness.reports.filter((each) => each.report.day === day).at(-1)?.report;
  if (made === undefined) {
    const daemon = witness.processes.findLast(({ startedAt }) => startedAt < closeAt);
    // Started at the close or after it, it has no session to tell of.
    if (daemon?.readyAt != null && daemon.readyAt < closeAt && daemon.endedAt === null)
      report('reportMissing', day);
    return;
  }
  const open = scenario.symbols.filter(
    (symbol) => ledger.ownShares(symbol, closeAt) + ledger.foreignShares(symbol, closeAt) !== 0,
  );
  if (made.flat !== (open.length === 0))
    report(
      'reportLies',
      `${day}: says flat ${made.flat}, the exchange holds ${open.join(', ') || 'nothing'}; ${made.open.join('; ')}`,
    );
  if (open.length > 0 || run.trail.refused() > 0 || witness.operator.some(({ what }) => what === 'adopt'))
    return;
  // What a successor by another hand carried on is valued at its predecessor's average: shares are exact, cents are not.
  if (scenario.happenings.some(({ kind }) => kind === 'replaceByHand')) return;
  let gross = 0;
  for (const { fill } of ledger.moves)
    if (fill !== null && fill.at >= openAt - 3_600_000_000 && fill.at <= closeAt)
      gross += (fill.side === 'sell' ? 1 : -1) * fill.qty * fill.price;
  const expected = formatDecimal(gross as never);
  if (made.grossUsd !== expected)
    report('reportLies', `${day}: gross ${made.grossUsd}, the exchange's fills say ${expected}`);
}

/** What a start would make of the journal is what the daemon believes. A disk that refused records has a hole. */
function journalTellsTheSame(run: Run, { day, closeAt }: Session, report: Report): void {
  if (run.trail.refused() > 0) return;
  const folded = foldDay(run.trail.read(day), () => undefined);
  for (const damage of folded.damages) report('journalDamaged', `${day}: ${damage}`);
  const status = run.witness.statuses.find(
    ({ at }) => at > closeAt && at < after(closeAt, minutes(30)),
  )?.status;
  for (const said of status?.lanes ?? []) {
    const lane = folded.lanes.get(said.symbol);
    if (lane === undefined) continue;
    const told = outlineOf(lane);
    const believed = {
      stage: said.stage,
      shares: said.shares,
      entries: said.entries,
      roundTrips: said.roundTrips,
      realized: said.realized,
    };
    if (JSON.stringify(told) !== JSON.stringify(believed))
      report(
        'journalDiffers',
        `${said.symbol}: told ${JSON.stringify(told)}, believed ${JSON.stringify(believed)}`,
      );
  }
}

const outlineOf = (
  lane: Lane,
): Pick<LaneStatus, 'stage' | 'shares' | 'entries' | 'roundTrips' | 'realized'> => ({
  stage: lane.stage.kind,
  shares: sharesHeld(lane),
  entries: lane.day.entries,
  roundTrips: lane.day.roundTrips,
  realized: lane.day.realized,
});

/** Some minutes after the close the daemon knows what the exchange knows, and waits for the next session in good order. */
function everythingAgrees(run: Run, ledger: Ledger, session: Session, report: Report): void {
  const { witness } = run;
  const seen = witness.statuses.find(
    ({ at }) => at > session.closeAt && at < after(session.closeAt, minutes(30)),
  );
  const daemon = witness.processes.at(-1);
  if (seen === undefined) {
    if (daemon?.outcome !== 'ready') report('notRunning', `${session.day}: ${daemon?.outcome}`);
    return;
  }
  const { status, at } = seen;
  if (status.dataFeed.state !== 'live') report('notAtRest', `data feed ${status.dataFeed.state}`);
  if (status.tradeFeed.state !== 'live') report('notAtRest', `trade feed ${status.tradeFeed.state}`);
  if (status.journalBroken) report('notAtRest', 'the journal is broken');
  if (status.orders.unknown > 0) report('notAtRest', `unknown orders: ${status.orders.unknown}`);
  for (const lane of status.lanes) {
    const own = ledger.ownShares(lane.symbol, at);
    if (lane.shares !== own)
      report('booksDiffer', `${lane.symbol}: the lane holds ${lane.shares}, the exchange says ${own}`);
    if (own === 0 && lane.stage !== 'flat') report('notAtRest', `${lane.symbol} is ${lane.stage}`);
    if (lane.owner === 'handover') report('notAtRest', `${lane.symbol} is being handed over`);
  }
  if (byAnotherHand(run) || run.trail.refused() > 0) return;
  for (const { symbol, code, evidence } of status.discrepancies)
    report('notAgreed', `${symbol} ${code}: ${evidence}`);
}

import type { ClientOrderId } from '../../lib/domain/ids.ts';
import { after, formatInstant, type Micros, seconds } from '../../lib/domain/time.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import type { Run } from './run-scenario.ts';
import { byAnotherHand } from './scenario-facts.ts';
import type { Report } from './violation.ts';
import type { Post } from './witness.ts';

/** What the daemon asked of the broker: how often, and nothing twice. */
export function judgeRequests(run: Run, report: Report): void {
  rateWithinLimit(run, report);
  eachIntentOnce(run, report);
  sharesFreeBeforeSale(run, report);
  alarmsAreTrue(run, report);
  slotIsWaitedOut(run, report);
}

/**
 * A process keeps its own budget. A new one does not know what the one before has spent: the broker's answer tells it
 * (429, and the headers of every answer), so that two processes are judged by what they each sent.
 */
function rateWithinLimit({ witness, scenario }: Run, report: Report): void {
  const limit = scenario.trading.requestsPerMinute;
  for (let process = 0; process < witness.processes.length; process += 1) {
    const sent = witness.requests.filter((request) => request.process === process);
    for (let i = limit; i < sent.length; i += 1) {
      const first = sent[i - limit];
      const last = sent[i];
      if (first === undefined || last === undefined || last.at - first.at >= 60_000_000) continue;
      report(
        'rateExceeded',
        `${limit + 1} requests in ${(last.at - first.at) / 1e6} s to ${formatInstant(last.at)}`,
      );
      break;
    }
  }
}

/**
 * Only a 429 proves that an intent was not taken: everything else is looked up, never sent again. An exit may leave without
 * its record when the disk is slow; a process killed right then leaves nothing behind that tells the next one of it, as
 * long as listings lag. The next one derives the same id, which the broker takes once.
 */
function eachIntentOnce({ witness, trail }: Run, report: Report): void {
  // A record of the process that sent it first; instants of the journal may be off by the skew of its clock.
  const wrote = ({ id, at }: Post): boolean =>
    trail.lines.some((line) => {
      if (!line.includes('"request"') || !line.includes(`"${id}"`)) return false;
      return (JSON.parse(line) as StoredRecord).at < at + 1_000_000;
    });
  const sent = new Map<ClientOrderId, Post>();
  for (const post of witness.posts) {
    const before = sent.get(post.id);
    sent.set(post.id, post);
    if (before === undefined || before.outcome?.kind === 'notSent') continue;
    if (before.process === post.process || post.side === 'buy' || wrote(before))
      report('sentTwice', `${post.id} at ${formatInstant(post.at)}, first ${formatInstant(before.at)}`);
  }
}

/**
 * A sell waits until what held the shares is proven gone. A process that was killed may leave an order behind that the next
 * one learns of by the refusal alone, and other hands may hold shares at any time.
 */
function sharesFreeBeforeSale(run: Run, report: Report): void {
  if (run.scenario.kills.length > 0 || run.trail.refused() > 0 || byAnotherHand(run)) return;
  for (const { id, side, outcome } of run.witness.posts)
    if (side === 'sell' && outcome?.kind === 'rejected' && outcome.refusal.code === 'heldShares')
      report('soldHeldShares', `${id}: ${outcome.refusal.text}`);
}

/** Without another hand on the account nothing can disagree for good, however far REST trails the stream. */
function alarmsAreTrue(run: Run, report: Report): void {
  if (run.trail.refused() > 0 || byAnotherHand(run)) return;
  for (const { day } of run.scenario.sessions)
    for (const { kind, symbol, body } of run.trail.read(day))
      if (kind === 'reconciliation') report('falseAlarm', `${symbol} ${JSON.stringify(body)}`);
}

/** Another session holds the slot: whoever knocks again at once only keeps it busy. Source: Alpaca frees it after 90 s. */
const SLOT_WAIT = seconds(85);

function slotIsWaitedOut({ witness }: Run, report: Report): void {
  let takenAt: Micros | null = null;
  let process = -1;
  for (const connect of witness.connects) {
    if (connect.stream !== 'data') continue;
    if (connect.answer === 'slotTaken') [takenAt, process] = [connect.at, connect.process];
    else if (takenAt !== null && connect.process === process && connect.at < after(takenAt, SLOT_WAIT))
      report(
        'slotHammered',
        `406 at ${formatInstant(takenAt)}, the next attempt at ${formatInstant(connect.at)}`,
      );
  }
}

import { judgeBooks } from './judge-books.ts';
import { judgeDecisions } from './judge-decisions.ts';
import { judgeEntries } from './judge-entries.ts';
import { judgePace } from './judge-pace.ts';
import { judgeRequests } from './judge-requests.ts';
import { judgeRest } from './judge-rest.ts';
import { keepLedger } from './ledger.ts';
import type { Run } from './run-scenario.ts';
import type { Report, Violation } from './violation.ts';
import { DIVERGED } from './witness.ts';

/**
 * Judges a run from the exchange's books and from what passed the doors. Safety holds at every instant, whatever goes
 * wrong; that it comes to rest is asked after the faults have stopped.
 */
export function judge(run: Run): readonly Violation[] {
  const found: Violation[] = [];
  const report: Report = (rule, text) => void found.push({ rule, text });
  for (const crash of run.crashes) report('crash', crash);
  const diverged = run.witness.situations.get(DIVERGED) ?? 0;
  if (diverged > 0) report('diverged', `a lane comes to what its shadow came to: ${diverged} did not`);
  const ledger = keepLedger(run);
  judgeBooks(run, ledger, report);
  judgeEntries(run, ledger, report);
  judgeRequests(run, report);
  judgeDecisions(run, report);
  judgeRest(run, ledger, report);
  judgePace(run, ledger, report);
  return found;
}

/**
 * Whole sessions at the pace of a minute a second, too long for the test suite: the recorded day of four symbols and an
 * invented day of fifty, each by `scalpd run` against a `scalpd exchange` of its own, side by side. Prints one line of JSON
 * for each and fails when report and books differ.
 *
 *   npm run build && node dist/test/e2e/full-sessions.js [SPEED]
 */
import { removeScratch } from '../support/scratch.ts';
import { killChildren } from './support/child.ts';
import { expectAgreement } from './support/exchange.ts';
import { realTape } from './support/real-tape.ts';
import { runDay } from './support/run-day.ts';

const speed = process.argv[2] ?? '60';

async function session(name: string, args: readonly string[]): Promise<void> {
  const begunAt = performance.now();
  const { report, books } = await runDay(['--speed', speed, ...args]);
  expectAgreement(report, books);
  const { day, symbols, roundTrips, submitted, netUsd, feesUsd, exits, heldSeconds, flat } = report;
  const seconds = Math.round((performance.now() - begunAt) / 1_000);
  const facts = {
    day,
    symbols: symbols.length,
    roundTrips,
    submitted,
    netUsd,
    feesUsd,
    exits,
    heldSeconds,
    flat,
  };
  process.stdout.write(
    `${JSON.stringify({ session: name, speed: Number(speed), seconds, ...facts, agreed: true })}\n`,
  );
}

const tape = realTape();
if (tape === null)
  process.stderr.write('skipped the recorded day: needs the recordings of ../shared/data/tape\n');
try {
  await Promise.all([
    session('invented', ['--count', '50']),
    ...(tape === null ? [] : [session('recorded', ['--tape', ...tape])]),
  ]);
} finally {
  await killChildren();
  removeScratch();
}

import { openJournal } from '../../lib/adapters/journal/journal.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { micros, type SessionDay } from '../../lib/domain/time.ts';

/** A process to be killed: appends numbered records for as long as it lives and prints each number once acknowledged. */
const journal = await openJournal({ path: process.argv[2] ?? '' });
for (let n = 0; ; n += 7) {
  const batch = Array.from({ length: 7 }, (_, i) => n + i);
  await Promise.all(
    batch.map((each) =>
      journal.append({
        day: '2026-10-05' as SessionDay,
        at: micros(each),
        kind: 'input',
        symbol: 'SPY' as Ticker,
        body: { n: each, padding: 'x'.repeat(300) },
      }),
    ),
  );
  process.stdout.write(`${n + 6}\n`);
}

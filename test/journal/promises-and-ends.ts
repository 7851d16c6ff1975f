import { workerData } from 'node:worker_threads';
import { openJournal } from '../../lib/adapters/journal/journal.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { micros } from '../../lib/domain/time.ts';
import { DAY } from './files.ts';

/** Appends what must survive a kill, and ends before it could be committed. */
const { path } = workerData as { readonly path: string };
const journal = await openJournal({ path });
void journal.append({
  day: DAY,
  at: micros(1_790_000_000_123_456),
  kind: 'request',
  symbol: 'SPY' as Ticker,
  body: 'promised',
});
process.exit();

import { openJournal } from '../../lib/adapters/journal/journal.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { micros, type SessionDay } from '../../lib/domain/time.ts';

/** Appends seven records, the third and the fifth of them requests, and is gone before anything else can happen. */
const [path = '', from = '0'] = process.argv.slice(2);
const journal = await openJournal({ path });
for (let n = 0; n < 7; n += 1)
  void journal.append({
    day: '2026-10-05' as SessionDay,
    at: micros(n),
    kind: n === 2 || n === 4 ? 'request' : 'input',
    symbol: 'SPY' as Ticker,
    body: { n: Number(from) + n, text: 'a\ttab, a\nbreak, é' },
  });
process.kill(process.pid, 'SIGKILL');

import type { Ticker } from '../domain/ids.ts';
import { formatInstant, type Micros, type SessionDay } from '../domain/time.ts';
import type { JournalHead, StoredRecord } from '../ports/journal.ts';
import { judgeSymbol } from './certificate-judge.ts';
import { type Trail, trailOf } from './certificate-trail.ts';
import type { Books, Certificate, Moved, SymbolCertificate } from './certificate-types.ts';
import { foldDay } from './restore.ts';

/**
 * The certificate of what the journal held up to `head`; `null` when no session of that day began. `records` are those of
 * the day in order; what comes after `head` is not looked at.
 */
export function certify(
  day: SessionDay,
  records: readonly StoredRecord[],
  head: JournalHead,
): Certificate | null {
  const covered = records.filter(({ id }) => id <= head.id);
  const { symbols: trails, began } = trailOf(covered);
  if (!began) return null;
  const books = foldBooks(covered);
  const symbols = [...trails]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, trail]) => judgeSymbol(symbol, trail, books(symbol)));
  return {
    format: 1,
    day,
    flat: allOf(symbols.map(({ flat }) => flat)),
    takenAt: lastLook([...trails.values()]),
    journal: { id: head.id, hash: head.hash, records: covered.length },
    symbols,
  };
}

function foldBooks(records: readonly StoredRecord[]): (symbol: Ticker) => Books {
  try {
    const { lanes, doubtful } = foldDay(records, () => undefined);
    return (symbol) => {
      const lane = lanes.get(symbol);
      if (lane === undefined)
        return { kind: 'unknown', text: 'the journal must tell what the lane began with' };
      return doubtful.has(symbol)
        ? { kind: 'unknown', text: 'the journal must tell every step of the lane' }
        : { kind: 'folded', lane };
    };
  } catch (cause) {
    // A lane's own invariants refuse records that no lane can have written.
    const text = `the journal must fold: ${cause instanceof Error ? cause.message : String(cause)}`;
    return () => ({ kind: 'unknown', text });
  }
}

function lastLook(trails: readonly Trail[]): string | null {
  const looks = trails.flatMap(({ evidence }) => (evidence === null ? [] : [evidence.body.takenAt]));
  return looks.length === 0 ? null : formatInstant(Math.max(...looks) as Micros);
}

/** One that is not flat decides, then one that is not known. */
function allOf(flat: readonly (boolean | null)[]): boolean | null {
  if (flat.includes(false)) return false;
  return flat.includes(null) ? null : true;
}

/** For people: one line that says it. */
export function describeSymbol({
  symbol,
  flat,
  evidence,
  unproven,
  sources,
  orders,
}: SymbolCertificate): string {
  const { stream, positions } = sources;
  const executions = orders.reduce((sum, { executions: each }) => sum + each.length, 0);
  const word = flat === true ? 'flat' : flat === null ? 'UNPROVEN' : 'NOT FLAT';
  const moved = (of: Moved | null): string => (of === null ? 'not read' : `${of.bought}/${of.sold}`);
  const facts = [
    `${orders.length} orders`,
    `${executions} executions`,
    `bought/sold by stream ${moved(stream)}, by orders ${moved(sources.orders)}, by fills ${moved(sources.fills)}`,
    `position ${positions?.shares ?? 'not read'}`,
  ];
  return [`${symbol}: ${word}; ${facts.join(', ')}`, ...evidence, ...unproven].join('; ');
}

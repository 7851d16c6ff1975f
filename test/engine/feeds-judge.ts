import type { LaneCommand, LaneEvent } from '../../lib/domain/lane-types.ts';
import type { Session } from '../../lib/domain/session.ts';
import type { Micros } from '../../lib/domain/time.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import type { SimulatedDay } from './simulated-day.ts';

/** What the journal tells of a day's bars, held against the exchange's. */

type Input = { readonly step: number; readonly event: LaneEvent };
type Decision = { readonly step: number; readonly commands: readonly LaneCommand[] };
type BarClosed = Extract<LaneEvent, { kind: 'barClosed' }>;

const inputs = (records: readonly StoredRecord[]) =>
  records.filter(({ kind }) => kind === 'input').map(({ symbol, body }) => ({ symbol, ...(body as Input) }));

/** The symbols whose lanes have the bar of a minute, sorted. */
export const barsGiven = (records: readonly StoredRecord[], startAt: Micros): readonly (string | null)[] =>
  inputs(records)
    .filter(({ event }) => event.kind === 'barClosed' && event.bar.startAt === startAt)
    .map(({ symbol }) => symbol)
    .sort();

/** Buys that were decided on a bar that had been fetched. */
export function entriesOnOldBars(records: readonly StoredRecord[]): readonly string[] {
  const found: string[] = [];
  let last: ReturnType<typeof inputs>[number] | null = null;
  for (const record of records) {
    if (record.kind === 'input') last = { symbol: record.symbol, ...(record.body as Input) };
    if (record.kind !== 'decision' || last === null || last.event.kind !== 'barClosed') continue;
    const { step, commands } = record.body as Decision;
    const buys = commands.some((command) => command.kind === 'submit' && command.intent.side === 'buy');
    if (buys && last.symbol === record.symbol && last.step === step && last.event.origin === 'backfilled')
      found.push(`${record.symbol} at step ${step}`);
  }
  return found;
}

/**
 * Where the lanes' bars differ from those of the exchange: missing, twice, out of order, or not the same. `since`: the first
 * record of the process that is looked at, for each is given the session's bars anew.
 */
export function barsMissed(day: SimulatedDay, session: Session, since: number): readonly string[] {
  const got = new Map<string, string[]>();
  for (const { symbol, event } of inputs(day.journal.records.slice(since)))
    if (symbol !== null && event.kind === 'barClosed')
      got.set(symbol, [...(got.get(symbol) ?? []), show((event as BarClosed).bar)]);
  return day
    .engine()
    .status()
    .lanes.flatMap(({ symbol }) => {
      const wanted = day.exchange
        .bars(symbol, session.openAt, session.closeAt)
        .filter(({ startAt }) => startAt < session.closeAt)
        .map(show);
      const seen = got.get(symbol) ?? [];
      const missing = wanted.filter((bar, index) => seen[index] !== bar);
      return seen.length === wanted.length && missing.length === 0
        ? []
        : [
            `${symbol}: ${seen.length} of ${wanted.length} bars, first difference ${missing[0] ?? 'at the end'}`,
          ];
    });
}

const show = ({ startAt, close }: BarClosed['bar']): string => `${startAt} ${close}`;

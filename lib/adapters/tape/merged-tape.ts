import type { Ticker } from '../../domain/ids.ts';
import type { Price } from '../../domain/money.ts';
import { after, minutes } from '../../domain/time.ts';
import type { Tape, TapeItem } from '../../sim/exchange-api.ts';
import { tapeFromItems } from '../../sim/tape.ts';
import type { TapePart } from './tape-file.ts';

/**
 * Several files played as one tape, in time order. At equal instants: first bars that end there, then what the market
 * says about itself, then quotes, then prints: a print meets the quote of its own instant.
 */
export type MergedTapeOptions = {
  readonly parts: readonly TapePart[];
  readonly symbols: readonly Ticker[];
  readonly previousCloses: ReadonlyMap<Ticker, Price>;
};

export function mergedTape({ parts, symbols, previousCloses }: MergedTapeOptions): Tape {
  const sources = [...parts.map(slowItems), ...parts.map(quoteItems), ...parts.map(printItems)];
  return {
    ...tapeFromItems(symbols, sources, previousCloses),
    complete: parts.every((part) => isComplete(part, parts)),
  };
}

/**
 * Whether no minute of this part needs its prints drawn: bars that were built from the trades themselves (`tbars`)
 * never name a minute without a print, a source's own bars may.
 */
function isComplete(part: TapePart, parts: readonly TapePart[]): boolean {
  if (!part.others.some((row) => row.kind === 'bar')) return true;
  if (part.kind !== 'tbars') return false;
  return parts.some(
    (other) => other.symbol === part.symbol && other.day === part.day && other.prints.length > 0,
  );
}

const MINUTE = minutes(1);
/** A correction comes out half a minute after the bar it corrects. */
const CORRECTED_AFTER = minutes(1.5);

/** Bars, statuses and bands: few enough to be sorted. */
function slowItems(part: TapePart): readonly TapeItem[] {
  return part.others.map(timed).toSorted((a, b) => a.at - b.at);
}

function timed(record: TapePart['others'][number]): TapeItem {
  switch (record.kind) {
    case 'bar':
      return { ...record, at: after(record.bar.startAt, MINUTE) };
    case 'updatedBar':
      return { ...record, at: after(record.bar.startAt, CORRECTED_AFTER) };
    case 'status':
      return { ...record, at: record.status.at };
    case 'luld':
      return { ...record, at: record.band.at };
  }
}

function* quoteItems({ quotes }: TapePart): Iterable<TapeItem> {
  for (let row = 0; row < quotes.length; row += 1) {
    const quote = quotes.item(row);
    yield { kind: 'quote', at: quote.at, quote };
  }
}

function* printItems({ prints }: TapePart): Iterable<TapeItem> {
  for (let row = 0; row < prints.length; row += 1) {
    const print = prints.item(row);
    yield { kind: 'print', at: print.at, print };
  }
}

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ticker } from '../../domain/ids.ts';
import type { Price } from '../../domain/money.ts';
import { isSessionBar } from '../../domain/session.ts';
import type { SessionDay } from '../../domain/time.ts';
import type { Tape } from '../../sim/exchange-api.ts';
import { instantOf, sessionsBetween } from '../time/calendar.ts';
import { mergedTape } from './merged-tape.ts';
import {
  codeOf,
  isTapePath,
  type LoadedFile,
  loadTapeFile,
  parseTapeName,
  type TapeMistake,
  type TapePart,
} from './tape-file.ts';

/** Tape files and folders made into one tape: grouped by day and symbol, days in order. */
export type TapeWish = {
  readonly paths: readonly string[];
  /** Only these; `null` for all that the files hold. */
  readonly symbols: readonly Ticker[] | null;
  /** Only this day; `null` for all. */
  readonly day: SessionDay | null;
};

export type LoadedTape =
  | { readonly ok: true; readonly tape: Tape; readonly days: readonly SessionDay[] }
  | { readonly ok: false; readonly mistakes: readonly TapeMistake[] };

export async function loadTape(wish: TapeWish): Promise<LoadedTape> {
  const { files, mistakes } = await expand(wish.paths);
  if (mistakes.length > 0) return { ok: false, mistakes };
  const wanted = files.filter((file) => matches(file, wish));
  // One after the other: a busy symbol's day unpacks to 40 MB of text, which need not be there for all at once.
  const loaded: LoadedFile[] = [];
  for (const file of useful(wanted)) loaded.push(await loadTapeFile(file));
  const broken = loaded.flatMap((file) => file.mistakes);
  if (broken.length > 0) return { ok: false, mistakes: broken };
  const parts = loaded
    .flatMap((file) => file.parts)
    .filter((part) => wish.symbols?.includes(part.symbol) ?? true)
    .filter((part) => wish.day === null || part.day === wish.day);
  const absent = missing(wish, parts, files);
  if (absent.length > 0) return { ok: false, mistakes: absent };
  const chosen = withoutDoubledBars(parts);
  const symbols = [...new Set(chosen.map((part) => part.symbol))].sort();
  const days = [...new Set(chosen.map((part) => part.day))].sort();
  const tape = mergedTape({
    parts: chosen,
    symbols,
    previousCloses: await closesBefore(days[0], symbols, files),
  });
  return { ok: true, tape, days };
}

async function expand(
  paths: readonly string[],
): Promise<{ readonly files: readonly string[]; readonly mistakes: readonly TapeMistake[] }> {
  const files = new Set<string>();
  const mistakes: TapeMistake[] = [];
  const mistake = (file: string, text: string): void => {
    mistakes.push({ file, line: null, text });
  };
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) {
        if (isTapePath(path)) files.add(path);
        else mistake(path, 'a tape file is named *.ndjson or *.ndjson.gz. Found: another name');
        continue;
      }
      const inside = (await readdir(path)).filter(isTapePath).sort();
      if (inside.length === 0)
        mistake(path, 'a tape folder holds *.ndjson or *.ndjson.gz files. Found: none');
      for (const name of inside) files.add(join(path, name));
    } catch (error) {
      mistake(path, `a tape is a file or a folder that exists. Found: ${codeOf(error)}`);
    }
  }
  return { files: [...files].sort(), mistakes };
}

/** By its name alone; a file whose name does not say is opened. */
function matches(file: string, wish: TapeWish): boolean {
  const name = parseTapeName(file);
  if (name === null) return true;
  return (wish.symbols?.includes(name.symbol) ?? true) && (wish.day === null || name.day === wish.day);
}

/** Bars of another source beside bars built from the trades themselves would give every minute twice. */
function useful(files: readonly string[]): readonly string[] {
  const keys = new Set(files.map((file) => keyOf(file)));
  return files.filter((file) => {
    const name = parseTapeName(file);
    if (name?.kind !== 'bars' && name?.kind !== 'tbars') return true;
    const of = (kind: string): boolean => keys.has(`${name.symbol} ${name.day} ${kind}`);
    return name.kind === 'bars' ? !(of('tbars') && of('trades')) : of('trades') || !of('bars');
  });
}

function keyOf(file: string): string {
  const name = parseTapeName(file);
  return name === null ? file : `${name.symbol} ${name.day} ${name.kind}`;
}

/** Files without a telling name can still hold the same minutes twice: the first file that has bars wins. */
function withoutDoubledBars(parts: readonly TapePart[]): readonly TapePart[] {
  const seen = new Set<string>();
  return parts.map((part) => {
    if (!part.others.some((row) => row.kind === 'bar')) return part;
    const key = `${part.symbol} ${part.day}`;
    if (seen.has(key)) return { ...part, others: part.others.filter((row) => row.kind !== 'bar') };
    seen.add(key);
    return part;
  });
}

function missing(
  wish: TapeWish,
  parts: readonly TapePart[],
  files: readonly string[],
): readonly TapeMistake[] {
  const file = wish.paths.join(', ');
  const found = new Set(parts.map((part) => part.symbol));
  const absent = (wish.symbols ?? []).filter((symbol) => !found.has(symbol));
  const on = wish.day === null ? '' : ` on ${wish.day}`;
  if (absent.length > 0)
    return [{ file, line: null, text: `every symbol has a tape${on}. Found none for: ${absent.join(', ')}` }];
  if (parts.length > 0) return [];
  const days = [...new Set(files.flatMap((name) => parseTapeName(name)?.day ?? []))].sort();
  const held = days.length === 0 ? 'nothing to play' : `the days ${days.join(', ')}`;
  return [{ file, line: null, text: `the tape has something to play${on}. Found: ${held}` }];
}

/** Longest gap between two sessions: a weekend with holidays on both sides. */
const PREVIOUS_MAX_DAYS = 6;

/** The last regular price of the day before, where a bars file of it lies beside the ones played. */
async function closesBefore(
  day: SessionDay | undefined,
  symbols: readonly Ticker[],
  files: readonly string[],
): Promise<ReadonlyMap<Ticker, Price>> {
  const closes = new Map<Ticker, Price>();
  if (day === undefined) return closes;
  for (const symbol of symbols) {
    const earlier = files
      .filter((file) => {
        const name = parseTapeName(file);
        return name?.kind === 'bars' && name.symbol === symbol && name.day < day;
      })
      .at(-1);
    const name = earlier === undefined ? null : parseTapeName(earlier);
    if (earlier === undefined || name === null || daysApart(name.day, day) > PREVIOUS_MAX_DAYS) continue;
    const close = lastRegularClose((await loadTapeFile(earlier)).parts);
    if (close !== null) closes.set(symbol, close);
  }
  return closes;
}

function lastRegularClose(parts: readonly TapePart[]): Price | null {
  let close: Price | null = null;
  for (const part of parts) {
    const [session] = sessionsBetween(part.day, part.day);
    for (const row of part.others)
      if (row.kind === 'bar' && session !== undefined && isSessionBar(session, row.bar.startAt))
        close = row.bar.close;
  }
  return close;
}

const DAY_MICROS = 86_400_000_000;
const daysApart = (from: SessionDay, to: SessionDay): number =>
  Math.round((instantOf(to, '12:00') - instantOf(from, '12:00')) / DAY_MICROS);

import { posix } from 'node:path';

/** A file of the repository, by its path from the root. */
export type SourceFile = { readonly path: string; readonly text: string };
/** What breaks a rule, where: `lib/domain/money.ts:12 imports node:fs`. */
export type Violation = string;

export const LINES_MAX = 400;

/** The floor of a file, or `null` when it stands outside the house (tests, benchmarks, scripts). */
export function floorOf(path: string): number | null {
  const floors: readonly (readonly [number, RegExp])[] = [
    [0, /^lib\/domain\//],
    [1, /^lib\/(strategy|ports)\//],
    [2, /^lib\/(engine|sim|backtest)\//],
    [3, /^lib\/adapters\//],
    [4, /^(bin|workers|lib\/app)\//],
  ];
  return floors.find(([, pattern]) => pattern.test(path))?.[0] ?? null;
}

type Import = { readonly from: string; readonly line: number };

/** What a file imports, in any of the ways TypeScript has: import, export from, import(), and import types. */
export function importsOf({ text }: SourceFile): readonly Import[] {
  const code = withoutComments(text);
  const found = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g);
  return [...found].map((match) => ({ from: match[2] ?? '', line: lineOf(code, match.index) }));
}

/** The file that a relative import means. */
const targetOf = (file: SourceFile, from: string): string => posix.join(posix.dirname(file.path), from);

/** Imports go to the same floor or below, never outside it. */
export function checkFloors(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap((file) => {
    const floor = floorOf(file.path);
    if (floor === null) return [];
    return importsOf(file).flatMap(({ from, line }) => {
      const at = `${file.path}:${line}`;
      if (!from.startsWith('.'))
        return floor <= 2
          ? [`${at} imports ${from}; floors 0 to 2 know no packages and no node modules`]
          : [];
      const target = floorOf(targetOf(file, from));
      if (target === null) return [`${at} imports ${from}, which is outside the floors`];
      return target > floor ? [`${at} (floor ${floor}) imports ${from} (floor ${target})`] : [];
    });
  });
}

/** No file reaches itself through its imports. Each cycle is named once. */
export function checkCycles(files: readonly SourceFile[]): readonly Violation[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => targetOf(file, from)),
    ]),
  );
  const done = new Set<string>();
  const cycles: Violation[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push(`import cycle: ${[...trail.slice(at), path].join(' -> ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

const IMPURE: readonly (readonly [string, RegExp])[] = [
  ['Date', /\bDate\b/],
  ['timers', /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['Math.random', /\bMath\s*\.\s*random\b/],
  ['process', /\bprocess\b/],
  ['console', /\bconsole\b/],
  ['performance', /\bperformance\b/],
  ['randomness', /\bcrypto\b/],
];

/** Floors 0 to 2 take time and chance as arguments and touch nothing outside. */
export function checkPurity(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap((file) => {
    const floor = floorOf(file.path);
    if (floor === null || floor > 2) return [];
    return matches({ ...file, text: withoutText(file.text) }, IMPURE, 'uses');
  });
}

const WIRE_NAMES =
  /\b(client_order_id|asset_class|asset_id|avg_entry_price|buying_power|cancel_requested_at|canceled_at|cost_basis|created_at|expired_at|extended_hours|failed_at|filled_at|filled_avg_price|filled_qty|held_for_orders|hwm|limit_price|long_market_value|market_value|next_page_token|order_class|order_type|page_token|position_intent|position_qty|qty_available|related_orders|replaced_at|replaced_by|settlement_date|stop_loss|stop_price|submitted_at|take_profit|time_in_force|trading_blocked|trail_percent|trail_price|transaction_time|unrealized_pl|updated_at)\b/;

/**
 * Only the codec spells the broker's field names: a change at the broker is a change in one place. Sentences may name
 * them (the exchange's error messages must); keys and texts that are nothing but a name may not.
 */
export function checkWireNames(files: readonly SourceFile[]): readonly Violation[] {
  return files
    .filter(({ path }) => /^(lib|bin|workers)\//.test(path) && !/^lib\/adapters\/alpaca\/codec/.test(path))
    .flatMap((file) => {
      const code = { ...file, text: withoutProse(file.text) };
      return matches(code, [["the broker's field name", WIRE_NAMES]], 'spells');
    });
}

const ZONE_LIBRARY: readonly (readonly [string, RegExp])[] = [['moment-timezone', /moment-timezone/]];
const ZONES: readonly (readonly [string, RegExp])[] = [
  ['a time zone', /America\/New_York|timeZone\s*:|\bDateTimeFormat\b/],
];

/** Only the calendar knows time zones: everybody else gets instants. The codec may write a zone's name on the wire. */
export function checkTimeZones(files: readonly SourceFile[]): readonly Violation[] {
  return files
    .filter(({ path }) => /^(lib|bin|workers)\//.test(path) && path !== 'lib/adapters/time/calendar.ts')
    .flatMap((file) => {
      const code = { ...file, text: withoutComments(file.text) };
      const isCodec = /^lib\/adapters\/alpaca\/codec/.test(file.path);
      return matches(code, isCodec ? ZONE_LIBRARY : [...ZONE_LIBRARY, ...ZONES], 'uses');
    });
}

export function checkLength(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > LINES_MAX
      ? [`${path} has ${lines} lines; the limit is ${LINES_MAX}: one idea per file`]
      : [];
  });
}

// Spelled in pieces, so that this file does not break its own rule.
const FORBIDDEN: readonly (readonly [string, RegExp])[] = [
  ['unfinished work', new RegExp(`\\b(${['TO', 'FIX'].join('DO|')}ME|X{3}|HA${'CK'})\\b`)],
  ['a focused or skipped test', new RegExp(`\\b(describe|it|context)\\s*\\.\\s*(on${'ly'}|sk${'ip'})\\b`)],
  ['a path of one machine', new RegExp(`(^|[\\s'"\`(])/(wo${'rk'}|farm|home/[a-z]+|Users/[A-Za-z]+)/`)],
  ['the host of a registry', new RegExp(`\\bregis${'try'}\\.[a-z0-9-]+\\.(org|com|io|dev)\\b`)],
];

/** Nothing of one machine, one moment or one workplace stands in the repository. */
export function checkWords(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap((file) => matches(file, FORBIDDEN, 'contains'));
}

/** Packages that ship are declared, and what is declared is imported. */
export function checkDependencies(
  files: readonly SourceFile[],
  dependencies: readonly string[],
): readonly Violation[] {
  const shipped = files.filter(({ path }) => floorOf(path) !== null);
  const used = shipped.flatMap((file) =>
    importsOf(file)
      .filter(({ from }) => !from.startsWith('.') && !from.startsWith('node:'))
      .map(({ from, line }) => ({ at: `${file.path}:${line}`, name: packageOf(from) })),
  );
  const undeclared = used
    .filter(({ name }) => !dependencies.includes(name))
    .map(({ at, name }) => `${at} imports ${name}, which is no dependency`);
  const unused = dependencies
    .filter((name) => !used.some((each) => each.name === name))
    .map((name) => `package.json: nothing that ships imports ${name}`);
  return [...undeclared, ...unused];
}

const packageOf = (from: string): string =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');

function matches(
  { path, text }: SourceFile,
  patterns: readonly (readonly [string, RegExp])[],
  verb: string,
): readonly Violation[] {
  return patterns.flatMap(([what, pattern]) =>
    text.split('\n').flatMap((line, index) => {
      const found = pattern.exec(line)?.[0]?.trim();
      return found === undefined ? [] : [`${path}:${index + 1} ${verb} ${what}: ${found}`];
    }),
  );
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** One piece of TypeScript: a comment, a text in quotes, a regular expression, or any other character. */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=[=(,:!&|?;\n]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*|[\s\S]/g;

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

/** The same text with comments blanked; lines keep their numbers. */
function withoutComments(text: string): string {
  return text.replace(TOKEN, (token) => (/^\/[/*]/.test(token) && token.length > 1 ? blank(token) : token));
}

/** The same without texts of more than one word. */
const withoutProse = (text: string): string =>
  text.replace(TOKEN, (token) => {
    if (token.length === 1 || /^(['"])\w+\1$/.test(token)) return token;
    return token.startsWith('`') ? withoutText(token) : blank(token);
  });

/** The same with comments and plain text blanked; the code inside `${}` stays. */
function withoutText(text: string): string {
  return text.replace(TOKEN, (token) => {
    if (token.length === 1) return token;
    if (!token.startsWith('`')) return blank(token);
    let end = 0;
    let kept = '';
    for (const match of token.matchAll(/\$\{([^{}]*)\}/g)) {
      kept += `${blank(token.slice(end, match.index))}  ${match[1]} `;
      end = match.index + match[0].length;
    }
    return kept + blank(token.slice(end));
  });
}

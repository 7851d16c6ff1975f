import { type Cash, formatDecimal } from '../../domain/money.ts';
import type { Config } from './config.ts';
import { blame, type Findings } from './readers.ts';

/** A half-day runs 09:30 to 13:00 in New York: whatever must fit into a session must fit into that one. */
const SHORTEST_SESSION_MICROS = 210 * 60_000_000;

/** One thing that must hold between the settings it is `about`; judged only when none of them is wrong by itself. */
type Rule = {
  readonly about: readonly string[];
  readonly rule: string;
  readonly allowed: string;
  /** What breaks the rule, or `null` when it holds. */
  readonly found: (config: Config) => string | null;
};

const inMinutes = (micros: number): string => `${Number((micros / 60_000_000).toFixed(3))}m`;
const inSeconds = (micros: number): string => `${micros / 1_000_000}s`;

const rules: readonly Rule[] = [
  {
    about: ['session.flattenBeforeClose', 'exit.holdMax'],
    rule: 'flattenBeforeClose and holdMax must leave time to trade on a half-day (09:30 to 13:00)',
    allowed: `together less than ${inMinutes(SHORTEST_SESSION_MICROS)}`,
    found: ({ session, exit }) =>
      session.flattenBeforeClose + exit.holdMax < SHORTEST_SESSION_MICROS
        ? null
        : `${inMinutes(session.flattenBeforeClose)} and ${inMinutes(exit.holdMax)}`,
  },
  {
    about: ['exit.retryMax', 'exit.retryFirst'],
    rule: 'the longest pause between exits must not be shorter than the first',
    allowed: 'retryMax from retryFirst upwards',
    found: ({ exit }) =>
      exit.retryMax >= exit.retryFirst
        ? null
        : `retryMax ${inSeconds(exit.retryMax)} with retryFirst ${inSeconds(exit.retryFirst)}`,
  },
  {
    about: ['risk.grossExposureMax', 'risk.orderNotionalMax'],
    rule: 'all lanes together must be allowed at least what one order is',
    allowed: 'grossExposureMax from orderNotionalMax upwards',
    found: ({ risk }) =>
      risk.grossExposureMax >= risk.orderNotionalMax
        ? null
        : `${formatDecimal(risk.grossExposureMax)} with orderNotionalMax ${formatDecimal(risk.orderNotionalMax)}`,
  },
  {
    about: ['risk.killFile', 'journal.path'],
    rule: 'the kill file must be a file of its own: whatever lies at its path flattens everything',
    allowed: 'auto, or a path at which nothing lies',
    found: ({ risk, journal }) => (risk.killFile === journal.path ? risk.killFile : null),
  },
  {
    about: ['clock.speed', 'account.mode'],
    rule: 'a live account must be traded in real time',
    allowed: 'speed 1 with mode live',
    found: ({ account, clock }) =>
      account.mode !== 'live' || clock.speed === 1 ? null : String(clock.speed),
  },
];

/** Judges what no single setting can show. */
export function checkRules(config: Config, findings: Findings): void {
  for (const { about, rule, allowed, found } of rules) {
    if (about.some((name) => findings.wrong.has(name))) continue;
    const value = found(config);
    if (value === null) continue;
    const key = about.find((name) => findings.places.has(name)) ?? about[0] ?? '';
    blame(findings, key, placeOf(key, findings), { rule, allowed, found: value });
  }
}

/** Judges a list of symbols, from the file or from the command line; an item that could not be read is `null`. */
export function checkSymbols(
  listed: readonly { readonly symbol: string | null; readonly lot: Cash | null }[],
  orderNotionalMax: Cash | null,
  findings: Findings,
): void {
  const first = new Map<string, number>();
  for (const [index, { symbol, lot }] of listed.entries()) {
    const earlier = symbol === null ? undefined : first.get(symbol);
    const key = `symbols[${index}]`;
    if (symbol !== null && earlier === undefined) first.set(symbol, index);
    else if (symbol !== null)
      blame(findings, `${key}.symbol`, placeOf(`${key}.symbol`, findings), {
        rule: `a symbol must stand once (it is symbols[${earlier}] already)`,
        allowed: 'each symbol once',
        found: symbol,
      });
    if (orderNotionalMax !== null && lot !== null && lot > orderNotionalMax)
      blame(findings, `${key}.lot`, placeOf(`${key}.lot`, findings), {
        rule: 'a lot must not exceed risk.orderNotionalMax, or every entry would be denied',
        allowed: `up to ${formatDecimal(orderNotionalMax)}`,
        found: formatDecimal(lot),
      });
  }
}

/** The setting's own place, else that of the section it belongs to. */
function placeOf(key: string, findings: Findings): { line: number; column: number } | null {
  for (let name = key; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const place = findings.places.get(name);
    if (place !== undefined) return place;
  }
  return null;
}

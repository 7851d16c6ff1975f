import { readFile } from 'node:fs/promises';
import { type Cash, formatDecimal } from '../../domain/money.ts';
import { type Config, type SymbolSetting, settings } from './config.ts';
import type { ConfigMistake } from './mistake.ts';
import { readYaml } from './read-yaml.ts';
import { blame, type Findings, type Place } from './readers.ts';
import { checkRules, checkSymbols } from './rules.ts';
import { ticker, usd } from './units.ts';

/** What the command line adds to the file, as typed. */
export type CommandLine = {
  /** Replace the file's list when there are any. */
  readonly symbols: readonly string[];
  /** Dollars for each symbol; without it, symbols of the file keep their lot. */
  readonly lot: string | null;
};

export const NO_COMMAND_LINE: CommandLine = { symbols: [], lot: null };

export type ConfigLoad =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Where a setting stands, for mistakes that only the market can show: `symbols[1].lot`. */
      readonly places: ReadonlyMap<string, Place>;
      readonly source: string;
    }
  | { readonly ok: false; readonly mistakes: readonly ConfigMistake[] };

/** Judges the options of a strategy; a message per mistake. Rejects never: an unknown name is a message too. */
export type CheckStrategy = (setting: Config['strategy']) => Promise<readonly string[]>;

/** Reads and judges the whole configuration: every mistake of the file and of the command line in one answer. */
export async function loadConfig(
  file: string,
  commandLine: CommandLine = NO_COMMAND_LINE,
  checkStrategy: CheckStrategy = async () => [],
): Promise<ConfigLoad> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const found = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
    const rule = 'the configuration file must be readable';
    const allowed = 'an existing YAML file (--config FILE)';
    return {
      ok: false,
      mistakes: [{ source: file, line: null, column: null, key: '', rule, allowed, found }],
    };
  }
  const { config, findings } = judge(file, bytes, commandLine);
  for (const rule of findings.wrong.has('strategy.name') ? [] : await checkStrategy(config.strategy)) {
    const place = findings.places.get('strategy') ?? null;
    const found = JSON.stringify(config.strategy).slice(0, 120);
    blame(findings, 'strategy', place, { rule, allowed: 'what the strategy documents', found });
  }
  return conclude(config, findings);
}

/** The same for text that is in memory already; strategy options are not judged. */
export function parseConfig(
  source: string,
  bytes: Uint8Array,
  commandLine: CommandLine = NO_COMMAND_LINE,
): ConfigLoad {
  const { config, findings } = judge(source, bytes, commandLine);
  return conclude(config, findings);
}

function judge(
  source: string,
  bytes: Uint8Array,
  commandLine: CommandLine,
): { config: Config; findings: Findings } {
  const { root, mistakes } = readYaml(source, bytes);
  const findings: Findings = { source, mistakes: [...mistakes], places: new Map(), wrong: new Set() };
  const raw = settings(root, '', findings);
  const orderNotionalMax = findings.wrong.has('risk.orderNotionalMax') ? null : raw.risk.orderNotionalMax;
  checkSymbols(raw.symbols, orderNotionalMax, findings);
  const listed = raw.symbols.flatMap(({ symbol, lot }) =>
    symbol === null || lot === null ? [] : [{ symbol, lot }],
  );
  const symbols = applyCommandLine(listed, commandLine, orderNotionalMax, findings);
  if (symbols.length === 0 && findings.mistakes.length === 0) {
    const allowed = 'a list of { symbol, lot }, or symbols on the command line with --lot';
    const rule = 'there must be at least one symbol';
    blame(findings, 'symbols', findings.places.get('symbols') ?? null, { rule, allowed, found: 'none' });
  }
  const tape = raw.exchange.tape.filter((file) => file !== null);
  const config: Config = { ...raw, symbols, exchange: { ...raw.exchange, tape } };
  checkRules(config, findings);
  return { config, findings };
}

/** The list that is traded: the file's, unless the command line names symbols or a lot. */
function applyCommandLine(
  listed: readonly SymbolSetting[],
  commandLine: CommandLine,
  orderNotionalMax: Cash | null,
  fileFindings: Findings,
): readonly SymbolSetting[] {
  const findings: Findings = {
    source: 'command line',
    mistakes: fileFindings.mistakes,
    places: new Map(),
    wrong: new Set(),
  };
  const lotUnit = usd(1, 10_000_000);
  const lot = commandLine.lot === null ? null : lotUnit.read(commandLine.lot);
  if (commandLine.lot !== null && lot === null)
    blame(findings, '--lot', null, {
      rule: 'the value must be one of the allowed',
      allowed: lotUnit.allowed,
      found: commandLine.lot,
    });
  if (lot !== null && orderNotionalMax !== null && lot > orderNotionalMax)
    blame(findings, '--lot', null, {
      rule: 'a lot must not exceed risk.orderNotionalMax, or every entry would be denied',
      allowed: `up to ${formatDecimal(orderNotionalMax)}`,
      found: formatDecimal(lot),
    });
  if (commandLine.symbols.length === 0)
    return lot === null ? listed : listed.map(({ symbol }) => ({ symbol, lot }));
  const named = commandLine.symbols.map((text) => ({ text, symbol: ticker.read(text) }));
  for (const { text, symbol } of named)
    if (symbol === null)
      blame(findings, 'SYMBOL', null, {
        rule: 'the symbol must be one',
        allowed: ticker.allowed,
        found: text,
      });
  checkSymbols(
    named.map(({ symbol }) => ({ symbol, lot: null })),
    null,
    findings,
  );
  return named.flatMap(({ symbol }) => {
    if (symbol === null) return [];
    const ownLot = lot ?? listed.find((item) => item.symbol === symbol)?.lot ?? null;
    if (ownLot !== null) return [{ symbol, lot: ownLot }];
    if (commandLine.lot === null)
      blame(findings, '--lot', null, {
        rule: `${symbol} must have a lot: it is not in the file's list`,
        allowed: lotUnit.allowed,
        found: 'nothing',
      });
    return [];
  });
}

function conclude(config: Config, findings: Findings): ConfigLoad {
  if (findings.mistakes.length === 0)
    return { ok: true, config, places: findings.places, source: findings.source };
  // What the parser could not read properly makes the rest of its line look wrong as well.
  const unreadable = new Set(findings.mistakes.filter(isSyntax).map(({ line }) => line));
  const inOrder = findings.mistakes
    .filter((mistake) => isSyntax(mistake) || !unreadable.has(mistake.line))
    .sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? 0) - (b.column ?? 0));
  return { ok: false, mistakes: inOrder };
}

const isSyntax = (mistake: ConfigMistake): boolean => mistake.line !== null && mistake.key === '';

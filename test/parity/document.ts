import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withPart } from '../support/document-part.ts';
import { MUTATIONS } from '../traps/mutations.ts';
import { SCENARIO_DIFFERENCES, SIGNAL_DIFFERENCES } from './differences.ts';
import { RULES, type Rule } from './rules.ts';
import { ROOT } from './shared-files.ts';

export const DOCUMENT = join(ROOT, 'docs', 'PARITY.md');

/** Generated parts of the document stand between `<!-- NAME -->` and `<!-- end of NAME -->`. */
const SECTIONS: Readonly<Record<string, () => string>> = {
  rules: renderRules,
  scenarios: renderScenarios,
  signals: renderSignals,
  traps: renderTraps,
};

export const readDocument = (): string => readFileSync(DOCUMENT, 'utf8');

/** The document with every generated part made anew from the tables in the tests. */
export function regenerate(document: string): string {
  let text = document;
  for (const [name, render] of Object.entries(SECTIONS)) text = withPart(text, name, render());
  return text;
}

function renderRules(): string {
  const rows = Object.entries<Rule>(RULES).map(
    ([name, rule]) =>
      `| \`${name}\` | ${rule.script} | ${rule.scalpd} | ${rule.reason} | ${rule.demandedBy} |`,
  );
  return ['| rule | the script | scalpd | why | demanded by |', '|---|---|---|---|---|', ...rows].join('\n');
}

function renderScenarios(): string {
  return Object.entries(SCENARIO_DIFFERENCES)
    .map(([name, differences]) =>
      differences.length === 0
        ? `**${name}**: no difference.`
        : [
            `**${name}**`,
            '',
            '| rule | only the script | only scalpd |',
            '|---|---|---|',
            ...differences.map(
              ({ rule, script, scalpd }) => `| \`${rule}\` | ${cell(script)} | ${cell(scalpd)} |`,
            ),
          ].join('\n'),
    )
    .join('\n\n');
}

function renderSignals(): string {
  const rows = SIGNAL_DIFFERENCES.map(
    ({ day, symbol, bar, rule }) => `| ${day} | ${symbol} | ${bar} | \`${rule}\` |`,
  );
  return ['| day | symbol | bar that only the script enters on | rule |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}

function renderTraps(): string {
  const rows = MUTATIONS.map(
    ({ trap, script, remedy, file, find }) =>
      `| ${trap} | ${script} | ${remedy} | \`${file.replace(/js$/, 'ts')}\`: \`${find.split('\n')[0]?.replaceAll('|', '\\|')}\` |`,
  );
  return ['| trap | the script | the remedy | the line that carries it |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}

const cell = (lines: readonly string[]): string => lines.join('<br>');

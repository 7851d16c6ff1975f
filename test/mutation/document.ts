import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../parity/shared-files.ts';
import { partOf, withPart } from '../support/document-part.ts';
import type { Verdict } from './judge-remedy.ts';

export const DOCUMENT = join(ROOT, 'docs', 'RELIABILITY.md');
const PART = 'remedies';
const HEADING = ['| without | line | seeded days | named test |', '|---|---|---|---|'];

export const readDocument = (): string => readFileSync(DOCUMENT, 'utf8');

/** The document with the table of remedies as a run of all of them found it. */
export const withVerdicts = (document: string, verdicts: readonly Verdict[]): string =>
  withPart(document, PART, [...HEADING, ...verdicts.map(row)].join('\n'));

/** The beginning of a remedy's row: what a run has no part in. */
export const rowHead = ({ name, file, line }: Pick<Verdict, 'name' | 'file' | 'line'>): string =>
  `| ${escaped(name)} | \`${file}\`: ${code(escaped(line))} |`;

/** A line of code that holds a backtick stands between two. */
const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);

export const rowsIn = (document: string): readonly string[] =>
  partOf(document, PART).split('\n').slice(HEADING.length);

function row(verdict: Verdict): string {
  const { days, tests } = verdict;
  const failed = days?.failed ?? null;
  const inDays =
    failed !== null
      ? `seed ${failed.seed}: ${failed.rules.join(', ')}`
      : days === null
        ? 'did not end'
        : `not in ${days.seeds}`;
  const [first, ...more] = tests ?? [];
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  const inTests = first === undefined ? 'none' : `${nameOf(first)}${others}`;
  return `${rowHead(verdict)} ${inDays} | ${inTests} |`;
}

const nameOf = ({ file, title }: { readonly file: string; readonly title: string }): string =>
  escaped(`\`${file}\` "${title}"`);

const escaped = (text: string): string => text.replaceAll('|', '\\|');

/** The tests that a document names, as `` `file` "title" ``. */
export function testsNamedIn(document: string): readonly { readonly file: string; readonly title: string }[] {
  const found = document.replaceAll('\\|', '|').matchAll(/`([\w/-]+\.test\.ts)` "([^"\n]+)"/g);
  return [...found].map(([, file = '', title = '']) => ({ file, title }));
}

/** Whether the source of a test file declares a test of this title; what it fills in may be anything. */
export function declares(source: string, title: string): boolean {
  const titles = source.matchAll(/\b(?:it|describe)\(\s*(['"`])((?:(?!\1)[^\\\n]|\\.)*)\1/g);
  return [...titles].some(([, , text = '']) => {
    const parts = text.replaceAll(/\\(.)/g, '$1').split(/\$\{[^}]*\}/);
    const pattern = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+');
    return new RegExp(`^${pattern}$`).test(title);
  });
}

/** One thing wrong with the configuration; a person mends it without asking. */
export type ConfigMistake = {
  /** The file as it was named, or `command line`, or `environment`. */
  readonly source: string;
  /** 1-based; `null` where the mistake has no place in a file (a missing file, an option). */
  readonly line: number | null;
  readonly column: number | null;
  /** Dotted path of the setting: `symbols[1].lot`; empty for the file as a whole. */
  readonly key: string;
  /** What is wrong, as a rule. */
  readonly rule: string;
  /** What is allowed there. */
  readonly allowed: string;
  /** What was found, as written; never the value of a setting that looks like a secret. */
  readonly found: string;
};

/** `config/scalpd.yaml:14:12 exit.holdMax: a duration needs a unit; allowed: 500ms, 15s, 5m, 1h; found: 120`. */
export function formatMistake(mistake: ConfigMistake): string {
  const place = [mistake.source, mistake.line, mistake.column].filter((part) => part !== null).join(':');
  const key = mistake.key === '' ? '' : `${shown(mistake.key)}: `;
  return `${place} ${key}${mistake.rule}; allowed: ${mistake.allowed}; found: ${oneLine(mistake.found)}`;
}

const SHOWN_MAX = 60;

/** What was typed may hold line breaks and control characters, or nothing at all. */
function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line === '' ? 'nothing' : line;
}

/** A value as a mistake shows it: one line, short. */
export function shown(text: string): string {
  const line = oneLine(text);
  return line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX)}…` : line;
}

/** The closest name within two edits (a swap of neighbors counts as one), or `null`. */
export function closest(name: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let bestEdits = 3;
  for (const candidate of names) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < bestEdits && edits < candidate.length) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** Optimal string alignment distance; names longer than 40 characters are nobody's typing mistake. */
function editDistance(from: string, to: string): number {
  if (from.length > 40 || to.length > 40) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, j) => j)];
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= to.length; j++) {
      const changed = from[i - 1] === to[j - 1] ? 0 : 1;
      let edits = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + changed);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        edits = Math.min(edits, cell(i - 2, j - 2) + 1);
      row.push(edits);
    }
  }
  return cell(from.length, to.length);
}

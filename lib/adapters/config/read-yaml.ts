import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { type ConfigMistake, shown } from './mistake.ts';

/**
 * A YAML file as text with positions. Scalars stay as they were written, so that amounts never pass through a float;
 * `plain` holds the value as YAML reads it, for the one section (`strategy`) whose options scalpd does not know.
 */
export type Located = {
  readonly line: number;
  readonly column: number;
  readonly plain: unknown;
} & (
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Located[] }
  | { readonly kind: 'section'; readonly entries: ReadonlyMap<string, Entry> }
);

/** A key with its own place and its value. */
export type Entry = { readonly line: number; readonly column: number; readonly value: Located };

export type YamlRead = { readonly root: Located | null; readonly mistakes: readonly ConfigMistake[] };

const DEPTH_MAX = 20;

/** Never throws; `root` is what could be read even where there are mistakes, `null` when that is nothing. */
export function readYaml(source: string, bytes: Uint8Array): YamlRead {
  const decoded = decodeUtf8(source, bytes);
  if ('mistake' in decoded) return { root: null, mistakes: [decoded.mistake] };
  const lines = new LineCounter();
  const document = parseDocument(decoded.text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  const mistakes: ConfigMistake[] = [];
  const placeOf = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const report = (offset: number, rule: string, allowed: string, found: string): void => {
    mistakes.push({ source, ...placeOf(offset), key: '', rule, allowed, found: shown(found) });
  };
  for (const error of [...document.errors, ...document.warnings]) {
    const known = EXPLAINED[error.code];
    const rule = known?.rule ?? `the file must be well-formed YAML: ${error.message.split('\n')[0]}`;
    report(error.pos[0], rule, known?.allowed ?? 'YAML 1.2', lineAt(decoded.text, error.pos[0]));
  }
  if (document.contents === null) {
    if (mistakes.length === 0)
      report(0, 'the file must hold the settings', 'at least `symbols:`', 'an empty file');
    return { root: null, mistakes };
  }
  return { root: locate(document.contents, 0), mistakes };

  function locate(node: Node | null, depth: number): Located | null {
    const offset = node?.range?.[0] ?? 0;
    const place = placeOf(offset);
    if (node === null) return { ...place, kind: 'text', text: '', plain: null };
    if (depth > DEPTH_MAX) {
      report(offset, 'settings must not be nested this deep', `${DEPTH_MAX} levels`, 'more');
      return null;
    }
    if (isAlias(node)) {
      report(offset, 'a value must be written out', 'no anchors, no aliases', `*${node.source}`);
      return null;
    }
    if (isScalar(node)) {
      const text = node.source ?? String(node.value);
      return { ...place, kind: 'text', text, plain: node.value };
    }
    if (isSeq(node)) {
      const items = node.items
        .map((item) => locate(item as Node | null, depth + 1))
        .filter((it) => it !== null);
      return { ...place, kind: 'list', items, plain: items.map((item) => item.plain) };
    }
    if (isMap(node)) return section(node, depth);
    return null;
  }

  function section(map: YAMLMap, depth: number): Located {
    const place = placeOf(map.range?.[0] ?? 0);
    const entries = new Map<string, Entry>();
    for (const { key, value } of map.items) {
      const offset = (key as Node | null)?.range?.[0] ?? 0;
      if (!isScalar(key) || key.source === undefined) {
        report(offset, 'a key must be a plain word', 'a name from the documentation', String(key));
        continue;
      }
      // A repeated key was reported by the parser; the first one stands.
      if (entries.has(key.source)) continue;
      const located = locate(value as Node | null, depth + 1);
      // A value that is not there has no place of its own: it gets its key's.
      const at = placeOf(offset);
      if (located !== null)
        entries.set(key.source, { ...at, value: value === null ? { ...located, ...at } : located });
    }
    const plain = Object.fromEntries([...entries].map(([name, entry]) => [name, entry.value.plain]));
    return { ...place, kind: 'section', entries, plain };
  }
}

const EXPLAINED: Readonly<Record<string, { rule: string; allowed: string }>> = {
  DUPLICATE_KEY: { rule: 'a key must stand once in its section', allowed: 'each key once' },
  TAB_AS_INDENT: { rule: 'lines must be indented with spaces', allowed: 'spaces' },
  MULTIPLE_DOCS: { rule: 'the file must hold one YAML document', allowed: 'no second `---`' },
  TAG_RESOLVE_FAILED: { rule: 'values must carry no YAML tags', allowed: 'plain values' },
};

function decodeUtf8(source: string, bytes: Uint8Array): { text: string } | { mistake: ConfigMistake } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const before = new TextDecoder().decode(bytes).split('\uFFFD', 1)[0] ?? '';
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    const rule = 'the file must be text in UTF-8';
    return {
      mistake: { source, line, column, key: '', rule, allowed: 'UTF-8', found: 'a byte that is no text' },
    };
  }
}

const lineAt = (text: string, offset: number): string => {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return text.slice(start, end === -1 ? undefined : end);
};

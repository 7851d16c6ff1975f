import { type ConfigMistake, closest, shown } from './mistake.ts';
import type { Located } from './read-yaml.ts';
import type { Unit } from './units.ts';

/** Where a setting stands in the file. */
export type Place = { readonly line: number; readonly column: number };

/** What one pass over a file collects: every mistake, where each setting stands, and which settings cannot be trusted. */
export type Findings = {
  readonly source: string;
  readonly mistakes: ConfigMistake[];
  readonly places: Map<string, Place>;
  readonly wrong: Set<string>;
};

/**
 * Reads one setting. Always gives a value: the default stands in for a setting that is absent or wrong, so that the
 * rest of the file can be judged in the same pass.
 */
export type Reader<T> = (at: Located | null, key: string, findings: Findings) => T;

export type ReadBy<R> = R extends Reader<infer T> ? T : never;

export function blame(
  findings: Findings,
  key: string,
  place: Place | null,
  mistake: Pick<ConfigMistake, 'rule' | 'allowed' | 'found'>,
): void {
  findings.wrong.add(key);
  findings.mistakes.push({
    source: findings.source,
    line: place?.line ?? null,
    column: place?.column ?? null,
    key,
    ...mistake,
  });
}

/** One value. `fallback` is written as in the file, so that a default out of its own range cannot be shipped. */
export function setting<T>(unit: Unit<T>, fallback: string): Reader<T> {
  const standard = unit.read(fallback);
  if (standard === null) throw new Error(`a default must be allowed: ${fallback} is not ${unit.allowed}`);
  return (at, key, findings) => readValue(unit, at, key, findings) ?? standard;
}

/** One value that has no default. */
export function required<T>(unit: Unit<T>): Reader<T | null> {
  return (at, key, findings) => {
    if (at !== null) return readValue(unit, at, key, findings);
    const place = findings.places.get(parentOf(key)) ?? null;
    blame(findings, key, place, {
      rule: 'the setting must be given',
      allowed: unit.allowed,
      found: 'nothing',
    });
    return null;
  };
}

function readValue<T>(unit: Unit<T>, at: Located | null, key: string, findings: Findings): T | null {
  if (at === null) return null;
  const value = at.kind === 'text' ? unit.read(at.text) : null;
  if (value !== null) return value;
  const found = looksSecret(key) ? 'a value that is not shown' : written(at);
  blame(findings, key, at, { rule: 'the value must be one of the allowed', allowed: unit.allowed, found });
  return null;
}

/** A section with exactly these keys. `key:` with nothing after it is an empty section. */
export function section<S extends Readonly<Record<string, Reader<unknown>>>>(
  shape: S,
): Reader<{ readonly [K in keyof S]: ReadBy<S[K]> }> {
  const names = Object.keys(shape);
  return (at, key, findings) => {
    const entries = entriesOf(at, key, names, findings);
    if (entries === null) return readDefaults(shape, key);
    for (const [name, entry] of entries) {
      if (!names.includes(name)) blameUnknown(name, key, names, entry, findings);
    }
    const values = names.map((name) => {
      const path = join(key, name);
      const entry = entries.get(name);
      if (entry !== undefined) findings.places.set(path, entry.value);
      return [name, shape[name]?.(entry?.value ?? null, path, findings)];
    });
    return Object.fromEntries(values);
  };
}

/** A section that is no section has had its mistake; what it should have held is not reported on top. */
function readDefaults<S extends Readonly<Record<string, Reader<unknown>>>>(
  shape: S,
  key: string,
): { readonly [K in keyof S]: ReadBy<S[K]> } {
  const unheard: Findings = { source: '', mistakes: [], places: new Map(), wrong: new Set() };
  const values = Object.entries(shape).map(([name, read]) => [name, read(null, join(key, name), unheard)]);
  return Object.fromEntries(values);
}

/** A list, each item by the same reader. */
export function listOf<T>(item: Reader<T>, allowed: string): Reader<readonly T[]> {
  return (at, key, findings) => {
    if (at === null) return [];
    if (at.kind === 'list')
      return at.items.map((each, index) => {
        const path = `${key}[${index}]`;
        findings.places.set(path, each);
        return item(each, path, findings);
      });
    blame(findings, key, at, { rule: 'the value must be a list', allowed, found: written(at) });
    return [];
  };
}

/** A section whose keys are not ours to know, but for `name`. */
export function named(
  fallback: string,
): Reader<{ readonly name: string; readonly [option: string]: unknown }> {
  return (at, key, findings) => {
    const entries = entriesOf(at, key, ['name', 'the options of that name'], findings) ?? new Map();
    for (const [option, entry] of entries) findings.places.set(join(key, option), entry.value);
    const name = entries.get('name')?.value;
    const options = Object.fromEntries([...entries].map(([option, entry]) => [option, entry.value.plain]));
    if (name === undefined) return { ...options, name: fallback };
    if (name.kind === 'text' && name.text !== '') return { ...options, name: name.text };
    const allowed = 'the name of a strategy, or the path of a file that exports one';
    blame(findings, `${key}.name`, name, {
      rule: 'the strategy must have a name',
      allowed,
      found: written(name),
    });
    return { ...options, name: fallback };
  };
}

type Entries = (Located & { kind: 'section' })['entries'];

/** `null`: there is something, and it is not a section. */
function entriesOf(
  at: Located | null,
  key: string,
  names: readonly string[],
  findings: Findings,
): Entries | null {
  if (at === null || (at.kind === 'text' && at.text === '')) return new Map();
  if (at.kind === 'section') return at.entries;
  const where = key === '' ? 'the file' : 'the value';
  const allowed = `the keys ${names.join(', ')}`;
  blame(findings, key, at, { rule: `${where} must be a section`, allowed, found: written(at) });
  return null;
}

function blameUnknown(
  name: string,
  parent: string,
  names: readonly string[],
  place: Place,
  findings: Findings,
): void {
  const guess = closest(name, names);
  const rule = looksSecret(name)
    ? 'secrets must come from the environment alone (APCA_API_KEY_ID, APCA_API_SECRET_KEY)'
    : `the key must be known${guess === null ? '' : ` (did you mean ${guess}?)`}`;
  blame(findings, join(parent, name), place, { rule, allowed: names.join(', '), found: shown(name) });
}

const looksSecret = (key: string): boolean => /secret|token|passw|api_?key|key_?id/i.test(key);

function written(at: Located): string {
  if (at.kind === 'text') return shown(at.text);
  return at.kind === 'list'
    ? `a list of ${at.items.length}`
    : `a section (${shown([...at.entries.keys()].join(', '))})`;
}

const join = (parent: string, name: string): string => (parent === '' ? name : `${parent}.${name}`);
const parentOf = (key: string): string => key.slice(0, Math.max(0, key.lastIndexOf('.')));

/**
 * Where two plain values differ first, as a path (`intent.price.limit`), `''` for the values themselves; `null` when they are
 * equal as JSON would have them: what is `undefined` is not there, and -0 is 0.
 */
export function firstDifference(left: unknown, right: unknown): string | null {
  if (left === right) return null;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return '';
  if (Array.isArray(left) !== Array.isArray(right)) return '';
  const ours = left as Readonly<Record<string, unknown>>;
  const theirs = right as Readonly<Record<string, unknown>>;
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const inner = firstDifference(ours[key], theirs[key]);
    if (inner === null) continue;
    const name = Array.isArray(left) ? `[${key}]` : key;
    if (inner === '') return name;
    return inner.startsWith('[') ? `${name}${inner}` : `${name}.${inner}`;
  }
  return null;
}

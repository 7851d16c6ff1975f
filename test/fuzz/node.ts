import { instantText } from '../../lib/adapters/alpaca/codec-encode-text.ts';
import { PackedInstant, packMessage } from '../../lib/adapters/exchange/msgpack-writer.ts';

/**
 * A message as a tree that holds what no JavaScript object can: keys twice, `__proto__` as a plain key, numbers that only
 * one of the two encodings knows. Lists and maps are changed in place; scalars are replaced.
 */
export type Node = ListNode | MapNode | Scalar;
export type ListNode = { readonly kind: 'list'; readonly items: Node[] };
export type MapNode = { readonly kind: 'map'; readonly entries: Entry[] };
export type Entry = { key: string; value: Node };
/** `raw` is written into JSON as it stands, and into MessagePack as the bytes given. */
export type Scalar = { readonly kind: 'scalar'; readonly value: unknown };
export type Raw = { readonly json: string; readonly packed: Buffer };

export const scalar = (value: unknown): Scalar => ({ kind: 'scalar', value });
const isRaw = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && 'packed' in value && 'json' in value;

export function toNode(value: unknown): Node {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(toNode) };
  if (typeof value !== 'object' || value === null || value instanceof PackedInstant) return scalar(value);
  return {
    kind: 'map',
    entries: Object.entries(value).map(([key, item]) => ({ key, value: toNode(item) })),
  };
}

export function copyOf(node: Node): Node {
  if (node.kind === 'list') return { kind: 'list', items: node.items.map(copyOf) };
  if (node.kind === 'map')
    return { kind: 'map', entries: node.entries.map(({ key, value }) => ({ key, value: copyOf(value) })) };
  return node;
}

export function jsonOf(node: Node): string {
  if (node.kind === 'list') return `[${node.items.map(jsonOf).join(',')}]`;
  if (node.kind === 'map')
    return `{${node.entries.map(({ key, value }) => `${JSON.stringify(key)}:${jsonOf(value)}`).join(',')}}`;
  const { value } = node;
  if (isRaw(value)) return value.json;
  if (value instanceof PackedInstant) return `"${instantText(value.at)}"`;
  // NaN and the infinities stand as some encoders write them, which is no JSON.
  return typeof value === 'number' && !Number.isFinite(value)
    ? String(value)
    : (JSON.stringify(value) ?? 'null');
}

export function packedOf(node: Node): Buffer {
  const parts: Buffer[] = [];
  pack(node, parts);
  return Buffer.concat(parts);
}

function pack(node: Node, parts: Buffer[]): void {
  if (node.kind === 'list') {
    parts.push(head(node.items.length, 0x90, 0xdc));
    for (const item of node.items) pack(item, parts);
  } else if (node.kind === 'map') {
    parts.push(head(node.entries.length, 0x80, 0xde));
    for (const { key, value } of node.entries) {
      parts.push(packedText(key));
      pack(value, parts);
    }
  } else if (isRaw(node.value)) parts.push(node.value.packed);
  else parts.push(typeof node.value === 'string' ? packedText(node.value) : packMessage(node.value));
}

function head(length: number, short: number, wide: number): Buffer {
  if (length <= 15) return Buffer.of(short | length);
  return Buffer.of(wide, length >> 8, length & 0xff);
}

/** Keys and words come again and again. */
const texts = new Map<string, Buffer>();

function packedText(text: string): Buffer {
  if (text.length > 24) return packMessage(text);
  const known = texts.get(text);
  if (known !== undefined) return known;
  const packed = packMessage(text);
  if (texts.size < 5_000) texts.set(text, packed);
  return packed;
}

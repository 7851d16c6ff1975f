import { PackedInstant } from '../../lib/adapters/exchange/msgpack-writer.ts';
import { micros } from '../../lib/domain/time.ts';
import type { Random } from '../../lib/sim/random.ts';
import { copyOf, type Entry, type ListNode, type MapNode, type Node, type Raw, scalar } from './node.ts';

/** What can befall a message on its way: its structure, its values, its bytes. Everything is drawn from one generator. */

/** Values that decoders have stumbled over. `words` come from the protocol and from what must not be shown. */
function nastyValue(random: Random, words: readonly [string, ...string[]]): Node {
  const kind = random.integer(0, 9);
  if (kind < 4) return scalar(random.pick(NUMBERS));
  if (kind < 6) return scalar(random.pick(TEXTS));
  if (kind < 8) return scalar(random.pick(words));
  if (kind === 8) return random.chance(0.5) ? { kind: 'list', items: [] } : { kind: 'map', entries: [] };
  return nested(random.pick([3, 40, 70, 600, 5_000] as const), random.chance(0.5));
}

const raw = (json: string, ...packed: readonly number[]): Raw => ({ json, packed: Buffer.from(packed) });
/** 2^63, an extension of an unknown type, binary data, an infinite and a tiny number, a timestamp beyond all calendars. */
const ODD: readonly Raw[] = [
  raw('9223372036854775808', 0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0),
  raw('1e999', 0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0),
  raw('4.9e-324', 0xcb, 0, 0, 0, 0, 0, 0, 0, 1),
  raw('"\\ud800"', 0xa3, 0xed, 0xa0, 0x80),
  raw('"ext"', 0xd4, 0x05, 0x00),
  raw('"bin"', 0xc4, 0x02, 0xff, 0x00),
  raw('"9999-12-31T23:59:59.999999999Z"', 0xd7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  raw('"1970-01-01T00:00:00Z"', 0xd6, 0xff, 0, 0, 0, 0),
  raw('-0', 0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0),
];
const NUMBERS: readonly [unknown, ...unknown[]] = [
  0,
  1,
  -1,
  0.00001,
  0.5,
  99,
  100,
  1_000_000,
  2 ** 31,
  2 ** 53,
  2 ** 53 - 1,
  1e15,
  1e21,
  1e308,
  -1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  null,
  true,
  false,
  new PackedInstant(micros(1)),
  ...ODD,
];
const TEXTS: readonly [string, ...string[]] = [
  '',
  ' ',
  '0',
  '-1',
  '1',
  '100',
  '1e5',
  '0x10',
  'NaN',
  'Infinity',
  '-0',
  '00.10',
  '999999999999',
  '99999999999999999999999',
  '0.000000000000000001',
  '187.123456789',
  '1,000',
  '١٢',
  'null',
  '__proto__',
  'constructor',
  '2026-10-05T14:30:00Z',
  '2026-02-30T00:00:00Z',
  '2026-10-05T14:30:00.123456789-04:00',
  '9999-12-31T23:59:59Z',
  '0001-01-01T00:00:00Z',
  'a\u0000b\nc',
  '<script>alert(1)</script>',
  'x'.repeat(5_000),
];

/** Nested so deep that a reader that calls itself would end; written out, for a tree of that depth would end us. */
function nested(depth: number, asList: boolean): Node {
  const name = `${depth} ${asList}`;
  const known = NESTED.get(name);
  if (known !== undefined) return known;
  const made = writeNested(depth, asList);
  NESTED.set(name, made);
  return made;
}

const NESTED = new Map<string, Node>();

function writeNested(depth: number, asList: boolean): Node {
  const [open, close, packed] = asList ? ['[', ']', [0x91]] : ['{"T":', '}', [0x81, 0xa1, 0x54]];
  const bytes = Array.from({ length: depth }, () => packed).flat();
  return scalar(raw(`${open.repeat(depth)}1${close.repeat(depth)}`, ...bytes, 0x01));
}

type Holder = { readonly in: ListNode | MapNode; readonly at: number };

function holdersOf(node: Node, found: Holder[] = []): Holder[] {
  const children = node.kind === 'list' ? node.items : node.kind === 'map' ? node.entries : [];
  children.forEach((child, at) => {
    found.push({ in: node as ListNode | MapNode, at });
    holdersOf('key' in child ? child.value : child, found);
  });
  return found;
}

const valueAt = ({ in: holder, at }: Holder): Node =>
  (holder.kind === 'list' ? holder.items[at] : holder.entries[at]?.value) ?? scalar(null);

function put({ in: holder, at }: Holder, value: Node): void {
  if (holder.kind === 'list') holder.items[at] = value;
  else {
    const entry = holder.entries[at];
    if (entry !== undefined) entry.value = value;
  }
}

/** A copy of the message with `times` changes to its structure and values. */
export function mutateNode(
  message: Node,
  random: Random,
  words: readonly [string, ...string[]],
  times: number,
): Node {
  const root: ListNode = { kind: 'list', items: [copyOf(message)] };
  for (let i = 0; i < times; i += 1) mutateOnce(root, random, words);
  return root.items[0] ?? scalar(null);
}

function mutateOnce(root: ListNode, random: Random, words: readonly [string, ...string[]]): void {
  const [first, ...rest] = holdersOf(root);
  if (first === undefined) return;
  const spots: readonly [Holder, ...Holder[]] = [first, ...rest];
  const spot = random.pick(spots);
  const other = random.pick(spots);
  switch (random.integer(0, 8)) {
    case 0:
    case 1:
      put(spot, nastyValue(random, words));
      return;
    case 2:
      put(spot, retyped(valueAt(spot), random));
      return;
    case 3:
      if (spot.in !== root) remove(spot);
      return;
    case 4: {
      const [mine, theirs] = [copyOf(valueAt(spot)), copyOf(valueAt(other))];
      // Copies, so that no part comes to hold itself; a swap with a part of itself only puts that part in its place.
      put(other, mine);
      put(spot, theirs);
      return;
    }
    case 5:
      addEntry(spot, random, words);
      return;
    case 6:
      rename(spot, random, words);
      return;
    case 7:
      put(spot, scalar(nudged(valueAt(spot), random)));
      return;
    default:
      put(spot, { kind: 'list', items: [copyOf(valueAt(spot)), copyOf(valueAt(other))] });
  }
}

function remove({ in: holder, at }: Holder): void {
  if (holder.kind === 'list') holder.items.splice(at, 1);
  else holder.entries.splice(at, 1);
}

/** A key a second time, with a value of its own, before or after the first; or a new one. */
function addEntry({ in: holder, at }: Holder, random: Random, words: readonly [string, ...string[]]): void {
  if (holder.kind === 'list') {
    const item = holder.items[at];
    if (item !== undefined) holder.items.splice(random.integer(0, holder.items.length), 0, copyOf(item));
    return;
  }
  const key = random.chance(0.6) ? (holder.entries[at]?.key ?? 'T') : random.pick(KEYS);
  const entry: Entry = { key, value: nastyValue(random, words) };
  holder.entries.splice(random.integer(0, holder.entries.length), 0, entry);
}

const KEYS = ['__proto__', 'constructor', 'toString', 'T', 'S', 'event', 'order', 'msg', 'extra'] as const;

function rename({ in: holder, at }: Holder, random: Random, words: readonly [string, ...string[]]): void {
  if (holder.kind === 'list') return;
  const entry = holder.entries[at];
  if (entry === undefined) return;
  const neighbor = holder.entries[random.integer(0, holder.entries.length - 1)]?.key ?? '';
  entry.key = random.chance(0.5) ? neighbor : random.chance(0.5) ? random.pick(KEYS) : random.pick(words);
}

/** The same value in another type: numbers as text, text as a number, a value as a list of itself. */
function retyped(node: Node, random: Random): Node {
  if (node.kind !== 'scalar')
    return random.chance(0.5) ? scalar(null) : { kind: 'list', items: [copyOf(node)] };
  const { value } = node;
  if (typeof value === 'string')
    return scalar(random.chance(0.5) ? Number(value) : [...value].reverse().join(''));
  if (typeof value === 'number') return scalar(String(value));
  return random.chance(0.5)
    ? scalar(String(value))
    : { kind: 'map', entries: [{ key: 'value', value: node }] };
}

/** A number or an instant that is somewhat off: such a message reads well and lies. */
function nudged(node: Node, random: Random): unknown {
  if (node.kind !== 'scalar') return random.u32();
  const { value } = node;
  if (value instanceof PackedInstant)
    return new PackedInstant(
      micros(Math.max(1, value.at + Math.round(random.normal() * 10 ** random.integer(3, 12)))),
    );
  if (typeof value === 'number') return offBy(value, random);
  if (typeof value === 'string' && value !== '' && Number.isFinite(Number(value)))
    return String(Math.round(offBy(Number(value), random) * 10_000) / 10_000);
  return typeof value === 'string' ? value.slice(0, random.integer(0, value.length)) : value;
}

const offBy = (value: number, random: Random): number =>
  random.chance(0.5) ? value + random.integer(-3, 3) : value * 10 ** random.integer(-3, 3);

/** The bytes with `times` flips, insertions, deletions, repetitions, cuts, or a piece of `other` spliced in. */
export function mutateBytes(frame: Buffer, other: Buffer, random: Random, times: number): Buffer {
  let bytes = Buffer.from(frame);
  for (let i = 0; i < times; i += 1) {
    const at = random.integer(0, Math.max(0, bytes.length - 1));
    const length = random.integer(1, 8);
    switch (random.integer(0, 6)) {
      case 0:
      case 1:
        if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
        break;
      case 2:
        if (bytes.length > 0) bytes[at] = random.integer(0, 255);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), randomBytes(random, length), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 5:
        bytes = Buffer.from(bytes.subarray(0, at));
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          other.subarray(random.integer(0, Math.max(0, other.length - 1))),
        ]);
    }
  }
  return bytes;
}

const randomBytes = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.integer(0, 255)));

import type { Random } from '../../lib/sim/random.ts';
import { type Messages, WORDS } from './corpus.ts';
import { mutateBytes, mutateNode } from './mutate.ts';
import { jsonOf, type Node, packedOf } from './node.ts';

export type Frame = { readonly bytes: Buffer; readonly isBinary: boolean };

/** How a socket's frames are made: lists in MessagePack or JSON on the data socket, single objects on the other. */
export type Wire = { readonly listed: boolean; readonly packed: number; readonly binary: number };
export const DATA_WIRE: Wire = { listed: true, packed: 0.7, binary: 0 };
/** The paper host sends JSON in binary frames. */
export const TRADE_WIRE: Wire = { listed: false, packed: 0.15, binary: 0.5 };

export function encodeFrame(
  messages: readonly Node[],
  wire: Wire,
  packed: boolean,
  isBinary: boolean,
): Frame {
  const [only] = messages;
  const body: Node =
    wire.listed || messages.length > 1 || only === undefined ? { kind: 'list', items: [...messages] } : only;
  return { bytes: packed ? packedOf(body) : Buffer.from(jsonOf(body)), isBinary };
}

/** A frame of real messages with at least one change to its structure, its values or its bytes. */
export function mutatedFrame(real: Messages, wire: Wire, random: Random): Frame {
  const count = wire.listed ? random.integer(1, 4) : random.chance(0.05) ? 3 : 1;
  const how = random.uniform();
  const messages = Array.from({ length: count }, (_, index) => {
    const message = random.pick(real);
    return how < 0.75 && (index === 0 || random.chance(0.3))
      ? mutateNode(message, random, WORDS, random.integer(1, 3))
      : message;
  });
  const packed = random.chance(wire.packed);
  const frame = encodeFrame(messages, wire, packed, packed || random.chance(wire.binary));
  if (how < 0.6) return frame;
  const other = packed ? packedOf(random.pick(real)) : Buffer.from(jsonOf(random.pick(real)));
  return {
    bytes: mutateBytes(frame.bytes, other, random, random.integer(1, 4)),
    // A server that takes its own frames for the other kind.
    isBinary: random.chance(0.03) ? !frame.isBinary : frame.isBinary,
  };
}

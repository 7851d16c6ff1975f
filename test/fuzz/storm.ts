import { parseJson } from '../../lib/adapters/alpaca/codec-decode-base.ts';
import { decodeTradeFrame } from '../../lib/adapters/alpaca/codec-decode-control.ts';
import { decodeTradeUpdate } from '../../lib/adapters/alpaca/codec-decode-orders.ts';
import { socketError } from '../../lib/adapters/alpaca/codec-serve-sockets.ts';
import { MsgpackReader } from '../../lib/adapters/alpaca/msgpack-reader.ts';
import { after, type Duration, type Micros, seconds } from '../../lib/domain/time.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Random } from '../../lib/sim/random.ts';
import { KEY, SECRET } from './corpus.ts';
import type { ClientEnd } from './frame-sockets.ts';
import { encodeFrame, type Frame, mutatedFrame, type Wire } from './frames.ts';
import { type Node, toNode } from './node.ts';
import type { Line } from './wire-feeds.ts';

/** A line that spoils what goes over it: true frames lost or spoiled, spoiled copies of recent ones in between. */
export type Storm = {
  readonly line: Line;
  /** Mutated frames that were handed in. */
  count(): number;
};

export type StormOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly wire: Wire;
  /** Share of the true frames that come spoiled instead. */
  readonly spoiled: number;
  /** Spoiled copies for each true frame, on average. */
  readonly copies: number;
  /** The longest wait of a copy. */
  readonly within: Duration;
  /** From here on the line is as it should be. */
  readonly until: Micros;
  /** What must not be handed in. */
  readonly isSpared: (frame: Frame) => boolean;
};

/** Frames that copies are made of: the newest ones, about orders that live. */
const RECENT = 24;
/** How often the server sends an error of its own, which ends the connection. */
const ERRORS = 0.0004;

export function createStorm(options: StormOptions): Storm {
  const { clock, random, wire, until } = options;
  const recent: Node[] = [];
  let count = 0;

  function strike(message: Node, client: ClientEnd): void {
    const [first = message, ...rest] = recent;
    const frame = mutatedFrame(random.chance(0.5) ? [message] : [first, ...rest], wire, random);
    if (options.isSpared(frame)) return;
    count += 1;
    client.frame(frame.bytes, frame.isBinary);
  }

  return {
    count: () => count,
    line(message, client) {
      const packed = random.chance(wire.packed);
      const send = (node: Node): void => {
        const { bytes, isBinary } = encodeFrame([node], wire, packed, packed || random.chance(wire.binary));
        client.frame(bytes, isBinary);
      };
      // The answers that open a connection come whole: most of the storm should meet a live one.
      if (clock.now() >= until || isControl(message)) {
        send(message);
        return;
      }
      recent.push(message);
      if (recent.length > RECENT) recent.shift();
      if (random.chance(options.spoiled)) strike(message, client);
      else send(message);
      if (random.chance(ERRORS))
        send(toNode(socketError(random.pick([400, 404, 406, 407, 500] as const), `${KEY}:${SECRET}`)));
      for (let copies = random.poisson(options.copies); copies > 0; copies -= 1)
        clock.at(after(clock.now(), Math.floor(random.uniform() * options.within) as Duration), () => {
          if (clock.now() < until) strike(message, client);
        });
    },
  };
}

function isControl(message: Node): boolean {
  if (message.kind !== 'map') return true;
  const kind = message.entries.find(({ key }) => key === 'T' || key === 'stream')?.value;
  const said = kind?.kind === 'scalar' ? kind.value : null;
  return (
    said === 'success' ||
    said === 'subscription' ||
    said === 'error' ||
    said === 'authorization' ||
    said === 'listening'
  );
}

const NOWHERE = 1 as Micros;

/** Whether a frame tells anything about an order that can be read: then it may be a lie. */
export function isReadableUpdate({ bytes }: Frame): boolean {
  const value = (bytes[0] ?? 0) < 0x80 ? parseJson(bytes.toString('utf8')) : unpacked(bytes);
  return (Array.isArray(value) ? value : [value]).some((item) => {
    const frame = decodeTradeFrame(item);
    return frame.ok && frame.value.kind === 'update' && decodeTradeUpdate(frame.value.data, NOWHERE).ok;
  });
}

function unpacked(bytes: Buffer): unknown {
  const reader = new MsgpackReader();
  reader.reset(bytes);
  try {
    return reader.value();
  } catch {
    return undefined;
  }
}

export const SOON = seconds(4);

import { unpack } from 'msgpackr';
import type { MarketEvent } from '../../sim/exchange-api.ts';
import { encodeMarketEvent } from '../alpaca/codec-encode-market.ts';
import { instantText } from '../alpaca/codec-encode-text.ts';
import { PackedInstant, packArrayHead, packMessage } from './msgpack-writer.ts';

/** One message, encoded; a frame is put together from these, so that a message is encoded once for all clients. */
export type EncodedEvent = string | Buffer;

/** How a socket speaks: JSON text, or MessagePack when the upgrade asked for it by its content type. */
export type Codec = {
  readonly binary: boolean;
  encode(message: Record<string, unknown>): EncodedEvent;
  encodeEvent(event: MarketEvent): EncodedEvent;
  frame(messages: readonly EncodedEvent[]): string | Buffer;
  /** `undefined` for what cannot be read. */
  decode(frame: Buffer): unknown;
};

const JSON_CODEC: Codec = {
  binary: false,
  encode: (message) => JSON.stringify(message),
  encodeEvent: (event) => JSON.stringify(encodeMarketEvent(event, instantText)),
  frame: (messages) => `[${messages.join(',')}]`,
  decode: parseJson,
};

const MSGPACK_CODEC: Codec = {
  binary: true,
  encode: packMessage,
  encodeEvent: (event) => packMessage(encodeMarketEvent(event, (at) => new PackedInstant(at))),
  frame: (messages) =>
    Buffer.concat([packArrayHead(messages.length), ...messages.map((item) => Buffer.from(item))]),
  decode: (frame) => {
    try {
      return unpack(frame);
    } catch {
      return undefined;
    }
  },
};

export function codecFor(contentType: string | undefined): Codec {
  return wantsMsgpack(contentType) ? MSGPACK_CODEC : JSON_CODEC;
}

export const wantsMsgpack = (contentType: string | undefined): boolean =>
  contentType?.split(';')[0]?.trim().toLowerCase() === 'application/msgpack';

export function parseJson(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString('utf8'));
  } catch {
    return undefined;
  }
}

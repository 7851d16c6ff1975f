import { asObject, attempt, type Decoded, type Fields, field, optionalText } from './codec-decode-base.ts';

/** What each channel is subscribed for, as the server confirms it. */
export type Channels = Readonly<Record<string, readonly string[]>>;

/** Control messages of the data socket. They always come alone in their frame, which nothing here relies on. */
export type DataControl =
  | { readonly kind: 'connected' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'error'; readonly code: number | null; readonly text: string }
  | { readonly kind: 'subscription'; readonly channels: Channels };

/** `null` when the type is none of a control message. */
export function decodeDataControl(type: string, fields: Fields): DataControl | null {
  switch (type) {
    case 'success':
      return { kind: optionalText(fields, 'msg') === 'authenticated' ? 'authenticated' : 'connected' };
    case 'error': {
      const code = field(fields, 'code');
      return {
        kind: 'error',
        code: typeof code === 'number' ? code : null,
        text: optionalText(fields, 'msg') ?? 'no reason given',
      };
    }
    case 'subscription':
      return { kind: 'subscription', channels: decodeChannels(fields) };
    default:
      return null;
  }
}

function decodeChannels(fields: Fields): Channels {
  const lists = Object.entries(fields).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]),
  );
  return Object.fromEntries(
    lists.map(([channel, symbols]) => [channel, symbols.filter((s): s is string => typeof s === 'string')]),
  );
}

/** Frames of the order stream. `other` is a stream that nobody asked for. */
export type TradeFrame =
  | { readonly kind: 'authorized' }
  | { readonly kind: 'unauthorized'; readonly action: string; readonly text: string }
  | { readonly kind: 'listening'; readonly streams: readonly string[]; readonly error: string | null }
  | { readonly kind: 'update'; readonly data: unknown }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'other' };

export function decodeTradeFrame(value: unknown): Decoded<TradeFrame> {
  return attempt(() => {
    const fields = asObject(value, 'order frame');
    const data = field(fields, 'data');
    switch (field(fields, 'stream')) {
      case 'trade_updates':
        return { kind: 'update', data };
      case 'authorization':
        return readAuthorization(asObject(data, 'authorization'));
      case 'listening':
        return readListening(asObject(data, 'listening'));
      default:
        if (field(fields, 'action') !== 'error') return { kind: 'other' };
        return { kind: 'error', text: errorText(data) };
    }
  });
}

function readAuthorization(data: Fields): TradeFrame {
  if (field(data, 'status') === 'authorized') return { kind: 'authorized' };
  return {
    kind: 'unauthorized',
    action: optionalText(data, 'action') ?? '',
    text: optionalText(data, 'message') ?? optionalText(data, 'status') ?? 'no reason given',
  };
}

function readListening(data: Fields): TradeFrame {
  const streams = field(data, 'streams');
  return {
    kind: 'listening',
    streams: Array.isArray(streams) ? streams.filter((s): s is string => typeof s === 'string') : [],
    error: optionalText(data, 'error'),
  };
}

function errorText(data: unknown): string {
  const fields = typeof data === 'object' && data !== null ? (data as Fields) : {};
  return optionalText(fields, 'error_message') ?? 'no reason given';
}

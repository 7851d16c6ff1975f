import { encodeMarketEvent, unknownMessage } from '../../lib/adapters/alpaca/codec-encode-market.ts';
import { asUnknownEvent, encodeTradeUpdate } from '../../lib/adapters/alpaca/codec-encode-orders.ts';
import {
  authorizationFrame,
  listeningError,
  listeningFrame,
  socketError,
  streamFault,
  subscriptionFrame,
  success,
  tradeUpdateFrame,
} from '../../lib/adapters/alpaca/codec-serve-sockets.ts';
import { PackedInstant } from '../../lib/adapters/exchange/msgpack-writer.ts';
import { type Price, price } from '../../lib/domain/money.ts';
import { after, before, minutes } from '../../lib/domain/time.ts';
import type { MarketEvent, TradeUpdate } from '../../lib/sim/exchange-api.ts';
import { SYMBOLS, startDay } from '../engine/simulated-day.ts';
import { type Node, toNode } from './node.ts';

/** Recognizable, and of the form of real ones; none of them may be seen in any text. */
export const KEY = 'PKFUZZ7KEYQ2MZL4WX9A';
export const SECRET = 'fUzZ/s3cret+Va1ue9QmZ0pLx4TtYw82bNcRkHeD';

export type Messages = readonly [Node, ...Node[]];
export type Corpus = {
  readonly market: Messages;
  readonly marketControl: Messages;
  readonly updates: Messages;
  readonly tradeControl: Messages;
};

/** Real messages: everything the embedded exchange said of one day, as it stands on the wire. */
export async function makeCorpus(): Promise<Corpus> {
  const day = await startDay({ seed: 11, exchange: { partialFillShare: 0.3 }, printsPerDay: 400 });
  const market: MarketEvent[] = [];
  const updates: TradeUpdate[] = [];
  day.exchange.onMarketEvent((event) => void market.push(event));
  day.exchange.onTradeUpdate((update) => void updates.push(update));
  await day.runTo(before(day.session.closeAt, minutes(30)));
  // A part of each kind: prints would be nearly all of it.
  const kinds = new Map<string, MarketEvent[]>();
  for (const event of [...market, ...rareEvents(market)]) {
    const list = kinds.get(event.kind) ?? [];
    kinds.set(event.kind, list);
    if (list.length < 150) list.push(event);
  }
  return {
    market: filled([...kinds.values()].flat().map(marketNode)),
    marketControl: MARKET_CONTROL,
    updates: filled(updates.slice(0, 400).map((update, index) => updateNode(update, index + 1))),
    tradeControl: TRADE_CONTROL,
  };
}

export const marketNode = (event: MarketEvent): Node =>
  toNode(encodeMarketEvent(event, (at) => new PackedInstant(at)));

export const updateNode = (update: TradeUpdate, sequence: number): Node =>
  toNode(tradeUpdateFrame(encodeTradeUpdate(update, update.at, sequence)));

/** Kinds that a quiet synthetic day does not bring. */
function rareEvents(seen: readonly MarketEvent[]): readonly MarketEvent[] {
  const print = seen.find((event) => event.kind === 'print')?.print;
  const bar = seen.find((event) => event.kind === 'bar')?.bar;
  if (print === undefined || bar === undefined) throw new Error('a day has prints and bars');
  const { symbol, at } = print;
  const off = (part: number): Price => price(Math.round(print.price * part));
  const codes = ['H', 'T', '2', '3', '5', 'P', 'O'];
  return [
    { kind: 'updatedBar', bar: { ...bar, volume: bar.volume + 7 } },
    { kind: 'luld', band: { symbol, at, up: off(1.05), down: off(0.95) } },
    {
      kind: 'quote',
      quote: { symbol, at, bid: off(0.999), bidSize: 3, ask: off(1.001), askSize: 2 },
    },
    ...codes.map((code, index): MarketEvent => {
      const state = code === 'T' || code === '3' ? 'trading' : 'halted';
      const status = { symbol, at: after(at, minutes(index)), state, code, reason: 'LUDP' } as const;
      return { kind: 'status', status };
    }),
  ];
}

export const subscribedNode = (symbols: readonly string[] = SYMBOLS): Node =>
  toNode(subscriptionFrame(() => symbols));

/** As servers of both sockets would echo them, with the keys in them too. */
const MARKET_CONTROL = filled(
  [
    success('connected'),
    success('authenticated'),
    subscriptionFrame(() => SYMBOLS),
    ...[400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 500].map((code) => socketError(code, 'refused')),
    socketError(402, `auth failed for ${KEY}:${SECRET}`),
    unknownMessage('SPY'),
  ].map(toNode),
);

const TRADE_CONTROL = filled(
  [
    authorizationFrame('authorized', 'authenticate'),
    authorizationFrame('unauthorized', 'authenticate'),
    authorizationFrame('unauthorized', 'listen'),
    listeningFrame(['trade_updates']),
    listeningFrame([]),
    listeningError(`your key ${KEY} has a session already`),
    streamFault(`invalid syntax near ${SECRET}`),
    tradeUpdateFrame(asUnknownEvent({ event: 'new' })),
  ].map(toNode),
);

function filled(nodes: readonly Node[]): Messages {
  const [first, ...rest] = nodes;
  if (first === undefined) throw new Error('a corpus has messages');
  return [first, ...rest];
}

/** What stands in for values of the protocol: names, statuses and codes where others belong, and the secrets. */
export const WORDS: readonly [string, ...string[]] = [
  ...(SYMBOLS as unknown as [string, ...string[]]),
  'ZZZZ',
  't',
  'q',
  'b',
  'u',
  's',
  'l',
  'd',
  'success',
  'error',
  'subscription',
  'authenticated',
  'trade_updates',
  'authorization',
  'listening',
  'authorized',
  'new',
  'fill',
  'partial_fill',
  'canceled',
  'expired',
  'replaced',
  'rejected',
  'done_for_day',
  'pending_cancel',
  'order_cancel_rejected',
  'filled',
  'partially_filled',
  'suspended',
  'calculated',
  'buy',
  'sell',
  'sell_short',
  'market',
  'limit',
  'us_equity',
  'crypto',
  'H',
  'T',
  KEY,
  SECRET,
];

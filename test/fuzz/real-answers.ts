import {
  encodeAccount,
  encodeAsset,
  encodeCalendarDay,
  encodeClock,
  encodePosition,
} from '../../lib/adapters/alpaca/codec-encode-account.ts';
import {
  encodeBar,
  encodeLatest,
  encodePage,
  encodePrint,
} from '../../lib/adapters/alpaca/codec-encode-market.ts';
import { encodeFillActivity, encodeOrder } from '../../lib/adapters/alpaca/codec-encode-orders.ts';
import { instantText } from '../../lib/adapters/alpaca/codec-encode-text.ts';
import type { Approved, OrderIntent } from '../../lib/domain/intent.ts';
import { after, before, type Duration, minutes } from '../../lib/domain/time.ts';
import { orderOf } from '../../lib/engine/direct-orders.ts';
import type { Broker, BrokerOrder } from '../../lib/ports/broker.ts';
import type { SimOrder } from '../../lib/sim/exchange-api.ts';
import { DAY, SYMBOLS, startDay } from '../engine/simulated-day.ts';
import { KEY, SECRET } from './corpus.ts';
import { type Node, toNode } from './node.ts';

/** A request of the port, and the body that a real answer to it has. */
export type Asked = {
  readonly kind: 'submit' | 'cancel' | 'lookup' | 'read';
  readonly name: keyof Broker;
  /** What it was about. */
  readonly order: BrokerOrder | null;
  readonly body: Node;
  ask(broker: Broker): Promise<unknown>;
};

export type AskedList = readonly [Asked, ...Asked[]];

/** Every kind of request with real bodies, from the books of an embedded exchange in mid-session. */
export async function makeAsked(): Promise<AskedList> {
  const day = await startDay({ seed: 5, exchange: { partialFillShare: 0.3 }, printsPerDay: 600 });
  await day.runTo(before(day.session.closeAt, minutes(200)));
  const { exchange, session } = day;
  const { orders, fills } = exchange.ledger();
  const from = session.openAt;
  const now = exchange.now();
  const symbols = SYMBOLS;
  const settings = {
    suspendTrade: false,
    noShorting: true,
    fractionalTrading: true,
    maxMarginMultiplier: 4,
    tradeConfirmEmail: 'none',
    disableOvernightTrading: false,
    ptpNoExceptionEntry: false,
    maxOptionsTradingLevel: 0,
  } as const;
  const bars = new Map(
    symbols.map((symbol) => [
      symbol as string,
      exchange.bars(symbol, from, after(from, minutes(10))).map((bar) => encodeBar(bar, instantText)),
    ]),
  );
  const prints = new Map(
    symbols.flatMap((symbol) => {
      const print = exchange.latestPrint(symbol);
      return print === null ? [] : [[symbol as string, encodePrint(print, instantText)] as const];
    }),
  );
  const read = (name: keyof Broker, body: unknown, ask: (broker: Broker) => Promise<unknown>): Asked => ({
    kind: 'read',
    name,
    order: null,
    body: toNode(body),
    ask,
  });
  const listed = orders.slice(0, 12).map((order) => encodeOrder(order));
  const position = { symbol: SYMBOLS[0] ?? '', qty: 7, available: 7, cost: 700_000, exchange: 'NYSE' };
  const positions = [
    ...exchange.positions(),
    {
      ...position,
      symbol: SYMBOLS[0] as (typeof SYMBOLS)[number],
      assetId: '00000000-0000-4000-8000-000000000000',
      averagePrice: 100_000 as never,
      currentPrice: 100_100 as never,
      lastDayPrice: 99_000 as never,
    },
  ];
  const reads = [
    read('openOrders', listed, (broker) => broker.openOrders()),
    read('ordersSince', listed, (broker) => broker.ordersSince(from)),
    read('fillsSince', fills.slice(0, 12).map(encodeFillActivity), (broker) => broker.fillsSince(from)),
    read('positions', positions.map(encodePosition), (broker) => broker.positions()),
    read('account', encodeAccount(exchange.account(), settings), (broker) => broker.account()),
    read('clock', encodeClock(exchange.clock()), (broker) => broker.clock()),
    read('calendar', [encodeCalendarDay(session, '2026-10-06')], (broker) => broker.calendar(DAY, DAY)),
    read('assets', exchange.assets().slice(0, 1).map(encodeAsset)[0], (broker) =>
      broker.assets(symbols.slice(0, 1)),
    ),
    read('assets', exchange.assets().slice(0, 8).map(encodeAsset), (broker) =>
      broker.assets([...symbols, 'XX' as never, 'YY' as never]),
    ),
    read('bars', encodePage('bars', undefined, bars, null), (broker) =>
      broker.bars(symbols, from, after(now, 0 as Duration)),
    ),
    read('latestPrints', encodeLatest('trades', undefined, prints), (broker) => broker.latestPrints(symbols)),
  ];
  const some = orders.filter((_, index) => index % 3 === 0).slice(0, 25);
  const single = some.flatMap((order) => ofOrder(order));
  const [first, ...rest] = [...reads, ...single];
  if (first === undefined) throw new Error('there are requests');
  return [first, ...rest];
}

function ofOrder(order: SimOrder): readonly Asked[] {
  const known = orderOf(order);
  const body = toNode(encodeOrder(order));
  const intent = {
    clientOrderId: known.clientOrderId,
    symbol: known.symbol,
    side: known.side,
    qty: known.qty,
    price: known.limit === null ? { type: 'market' } : { type: 'limit', limit: known.limit },
    purpose: known.side === 'buy' ? 'entry' : 'exit',
    decidedAt: known.submittedAt,
    mark: null,
    expiresAt: null,
  } as const as OrderIntent as Approved<OrderIntent>;
  const about = { order: known, body };
  return [
    { ...about, kind: 'submit', name: 'submit', ask: (broker) => broker.submit(intent) },
    { ...about, kind: 'submit', name: 'submit', ask: (broker) => broker.submit(intent) },
    {
      ...about,
      kind: 'cancel',
      name: 'cancel',
      body: toNode(null),
      ask: (broker) => broker.cancel(known.brokerOrderId),
    },
    { ...about, kind: 'lookup', name: 'orderById', ask: (broker) => broker.orderById(known.brokerOrderId) },
    {
      ...about,
      kind: 'lookup',
      name: 'orderByClientOrderId',
      ask: (broker) => broker.orderByClientOrderId(known.clientOrderId),
    },
  ];
}

/** What refuses, in the broker's words and in those of what stands before it, with the keys echoed here and there. */
export const REFUSALS: readonly [Node, ...Node[]] = [
  toNode({
    code: 40310000,
    message: 'insufficient qty available for order (requested: 7, available: 0)',
    available: '0',
    held_for_orders: '7',
    related_orders: ['61e69015-8549-4bfd-b9c3-01e75843f47d'],
  }),
  toNode({ code: 40310000, message: 'insufficient buying power', buying_power: '12.3' }),
  toNode({
    code: 40310000,
    message: 'potential wash trade detected. use complex orders',
    existing_order_id: 'a1',
  }),
  toNode({ code: 42210000, message: 'invalid limit_price 1.23456. sub-penny increment' }),
  toNode({ code: 40010001, message: 'client_order_id must be unique' }),
  toNode({ code: 40410000, message: `order not found for ${'x'.repeat(8)}` }),
  toNode({ code: 42910000, message: 'rate limit exceeded' }),
  toNode({ message: `unauthorized: ${KEY} / ${SECRET}` }),
  toNode({ code: 50010000, message: 'internal server error' }),
  toNode(`<html><body><h1>502 Bad Gateway</h1>${SECRET}</body></html>`),
  toNode({
    code: 40310000,
    message: `request ${'x'.repeat(200)} ${Buffer.from(`${KEY}:${SECRET}`).toString('base64')}`,
  }),
];

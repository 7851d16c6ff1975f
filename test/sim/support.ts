import type { Side } from '../../lib/domain/execution.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Price, parseDecimal } from '../../lib/domain/money.ts';
import type { Session } from '../../lib/domain/session.ts';
import { type Micros, parseInstant, type SessionDay } from '../../lib/domain/time.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type {
  Answer,
  Exchange,
  ExchangeOptions,
  OrderRequest,
  ReplaceRequest,
  SimOrder,
  TapeItem,
  TradeUpdate,
} from '../../lib/sim/exchange-api.ts';
import { NO_FEES } from '../../lib/sim/fees.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';

export const AAA = 'AAA' as Ticker;
export const BBB = 'BBB' as Ticker;
export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export function instant(text: string): Micros {
  const at = parseInstant(text);
  if (at === null) throw new Error(`not an instant: ${text}`);
  return at;
}

export const usd = (text: string): Price => {
  const units = parseDecimal(text);
  if (units === null) throw new Error(`not an amount: ${text}`);
  return units as Price;
};

/** A winter session: 09:30 to 16:00 New York is 14:30 to 21:00 UTC. */
export const session = (day: string, close = '21:00'): Session => ({
  day: day as SessionDay,
  openAt: instant(`${day}T14:30:00Z`),
  closeAt: instant(`${day}T${close}:00Z`),
  halfDay: close !== '21:00',
});

export const DAYS = [session('2024-01-03'), session('2024-01-04')];
export const OPEN = instant('2024-01-03T14:30:00Z');
export const CLOSE = instant('2024-01-03T21:00:00Z');
/** An hour into the first session: when most examples begin. */
export const START = instant('2024-01-03T15:30:00Z');

export function options(over: Partial<ExchangeOptions> = {}): ExchangeOptions {
  return {
    seed: 7,
    startAt: START,
    sessions: DAYS,
    account: { cash: 1_000_000_000 as never, multiplier: 4, shorting: true },
    latencyIn: 1_000,
    latencyOut: 1_000,
    partialFillShare: 0,
    queueAhead: 0,
    fees: NO_FEES,
    subPenny: 'reject',
    fillModel: 'tape',
    oversell: 'reject',
    fillRules: [],
    ...over,
  };
}

export const request = (over: Partial<OrderRequest> = {}): OrderRequest => ({
  symbol: 'AAA',
  qty: '100',
  notional: null,
  side: 'buy',
  type: 'market',
  timeInForce: 'day',
  limitPrice: null,
  stopPrice: null,
  trailPrice: null,
  trailPercent: null,
  extendedHours: false,
  clientOrderId: null,
  orderClass: null,
  takeProfit: null,
  stopLoss: null,
  positionIntent: null,
  ...over,
});

export const limit = (side: Side, qty: string, price: string, over: Partial<OrderRequest> = {}) =>
  request({ side, qty, type: 'limit', limitPrice: price, ...over });

export const changes = (over: Partial<ReplaceRequest>): ReplaceRequest => ({
  qty: null,
  timeInForce: null,
  limitPrice: null,
  stopPrice: null,
  trail: null,
  clientOrderId: null,
  ...over,
});

/** A tape item at so many seconds after `from`. */
export function printAt(
  seconds: number,
  price: string,
  size = 100,
  over: { symbol?: Ticker; conditions?: readonly string[]; from?: Micros } = {},
): TapeItem {
  const at = ((over.from ?? START) + seconds * SECOND) as Micros;
  const symbol = over.symbol ?? AAA;
  const conditions = over.conditions ?? [];
  return {
    kind: 'print',
    at,
    print: { symbol, at, price: usd(price), size, exchange: 'V', conditions, id: String(at) },
  };
}

export function quoteAt(
  seconds: number,
  bid: string,
  ask: string,
  sizes: readonly [number, number] = [500, 500],
  over: { symbol?: Ticker; from?: Micros } = {},
): TapeItem {
  const at = ((over.from ?? START) + seconds * SECOND) as Micros;
  const [bidSize, askSize] = sizes;
  return {
    kind: 'quote',
    at,
    quote: { symbol: over.symbol ?? AAA, at, bid: usd(bid), bidSize, ask: usd(ask), askSize },
  };
}

/** A market that stands at 100.00 x 100.02 from a minute before the start, and then does what the items say. */
export const standing: readonly TapeItem[] = [printAt(-60, '100.01'), quoteAt(-59, '100.00', '100.02')];

export type Rig = {
  readonly exchange: Exchange;
  readonly updates: TradeUpdate[];
  /** Moves time on by so many seconds. */
  wait(seconds: number): void;
  submit(request: OrderRequest): SimOrder;
  order(order: SimOrder): SimOrder;
  /** `event status` of every update so far. */
  story(): string[];
};

export function rig(
  items: readonly TapeItem[] = standing,
  over: Partial<ExchangeOptions> = {},
  symbols: readonly Ticker[] = [AAA, BBB],
): Rig {
  const sorted = [...items].sort((a, b) => a.at - b.at);
  const exchange = createExchange(options(over), tapeFromItems(symbols, [sorted]));
  const updates: TradeUpdate[] = [];
  exchange.onTradeUpdate((update) => updates.push(update));
  return {
    exchange,
    updates,
    wait: (seconds) => exchange.advanceTo((exchange.now() + seconds * SECOND) as Micros),
    submit: (order) => unwrap(exchange.submitOrder(order)),
    order: (order) => unwrap(exchange.order(order.id)),
    story: () => updates.map(({ event, order }) => `${event} ${order.status}`),
  };
}

export function unwrap<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(`${answer.status} ${answer.message}`);
  return answer.value;
}

/** A refusal as one comparable value. */
export function refusal(answer: Answer<unknown>): readonly [number, number, string] {
  if (answer.ok) throw new Error('not refused');
  return [answer.status, answer.code, answer.message];
}

export const extraOf = (answer: Answer<unknown>): Readonly<Record<string, unknown>> =>
  answer.ok ? {} : answer.extra;

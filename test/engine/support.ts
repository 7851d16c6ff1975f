import type { ExecutionReport, OrderStatus } from '../../lib/domain/execution.ts';
import type { BrokerOrderId, ClientOrderId, Ticker } from '../../lib/domain/ids.ts';
import type { OrderIntent, Purpose } from '../../lib/domain/intent.ts';
import { cash, price, qty } from '../../lib/domain/money.ts';
import { type Micros, parseInstant } from '../../lib/domain/time.ts';
import type { VirtualClock } from '../../lib/engine/virtual-clock.ts';
import type {
  Broker,
  BrokerFailure,
  BrokerFill,
  BrokerOrder,
  CancelOutcome,
  Lookup,
  Read,
  SubmitOutcome,
} from '../../lib/ports/broker.ts';
import type { Log, LogFields } from '../../lib/ports/log.ts';

export const SPY = 'SPY' as Ticker;
export const START = parseInstant('2026-10-05T10:00:00-04:00') as Micros;

export function intentOf(purpose: Purpose, sequence: number, over: Partial<OrderIntent> = {}): OrderIntent {
  return {
    clientOrderId: `scalpd-20261005-SPY-${sequence}-0` as ClientOrderId,
    symbol: SPY,
    side: purpose === 'entry' ? 'buy' : 'sell',
    qty: qty(10),
    price:
      purpose === 'entry' || purpose === 'exit'
        ? { type: 'limit', limit: price(1_000_000) }
        : { type: 'market' },
    purpose,
    decidedAt: START,
    mark: { price: price(1_000_000), at: START },
    expiresAt: null,
    ...over,
  };
}

export const brokerIdOf = (id: ClientOrderId): BrokerOrderId => `broker-${id}` as BrokerOrderId;

export function reportOn(
  intent: OrderIntent,
  status: OrderStatus,
  over: Partial<ExecutionReport> = {},
): ExecutionReport {
  return {
    source: 'stream',
    clientOrderId: intent.clientOrderId,
    brokerOrderId: brokerIdOf(intent.clientOrderId),
    symbol: intent.symbol,
    side: intent.side,
    orderQty: intent.qty,
    status,
    cumQty: qty(0),
    cumNotional: cash(0),
    fill: null,
    replacedBy: null,
    occurredAt: START,
    receivedAt: START,
    ...over,
  };
}

export function orderFor(
  intent: OrderIntent,
  status: OrderStatus,
  over: Partial<BrokerOrder> = {},
): BrokerOrder {
  return {
    brokerOrderId: brokerIdOf(intent.clientOrderId),
    clientOrderId: intent.clientOrderId,
    symbol: intent.symbol,
    side: intent.side,
    qty: intent.qty,
    type: intent.price.type,
    limit: intent.price.type === 'limit' ? intent.price.limit : null,
    status,
    cumQty: qty(0),
    cumNotional: cash(0),
    submittedAt: START,
    updatedAt: START,
    replacedBy: null,
    replaces: null,
    ...over,
  };
}

export const failure = (code: BrokerFailure['code'], retryAt: Micros | null = null): BrokerFailure => ({
  code,
  text: code,
  httpStatus: null,
  requestId: null,
  retryAt,
});

export const accepted = (intent: OrderIntent): SubmitOutcome => ({
  kind: 'accepted',
  report: reportOn(intent, 'new', { source: 'query' }),
});

/** A broker whose answers a test writes down; it remembers what it was asked, in order. */
export type ScriptedBroker = Broker & {
  readonly asked: string[];
  onSubmit: (intent: OrderIntent) => SubmitOutcome | Promise<SubmitOutcome>;
  onCancel: (id: BrokerOrderId) => CancelOutcome;
  onLookup: (id: string) => Lookup;
  onOpenOrders: () => Read<readonly BrokerOrder[]>;
  onOrdersSince: () => Read<readonly BrokerOrder[]>;
  onFillsSince: () => Read<readonly BrokerFill[]>;
};

export function scriptedBroker(): ScriptedBroker {
  const unasked = (): Promise<never> => Promise.reject(new Error('the test asks nothing else'));
  const asked: string[] = [];
  const broker: ScriptedBroker = {
    asked,
    onSubmit: accepted,
    onCancel: () => ({ kind: 'requested' }),
    onLookup: () => ({ kind: 'absent' }),
    onOpenOrders: () => ({ kind: 'ok', value: [] }),
    onOrdersSince: () => ({ kind: 'ok', value: [] }),
    onFillsSince: () => ({ kind: 'ok', value: [] }),
    async submit(intent) {
      asked.push(`submit ${intent.clientOrderId}`);
      return broker.onSubmit(intent);
    },
    async cancel(id) {
      asked.push(`cancel ${id}`);
      return broker.onCancel(id);
    },
    async orderByClientOrderId(id) {
      asked.push(`lookup ${id}`);
      return broker.onLookup(id);
    },
    async orderById(id) {
      asked.push(`lookup ${id}`);
      return broker.onLookup(id);
    },
    async openOrders() {
      asked.push('openOrders');
      return broker.onOpenOrders();
    },
    async ordersSince() {
      asked.push('ordersSince');
      return broker.onOrdersSince();
    },
    async fillsSince() {
      asked.push('fillsSince');
      return broker.onFillsSince();
    },
    positions: unasked,
    account: unasked,
    clock: unasked,
    calendar: unasked,
    assets: unasked,
    bars: unasked,
    latestPrints: unasked,
  };
  return broker;
}

export type LoggedLine = { readonly level: string; readonly event: string; readonly fields: LogFields };

export function loggingTo(lines: LoggedLine[]): Log {
  const say =
    (level: string) =>
    (event: string, fields: LogFields = {}): void =>
      void lines.push({ level, event, fields });
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

/** Lets every promise that can go on go on. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs everything due until then, and what follows from it. */
export async function advance(clock: VirtualClock, until: Micros): Promise<void> {
  await settle();
  for (let next = clock.nextAt(); next !== null && next <= until; next = clock.nextAt()) {
    clock.runNext();
    await settle();
  }
  clock.runUntil(until);
  await settle();
}

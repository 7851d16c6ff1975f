import { type ExecutionReport, isEnd } from '../../lib/domain/execution.ts';
import type { ClientOrderId, ExecutionId, Ticker } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { MARK_AHEAD_MAX } from '../../lib/domain/market.ts';
import { isOnTick, type Price, roundDownToTick } from '../../lib/domain/money.ts';
import { reportOf } from '../../lib/domain/reconcile.ts';
import { formatInstant, type Micros } from '../../lib/domain/time.ts';
import type { Broker, BrokerOrder, SubmitOutcome } from '../../lib/ports/broker.ts';
import type { Report } from './finding.ts';

/**
 * What the daemon could believe, kept from what it was told at its doors, lies included; and every order it sends, judged by
 * that. It knows none of the daemon's own books.
 */
export type Beliefs = {
  heard(report: ExecutionReport): void;
  printed(symbol: Ticker, price: Price): void;
  /** The broker, with every order judged and every answer noted. */
  watch(broker: Broker): Broker;
};

type Told = {
  readonly intent: OrderIntent;
  brokerOrderId: string | null;
  readonly executions: Set<ExecutionId>;
  /** Shares by executions, and by the largest total of a query. */
  executed: number;
  total: number;
  ended: boolean;
};

export type BeliefOptions = {
  readonly now: () => Micros;
  readonly lot: number;
  readonly cutoffAt: Micros;
  readonly lastTradeMaxAge: number;
  readonly report: Report;
};

/** From a decision in a lane to the request at the door. */
const ON_THE_WAY = 6_000_000;

export function createBeliefs({ now, lot, cutoffAt, lastTradeMaxAge, report }: BeliefOptions): Beliefs {
  const orders = new Map<ClientOrderId, Told>();
  const held = new Map<Ticker, { readonly at: Micros; readonly shares: number }[]>();
  const prints = new Map<Ticker, { at: Micros; price: Price }[]>();

  const bookedOf = ({ intent, executed, total }: Told): number =>
    Math.min(intent.qty, Math.max(executed, total));

  function noteShares(symbol: Ticker): void {
    let shares = 0;
    for (const told of orders.values())
      if (told.intent.symbol === symbol) shares += (told.intent.side === 'buy' ? 1 : -1) * bookedOf(told);
    const list = held.get(symbol) ?? [];
    held.set(symbol, list);
    list.push({ at: now(), shares });
  }

  function find(clientOrderId: ClientOrderId, brokerOrderId: string): Told | undefined {
    const known = orders.get(clientOrderId);
    if (known !== undefined) return known;
    return [...orders.values()].find((told) => told.brokerOrderId === brokerOrderId);
  }

  function heard(said: ExecutionReport): void {
    const told = find(said.clientOrderId, said.brokerOrderId);
    if (told === undefined) return;
    const { intent } = told;
    told.brokerOrderId = said.brokerOrderId;
    if (isEnd(said.status)) told.ended = true;
    if (said.symbol !== intent.symbol || said.side !== intent.side) return;
    const { fill } = said;
    if (fill !== null && !told.executions.has(fill.executionId)) {
      told.executions.add(fill.executionId);
      if (told.executed + fill.lastQty <= intent.qty) told.executed += fill.lastQty;
    }
    if (said.source === 'query') told.total = Math.max(told.total, said.cumQty);
    noteShares(intent.symbol);
  }

  const listed = (order: BrokerOrder): void => heard(reportOf(order, now()));

  function judge(intent: OrderIntent): void {
    const { clientOrderId, symbol, side, price, qty } = intent;
    const name = `${clientOrderId} ${intent.purpose} at ${formatInstant(now())}`;
    if (orders.has(clientOrderId)) report('idTwice', name);
    for (const told of orders.values())
      if (told.intent.symbol === symbol && !told.ended && bookedOf(told) < told.intent.qty)
        report('twoLiveOrders', `${name}: ${told.intent.clientOrderId} is not known to have ended`);
    if (price.type === 'limit' && (price.limit <= 0 || !isOnTick(price.limit)))
      report('offTick', `${name}: ${price.limit}`);
    if (!(qty >= 1) || !Number.isSafeInteger(qty)) report('noShares', `${name}: ${qty}`);
    if (side === 'buy') judgeEntry(intent, name);
    else {
      const since = intent.decidedAt - 1_000;
      const list = held.get(symbol) ?? [];
      const before = list.findLast(({ at }) => at < since)?.shares ?? 0;
      const most = list.reduce((max, { at, shares }) => (at >= since ? Math.max(max, shares) : max), before);
      if (qty > most) report('oversold', `${name}: ${qty} shares, told of ${most}`);
    }
  }

  function judgeEntry({ symbol, price, qty, mark, decidedAt }: OrderIntent, name: string): void {
    if (price.type !== 'limit') {
      report('entryAtMarket', name);
      return;
    }
    if (price.limit * qty > lot) report('aboveLot', `${name}: ${qty} at ${price.limit}`);
    if (now() > cutoffAt + 1_000_000) report('afterCutoff', name);
    const from = decidedAt - lastTradeMaxAge - MARK_AHEAD_MAX - ON_THE_WAY;
    const isTold = (prints.get(symbol) ?? []).some(
      (print) => print.at >= from && roundDownToTick(print.price) === price.limit,
    );
    if (!isTold)
      report(
        'priceNotTold',
        `${name}: limit ${price.limit}, mark ${mark?.price} of ${mark && formatInstant(mark.at)}`,
      );
  }

  function settled(id: ClientOrderId, outcome: SubmitOutcome): void {
    const told = orders.get(id);
    if (told === undefined) return;
    if (outcome.kind === 'accepted') heard(outcome.report);
    if (outcome.kind === 'rejected' || outcome.kind === 'notSent') told.ended = true;
  }

  return {
    heard,
    printed(symbol, price) {
      const list = prints.get(symbol) ?? [];
      prints.set(symbol, list);
      list.push({ at: now(), price });
      if (list.length > 4_000) list.splice(0, 2_000);
    },
    watch: (broker) => ({
      ...broker,
      async submit(intent) {
        judge(intent);
        orders.set(intent.clientOrderId, {
          intent,
          brokerOrderId: null,
          executions: new Set(),
          executed: 0,
          total: 0,
          ended: false,
        });
        const outcome = await broker.submit(intent);
        settled(intent.clientOrderId, outcome);
        return outcome;
      },
      async orderById(id) {
        const found = await broker.orderById(id);
        if (found.kind === 'found') listed(found.order);
        return found;
      },
      async orderByClientOrderId(id) {
        const found = await broker.orderByClientOrderId(id);
        if (found.kind === 'found') listed(found.order);
        const told = orders.get(id);
        if (found.kind === 'absent' && told !== undefined) told.ended = true;
        return found;
      },
      async openOrders() {
        const read = await broker.openOrders();
        if (read.kind === 'ok') for (const order of read.value) listed(order);
        return read;
      },
      async ordersSince(from) {
        const read = await broker.ordersSince(from);
        if (read.kind === 'ok') for (const order of read.value) listed(order);
        return read;
      },
      async fillsSince(from) {
        const read = await broker.fillsSince(from);
        if (read.kind === 'ok')
          for (const { brokerOrderId, cumQty } of read.value) {
            const told = find('' as ClientOrderId, brokerOrderId);
            if (told === undefined) continue;
            told.total = Math.max(told.total, cumQty);
            noteShares(told.intent.symbol);
          }
        return read;
      },
    }),
  };
}

import type { ExecutionReport, OrderStatus } from '../../lib/domain/execution.ts';
import type { BrokerOrderId, ExecutionId } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import type { SubmitVerdict } from '../../lib/domain/lane-types.ts';
import { cash, type Price, type Qty, qty } from '../../lib/domain/money.ts';
import type { Micros } from '../../lib/domain/time.ts';

type Book = {
  readonly intent: OrderIntent;
  status: OrderStatus;
  cumQty: number;
  cumNotional: number;
  cancelAsked: boolean;
};

/**
 * The truth in a property test: a broker that takes every order, enforces nothing and would go short without a word, so
 * that whatever the lane does wrong shows in its books. What the lane hears of it is the test's business.
 */
export class ModelBroker {
  readonly books = new Map<string, Book>();
  /** Reports made and not yet delivered. */
  readonly wire: ExecutionReport[] = [];
  shares = 0;
  #executions = 0;

  /** The request arrived. */
  take(intent: OrderIntent, at: Micros): void {
    this.books.set(intent.clientOrderId, {
      intent,
      status: 'new',
      cumQty: 0,
      cumNotional: 0,
      cancelAsked: false,
    });
    this.#tell(intent.clientOrderId, at, null);
  }

  askCancel(id: string): void {
    const book = this.books.get(id);
    if (book !== undefined) book.cancelAsked = true;
  }

  live(): readonly Book[] {
    return [...this.books.values()].filter(isLive);
  }

  /** Fills part of a live order; a limit at its limit or better, a market order at `px`. */
  fill(id: string, wanted: number, px: Price, at: Micros): void {
    const book = this.books.get(id);
    if (book === undefined || !isLive(book)) return;
    const { intent } = book;
    const lastQty = Math.min(wanted, intent.qty - book.cumQty);
    const lastPx = intent.price.type === 'limit' ? intent.price.limit : px;
    book.cumQty += lastQty;
    book.cumNotional += lastPx * lastQty;
    book.status = book.cumQty === intent.qty ? 'filled' : 'partially_filled';
    this.shares += intent.side === 'buy' ? lastQty : -lastQty;
    this.#executions += 1;
    const executionId = `x${this.#executions}` as ExecutionId;
    this.#tell(id, at, { executionId, lastQty: qty(lastQty), lastPx });
  }

  end(id: string, status: OrderStatus, at: Micros): void {
    const book = this.books.get(id);
    if (book === undefined || !isLive(book)) return;
    book.status = status;
    this.#tell(id, at, null);
  }

  /** The answer to a query: `null` when the broker never got the order. */
  query(id: string, at: Micros): ExecutionReport | null {
    const book = this.books.get(id);
    return book === undefined ? null : this.#reportOf(book, 'query', at, null);
  }

  #tell(id: string, at: Micros, fill: ExecutionReport['fill']): void {
    const book = this.books.get(id);
    if (book !== undefined) this.wire.push(this.#reportOf(book, 'stream', at, fill));
  }

  #reportOf(
    book: Book,
    source: 'stream' | 'query',
    at: Micros,
    fill: ExecutionReport['fill'],
  ): ExecutionReport {
    const { intent, status, cumQty, cumNotional } = book;
    return {
      source,
      clientOrderId: intent.clientOrderId,
      brokerOrderId: `b-${intent.clientOrderId}` as BrokerOrderId,
      symbol: intent.symbol,
      side: intent.side,
      orderQty: intent.qty,
      status,
      cumQty: cumQty as Qty,
      cumNotional: cash(cumNotional),
      fill,
      replacedBy: null,
      occurredAt: at,
      receivedAt: at,
    };
  }
}

const isLive = ({ status }: Book): boolean => status === 'new' || status === 'partially_filled';

export const REJECTED: SubmitVerdict = {
  kind: 'rejected',
  code: 'other',
  text: 'rejected by the model',
  available: null,
};

import type { ExecutionReport } from '../domain/execution.ts';
import type { ClientOrderId, ExecutionId } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import { formatDecimal } from '../domain/money.ts';
import type { Log } from '../ports/log.ts';

/** Says what filled, each execution once, and what the stream should have told and did not. It books nothing. */
export type FillLog = {
  note(intent: OrderIntent, report: ExecutionReport): void;
  /** Executions of our orders that the stream has told. */
  count(): number;
  reset(): void;
};

export function createFillLog(log: Log): FillLog {
  const executions = new Set<ExecutionId>();
  const told = new Map<ClientOrderId, number>();
  return {
    note({ clientOrderId, symbol, side, qty: orderQty }, { source, fill, cumQty }) {
      const order = { symbol, clientOrderId, side };
      const before = told.get(clientOrderId) ?? 0;
      if (fill !== null && !executions.has(fill.executionId)) {
        executions.add(fill.executionId);
        told.set(clientOrderId, before + fill.lastQty);
        log.info('order.filled', {
          ...order,
          qty: fill.lastQty,
          px: formatDecimal(fill.lastPx),
          cumQty,
          orderQty,
        });
      }
      if (source !== 'query' || cumQty <= before) return;
      told.set(clientOrderId, cumQty);
      const text = 'found by asking: the stream has not told it';
      log.warn('order.filled.missed', { ...order, qty: cumQty - before, cumQty, orderQty, text });
    },
    count: () => executions.size,
    reset() {
      executions.clear();
      told.clear();
    },
  };
}

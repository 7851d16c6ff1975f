import type { Side } from '../../lib/domain/execution.ts';
import type { BrokerOrderId } from '../../lib/domain/ids.ts';
import type { Broker, CancelOutcome, SubmitOutcome } from '../../lib/ports/broker.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Exchange } from '../../lib/sim/exchange-api.ts';
import type { Answered, Decision } from './decisions.ts';

/** A broker that writes down every request about an order, in the order the requests were sent. */
export function recordDecisions(
  inner: Broker,
  clock: Clock,
  exchange: Exchange,
  decisions: Decision[],
): Broker {
  /** Keeps the place in the order of sending while the answer is awaited. */
  function note(decision: Omit<Decision, 'answered'>): (answered: Answered) => void {
    const index = decisions.push({ ...decision, answered: 'lost' }) - 1;
    return (answered) => {
      decisions[index] = { ...decision, answered };
    };
  }

  return {
    ...inner,
    async submit(intent) {
      const { symbol, side, qty, price } = intent;
      const act =
        price.type === 'limit'
          ? ({ kind: 'limit', qty, limit: price.limit } as const)
          : ({ kind: 'market', qty } as const);
      const settle = note({ at: clock.now(), symbol, side, act });
      const outcome = await inner.submit(intent);
      settle(submitAnswered(outcome));
      return outcome;
    },
    async cancel(id) {
      const { symbol, side } = orderAt(exchange, id);
      const settle = note({ at: clock.now(), symbol, side, act: { kind: 'cancel' } });
      const outcome = await inner.cancel(id);
      settle(cancelAnswered(outcome));
      return outcome;
    },
  };
}

function orderAt(exchange: Exchange, id: BrokerOrderId): { readonly symbol: string; readonly side: Side } {
  const order = exchange.order(id);
  if (!order.ok) throw new Error(`a cancel is about an order the exchange knows; found ${id}`);
  return order.value;
}

function submitAnswered({ kind }: SubmitOutcome): Answered {
  if (kind === 'accepted') return 'taken';
  return kind === 'rejected' ? 'refused' : 'lost';
}

function cancelAnswered({ kind }: CancelOutcome): Answered {
  if (kind === 'requested') return 'taken';
  return kind === 'unknown' ? 'lost' : 'refused';
}

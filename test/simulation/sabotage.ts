import { type ClientOrderId, formatClientOrderId, parseClientOrderId } from '../../lib/domain/ids.ts';
import { ZERO_CASH, ZERO_QTY } from '../../lib/domain/money.ts';
import type { Broker } from '../../lib/ports/broker.ts';

/** Brokers that are broken on purpose: a judge that does not notice them is none. */

/** Every third sell is answered as accepted, and never sent. */
export function losesSells(broker: Broker): Broker {
  let sells = 0;
  return {
    ...broker,
    submit(intent) {
      sells += intent.side === 'sell' ? 1 : 0;
      if (intent.side === 'buy' || sells % 3 !== 0) return broker.submit(intent);
      const { clientOrderId, symbol, side, qty, decidedAt } = intent;
      return Promise.resolve({
        kind: 'accepted',
        report: {
          source: 'query',
          clientOrderId,
          brokerOrderId: `lost-${clientOrderId}` as never,
          symbol,
          side,
          orderQty: qty,
          status: 'new',
          cumQty: ZERO_QTY,
          cumNotional: ZERO_CASH,
          fill: null,
          replacedBy: null,
          occurredAt: decidedAt,
          receivedAt: decidedAt,
        },
      });
    },
  };
}

/** Every second buy is sent twice, the second time under an id that no lane gave. */
export function doublesBuys(broker: Broker): Broker {
  let buys = 0;
  return {
    ...broker,
    submit(intent) {
      buys += intent.side === 'buy' ? 1 : 0;
      if (intent.side === 'buy' && buys % 2 === 0)
        void broker.submit({ ...intent, clientOrderId: another(intent.clientOrderId) });
      return broker.submit(intent);
    },
  };
}

function another(id: ClientOrderId): ClientOrderId {
  const key = parseClientOrderId(id);
  if (key === null) throw new RangeError(`an intent carries an id of ours: ${id}`);
  return formatClientOrderId({ ...key, attempt: key.attempt + 50 });
}

/** Cancels are answered and not sent. */
export const ignoresCancels = (broker: Broker): Broker => ({
  ...broker,
  cancel: () => Promise.resolve({ kind: 'requested' }),
});

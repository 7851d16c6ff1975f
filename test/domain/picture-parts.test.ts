import { expect } from 'chai';
import fc from 'fast-check';
import type { Ticker } from '../../lib/domain/ids.ts';
import { partsOf } from '../../lib/domain/picture-parts.ts';
import type { BrokerPicture } from '../../lib/domain/reconcile-types.ts';
import type { Micros } from '../../lib/domain/time.ts';

const SYMBOLS = ['SPY', 'BAC', 'F', 'T'];

describe('parts of a picture', () => {
  const items = fc.array(fc.record({ symbol: fc.constantFrom(...SYMBOLS), n: fc.nat() }));

  it('hold of each symbol what the whole holds of it, in the same order', () => {
    fc.assert(
      fc.property(items, items, items, fc.option(items), (openOrders, ordersSince, positions, fills) => {
        const whole = { takenAt: 7 as Micros, openOrders, ordersSince, positions, fills };
        const part = partsOf(whole as unknown as BrokerPicture);
        for (const symbol of [...SYMBOLS, 'NONE']) {
          const own = (list: typeof openOrders) => list.filter((item) => item.symbol === symbol);
          expect(part(symbol as Ticker)).to.deep.equal({
            takenAt: 7,
            openOrders: own(openOrders),
            ordersSince: own(ordersSince),
            positions: own(positions),
            fills: fills === null ? null : own(fills),
          });
        }
      }),
    );
  });
});

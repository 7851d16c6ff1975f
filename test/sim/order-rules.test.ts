import { expect } from 'chai';
import type { ExchangeOptions, OrderRequest } from '../../lib/sim/exchange-api.ts';
import {
  AAA,
  changes,
  extraOf,
  instant,
  limit,
  type Rig,
  refusal,
  request,
  rig,
  standing,
  usd,
} from './support.ts';

const shape = (text: string) => [422, 40_010_001, text];
const unable = (text: string) => [422, 42_210_000, text];
const denied = (text: string) => [403, 40_310_000, text];

const answerTo = (order: OrderRequest, over: Partial<ExchangeOptions> = {}) =>
  refusal(rig(standing, over).exchange.submitOrder(order));

const holding = (shares: number, over: Partial<ExchangeOptions> = {}): Rig => {
  const market = rig(standing, over);
  market.exchange.act({ kind: 'setPosition', symbol: AAA, qty: shares, averagePrice: usd('99.00') });
  return market;
};

describe('sim: the shape of an order', () => {
  const refused: readonly (readonly [string, OrderRequest, readonly unknown[]])[] = [
    ['neither qty nor notional', request({ qty: null }), shape('qty or notional is required')],
    ['both qty and notional', request({ notional: '50' }), shape('only one of qty or notional is accepted')],
    ['a quantity of 0', request({ qty: '0' }), shape('qty must be > 0')],
    ['a negative quantity', request({ qty: '-5' }), shape('qty must be > 0')],
    ['a quantity that is no number', request({ qty: '1e3' }), shape('qty must be a number')],
    ['ten decimals', request({ qty: '1.0123456789' }), shape('qty must be limited to 9 decimal places')],
    ['no symbol', request({ symbol: null }), shape('symbol is required')],
    ['an unknown symbol', request({ symbol: 'ZZZ' }), unable('asset "ZZZ" not found')],
    ['no side', request({ side: 'hold' }), shape('side must be buy or sell')],
    ['an unknown type', request({ type: 'iceberg' }), shape('invalid order type')],
    ['an unknown time in force', request({ timeInForce: 'gtd' }), unable('invalid time_in_force')],
    [
      'a market order with a limit',
      request({ limitPrice: '100' }),
      shape('market orders require no stop or limit price'),
    ],
    ['a limit order without one', request({ type: 'limit' }), shape('limit orders require a limit price')],
    ['a stop order without one', request({ type: 'stop' }), shape('stop orders require a stop price')],
    [
      'a long client order id',
      request({ clientOrderId: 'x'.repeat(129) }),
      shape('client_order_id must be no more than 128 characters'),
    ],
    [
      'a sub-penny limit',
      limit('buy', '1', '290.123'),
      unable('invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria'),
    ],
    [
      'a limit with float noise',
      limit('buy', '1', '100.21000000000001'),
      unable(
        'invalid limit_price 100.21000000000001. sub-penny increment does not fulfill minimum pricing criteria',
      ),
    ],
    [
      'a sub-penny stop',
      request({ type: 'stop', stopPrice: '110.005' }),
      unable('invalid stop_price 110.005. sub-penny increment does not fulfill minimum pricing criteria'),
    ],
    [
      'five decimals below a dollar',
      limit('buy', '1', '0.12345'),
      unable('invalid limit_price 0.12345. sub-penny increment does not fulfill minimum pricing criteria'),
    ],
    [
      'market outside regular hours',
      request({ extendedHours: true }),
      unable('extended hours order must be DAY or GTC limit orders'),
    ],
    [
      'a trailing stop without a trail',
      request({ type: 'trailing_stop' }),
      shape('trailing_stop orders require exactly one of trail_price or trail_percent'),
    ],
    ['mleg', request({ orderClass: 'mleg' }), shape('invalid order_class')],
  ];
  for (const [name, order, expected] of refused)
    it(`refuses ${name}`, () => expect(answerTo(order)).to.deep.equal(expected));

  it('takes 4 decimals below a dollar, trailing zeros anywhere, and 128 characters of id', () => {
    const market = rig();
    market.submit(limit('buy', '1', '0.1234'));
    market.submit(limit('buy', '1', '90.1000000'));
    market.submit(limit('buy', '1', '90', { clientOrderId: 'x'.repeat(128) }));
  });

  it('rounds a sub-penny price to the tick when tolerant', () => {
    const market = rig(standing, { subPenny: 'tolerant' });
    const order = market.submit(limit('buy', '1', '90.21000000000001'));
    expect(order.limitPrice).to.equal(usd('90.21'));
  });

  it('refuses a client order id for ever once it was used', () => {
    const market = rig();
    market.submit(limit('buy', '1', '90', { clientOrderId: 'mine' }));
    market.exchange.cancelAllOrders();
    market.wait(1);
    expect(refusal(market.exchange.submitOrder(request({ clientOrderId: 'mine' })))).to.deep.equal(
      shape('client_order_id must be unique'),
    );
  });
});

describe('sim: fractions and notional', () => {
  it('refuses what fractions may not be', () => {
    expect(answerTo(request({ qty: '1.5', timeInForce: 'gtc' }))).to.deep.equal(
      unable('fractional orders must be DAY orders'),
    );
    expect(
      answerTo(
        limit('buy', '1.5', '100', {
          orderClass: 'bracket',
          takeProfit: { limitPrice: '110' },
          stopLoss: { stopPrice: '90', limitPrice: null },
        }),
      ),
    ).to.deep.equal(unable('fractional orders must be simple orders'));
    expect(answerTo(request({ qty: '1.5', side: 'sell' }))).to.deep.equal(
      unable('fractional orders cannot be sold short'),
    );
    expect(answerTo(request({ qty: null, notional: '10.123' }))).to.deep.equal(
      unable('notional value must be limited to 2 decimal places'),
    );
    expect(answerTo(request({ qty: null, notional: '0.99' }))).to.deep.equal(
      denied('cost basis must be >= minimal amount of order 1'),
    );
  });

  it('fills a notional order in one piece, to nine decimals', () => {
    const market = rig();
    const order = market.submit(request({ qty: null, notional: '50.00' }));
    market.wait(1);
    const filled = market.order(order);
    expect(filled.status).to.equal('filled');
    expect(filled.filledQty).to.equal(0.499900019);
    expect(market.exchange.positions()[0]?.qty).to.equal(0.499900019);
  });
});

describe('sim: held shares', () => {
  it('refuses a sell of shares that a resting sell holds, with the broker’s body', () => {
    const market = holding(23);
    const resting = market.submit(limit('sell', '23', '110'));
    const answer = market.exchange.submitOrder(request({ side: 'sell', qty: '23' }));
    expect(refusal(answer)).to.deep.equal(
      denied('insufficient qty available for order (requested: 23, available: 0)'),
    );
    expect(extraOf(answer)).to.deep.equal({
      available: '0',
      existingQty: '23',
      heldForOrders: '23',
      symbol: 'AAA',
      relatedOrders: [resting.id],
    });
  });

  it('holds on until the cancel is confirmed, not merely requested', () => {
    const market = holding(23);
    const resting = market.submit(limit('sell', '23', '110'));
    market.wait(1);
    market.exchange.cancelOrder(resting.id);
    expect(market.exchange.submitOrder(request({ side: 'sell', qty: '23' })).ok).to.equal(false);
    market.wait(1);
    expect(market.exchange.submitOrder(request({ side: 'sell', qty: '23' })).ok).to.equal(true);
  });

  it('shows what is available', () => {
    const market = holding(100);
    market.submit(limit('sell', '30', '110'));
    expect(market.exchange.positions()[0]?.available).to.equal(70);
  });

  it('refuses to close a position that a resting exit covers, and closes it after canceling all', () => {
    const market = holding(10);
    market.submit(limit('sell', '10', '110'));
    market.wait(1);
    const answer = market.exchange.closePosition('AAA', null);
    expect(refusal(answer)[2]).to.equal('insufficient qty available for order (requested: 10, available: 0)');
    const closed = market.exchange.closeAllPositions(true);
    expect(closed.map(({ symbol, answer: each }) => [symbol, each.ok])).to.deep.equal([['AAA', true]]);
    market.wait(1);
    expect(market.exchange.positions()).to.deep.equal([]);
  });

  it('lets a second sell through when overselling is allowed', () => {
    const market = holding(19, { oversell: 'allow' });
    market.submit(limit('sell', '19', '110'));
    expect(market.exchange.submitOrder(request({ side: 'sell', qty: '19' })).ok).to.equal(true);
  });
});

describe('sim: wash trades', () => {
  const bought = (order: OrderRequest) => {
    const market = holding(100);
    const resting = market.submit(order);
    market.wait(0.01);
    return { market, resting };
  };
  const WASH = 'potential wash trade detected. use complex orders';

  it('refuses a market sell against an open limit buy', () => {
    const { market, resting } = bought(limit('buy', '10', '99'));
    const answer = market.exchange.submitOrder(request({ side: 'sell', qty: '10' }));
    expect(refusal(answer)).to.deep.equal(denied(WASH));
    expect(extraOf(answer)).to.deep.equal({
      existingOrderId: resting.id,
      rejectReason: 'opposite side limit order exists',
    });
  });

  it('refuses limits that could cross, and takes those that could not', () => {
    const { market } = bought(limit('buy', '10', '99'));
    expect(refusal(market.exchange.submitOrder(limit('sell', '10', '99')))).to.deep.equal(denied(WASH));
    expect(market.exchange.submitOrder(limit('sell', '10', '99.01')).ok).to.equal(true);
  });

  it('refuses any limit against an open stop', () => {
    const { market } = bought(request({ type: 'stop', stopPrice: '120', qty: '10' }));
    const answer = market.exchange.submitOrder(limit('sell', '10', '130'));
    expect(extraOf(answer).rejectReason).to.equal('opposite side market/stop order exists');
  });

  it('exempts complex orders and trailing stops', () => {
    const { market } = bought(limit('buy', '10', '99'));
    const trailing = request({ side: 'sell', qty: '10', type: 'trailing_stop', trailPrice: '1' });
    expect(market.exchange.submitOrder(trailing).ok).to.equal(true);
    const oco = limit('sell', '10', '99', {
      orderClass: 'oco',
      takeProfit: { limitPrice: '110' },
      stopLoss: { stopPrice: '90', limitPrice: null },
    });
    expect(market.exchange.submitOrder(oco).ok).to.equal(true);
  });
});

describe('sim: the account', () => {
  it('refuses what costs more than the buying power, and says both', () => {
    const market = rig(standing, { account: { cash: 100_0000 as never, multiplier: 1, shorting: false } });
    const answer = market.exchange.submitOrder(limit('buy', '2', '60.50'));
    expect(refusal(answer)).to.deep.equal(denied('insufficient buying power'));
    expect(extraOf(answer)).to.deep.equal({ buyingPower: '100', costBasis: '121' });
  });

  it('reserves open buys until they end', () => {
    const market = rig(standing, { account: { cash: 1_000_0000 as never, multiplier: 1, shorting: false } });
    market.submit(limit('buy', '6', '90'));
    expect(market.exchange.account().buyingPower).to.equal(usd('460'));
    expect(market.exchange.submitOrder(limit('buy', '6', '90')).ok).to.equal(false);
    market.exchange.cancelAllOrders();
    market.wait(1);
    expect(market.exchange.account().buyingPower).to.equal(usd('1000'));
  });

  it('multiplies equity by 1, 2 or 4', () => {
    const power = ([1, 2, 4] as const).map(
      (multiplier) =>
        rig(standing, { account: { cash: 100_0000 as never, multiplier, shorting: true } }).exchange.account()
          .buyingPower,
    );
    expect(power).to.deep.equal([usd('100'), usd('200'), usd('400')]);
  });

  it('refuses short sales where they are not allowed, and one order that flips the position', () => {
    expect(
      answerTo(request({ side: 'sell' }), {
        account: { cash: 1e9 as never, multiplier: 4, shorting: false },
      }),
    ).to.deep.equal(denied('account is not allowed to short'));
    const market = holding(10);
    expect(refusal(market.exchange.submitOrder(request({ side: 'sell', qty: '11' })))).to.deep.equal(
      denied('insufficient qty available for order (requested: 11, available: 10)'),
    );
  });

  it('refuses opposite openings', () => {
    const long = rig();
    long.submit(limit('buy', '10', '90'));
    expect(refusal(long.exchange.submitOrder(limit('sell', '10', '110')))).to.deep.equal(
      denied('cannot open a short sell while a long buy order is open'),
    );
    const short = rig();
    short.submit(limit('sell', '10', '110'));
    expect(refusal(short.exchange.submitOrder(limit('buy', '10', '90')))).to.deep.equal(
      denied('cannot open a long buy while a short sell order is open'),
    );
  });

  it('refuses everything new while trading is suspended by the user', () => {
    const market = rig();
    market.exchange.configure({ suspendTrade: true });
    expect(refusal(market.exchange.submitOrder(request()))).to.deep.equal(
      denied('new orders are rejected by user request'),
    );
  });

  it('names a position intent that does not fit', () => {
    const market = holding(-10);
    expect(refusal(market.exchange.submitOrder(request({ positionIntent: 'buy_to_open' })))).to.deep.equal(
      unable('position intent mismatch, inferred: buy_to_close, specified: buy_to_open'),
    );
  });

  it('refuses stops that the market has passed, with both prices', () => {
    const answer = rig().exchange.submitOrder(request({ type: 'stop', stopPrice: '99' }));
    expect(refusal(answer)).to.deep.equal(unable('stop price must be greater than current price'));
    expect(extraOf(answer)).to.deep.equal({ marketPrice: '100.01', stopPrice: '99' });
    const down = holding(100).exchange.submitOrder(request({ side: 'sell', type: 'stop', stopPrice: '101' }));
    expect(refusal(down)).to.deep.equal(unable('stop price must be less than current price'));
  });
});

describe('sim: cancels, replaces and look-ups', () => {
  it('answers 404 for what it does not know', () => {
    const { exchange } = rig();
    expect(refusal(exchange.order('nope' as never))).to.deep.equal([404, 40_410_000, 'order not found']);
    expect(refusal(exchange.orderByClientOrderId('x-1'))).to.deep.equal([
      404,
      40_410_000,
      'order not found for x-1',
    ]);
    expect(refusal(exchange.position('AAA'))).to.deep.equal([404, 40_410_000, 'position does not exist']);
    expect(refusal(exchange.asset('XYZ'))).to.deep.equal([404, 40_410_000, 'asset not found for XYZ']);
    expect(refusal(exchange.cancelOrder('nope' as never))).to.deep.equal([
      404,
      40_410_000,
      'order not found',
    ]);
  });

  it('refuses to cancel what filled, and what is being canceled', () => {
    const market = rig();
    const filled = market.submit(request());
    market.wait(1);
    expect(refusal(market.exchange.cancelOrder(filled.id))).to.deep.equal(
      unable('order is already in "filled" state'),
    );
    const resting = market.submit(limit('buy', '10', '90'));
    market.wait(1);
    market.exchange.cancelOrder(resting.id);
    expect(refusal(market.exchange.cancelOrder(resting.id))).to.deep.equal(unable('order pending cancel'));
    expect(refusal(market.exchange.replaceOrder(resting.id, changes({ qty: '9' })))).to.deep.equal(
      unable('order pending cancel'),
    );
    market.wait(1);
    expect(market.exchange.cancelOrder(resting.id).ok).to.equal(true);
  });

  it('refuses replaces that are not allowed', () => {
    const market = rig();
    const order = market.submit(limit('buy', '10', '90'));
    const attempt = (over: Parameters<typeof changes>[0]) =>
      refusal(market.exchange.replaceOrder(order.id, changes(over)));
    expect(attempt({ qty: '9' })).to.deep.equal(unable('cannot replace order in pending_new status'));
    market.wait(1);
    expect(attempt({ limitPrice: '90' })).to.deep.equal(unable('order parameters are not changed'));
    expect(attempt({ qty: '1.5' })).to.deep.equal(shape('qty must be integer'));
    expect(attempt({ limitPrice: '90.001' })[2]).to.match(/^invalid limit_price 90\.001\. sub-penny/);
    market.exchange.cancelAllOrders();
    market.wait(1);
    expect(attempt({ qty: '9' })).to.deep.equal(shape('unable to replace order, order is not open'));
  });

  it('refuses auction orders outside their windows', () => {
    const at = (time: string) => ({ startAt: instant(`2024-01-03T${time}Z`) });
    expect(answerTo(request({ timeInForce: 'opg' }), at('14:29:00'))[2]).to.match(/^opg orders/);
    expect(answerTo(request({ timeInForce: 'cls' }), at('20:50:00'))[2]).to.match(/^cls orders/);
    expect(rig(standing, at('20:49:00')).exchange.submitOrder(request({ timeInForce: 'cls' })).ok).to.equal(
      true,
    );
  });
});

import { expect } from 'chai';
import {
  classifyRefusal,
  decodeErrorBody,
  decodeRefusal,
  isDuplicateId,
} from '../../lib/adapters/alpaca/codec-decode-errors.ts';
import type { RefusalCode } from '../../lib/ports/broker.ts';

const CATALOGUE: readonly (readonly [number, number | null, string, RefusalCode])[] = [
  [403, 40310000, 'insufficient qty available for order (requested: 23, available: 0)', 'heldShares'],
  [403, 40310000, 'potential wash trade detected. use complex orders', 'washTrade'],
  [422, 42210000, 'potential wash trade detected. use complex orders', 'washTrade'],
  [403, 40310000, 'cannot open a long buy while a short sell order is open', 'washTrade'],
  [403, 40310000, 'cannot open a short sell while a long buy order is open', 'washTrade'],
  [403, 40310000, 'insufficient buying power', 'buyingPower'],
  [403, 40310000, 'insufficient day trading buying power', 'buyingPower'],
  [403, 40310000, 'account is not allowed to short', 'shortNotAllowed'],
  [403, 40310000, 'account is restricted to liquidation only', 'restricted'],
  [403, 40310000, 'account is not authorized to trade', 'restricted'],
  [403, 40310000, 'new orders are rejected by user request', 'restricted'],
  [403, 40310000, 'cost basis must be >= minimal amount of order 1', 'invalid'],
  [403, 40310100, 'trade denied due to pattern day trading protection', 'restricted'],
  [403, 40310000, 'a refusal nobody has seen yet', 'restricted'],
  [401, null, 'unauthorized.', 'restricted'],
  [401, 40110000, 'request is not authorized', 'restricted'],
  [403, null, 'forbidden.', 'restricted'],
  [422, 40010001, 'qty must be integer', 'invalid'],
  [422, 40010001, 'qty or notional is required', 'invalid'],
  [
    422,
    42210000,
    'invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria',
    'subPenny',
  ],
  [
    422,
    42210000,
    'position intent mismatch, inferred: sell_to_open, specified: sell_to_close',
    'shortNotAllowed',
  ],
  [422, 42210000, 'position intent mismatch, inferred: buy_to_close, specified: buy_to_open', 'invalid'],
  [422, 42210000, 'asset "XYZ" not found', 'notTradable'],
  [422, 42210000, 'asset "XYZ" is not tradable', 'notTradable'],
  [422, 42210000, 'asset "XYZ" cannot be sold short', 'shortNotAllowed'],
  [422, 42210000, 'invalid time_in_force', 'invalid'],
  [404, 40410000, 'asset not found for XYZ', 'notTradable'],
  [404, 40410000, 'position does not exist', 'other'],
];

describe('decode: refusals', () => {
  for (const [status, code, message, expected] of CATALOGUE) {
    it(`takes ${status} "${message.slice(0, 60)}" for ${expected}`, () => {
      expect(classifyRefusal(status, { code, message, extra: {} })).to.equal(expected);
    });
  }

  it('takes the repair hints out of a held-shares refusal', () => {
    const body = decodeErrorBody(
      '{"code":40310000,"existing_qty":"23","held_for_orders":"20","available":"3","message":"insufficient qty available for order (requested: 23, available: 3)","related_orders":["o1","o2"],"symbol":"TSLA"}',
    );
    if (body === null) expect.fail('the body is an envelope');
    expect(decodeRefusal(403, body, body.message)).to.deep.include({
      code: 'heldShares',
      brokerCode: 40310000,
      available: 3,
      relatedOrders: ['o1', 'o2'],
    });
    const bare = decodeRefusal(403, { code: null, message: 'insufficient qty available', extra: {} }, '');
    expect([bare.available, bare.relatedOrders.length]).to.deep.equal([null, 0]);
    const wash = { existing_order_id: 'o9', reject_reason: 'opposite side limit order exists' };
    expect(
      decodeRefusal(403, { code: null, message: 'wash trade', extra: wash }, '').relatedOrders,
    ).to.deep.equal(['o9']);
  });

  it('knows a client id that is taken in every spelling', () => {
    for (const said of [
      'client_order_id must be unique',
      'client order id must be unique',
      'Client_Order_ID must be unique',
      'client_order_id  already exists',
    ])
      expect(isDuplicateId(said), said).to.equal(true);
    expect(isDuplicateId('client_order_id must be no more than 128 characters')).to.equal(false);
  });

  it('takes nothing for an envelope that is none', () => {
    for (const body of ['', '<html>504</html>', '[]', '"text"', '{"code":1}', '{"message":', '{"message":7}'])
      expect(decodeErrorBody(body), body).to.equal(null);
    expect(decodeErrorBody('{"message":"unauthorized."}')?.code).to.equal(null);
  });
});

import { expect } from 'chai';
import type { AlpacaBroker } from '../../lib/adapters/alpaca/rest.ts';
import type { BrokerOrderId } from '../../lib/domain/ids.ts';
import {
  type Handler,
  halfAnAnswer,
  html,
  INTENT,
  json,
  KEY,
  NOW,
  openRestStand,
  type RestStand,
  reset,
  SECRET,
  silence,
  truncated,
  withoutKeys,
} from './rest-stand.ts';
import { ORDER } from './samples.ts';

describe('REST: orders', () => {
  let rest: RestStand;

  beforeEach(async () => {
    rest = await openRestStand();
  });

  afterEach(() => rest.close());

  describe('submit', () => {
    it('sends decimal text, day, and the intent to open or to close', async () => {
      rest.handler = json(200, ORDER);
      const outcome = await rest.broker.submit(INTENT);
      expect(outcome.kind === 'accepted' && outcome.report.status).to.equal('partially_filled');
      expect(outcome.kind === 'accepted' && outcome.report.receivedAt).to.equal(NOW);
      expect(rest.seen[0]?.method).to.equal('POST');
      expect(rest.seen[0]?.url.pathname).to.equal('/v2/orders');
      expect(rest.seen[0]?.headers['apca-api-key-id']).to.equal(KEY);
      expect(rest.seen[0]?.headers['apca-api-secret-key']).to.equal(SECRET);
      expect(JSON.parse(rest.seen[0]?.body ?? '')).to.deep.equal({
        symbol: 'ABC',
        qty: '100',
        side: 'buy',
        type: 'limit',
        time_in_force: 'day',
        limit_price: '20.06',
        client_order_id: 'scalpd-20261005-ABC-17-0',
        position_intent: 'buy_to_open',
      });
      await rest.broker.submit({ ...INTENT, side: 'sell', price: { type: 'market' }, purpose: 'bailOut' });
      expect(JSON.parse(rest.seen[1]?.body ?? '')).to.deep.equal({
        symbol: 'ABC',
        qty: '100',
        side: 'sell',
        type: 'market',
        time_in_force: 'day',
        client_order_id: 'scalpd-20261005-ABC-17-0',
        position_intent: 'sell_to_close',
      });
    });

    for (const [what, send] of [
      ['an order', (broker: AlpacaBroker) => broker.submit(INTENT)],
      ['a cancel', (broker: AlpacaBroker) => broker.cancel('a1' as BrokerOrderId)],
    ] as const)
      it(`has written ${what} when the call returns: it arrives, though all is closed in the same turn`, async () => {
        rest.handler = json(204, '');
        await rest.broker.warm(1);
        const arrived = new Promise((resolve) => {
          rest.handler = resolve;
        });
        const outcome = send(rest.broker);
        void rest.broker.close();
        expect((await outcome).kind).to.equal('unknown');
        await arrived;
      });

    const refused = {
      code: 40310000,
      message: 'insufficient buying power',
      buying_power: '1',
      cost_basis: '2',
    };
    const outcomes: readonly (readonly [string, Handler, string, string])[] = [
      ['a readable refusal', json(403, refused), 'rejected', 'buyingPower'],
      [
        'a refusal of the request',
        json(422, { code: 40010001, message: 'qty must be integer' }),
        'rejected',
        'invalid',
      ],
      ['bad keys', json(401, { message: 'unauthorized.' }), 'rejected', 'restricted'],
      ['429', json(429, 'too many requests'), 'notSent', 'rateLimited'],
      ['500', json(500, { code: 50010000, message: 'internal server error' }), 'unknown', 'serverError'],
      ['an HTML 504', html(504), 'unknown', 'serverError'],
      ['an HTML 401', html(401), 'unknown', 'unreadable'],
      ['an HTML 403', html(403), 'unknown', 'unreadable'],
      ['a redirect', json(302, '', { Location: 'https://elsewhere.example' }), 'unknown', 'unreadable'],
      ['a request timeout of the server', json(408, { message: 'timeout' }), 'unknown', 'unreadable'],
      ['a success that is no order', json(200, { id: 'a1' }), 'unknown', 'unreadable'],
      ['a success that is no JSON', json(200, '{"id":'), 'unknown', 'unreadable'],
      ['an empty success', json(204, ''), 'unknown', 'unreadable'],
      [
        'a client id that is taken',
        json(422, { code: 40010001, message: 'client_order_id must be unique' }),
        'unknown',
        'refused',
      ],
      ['a reset connection', reset, 'unknown', 'connection'],
      ['a cut body', truncated, 'unknown', 'connection'],
    ];
    for (const [what, answer, kind, code] of outcomes) {
      it(`takes ${what} for ${kind} (${code})`, async () => {
        rest.handler = answer;
        const outcome = withoutKeys(await rest.broker.submit(INTENT));
        expect(outcome.kind).to.equal(kind);
        const found =
          outcome.kind === 'rejected'
            ? outcome.refusal.code
            : outcome.kind === 'accepted'
              ? ''
              : outcome.failure.code;
        expect(found).to.equal(code);
        expect(rest.seen, 'nothing is sent twice').to.have.length(1);
      });
    }

    for (const [what, answer] of [
      ['no answer', silence],
      ['half an answer', halfAnAnswer],
    ] as const) {
      it(`takes ${what} within the deadline for unknown`, async () => {
        rest.handler = answer;
        rest.timeoutMillis = 60;
        const outcome = await rest.broker.submit(INTENT);
        expect(outcome.kind === 'unknown' && outcome.failure.code).to.equal('timeout');
        expect(rest.seen).to.have.length(1);
      });
    }

    it('takes a server that is not there for unknown', async () => {
      rest.server.closeAllConnections();
      await new Promise((resolve) => rest.server.close(resolve));
      const outcome = withoutKeys(await rest.broker.submit(INTENT));
      expect(outcome.kind === 'unknown' && outcome.failure.code).to.equal('connection');
    });

    it('says when the budget comes back, whatever the case of the header', async () => {
      const reset = String((NOW + 30_000_000) / 1_000_000);
      rest.handler = json(
        429,
        { message: 'rate limit exceeded' },
        { 'X-Ratelimit-Reset': reset, 'x-request-ID': 'r-1' },
      );
      const outcome = await rest.broker.submit(INTENT);
      expect(outcome.kind === 'notSent' && outcome.failure).to.deep.include({
        retryAt: NOW + 30_000_000,
        requestId: 'r-1',
        httpStatus: 429,
      });
      rest.handler = json(429, '', { 'X-RateLimit-Reset': '12', 'Retry-After': '7' });
      const other = await rest.broker.submit(INTENT);
      expect(other.kind === 'notSent' && other.failure.retryAt).to.equal(NOW + 7_000_000);
    });

    it('takes the repair hints out of the body', async () => {
      rest.handler = json(403, {
        code: 40310000,
        message: `insufficient qty available for order (requested: 23, available: 3) ${KEY}`,
        available: '3',
        related_orders: ['o1'],
      });
      const outcome = withoutKeys(await rest.broker.submit(INTENT));
      expect(outcome.kind === 'rejected' && outcome.refusal).to.deep.include({
        code: 'heldShares',
        brokerCode: 40310000,
        available: 3,
        relatedOrders: ['o1'],
      });
    });
  });

  describe('cancel and look up', () => {
    const ID = 'a1' as BrokerOrderId;
    const cancels: readonly (readonly [string, Handler, string])[] = [
      ['204', json(204, ''), 'requested'],
      ['422', json(422, { code: 42210000, message: 'order is already in "filled" state' }), 'refused'],
      ['404', json(404, { code: 40410000, message: 'order not found' }), 'absent'],
      ['404 of a wrong path', json(404, { message: 'endpoint not found' }), 'unknown'],
      ['404 of a proxy', html(404), 'unknown'],
      ['401', json(401, { message: 'unauthorized.' }), 'unknown'],
      ['429', json(429, { message: 'rate limit exceeded' }), 'unknown'],
      ['500', html(500), 'unknown'],
      ['a reset', reset, 'unknown'],
    ];
    for (const [what, answer, kind] of cancels) {
      it(`takes ${what} on a cancel for ${kind}`, async () => {
        rest.handler = answer;
        expect(withoutKeys(await rest.broker.cancel(ID)).kind).to.equal(kind);
        expect(rest.seen.map((s) => `${s.method} ${s.url.pathname}`)).to.deep.equal(['DELETE /v2/orders/a1']);
      });
    }

    it('finds an order by both ids, and tells absent from not answered', async () => {
      rest.handler = json(200, ORDER);
      const found = await rest.broker.orderByClientOrderId(INTENT.clientOrderId);
      expect(found.kind === 'found' && found.order.brokerOrderId).to.equal('a1');
      expect(rest.seen[0]?.url.pathname).to.equal('/v2/orders:by_client_order_id');
      expect(rest.seen[0]?.url.searchParams.get('client_order_id')).to.equal(INTENT.clientOrderId);
      expect((await rest.broker.orderById(ID)).kind).to.equal('found');
      rest.handler = json(404, { code: 40410000, message: 'order not found for x' });
      expect((await rest.broker.orderByClientOrderId(INTENT.clientOrderId)).kind).to.equal('absent');
      rest.handler = html(404);
      expect((await rest.broker.orderById(ID)).kind).to.equal('failed');
      rest.handler = html(502);
      const failed = await rest.broker.orderById(ID);
      expect(failed.kind === 'failed' && failed.failure.code).to.equal('serverError');
    });
  });
});

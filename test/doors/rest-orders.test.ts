import { expect } from 'chai';
import { type Doors, KEYS, openDoors } from './support.ts';

const buy = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  symbol: 'SPY',
  qty: '10',
  side: 'buy',
  type: 'limit',
  time_in_force: 'day',
  limit_price: '100.30',
  ...fields,
});

describe('REST door: orders and positions', () => {
  let doors: Doors;
  beforeEach(async () => {
    doors = await openDoors();
  });
  afterEach(() => doors.close());

  it('answers a submit with a whole order that is not filled yet, amounts as text, nulls present', async () => {
    const { status, json } = await doors.call('POST', '/v2/orders', buy({ client_order_id: 's-1' }));
    expect(status).to.equal(200);
    expect(json).to.include({
      client_order_id: 's-1',
      symbol: 'SPY',
      qty: '10',
      filled_qty: '0',
      limit_price: '100.3',
      side: 'buy',
      type: 'limit',
      order_type: 'limit',
      time_in_force: 'day',
      order_class: '',
      asset_class: 'us_equity',
      extended_hours: false,
    });
    expect(json.status).to.be.oneOf(['accepted', 'pending_new']);
    for (const name of [
      'filled_at',
      'filled_avg_price',
      'canceled_at',
      'replaced_by',
      'legs',
      'stop_price',
      'hwm',
    ])
      expect(json, name).to.have.property(name, null);
    expect(json.id).to.match(/^[0-9a-f-]{36}$/);
    expect(json.submitted_at).to.equal('2013-10-07T14:00:00Z');
  });

  it('fills it as the market allows, and shows it under every address', async () => {
    const { json: order } = await doors.call('POST', '/v2/orders', buy({ client_order_id: 's-1' }));
    doors.advance(5);
    const byId = await doors.get(`/v2/orders/${order.id}`);
    const byClientId = await doors.get('/v2/orders:by_client_order_id?client_order_id=s-1');
    expect(byId.json).to.include({ status: 'filled', filled_qty: '10', filled_avg_price: '100.3' });
    expect(byClientId.json).to.deep.equal(byId.json);
    const { json: position } = await doors.get('/v2/positions/SPY');
    expect(position).to.include({ qty: '10', qty_available: '10', side: 'long', avg_entry_price: '100.3' });
    expect((await doors.get('/v2/positions')).json).to.deep.equal([position]);
    const { json: fills } = await doors.get('/v2/account/activities/FILL');
    expect(fills).to.have.length(1);
    expect(fills[0]).to.include({
      activity_type: 'FILL',
      type: 'fill',
      qty: '10',
      price: '100.3',
      side: 'buy',
    });
    expect(fills[0].order_id).to.equal(order.id);
    expect(fills[0].id).to.match(/^20131007100\d{6}::/);
  });

  it('lists open orders only by default, newest first, and filters by submission time, exclusively', async () => {
    const { json: first } = await doors.call('POST', '/v2/orders', buy({ limit_price: '90' }));
    doors.advance(10);
    const { json: second } = await doors.call(
      'POST',
      '/v2/orders',
      buy({ limit_price: '91', symbol: 'BAC' }),
    );
    doors.advance(1);
    const ids = async (query: string): Promise<string[]> =>
      (await doors.get(`/v2/orders${query}`)).json.map((order: { id: string }) => order.id);
    expect(await ids('')).to.deep.equal([second.id, first.id]);
    expect(await ids('?direction=asc')).to.deep.equal([first.id, second.id]);
    expect(await ids('?symbols=SPY')).to.deep.equal([first.id]);
    expect(await ids('?limit=1')).to.deep.equal([second.id]);
    expect(await ids(`?after=${first.submitted_at}`)).to.deep.equal([second.id]);
    expect(await ids(`?until=${second.submitted_at}`)).to.deep.equal([first.id]);
    expect(await ids(`?after_order_id=${first.id}&direction=asc`)).to.deep.equal([second.id]);
    expect(await ids('?status=closed')).to.deep.equal([]);
    await doors.call('DELETE', `/v2/orders/${first.id}`);
    doors.advance(1);
    expect(await ids('')).to.deep.equal([second.id]);
    expect(await ids('?status=closed')).to.deep.equal([first.id]);
    expect(await ids('?status=all')).to.deep.equal([second.id, first.id]);
  });

  it('cancels with 204 and an empty body; too late is 422', async () => {
    const { json: resting } = await doors.call('POST', '/v2/orders', buy({ limit_price: '90' }));
    doors.advance(1);
    const canceled = await doors.call('DELETE', `/v2/orders/${resting.id}`);
    expect([canceled.status, canceled.text]).to.deep.equal([204, '']);
    doors.advance(1);
    expect((await doors.get(`/v2/orders/${resting.id}`)).json.status).to.equal('canceled');
    const { json: filled } = await doors.call('POST', '/v2/orders', buy());
    doors.advance(5);
    const late = await doors.call('DELETE', `/v2/orders/${filled.id}`);
    expect(late.status).to.equal(422);
    expect(late.json).to.deep.include({ code: 42210000, message: 'order is already in "filled" state' });
  });

  it('cancels everything with 207 and a status for each', async () => {
    for (const price of ['90', '91', '92'])
      await doors.call('POST', '/v2/orders', buy({ limit_price: price }));
    doors.advance(1);
    const { status, json } = await doors.call('DELETE', '/v2/orders');
    expect(status).to.equal(207);
    expect(json).to.have.length(3);
    for (const item of json) expect(item).to.have.property('status', 200);
    doors.advance(1);
    expect((await doors.get('/v2/orders')).json).to.deep.equal([]);
    const none = await doors.call('DELETE', '/v2/orders');
    expect([none.status, none.json]).to.deep.equal([207, []]);
  });

  it('replaces: a new order with a new id, the old one points to it', async () => {
    const { json: old } = await doors.call('POST', '/v2/orders', buy({ limit_price: '90' }));
    doors.advance(1);
    const { status, json: next } = await doors.call('PATCH', `/v2/orders/${old.id}`, {
      limit_price: '91',
      qty: '12',
    });
    expect(status).to.equal(200);
    expect(next.id).not.to.equal(old.id);
    expect(next).to.include({ replaces: old.id, limit_price: '91', qty: '12' });
    doors.advance(1);
    const { json: replaced } = await doors.get(`/v2/orders/${old.id}`);
    expect(replaced).to.include({ status: 'replaced', replaced_by: next.id });
  });

  it('refuses in the words and with the extra keys of the error catalogue', async () => {
    await doors.call('POST', '/v2/orders', buy({ client_order_id: 'once' }));
    doors.advance(5);
    const cases: readonly (readonly [
      Record<string, unknown>,
      number,
      number,
      string | RegExp,
      readonly string[],
    ])[] = [
      [buy({ client_order_id: 'once' }), 422, 40010001, /client_order_id must be unique/, []],
      [buy({ limit_price: '100.305' }), 422, 42210000, /sub-penny increment does not fulfill/, []],
      [buy({ qty: undefined }), 422, 40010001, /qty or notional is required/, []],
      [buy({ qty: '100000' }), 403, 40310000, 'insufficient buying power', ['buying_power', 'cost_basis']],
      [
        buy({ side: 'sell', qty: '11', limit_price: '200' }),
        403,
        40310000,
        /insufficient qty available for order \(requested: 11, available: 10\)/,
        ['available', 'existing_qty', 'held_for_orders', 'symbol'],
      ],
      [buy({ symbol: 'XYZ' }), 422, 42210000, /asset "XYZ" not found/, []],
      [buy({ type: 'market' }), 422, 40010001, /market orders require no stop or limit price/, []],
    ];
    for (const [body, status, code, message, keys] of cases) {
      const answer = await doors.call('POST', '/v2/orders', body);
      expect(answer.status, answer.text).to.equal(status);
      expect(answer.json.code, answer.text).to.equal(code);
      if (typeof message === 'string') expect(answer.json.message).to.equal(message);
      else expect(answer.json.message).to.match(message);
      for (const key of keys) expect(answer.json[key], key).to.be.a('string');
    }
  });

  it('takes amounts as JSON numbers too', async () => {
    const { status, json } = await doors.call('POST', '/v2/orders', buy({ qty: 3, limit_price: 90.25 }));
    expect(status).to.equal(200);
    expect(json).to.include({ qty: '3', limit_price: '90.25' });
  });

  it('closes one position, a part of it, and all of them', async () => {
    await doors.call('POST', '/v2/orders', buy({ qty: '10' }));
    await doors.call('POST', '/v2/orders', buy({ qty: '8', symbol: 'BAC' }));
    doors.advance(5);
    const half = await doors.call('DELETE', '/v2/positions/SPY?percentage=50');
    expect(half.json).to.include({ symbol: 'SPY', side: 'sell', type: 'market', qty: '5' });
    const some = await doors.call('DELETE', '/v2/positions/BAC?qty=3');
    expect(some.json).to.include({ qty: '3' });
    doors.advance(5);
    const all = await doors.call('DELETE', '/v2/positions?cancel_orders=true');
    expect(all.status).to.equal(207);
    expect(
      all.json.map((item: { symbol: string; status: number }) => [item.symbol, item.status]),
    ).to.have.deep.members([
      ['SPY', 200],
      ['BAC', 200],
    ]);
    doors.advance(5);
    expect((await doors.get('/v2/positions')).json).to.deep.equal([]);
    const gone = await doors.get('/v2/positions/SPY');
    expect([gone.status, gone.json]).to.deep.equal([
      404,
      { code: 40410000, message: 'position does not exist' },
    ]);
  });

  it('close-all without canceling is refused where an exit rests, item by item', async () => {
    await doors.call('POST', '/v2/orders', buy({ qty: '10' }));
    doors.advance(5);
    await doors.call('POST', '/v2/orders', buy({ side: 'sell', limit_price: '200' }));
    doors.advance(1);
    const { status, json } = await doors.call('DELETE', '/v2/positions');
    expect(status).to.equal(207);
    expect(json[0]).to.include({ symbol: 'SPY', status: 403 });
    expect(json[0].body).to.deep.include({
      available: '0',
      code: 40310000,
      existing_qty: '10',
      held_for_orders: '10',
      symbol: 'SPY',
    });
  });

  it('shows the legs of a bracket under their parent when nested', async () => {
    const { json: parent } = await doors.call(
      'POST',
      '/v2/orders',
      buy({
        limit_price: '90',
        order_class: 'bracket',
        take_profit: { limit_price: 120 },
        stop_loss: { stop_price: '80', limit_price: '79' },
      }),
    );
    expect(parent.order_class).to.equal('bracket');
    doors.advance(1);
    const nested = (await doors.get('/v2/orders?nested=true')).json;
    expect(nested).to.have.length(1);
    expect(nested[0].legs).to.have.length(2);
    const flat = (await doors.get('/v2/orders?nested=false')).json;
    expect(flat).to.have.length(3);
    for (const order of flat) expect(order.legs).to.equal(null);
  });

  it('unknown orders are 404 in Alpaca words', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    for (const method of ['GET', 'DELETE']) {
      const answer = await doors.call(method, `/v2/orders/${id}`);
      expect([answer.status, answer.json.code]).to.deep.equal([404, 40410000]);
      expect(answer.json.message).to.match(/order not found/);
    }
    const byClient = await doors.get('/v2/orders:by_client_order_id?client_order_id=nope');
    expect([byClient.status, byClient.json]).to.deep.equal([
      404,
      { code: 40410000, message: 'order not found for nope' },
    ]);
  });

  it('counts fractions of a share', async () => {
    const { status, json } = await doors.call(
      'POST',
      '/v2/orders',
      { symbol: 'SPY', notional: '50.15', side: 'buy', type: 'market', time_in_force: 'day' },
      KEYS,
    );
    expect(status).to.equal(200);
    expect(json).to.include({ notional: '50.15', qty: null });
    doors.advance(5);
    const { json: position } = await doors.get('/v2/positions/SPY');
    expect(Number(position.qty)).to.be.closeTo(0.5, 0.001);
  });
});

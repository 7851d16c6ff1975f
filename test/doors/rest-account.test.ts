import { expect } from 'chai';
import { type Doors, KEYS, openDoors } from './support.ts';

describe('REST door: account, clock, calendar, assets', () => {
  let doors: Doors;
  beforeEach(async () => {
    doors = await openDoors({ server: { speed: 1 } });
  });
  afterEach(() => doors.close());

  it('shows the account with amounts as text and without the fields that are gone', async () => {
    const { status, json } = await doors.get('/v2/account');
    expect(status).to.equal(200);
    expect(json).to.include({
      status: 'ACTIVE',
      currency: 'USD',
      cash: '100000',
      equity: '100000',
      multiplier: '4',
    });
    expect(json).to.include({ trading_blocked: false, account_blocked: false, shorting_enabled: true });
    expect(json.buying_power).to.be.a('string');
    for (const gone of ['pattern_day_trader', 'daytrade_count', 'daytrading_buying_power', 'bod_dtbp'])
      expect(json).not.to.have.property(gone);
  });

  it('changes configurations and echoes all of them; suspended trading refuses orders', async () => {
    const before = (await doors.get('/v2/account/configurations')).json;
    expect(before).to.include({
      suspend_trade: false,
    });
    const { status, json } = await doors.call('PATCH', '/v2/account/configurations', { suspend_trade: true });
    expect(status).to.equal(200);
    expect(json).to.deep.equal({ ...before, suspend_trade: true });
    const order = { symbol: 'SPY', qty: '1', side: 'buy', type: 'market', time_in_force: 'day' };
    const refused = await doors.call('POST', '/v2/orders', order);
    expect([refused.status, refused.json]).to.deep.equal([
      403,
      { code: 40310000, message: 'new orders are rejected by user request' },
    ]);
    expect((await doors.get('/v2/account')).json.trade_suspended_by_user).to.equal(true);
  });

  it('tells the time in New York, and how fast it runs', async () => {
    const { json, headers } = await doors.get('/v2/clock');
    expect(json).to.deep.equal({
      timestamp: '2013-10-07T10:00:00-04:00',
      is_open: true,
      next_open: '2013-10-08T09:30:00-04:00',
      next_close: '2013-10-07T16:00:00-04:00',
    });
    expect(headers.get('x-scalpd-clock-speed')).to.equal('1');
    doors.advance(90.5);
    expect((await doors.get('/v2/clock')).json.timestamp).to.equal('2013-10-07T10:01:30.5-04:00');
  });

  it('every answer carries a request id and the state of the budget, on exchange time', async () => {
    const { headers } = await doors.get('/v2/account');
    expect(headers.get('x-request-id')).to.match(/^[0-9a-f]{32}$/);
    expect(headers.get('x-ratelimit-limit')).to.equal('200');
    expect(headers.get('x-ratelimit-remaining')).to.equal('199');
    expect(Number(headers.get('x-ratelimit-reset'))).to.equal(Date.parse('2013-10-07T14:01:00Z') / 1_000);
  });

  it('lists trading days with wall times and no zone; half-days close early', async () => {
    await doors.close();
    doors = await openDoors();
    const { json } = await doors.get('/v2/calendar?start=2013-10-04&end=2013-10-08');
    expect(json).to.deep.equal([
      day('2013-10-04', '2013-10-07'),
      day('2013-10-07', '2013-10-08'),
      day('2013-10-08', '2013-10-09'),
    ]);
    const all = (await doors.get('/v2/calendar')).json;
    expect(all).to.have.length(23);
  });

  it('answers the newer clock and calendar with instants', async () => {
    const clock = (await doors.get('/v3/clock')).json.clocks[0];
    expect(clock).to.include({
      is_market_day: true,
      phase: 'core',
      phase_until: '2013-10-07T16:00:00-04:00',
    });
    const { json } = await doors.get('/v3/calendar/NYSE?start=2013-10-07&end=2013-10-07');
    expect(json.calendar).to.have.length(1);
    expect(json.calendar[0]).to.include({
      date: '2013-10-07',
      pre_start: '2013-10-07T04:00:00-04:00',
      core_start: '2013-10-07T09:30:00-04:00',
      core_end: '2013-10-07T16:00:00-04:00',
      post_end: '2013-10-07T20:00:00-04:00',
    });
    expect((await doors.get('/v3/calendar/LSE')).status).to.equal(404);
  });

  it('knows the assets of the tape, by symbol and by id', async () => {
    const { json: all } = await doors.get('/v2/assets?status=active&asset_class=us_equity');
    expect(all.map((asset: { symbol: string }) => asset.symbol)).to.have.members(['SPY', 'BAC']);
    const { json: spy } = await doors.get('/v2/assets/SPY');
    expect(spy).to.include({ class: 'us_equity', symbol: 'SPY', status: 'active', tradable: true });
    expect((await doors.get(`/v2/assets/${spy.id}`)).json).to.deep.equal(spy);
    const missing = await doors.get('/v2/assets/XYZ');
    expect([missing.status, missing.json]).to.deep.equal([
      404,
      { code: 40410000, message: 'asset not found for XYZ' },
    ]);
    expect((await doors.get('/v2/assets?asset_class=crypto')).json).to.deep.equal([]);
  });

  it('pages activities by the id of the last item, newest first unless asked otherwise', async () => {
    const order = { symbol: 'SPY', qty: '1', side: 'buy', type: 'market', time_in_force: 'day' };
    for (let i = 0; i < 5; i += 1) {
      await doors.call('POST', '/v2/orders', order);
      doors.advance(2);
    }
    const ids = async (query: string): Promise<string[]> =>
      (await doors.get(`/v2/account/activities${query}`)).json.map((item: { id: string }) => item.id);
    const all = await ids('?activity_types=FILL&direction=asc');
    expect(all).to.have.length(5);
    expect(await ids('')).to.deep.equal(all.toReversed());
    const paged: string[] = [];
    for (let token = ''; ; ) {
      const page = await ids(`/FILL?direction=asc&page_size=2&page_token=${encodeURIComponent(token)}`);
      if (page.length === 0) break;
      paged.push(...page);
      token = page.at(-1) ?? '';
    }
    expect(paged).to.deep.equal(all);
    expect(await ids('?activity_types=DIV')).to.deep.equal([]);
    expect(await ids('/FILL?date=2013-10-07')).to.have.length(5);
    expect(await ids('/FILL?date=2013-10-08')).to.have.length(0);
    const third = (await doors.get('/v2/account/activities/FILL?direction=asc')).json[2];
    expect(
      await ids(`/FILL?direction=asc&after=${third.transaction_time}`),
      'after is strict',
    ).to.have.length(2);
  });

  it('the value of the portfolio ends where the account stands', async () => {
    await doors.call('POST', '/v2/orders', {
      symbol: 'SPY',
      qty: '100',
      side: 'buy',
      type: 'market',
      time_in_force: 'day',
    });
    doors.advance(600);
    const { status, json } = await doors.get('/v2/account/portfolio/history?period=1D&timeframe=1Min');
    expect(status).to.equal(200);
    expect(json.base_value).to.equal(100_000);
    expect(json.timeframe).to.equal('1Min');
    const { length } = json.timestamp;
    expect(length).to.be.above(30);
    for (const name of ['equity', 'profit_loss', 'profit_loss_pct'])
      expect(json[name]).to.have.length(length);
    const account = (await doors.get('/v2/account')).json;
    expect(json.equity.at(-1)).to.be.closeTo(Number(account.equity), 2);
    expect(json.profit_loss.at(-1)).to.be.closeTo(Number(account.equity) - 100_000, 2);
    expect(json.equity[0]).to.equal(100_000);
    const daily = (await doors.get('/v2/account/portfolio/history')).json;
    expect(daily.timeframe).to.equal('1D');
  });

  it('lets nobody in without keys: JSON without a code here, a page there', async () => {
    const account = await doors.call('GET', '/v2/account', undefined, {});
    expect([account.status, account.json]).to.deep.equal([401, { message: 'unauthorized.' }]);
    for (const path of ['/v2/clock', '/v2/calendar', '/v3/clock', '/v2/stocks/SPY/bars?timeframe=1Min']) {
      const answer = await doors.call('GET', path, undefined, {});
      expect(answer.status, path).to.equal(401);
      expect(answer.headers.get('content-type')).to.match(/^text\/html/);
      expect(answer.text).to.match(/^<html>/);
    }
    const empty = { 'APCA-API-KEY-ID': '', 'APCA-API-SECRET-KEY': '' };
    expect((await doors.call('GET', '/v2/account', undefined, empty)).status).to.equal(401);
  });

  it('takes HTTP Basic and bearer tokens', async () => {
    const basic = `Basic ${Buffer.from('PK:secret').toString('base64')}`;
    expect((await doors.call('GET', '/v2/account', undefined, { Authorization: basic })).status).to.equal(
      200,
    );
    expect(
      (await doors.call('GET', '/v2/account', undefined, { Authorization: 'Bearer abc' })).status,
    ).to.equal(200);
    expect(
      (await doors.call('GET', '/v2/account', undefined, { Authorization: 'Basic %%%' })).status,
    ).to.equal(401);
  });

  it('can be told to know exactly one pair', async () => {
    await doors.close();
    doors = await openDoors({ server: { keys: { key: 'PKTEST', secret: 'secret' } } });
    expect((await doors.call('GET', '/v2/account', undefined, KEYS)).status).to.equal(200);
    const wrong = { ...KEYS, 'APCA-API-SECRET-KEY': 'secrex' };
    expect((await doors.call('GET', '/v2/account', undefined, wrong)).status).to.equal(401);
  });

  it('spends a budget per minute of exchange time, one for trading and one for data, and says when it is back', async () => {
    await doors.close();
    doors = await openDoors({ server: { tradingPerMinute: 3, dataPerMinute: 2 } });
    for (let i = 0; i < 3; i += 1) expect((await doors.get('/v2/account')).status).to.equal(200);
    const over = await doors.get('/v2/account');
    expect([over.status, over.json]).to.deep.equal([429, { code: 42910000, message: 'rate limit exceeded' }]);
    expect(over.headers.get('x-ratelimit-remaining')).to.equal('0');
    const reset = Number(over.headers.get('x-ratelimit-reset'));
    const price = '/v2/stocks/SPY/trades/latest';
    expect((await doors.get(price)).status, 'data has its own').to.equal(200);
    expect((await doors.get(price)).status).to.equal(200);
    expect((await doors.get(price)).status).to.equal(429);
    doors.advance(reset - Date.parse('2013-10-07T14:00:00Z') / 1_000);
    expect((await doors.get('/v2/account')).status).to.equal(200);
  });
});

const day = (date: string, settlement: string): Record<string, string> => ({
  date,
  open: '09:30',
  close: '16:00',
  session_open: '0400',
  session_close: '2000',
  settlement_date: settlement,
});

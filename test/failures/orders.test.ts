import { expect } from 'chai';
import { between, after as later, type Micros, millis, seconds } from '../../lib/domain/time.ts';
import type { ScriptedFault } from '../../lib/sim/fault-types.ts';
import { laneOf, loggedOf, until } from '../engine/holding.ts';
import { SYMBOLS } from '../engine/simulated-day.ts';
import { asked, at, buys, endsFlat, SPY, sharesAt, startOne, untilHeld } from './support.ts';

type RestAction = Extract<ScriptedFault, { kind: 'rest' }>['action'];
type FrameAction = Extract<ScriptedFault, { kind: 'updates' | 'data' }>['action'];

const onRest = (
  method: string,
  path: string,
  action: RestAction,
  from: Micros,
  times = 1,
): ScriptedFault => ({
  kind: 'rest',
  match: { method, path, side: null, symbol: null },
  from,
  times,
  action,
});

const onUpdates = (
  event: string | null,
  side: 'buy' | 'sell' | null,
  action: FrameAction,
): ScriptedFault => ({
  kind: 'updates',
  match: { event, side, symbol: null },
  from: null,
  times: 1_000,
  action,
});

const DOWN: RestAction = { kind: 'reset', accept: false };
const LOST: FrameAction = { kind: 'drop' };
const late = (length: number): FrameAction => ({ kind: 'delay', delay: seconds(length) });

describe('failures: requests and reports', function () {
  this.timeout(60_000);

  for (const [how, action] of [
    ['times out', { kind: 'silence', accept: true }],
    ['ends in a reset connection', { kind: 'reset', accept: true }],
    ['is answered 5xx', { kind: 'answer', status: 504, body: 'html', accept: true }],
  ] as const)
    it(`a submit ${how}: unknown, looked up by its client id, never sent again; exits go on by polling`, async () => {
      const day = await startOne([
        onRest('POST', '^/v2/orders$', action, at(3)),
        onRest('GET', '^/v2/orders$', DOWN, at(3), 12),
        onUpdates(null, null, LOST),
      ]);
      await untilHeld(day);
      expect(loggedOf(day, 'order.unknown')).to.have.length(1);
      expect(loggedOf(day, 'order.unknown.settled')[0]?.fields.verdict).to.equal('accepted');
      expect(asked(day, 'orderByClientOrderId', at(3)).length).to.be.greaterThan(0);
      expect(laneOf(day, SPY).shares).to.equal(sharesAt(day)).and.to.be.greaterThan(0);
      await endsFlat(day);
      expect(buys(day)).to.have.length(1);
    });

  it('a submit never arrives: looked up with growing pauses until its absence is certain', async () => {
    const day = await startOne([onRest('POST', '^/v2/orders$', DOWN, at(3))]);
    await day.runTo(at(4));
    const looks = asked(day, 'orderByClientOrderId', at(3)).map((each) => each.at);
    const pauses = looks.slice(1).map((look, index) => between(looks[index] as Micros, look));
    expect(looks.length).to.be.at.least(3);
    expect(pauses[1]).to.be.greaterThan(pauses[0] ?? 0);
    expect(loggedOf(day, 'order.absent')).to.have.length(1);
    expect(buys(day)).to.deep.equal([]);
    expect(laneOf(day, SPY).stage).to.equal('flat');
  });

  it('fill lost on the stream: polling finds it, booked once', async () => {
    const day = await startOne([onUpdates('fill', null, LOST), onUpdates('partial_fill', null, LOST)]);
    await untilHeld(day);
    const [fill] = day.exchange.ledger().fills;
    expect(day.clock.now(), 'a listing every ten seconds').to.be.at.most(
      later(fill?.at ?? at(0), seconds(12)),
    );
    expect(laneOf(day, SPY).shares).to.equal(sharesAt(day)).and.to.be.greaterThan(0);
    await endsFlat(day);
    expect(day.reports[0]?.roundTrips).to.equal(1);
  });

  it('fill twice, `new` after `fill`: executions count once and states never go back', async () => {
    const day = await startOne(
      [
        onUpdates('partial_fill', 'buy', { kind: 'duplicate', extra: 2 }),
        onUpdates('fill', 'buy', { kind: 'duplicate', extra: 2 }),
        onUpdates('new', 'buy', late(4)),
      ],
      {
        exchange: {
          fillRules: [
            {
              match: { side: 'buy' },
              model: { kind: 'partial', pieces: 3, only: null, delay: seconds(1) },
              times: null,
            },
          ],
        },
      },
    );
    for (let now = at(3); now < at(3, 12); now = later(now, millis(250))) {
      await day.runTo(now);
      expect(laneOf(day, SPY).shares, 'never more than there are').to.be.at.most(sharesAt(day));
    }
    expect(laneOf(day, SPY)).to.include({ stage: 'exiting', shares: sharesAt(day) });
    await endsFlat(day);
  });

  it('fills after `canceled`: closing until the sums agree', async () => {
    const day = await startOne([onUpdates('partial_fill', 'sell', late(10))], {
      params: { holdMax: seconds(30) },
      exchange: {
        fillRules: [
          {
            match: { side: 'sell', type: 'limit' },
            model: { kind: 'partial', pieces: 2, only: 1, delay: millis(29_800) },
            times: 1,
          },
        ],
      },
    });
    await untilHeld(day);
    await endsFlat(day);
    expect(loggedOf(day, 'order.rejected'), 'no sell of shares that are gone').to.deep.equal([]);
    const reports = day.journal.records.filter(({ kind }) => kind === 'report').map(({ body }) => body);
    const said = reports.map((body) => body as { status: string; fill: unknown; clientOrderId: string });
    const canceled = said.findIndex(({ status }) => status === 'canceled');
    const fill = said.findIndex(
      ({ clientOrderId, fill }) => fill !== null && clientOrderId === said[canceled]?.clientOrderId,
    );
    expect(fill, 'the fill came after the end of its order').to.be.greaterThan(canceled);
  });

  it('cancel answered 422: the order is fetched, and believed', async () => {
    const day = await startOne([onUpdates('fill', 'sell', late(60))], {
      params: { holdMax: seconds(30) },
      exchange: {
        fillRules: [
          {
            match: { side: 'sell', type: 'limit' },
            model: { kind: 'partial', pieces: 1, only: null, delay: millis(29_800) },
            times: 1,
          },
        ],
      },
    });
    await untilHeld(day);
    const cancel = (): number => loggedOf(day, 'order.cancel.answered').length;
    await until(day, at(6), () => cancel() > 0, 'the exit is canceled');
    const answered = loggedOf(day, 'order.cancel.answered')[0];
    expect(answered?.fields.outcome).to.not.equal('requested');
    await day.runTo(later(answered?.at ?? at(6), seconds(1)));
    expect(asked(day, 'orderById', answered?.at ?? at(6))).to.not.deep.equal([]);
    expect(laneOf(day, SPY)).to.include({ shares: 0, stage: 'flat' });
    await endsFlat(day);
  });

  it('429: a pause to the reset, then the flatten first', async () => {
    const day = await startOne([], { symbols: SYMBOLS, params: { holdMax: seconds(1_200) } });
    await untilHeld(day);
    const limited: RestAction = { kind: 'answer', status: 429, body: 'json', accept: false };
    day.faults?.add(onRest('GET', '/v2/positions', limited, day.clock.now()));
    await until(day, at(8), () => day.engine().status().gateway.pausedUntil !== null, 'a 429 pauses');
    const { pausedUntil } = day.engine().status().gateway;
    const from = day.clock.now();
    day.engine().flatten({ symbol: null, by: 'ann', why: 'a test' });
    await day.runTo(later(pausedUntil ?? from, seconds(3)));
    const sent = day.requests.filter((each) => each.at > from).map(({ at, what }) => ({ at, what }));
    expect(sent[0]?.at, 'nothing in the pause').to.be.at.least(pausedUntil ?? 0);
    const firstQuery = sent.findIndex(({ what }) => !['cancel', 'submit'].includes(what));
    expect(sent.slice(0, 4).map(({ what }) => what)).to.deep.equal(['cancel', 'cancel', 'cancel', 'cancel']);
    expect(firstQuery, 'queries come after the cancels').to.not.be.within(0, 3);
    await endsFlat(day);
  });

  it('429 before an entry left: it lapses instead of leaving late', async () => {
    const day = await startOne([]);
    const limited: RestAction = { kind: 'answer', status: 429, body: 'json', accept: false };
    await day.runTo(at(2, 59));
    day.faults?.add(onRest('POST', '^/v2/orders$', limited, at(3), 10));
    await day.runTo(at(5));
    expect(asked(day, 'submit', at(3)), 'it was tried').to.have.length(1);
    expect(loggedOf(day, 'order.lapsed').map(({ fields }) => fields.symbol)).to.deep.equal([SPY]);
    expect(buys(day)).to.deep.equal([]);
    expect(laneOf(day, SPY).stage).to.equal('flat');
  });
});

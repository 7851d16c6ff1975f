import { expect } from 'chai';
import { cash, price, qty } from '../../lib/domain/money.ts';
import { beliefOf } from '../../lib/domain/reconcile.ts';
import { planSession } from '../../lib/domain/session.ts';
import { after as later, minutes, seconds } from '../../lib/domain/time.ts';
import { laneFromBroker } from '../../lib/engine/lane-from-broker.ts';
import type { Picture } from '../../lib/engine/reconciler.ts';
import { foldDay } from '../../lib/engine/restore.ts';
import { DAY, laneParams, sessionOf, startDay } from './simulated-day.ts';
import { intentOf, orderFor, SPY, START } from './support.ts';

const SHORT = sessionOf('09:30', '10:30');

describe('restoring lanes', function () {
  this.timeout(30_000);

  it('the journal of a day folds to the lanes that wrote it', async () => {
    const day = await startDay({ seed: 3, session: SHORT });
    await day.runTo(later(SHORT.openAt, minutes(45)));
    const records = await day.journal.read(DAY);
    const { lanes, damages } = foldDay(records, () => undefined);
    expect(damages).to.deep.equal([]);
    for (const { symbol } of day.engine().status().lanes) {
      const { lane } = await day.lanes().control(symbol).status();
      expect(lanes.get(symbol), symbol).to.deep.equal(JSON.parse(JSON.stringify(lane)));
    }
  });

  it('a request without the record of its step is enough', async () => {
    const day = await startDay({ seed: 3, session: SHORT });
    await day.runTo(later(SHORT.openAt, minutes(45)));
    const records = await day.journal.read(DAY);
    const cut = records.findLastIndex(
      ({ kind, body }) => kind === 'request' && (body as { what: string }).what === 'submit',
    );
    const request = records[cut];
    const { intent } = (request?.body ?? {}) as { intent: { clientOrderId: string } };
    const { lanes } = foldDay(records.slice(0, cut + 1), () => undefined);
    const lane = request?.symbol ? lanes.get(request.symbol) : undefined;
    const known =
      lane === undefined ? [] : beliefOf(lane).orders.map(({ clientOrderId }) => clientOrderId as string);
    expect(known).to.include(intent.clientOrderId);
  });

  it('a damaged or missing record is told, and the rest is folded', async () => {
    const day = await startDay({ seed: 3, session: SHORT });
    await day.runTo(later(SHORT.openAt, minutes(30)));
    const records = [...(await day.journal.read(DAY))];
    const inputs = records.flatMap(({ kind, symbol }, index) =>
      kind === 'input' && symbol === SPY ? [index] : [],
    );
    const [lost = 0, bad = 0] = [inputs[5], inputs[9]];
    records[bad] = { ...(records[bad] as (typeof records)[number]), body: { step: 'x' } };
    records.splice(lost, 1);
    const { lanes, damages } = foldDay(records, () => undefined);
    expect(damages.length).to.be.at.least(2);
    expect(lanes.size).to.equal(5);
  });

  it('without a journal, our own orders at the broker tell what is held; those of others do not', () => {
    const params = laneParams(SPY);
    const plan = planSession(sessionOf('09:30', '16:00'), minutes(5), minutes(2));
    const bought = orderFor(intentOf('entry', 3), 'filled', {
      cumQty: qty(10),
      cumNotional: cash(10_000_000),
    });
    const resting = orderFor(intentOf('exit', 4), 'new', {
      submittedAt: later(START, seconds(1)),
      updatedAt: later(START, seconds(1)),
    });
    const theirs = {
      ...orderFor(intentOf('entry', 9), 'filled', { cumQty: qty(5) }),
      clientOrderId: 'by-hand' as never,
      brokerOrderId: 'x' as never,
    };
    const picture: Picture = {
      takenAt: START,
      openOrders: [resting],
      ordersSince: [bought, resting, theirs],
      positions: [{ symbol: SPY, shares: 15, available: 5, averagePx: price(1_000_000) }],
      fills: null,
    };
    const lane = laneFromBroker(params, plan, picture, later(START, seconds(60)));
    const belief = beliefOf(lane);
    expect(belief.shares).to.equal(10);
    expect(belief.orders.map(({ clientOrderId, state }) => `${clientOrderId} ${state}`)).to.deep.equal([
      `${bought.clientOrderId} done`,
      `${resting.clientOrderId} working`,
    ]);
    expect(lane.lastKey.sequence).to.equal(4);
  });
});

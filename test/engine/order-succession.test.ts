import { expect } from 'chai';
import type { BrokerOrderId, ClientOrderId, ExecutionId } from '../../lib/domain/ids.ts';
import { cash, price, qty } from '../../lib/domain/money.ts';
import { after as later, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { createOrderTracker } from '../../lib/engine/order-tracker.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { BrokerFill, BrokerOrder } from '../../lib/ports/broker.ts';
import {
  advance,
  brokerIdOf,
  failure,
  intentOf,
  loggingTo,
  orderFor,
  reportOn,
  SPY,
  START,
  scriptedBroker,
} from './support.ts';

const EXIT = intentOf('exit', 2);
const NEXT = { ...EXIT, clientOrderId: 'made-by-the-broker' as ClientOrderId };
const OLD_ID = brokerIdOf(EXIT.clientOrderId);
const NEXT_ID = brokerIdOf(NEXT.clientOrderId);

function world() {
  const clock = createVirtualClock(START);
  const broker = scriptedBroker();
  const bucket = createTokenBucket({ limit: 1_000, reserve: 0.2, window: minutes(1) });
  const queue = createRequestQueue(clock, bucket, DEFAULT_ENGINE_SETTINGS.gateway);
  const told: string[] = [];
  const tracker = createOrderTracker({
    clock,
    broker,
    queue,
    log: loggingTo([]),
    settings: DEFAULT_ENGINE_SETTINGS.tracker,
    events: {
      onReport: (_, { clientOrderId, status, cumQty }) =>
        void told.push(`${clientOrderId === EXIT.clientOrderId ? 'old' : 'next'} ${status} ${cumQty}`),
      onVerdict: () => undefined,
      onSuccessor: (_, _id, { qty: shares }, carried) =>
        void told.push(`succeeded ${shares} carrying ${carried.qty}`),
      onForeign: (symbol) => void told.push(`foreign ${symbol}`),
    },
  });
  const run = (second: number): Promise<void> => advance(clock, later(START, seconds(second)));
  const orders = new Map<string, BrokerOrder>();
  broker.onLookup = (id) => {
    const order = orders.get(id);
    return order === undefined ? { kind: 'absent' } : { kind: 'found', order };
  };
  const show = (order: BrokerOrder): void => void orders.set(order.brokerOrderId, order);
  tracker.expect(EXIT);
  tracker.sent(EXIT.clientOrderId);
  tracker.heard(reportOn(EXIT, 'new'));
  told.length = 0;
  return { clock, broker, tracker, told, run, show };
}

const filled = (shares: number) => ({ cumQty: qty(shares), cumNotional: cash(shares * 1_000_000) });
const replaced = { replacedBy: NEXT_ID };
const successor = (over: Partial<BrokerOrder> = {}): BrokerOrder =>
  orderFor(NEXT, 'new', { replaces: OLD_ID, ...over });
const fillOf = (id: BrokerOrderId, shares: number): BrokerFill => ({
  activityId: `a${shares}`,
  executionId: `x${shares}` as ExecutionId,
  brokerOrderId: id,
  symbol: SPY,
  side: 'sell',
  qty: qty(shares),
  px: price(1_000_000),
  cumQty: qty(shares),
  at: START,
});

describe('orders replaced by another hand', () => {
  it('asks for the successor with growing pauses, without end, and stops when it is closed', async () => {
    const { broker, tracker, clock, run, told, show } = world();
    tracker.heard(reportOn(EXIT, 'replaced', replaced));
    await run(120);
    const asked = broker.asked.filter((line) => line === `lookup ${NEXT_ID}`).length;
    expect(asked, '0.5 s doubling to 15 s').to.be.within(9, 14);
    broker.onLookup = () => ({ kind: 'failed', failure: failure('serverError') });
    await run(600);
    expect(broker.asked.length, 'a broker that fails is not hammered').to.be.at.most(asked + 40);
    expect(told).to.deep.equal(['old replaced 0']);
    show(successor());
    broker.onLookup = () => ({ kind: 'found', order: successor() });
    await run(620);
    expect(told).to.deep.equal(['old replaced 0', 'succeeded 10 carrying 0', 'next new 0']);
    tracker.heard(reportOn(NEXT, 'replaced', { replacedBy: 'third' as BrokerOrderId }));
    broker.onLookup = () => ({ kind: 'absent' });
    await run(630);
    tracker.close();
    expect(clock.pending(), 'no timer is left behind').to.equal(0);
  });

  it('reads a successor again that was told as it was before its own fills', async () => {
    const { broker, tracker, told, run, show } = world();
    const own = { ...fillOf(NEXT_ID, 4), at: (START + 1_000_000) as Micros };
    broker.onFillsSince = () => ({ kind: 'ok', value: [fillOf(OLD_ID, 4), own] });
    show(successor({ ...filled(4), updatedAt: START }));
    tracker.heard(reportOn(EXIT, 'replaced', { ...replaced, ...filled(4) }));
    await run(1);
    expect(told, 'it may have carried them, or filled as many itself').to.deep.equal(['old replaced 4']);
    show(successor({ ...filled(8), updatedAt: own.at }));
    await run(10);
    expect(told).to.deep.equal(['old replaced 4', 'succeeded 10 carrying 4', 'next new 8']);
  });

  it('does not take what the predecessor filled for shares of the successor', async () => {
    const { broker, tracker, told, run, show } = world();
    broker.onFillsSince = () => ({ kind: 'ok', value: [fillOf(OLD_ID, 4)] });
    show(successor(filled(4)));
    tracker.heard(reportOn(EXIT, 'replaced', { ...replaced, ...filled(4) }));
    await run(1);
    expect(told).to.deep.equal(['old replaced 4', 'succeeded 10 carrying 4', 'next new 4']);
  });

  it('does not take what the successor filled for shares of the predecessor', async () => {
    const { broker, tracker, told, run, show } = world();
    broker.onFillsSince = () => ({ kind: 'ok', value: [fillOf(OLD_ID, 4), fillOf(NEXT_ID, 4)] });
    show(successor(filled(4)));
    tracker.heard(reportOn(EXIT, 'replaced', { ...replaced, ...filled(4) }));
    await run(1);
    expect(told).to.include('succeeded 10 carrying 0');
  });

  it('waits until the fills tell it', async () => {
    const { broker, tracker, told, run, show } = world();
    let listed: readonly BrokerFill[] = [];
    broker.onFillsSince = () => ({ kind: 'ok', value: listed });
    show(successor(filled(7)));
    tracker.heard(reportOn(EXIT, 'replaced', { ...replaced, ...filled(4) }));
    await run(10);
    expect(told).to.deep.equal(['old replaced 4']);
    listed = [fillOf(NEXT_ID, 3)];
    await run(30);
    expect(told.slice(1)).to.deep.equal(['succeeded 10 carrying 4', 'next new 7']);
  });

  it('believes no successor before its predecessor has ended as replaced', async () => {
    const { tracker, told, run, show } = world();
    show(orderFor(EXIT, 'pending_replace'));
    show(successor({ status: 'accepted' }));
    const listing = [successor({ status: 'accepted' })];
    tracker.listed(listing, START);
    await run(5);
    expect(told.every((line) => line === 'old pending_replace 0')).to.equal(true);
    // Refused: the order lives on as it was.
    show(orderFor(EXIT, 'new'));
    await run(20);
    expect(told.at(-1)).to.equal('old new 0');
    expect(told.some((line) => line.startsWith('succeeded'))).to.equal(false);
    show(orderFor(EXIT, 'replaced', { replacedBy: NEXT_ID }));
    show(successor());
    tracker.listed([successor()], START);
    await run(22);
    expect(told.slice(-2)).to.deep.equal(['succeeded 10 carrying 0', 'next new 0']);
  });

  it('a replace that lost against the fill leaves no successor', async () => {
    const { tracker, told, run, show } = world();
    show(orderFor(EXIT, 'filled', filled(10)));
    show(successor({ status: 'rejected' }));
    tracker.listed([successor({ status: 'accepted' })], START);
    await run(5);
    tracker.listed([successor({ status: 'rejected' })], START);
    await run(10);
    expect(told).to.deep.equal(['old filled 10', 'foreign SPY']);
  });

  it('keeps what the stream says of a successor until it is known, and takes it for nobody else’s', async () => {
    const { tracker, told, run, show } = world();
    tracker.heard(reportOn(EXIT, 'replaced', replaced));
    await run(3);
    tracker.heard(reportOn(NEXT, 'partially_filled', filled(3)));
    expect(told).to.deep.equal(['old replaced 0']);
    show(successor());
    await run(8);
    expect(told.slice(1)).to.deep.equal(['succeeded 10 carrying 0', 'next new 0', 'next partially_filled 3']);
    expect(tracker.stats().foreign).to.equal(0);
  });
});

describe('listings of working orders', () => {
  it('come with growing pauses while the broker does not answer', async () => {
    const { broker, tracker, run } = world();
    broker.onOrdersSince = () => ({ kind: 'failed', failure: failure('serverError') });
    tracker.setBlind(true);
    await run(120);
    const listings = (): number => broker.asked.filter((line) => line === 'ordersSince').length;
    expect(listings(), '2, 4, 8, 15, 15 s ...').to.be.within(7, 12);
    broker.onOrdersSince = () => ({ kind: 'ok', value: [] });
    await run(140);
    const before = listings();
    await run(160);
    expect(listings() - before, 'every two seconds again').to.be.within(9, 11);
  });
});

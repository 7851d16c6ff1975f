import { expect } from 'chai';
import fc from 'fast-check';
import type { ExecutionReport } from '../../lib/domain/execution.ts';
import type { BrokerOrderId, ClientOrderId } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { cash, qty } from '../../lib/domain/money.ts';
import { openOrder, reduceOrder } from '../../lib/domain/order.ts';
import { after as later, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { createOrderTracker } from '../../lib/engine/order-tracker.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import {
  accepted,
  advance,
  brokerIdOf,
  failure,
  intentOf,
  type LoggedLine,
  loggingTo,
  orderFor,
  reportOn,
  SPY,
  START,
  scriptedBroker,
} from './support.ts';

function world() {
  const clock = createVirtualClock(START);
  const broker = scriptedBroker();
  const bucket = createTokenBucket({ limit: 1_000, reserve: 0.2, window: minutes(1) });
  const queue = createRequestQueue(clock, bucket, DEFAULT_ENGINE_SETTINGS.gateway);
  const lines: LoggedLine[] = [];
  const told: string[] = [];
  const successors: OrderIntent[] = [];
  const reports: ExecutionReport[] = [];
  const tracker = createOrderTracker({
    clock,
    broker,
    queue,
    log: loggingTo(lines),
    settings: DEFAULT_ENGINE_SETTINGS.tracker,
    events: {
      onReport(_, report) {
        reports.push(report);
        told.push(`${report.source} ${report.status} ${report.cumQty}`);
      },
      onVerdict: (_, id, verdict) => void told.push(`${verdict.kind} ${id}`),
      onSuccessor(_, id, successor) {
        successors.push(successor);
        told.push(`succeeded ${id}`);
      },
      onForeign: (symbol) => void told.push(`foreign ${symbol}`),
    },
  });
  const at = (second: number): Micros => later(START, seconds(second));
  const run = (second: number): Promise<void> => advance(clock, at(second));
  const send = (intent: OrderIntent): void => {
    tracker.expect(intent);
    tracker.sent(intent.clientOrderId);
  };
  const logged = (event: string): number => lines.filter((line) => line.event === event).length;
  return { clock, broker, tracker, told, reports, successors, run, send, logged };
}

const ENTRY = intentOf('entry', 1);
const EXIT = intentOf('exit', 2);
const UNKNOWN = { kind: 'unknown', failure: failure('timeout') } as const;
const refusal = { code: 'other', brokerCode: null, text: 'no', available: null, relatedOrders: [] } as const;

describe('order tracker', () => {
  it('hears a report that overtakes the answer', () => {
    const { tracker, told, send } = world();
    send(ENTRY);
    tracker.heard(reportOn(ENTRY, 'new'));
    tracker.settle(ENTRY.clientOrderId, accepted(ENTRY) as never);
    expect(told[0]).to.equal('stream new 0');
    expect(told).to.include(`accepted ${ENTRY.clientOrderId}`);
  });

  it('believes the stream, not a refusal that comes after it', async () => {
    const { tracker, broker, told, send, run } = world();
    broker.onLookup = () => ({ kind: 'found', order: orderFor(ENTRY, 'new') });
    send(ENTRY);
    tracker.heard(reportOn(ENTRY, 'new'));
    expect(tracker.settle(ENTRY.clientOrderId, { kind: 'rejected', refusal })).to.equal(false);
    await run(1);
    expect(broker.asked).to.deep.equal([`lookup ${brokerIdOf(ENTRY.clientOrderId)}`]);
    expect(told.some((line) => line.startsWith('rejected'))).to.equal(false);
  });

  it('looks an unknown submit up until it is found', async () => {
    const { tracker, broker, told, send, run } = world();
    send(ENTRY);
    tracker.settle(ENTRY.clientOrderId, UNKNOWN);
    await run(3);
    broker.onLookup = () => ({ kind: 'failed', failure: failure('serverError') });
    await run(40);
    broker.onLookup = () => ({
      kind: 'found',
      order: orderFor(ENTRY, 'filled', { cumQty: qty(10), cumNotional: cash(1) }),
    });
    await run(60);
    expect(told).to.deep.equal([`accepted ${ENTRY.clientOrderId}`, 'query filled 10']);
    expect(broker.asked.every((line) => line.startsWith('lookup'))).to.equal(true);
  });

  it('believes absence only after several answers over the grace time', async () => {
    const { tracker, broker, told, send, run } = world();
    send(ENTRY);
    tracker.settle(ENTRY.clientOrderId, UNKNOWN);
    await run(10);
    expect(broker.asked.length).to.be.at.least(3);
    expect(told, 'three answers in ten seconds prove nothing').to.deep.equal([]);
    await run(14);
    expect(told).to.deep.equal([`absent ${ENTRY.clientOrderId}`]);
    const asked = broker.asked.length;
    await run(200);
    expect(broker.asked.length).to.equal(asked);
  });

  it('two absences far apart, with failures in between, are not enough', async () => {
    const { tracker, broker, told, send, run } = world();
    send(ENTRY);
    tracker.settle(ENTRY.clientOrderId, UNKNOWN);
    await run(0.6);
    broker.onLookup = () => ({ kind: 'failed', failure: failure('serverError') });
    await run(30);
    broker.onLookup = () => ({ kind: 'absent' });
    const asked = broker.asked.length;
    await run(42);
    expect(broker.asked.length - asked).to.equal(1);
    expect(told).to.deep.equal([]);
  });

  it('an order held for absent that lives all the same reaches its lane', async () => {
    const { tracker, told, send, run, logged } = world();
    send(ENTRY);
    tracker.settle(ENTRY.clientOrderId, UNKNOWN);
    await run(20);
    tracker.heard(reportOn(ENTRY, 'new'));
    expect(told.at(-1)).to.equal('stream new 0');
    expect(logged('order.undead')).to.equal(1);
  });

  it('a report settles an unknown', async () => {
    const { tracker, broker, told, send, run } = world();
    send(ENTRY);
    tracker.settle(ENTRY.clientOrderId, UNKNOWN);
    tracker.heard(reportOn(ENTRY, 'new'));
    expect(told).to.deep.equal([`accepted ${ENTRY.clientOrderId}`, 'stream new 0']);
    await run(5);
    expect(broker.asked).to.deep.equal([]);
  });

  it('polls an order whose lane waits, with a growing pause, until the lane waits no more', async () => {
    const { tracker, broker, told, send, run } = world();
    broker.onLookup = () => ({ kind: 'found', order: orderFor(EXIT, 'pending_cancel') });
    send(EXIT);
    tracker.settle(EXIT.clientOrderId, accepted(EXIT) as never);
    const canceling = reduceOrder(openOrder(EXIT), { kind: 'cancelRequested', at: START });
    tracker.attend(SPY, [canceling]);
    await run(60);
    const asked = broker.asked.length;
    expect(asked).to.be.within(5, 12);
    expect(told.filter((line) => line === 'query pending_cancel 0').length).to.equal(asked);
    tracker.attend(SPY, []);
    await run(300);
    expect(broker.asked.length).to.be.at.most(asked + 1);
  });

  it('a cancel waits for the id of an order that is being looked up', async () => {
    const { tracker, broker, send, run } = world();
    broker.onLookup = () => ({ kind: 'failed', failure: failure('timeout') });
    send(ENTRY);
    tracker.settle(ENTRY.clientOrderId, UNKNOWN);
    tracker.cancel(ENTRY.clientOrderId, 'cancel');
    await run(2);
    expect(broker.asked.some((line) => line.startsWith('cancel'))).to.equal(false);
    tracker.heard(reportOn(ENTRY, 'new'));
    await run(3);
    expect(broker.asked.filter((line) => line.startsWith('cancel'))).to.deep.equal([
      `cancel ${brokerIdOf(ENTRY.clientOrderId)}`,
    ]);
  });

  it('a cancel that is refused makes it fetch the order and believe only that', async () => {
    const { tracker, broker, told, send, run } = world();
    broker.onCancel = () => ({ kind: 'refused', text: 'order is already in "filled" state' });
    broker.onLookup = () => ({
      kind: 'found',
      order: orderFor(EXIT, 'filled', { cumQty: qty(10), cumNotional: cash(1) }),
    });
    send(EXIT);
    tracker.heard(reportOn(EXIT, 'new'));
    tracker.cancel(EXIT.clientOrderId, 'cancel');
    tracker.cancel(EXIT.clientOrderId, 'cancel');
    await run(1);
    expect(broker.asked.filter((line) => line.startsWith('cancel'))).to.have.length(1);
    expect(told.at(-1)).to.equal('query filled 10');
  });

  it('counts a foreign order once and touches nothing', async () => {
    const { tracker, broker, told, run, logged } = world();
    const theirs = reportOn(ENTRY, 'filled', {
      clientOrderId: 'by-hand' as ClientOrderId,
      brokerOrderId: 'x' as BrokerOrderId,
    });
    tracker.heard(theirs);
    tracker.heard(theirs);
    await run(60);
    expect(told).to.deep.equal(['foreign SPY']);
    expect(logged('order.foreign')).to.equal(1);
    expect(broker.asked).to.deep.equal([]);
    expect(tracker.stats().foreign).to.equal(1);
  });

  it('follows an order that somebody replaced', async () => {
    const { tracker, broker, told, successors, send, run } = world();
    const next = { ...EXIT, clientOrderId: 'made-by-the-broker' as ClientOrderId };
    broker.onLookup = () => ({
      kind: 'found',
      order: orderFor(next, 'new', { replaces: brokerIdOf(EXIT.clientOrderId) }),
    });
    send(EXIT);
    tracker.heard(reportOn(EXIT, 'new'));
    tracker.heard(reportOn(EXIT, 'replaced', { replacedBy: brokerIdOf(next.clientOrderId) }));
    await run(1);
    expect(told).to.include(`succeeded ${EXIT.clientOrderId}`);
    expect(successors[0]).to.include({ clientOrderId: 'made-by-the-broker', purpose: 'exit', side: 'sell' });
    tracker.heard(reportOn(next, 'filled', { cumQty: qty(10) }));
    expect(told.at(-1)).to.equal('stream filled 10');
    expect(tracker.stats().foreign).to.equal(0);
  });

  it('a listing tells what the stream lost, once', async () => {
    const { tracker, broker, told, send, run } = world();
    broker.onOrdersSince = () => ({
      kind: 'ok',
      value: [orderFor(EXIT, 'partially_filled', { cumQty: qty(4), cumNotional: cash(1) })],
    });
    send(EXIT);
    tracker.heard(reportOn(EXIT, 'new'));
    tracker.setBlind(false);
    await run(60);
    expect(told).to.deep.equal(['stream new 0', 'query partially_filled 4']);
    tracker.setBlind(true);
    const asked = broker.asked.length;
    await run(70);
    expect(broker.asked.length - asked, 'blind, listings come every two seconds').to.be.within(4, 6);
  });

  it('a socket that comes and goes does not put the listings off', async () => {
    const { tracker, broker, send, run } = world();
    send(EXIT);
    tracker.heard(reportOn(EXIT, 'new'));
    tracker.setBlind(true);
    const asked = broker.asked.length;
    // Each second it is told again that nothing is heard: another attempt, another refusal.
    for (let second = 1; second <= 20; second += 1) {
      await run(second);
      tracker.setBlind(true);
    }
    expect(broker.asked.length - asked).to.be.within(8, 11);
  });

  it('never forgets an unknown, whatever the answers are', async () => {
    const answers = fc.array(fc.constantFrom('failed', 'absent', 'rateLimited'), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(answers, async (script) => {
        const { tracker, broker, told, send, run } = world();
        let n = 0;
        broker.onLookup = () => {
          const kind = script[n];
          n += 1;
          if (kind === 'absent') return { kind: 'absent' };
          if (kind === 'failed') return { kind: 'failed', failure: failure('connection') };
          if (kind === 'rateLimited') return { kind: 'failed', failure: failure('rateLimited') };
          return { kind: 'found', order: orderFor(ENTRY, 'new') };
        };
        send(ENTRY);
        tracker.settle(ENTRY.clientOrderId, UNKNOWN);
        await run(1_000);
        const verdicts = told.filter((line) => line.endsWith(ENTRY.clientOrderId));
        expect(verdicts, 'exactly one verdict').to.have.length(1);
        expect(tracker.stats().unknown).to.equal(0);
        expect(broker.asked.some((line) => line.startsWith('submit'))).to.equal(false);
      }),
      { numRuns: 40 },
    );
  });
});

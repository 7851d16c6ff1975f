import { expect } from 'chai';
import fc from 'fast-check';
import type { ExecutionReport } from '../../lib/domain/execution.ts';
import { bookedNotional, bookedQty } from '../../lib/domain/fills.ts';
import type { SubmitVerdict } from '../../lib/domain/lane-types.ts';
import { cash, type Price, qty } from '../../lib/domain/money.ts';
import {
  applyReport,
  applyVerdict,
  isLive,
  leavesQty,
  ORDER_TABLE,
  type Order,
  type OrderEvent,
  openOrder,
  reduceOrder,
} from '../../lib/domain/order.ts';
import type { Micros } from '../../lib/domain/time.ts';
import { ModelBroker } from '../lane/model-broker.ts';
import { at, Story, usd } from '../lane/story.ts';

const intent = new Story().enter();
const NOW = at('09:52');
const fresh = openOrder(intent);

const STATES: { readonly [S in Order['kind']]: Order } = {
  inFlight: fresh,
  working: { ...fresh, kind: 'working' },
  canceling: { ...fresh, kind: 'canceling', requestedAt: at('09:51:30'), proven: false },
  closing: { ...fresh, kind: 'closing', ending: 'canceled', cumQty: qty(5), endedAt: NOW },
  done: { ...fresh, kind: 'done', ending: 'canceled', endedAt: NOW },
};
const EVENTS: { readonly [E in OrderEvent['kind']]: OrderEvent } = {
  seenAlive: { kind: 'seenAlive' },
  seenEnded: { kind: 'seenEnded', ending: 'expired', cumQty: qty(0), at: NOW },
  seenUnclear: { kind: 'seenUnclear' },
  accepted: { kind: 'accepted' },
  refused: { kind: 'refused', ending: 'rejected', at: NOW },
  cancelRequested: { kind: 'cancelRequested', at: NOW },
};
const BECOMES: {
  readonly [S in Order['kind']]: { readonly [E in OrderEvent['kind']]: Order['kind'] };
} = {
  inFlight: {
    seenAlive: 'working',
    seenEnded: 'done',
    seenUnclear: 'working',
    accepted: 'working',
    refused: 'done',
    cancelRequested: 'canceling',
  },
  working: {
    seenAlive: 'working',
    seenEnded: 'done',
    seenUnclear: 'working',
    accepted: 'working',
    refused: 'working',
    cancelRequested: 'canceling',
  },
  canceling: {
    seenAlive: 'canceling',
    seenEnded: 'done',
    seenUnclear: 'canceling',
    accepted: 'canceling',
    refused: 'done',
    cancelRequested: 'canceling',
  },
  closing: {
    seenAlive: 'closing',
    seenEnded: 'closing',
    seenUnclear: 'closing',
    accepted: 'closing',
    refused: 'closing',
    cancelRequested: 'closing',
  },
  done: {
    seenAlive: 'done',
    seenEnded: 'done',
    seenUnclear: 'done',
    accepted: 'done',
    refused: 'done',
    cancelRequested: 'done',
  },
};

describe('an order', () => {
  it('has a decision for every state and event', () => {
    let cells = 0;
    for (const [state, row] of Object.entries(BECOMES))
      for (const [event, expected] of Object.entries(row)) {
        const order = STATES[state as Order['kind']];
        const next = reduceOrder(order, EVENTS[event as OrderEvent['kind']]);
        expect(next.kind, `${state} × ${event}`).to.equal(expected);
        cells += 1;
      }
    const decided = Object.values(ORDER_TABLE).reduce((sum, row) => sum + Object.keys(row).length, 0);
    expect(cells).to.equal(decided);
  });

  it('is closing while the end tells of more shares than were booked', () => {
    for (const state of ['inFlight', 'working', 'canceling', 'done'] as const) {
      const ended = reduceOrder(STATES[state], {
        kind: 'seenEnded',
        ending: 'canceled',
        cumQty: qty(3),
        at: NOW,
      });
      expect(ended, state).to.include({ kind: 'closing', cumQty: 3 });
    }
    // A larger total is remembered, a smaller one is not believed.
    for (const [cumQty, kept] of [
      [9, 9],
      [1, 5],
    ] as const) {
      const event = { kind: 'seenEnded', ending: 'canceled', cumQty: qty(cumQty), at: NOW } as const;
      expect(reduceOrder(STATES.closing, event)).to.include({ kind: 'closing', cumQty: kept });
    }
  });

  it('believes a refusal only while nothing has shown that the broker has it', () => {
    const proven = reduceOrder(STATES.canceling, EVENTS.seenAlive);
    expect(proven).to.include({ kind: 'canceling', proven: true });
    expect(reduceOrder(proven, EVENTS.refused).kind).to.equal('canceling');
  });

  it('lives again when an end that we concluded ourselves proves wrong', () => {
    for (const ending of ['absent', 'lapsed', 'denied'] as const) {
      const order = reduceOrder(fresh, { kind: 'refused', ending, at: NOW });
      expect(reduceOrder(order, EVENTS.seenAlive).kind, ending).to.equal('working');
    }
    expect(reduceOrder(reduceOrder(fresh, EVENTS.refused), EVENTS.seenAlive).kind).to.equal('done');
  });

  it('is done once every share is filled, whatever the report calls it', () => {
    const story = new Story();
    const report = story.reportOf(intent, 'partially_filled', { lastQty: 20 });
    const { order, trade } = applyReport(fresh, report, NOW);
    expect(order).to.include({ kind: 'done', ending: 'filled' });
    expect(trade).to.deep.equal({ qty: 20, notional: 20 * usd(100) });
    expect(leavesQty(order)).to.equal(0);
  });

  it('takes a fill before its ack, and an ack after it, in its stride', () => {
    const story = new Story();
    const fill = applyReport(fresh, story.reportOf(intent, 'partially_filled', { lastQty: 4 }), NOW).order;
    expect(fill).to.include({ kind: 'working' });
    const late = applyReport(fill, story.reportOf(intent, 'new'), NOW);
    expect(late.order).to.deep.equal(fill);
    expect(leavesQty(late.order)).to.equal(16);
  });

  it('names every verdict', () => {
    const endings = (['denied', 'expired', 'rejected', 'absent'] as const).map((kind) => {
      const words = { code: 'x', text: 'x', available: null };
      const order = applyVerdict(fresh, { kind, ...words } as SubmitVerdict, NOW);
      return order.kind === 'done' ? order.ending : order.kind;
    });
    expect(endings).to.deep.equal(['denied', 'lapsed', 'rejected', 'absent']);
  });
});

/** What the line does with each report of one order's life: how often it is delivered, and how late. */
const lives = fc.record({
  fills: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 })), { maxLength: 6 }),
  end: fc.constantFrom('canceled', 'expired', null),
  copies: fc.array(fc.tuple(fc.nat(2), fc.nat(20)), { minLength: 8, maxLength: 8 }),
  queriesAfter: fc.array(fc.nat(12), { maxLength: 4 }),
});

/** The reports of one order's life in the order they are delivered, and the broker's last word. */
function lived({
  fills,
  end,
  copies,
  queriesAfter,
}: typeof lives extends fc.Arbitrary<infer T> ? T : never): {
  readonly heard: readonly ExecutionReport[];
  readonly last: ExecutionReport;
  readonly broker: ModelBroker;
} {
  const broker = new ModelBroker();
  const id = intent.clientOrderId;
  const timed: { readonly slot: number; readonly report: ExecutionReport }[] = [];
  const ask = (slot: number): void => {
    const report = broker.query(id, NOW);
    if (report !== null) timed.push({ slot, report });
  };
  let made = 0;
  const listen = (): void => {
    for (const report of broker.wire.splice(0)) {
      const [times, delay] = copies[made] ?? [1, 0];
      // A repetition comes later than the first; none at all is a lost report.
      for (let copy = 0; copy < times; copy += 1) timed.push({ slot: made + delay * (copy + 1), report });
      made += 1;
    }
    for (const when of queriesAfter) if (when === made) ask(made + 0.5);
  };
  broker.take(intent, NOW);
  listen();
  for (const [shares, dime] of fills) {
    broker.fill(id, shares, (usd(100) + dime * 1_000) as Price, NOW);
    listen();
  }
  if (end !== null) broker.end(id, end, NOW);
  listen();
  const last = broker.query(id, NOW);
  if (last === null) throw new Error('the model lost its order');
  const heard = timed.sort((a, b) => a.slot - b.slot).map(({ report }) => report);
  return { heard, last, broker };
}

const RANK: Readonly<Record<Order['kind'], number>> = {
  inFlight: 0,
  working: 1,
  canceling: 2,
  closing: 3,
  done: 4,
};

describe('an order whose reports are lost, repeated, late and shuffled', () => {
  const market = { ...intent, price: { type: 'market' as const } };

  it('books each execution once, goes forward only, and agrees with the broker after a last query', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(lives, (life) => {
        const { heard, last } = lived(life);
        let order: Order = openOrder(market);
        let cumMax = 0;
        let shares = 0;
        let money = 0;
        for (const report of [...heard, last]) {
          cumMax = Math.max(cumMax, report.cumQty);
          const { order: next, trade, overfill } = applyReport(order, report, NOW);
          seen.add(`${order.kind} ${report.source} ${report.status}`);
          expect(overfill).to.equal(false);
          expect(trade.qty, 'shares never leave a ledger').to.be.at.least(0);
          expect(bookedQty(next.ledger)).to.be.at.most(cumMax, 'never more than the broker ever told');
          // `done` may turn out to be wrong about its sum, nothing else goes back.
          if (!(order.kind === 'done' && next.kind === 'closing'))
            expect(RANK[next.kind]).to.be.at.least(RANK[order.kind]);
          if (next.kind === 'done' && isEndOfModel(report))
            expect(bookedQty(next.ledger)).to.equal(report.cumQty);
          shares += trade.qty;
          money += trade.notional;
          order = next;
        }
        expect(shares).to.equal(last.cumQty);
        expect(money).to.equal(last.cumNotional);
        expect(bookedNotional(order.ledger)).to.equal(last.cumNotional);
        expect(order.kind).to.equal(isEndOfModel(last) ? 'done' : 'working');
        expect(isLive(order)).to.equal(!isEndOfModel(last));
      }),
      { numRuns: 600 },
    );
    for (const cell of [
      'inFlight stream filled',
      'done stream new',
      'closing query canceled',
      'done stream canceled',
    ])
      expect([...seen], 'the property reached it').to.include(cell);
  });

  it('keeps `closing` exactly as long as fills are missing', () => {
    fc.assert(
      fc.property(lives, (life) => {
        const { heard } = lived(life);
        let order: Order = openOrder(market);
        for (const report of heard) {
          order = applyReport(order, report, NOW).order;
          if (order.kind === 'closing') expect(bookedQty(order.ledger)).to.be.below(order.cumQty);
        }
      }),
      { numRuns: 400 },
    );
  });
});

const isEndOfModel = ({ status }: ExecutionReport): boolean =>
  status === 'filled' || status === 'canceled' || status === 'expired';

describe('the fill ledger', () => {
  const story = new Story();
  const say = (order: Order, report: ExecutionReport): Order => applyReport(order, report, 0 as Micros).order;

  it('replaces inferred shares by the execution that comes late, at its price', () => {
    const asked = say(fresh, story.reportOf(intent, 'partially_filled', { source: 'query', cumQty: qty(6) }));
    expect(asked.ledger).to.include({ qty: 0, inferredQty: 6, inferredNotional: 6 * usd(100) });
    const late = story.reportOf(intent, 'partially_filled', { lastQty: 4, lastPx: usd(99), cumQty: qty(4) });
    expect(say(asked, late).ledger).to.deep.include({
      qty: 4,
      notional: 4 * usd(99),
      inferredQty: 2,
      inferredNotional: 6 * usd(100) - 4 * usd(99),
    });
  });

  it('never infers from the stream', () => {
    const report = story.reportOf(intent, 'partially_filled', { cumQty: qty(6) });
    expect(bookedQty(say(fresh, report).ledger)).to.equal(0);
  });

  it('values a total without a price by the order itself', () => {
    const report = story.reportOf(intent, 'filled', {
      source: 'query',
      cumQty: qty(20),
      cumNotional: cash(0),
    });
    expect(bookedNotional(say(fresh, report).ledger)).to.equal(20 * usd(100));
  });

  it('corrects the value of inferred shares when a later query knows better', () => {
    const blind = story.reportOf(intent, 'partially_filled', {
      source: 'query',
      cumQty: qty(6),
      cumNotional: cash(0),
    });
    const asked = say(fresh, blind);
    const priced = story.reportOf(intent, 'partially_filled', {
      source: 'query',
      cumQty: qty(6),
      lastPx: usd(99.5),
    });
    expect(bookedNotional(asked.ledger)).to.equal(6 * usd(100));
    expect(bookedNotional(say(asked, priced).ledger)).to.equal(6 * usd(99.5));
  });

  it('refuses an execution beyond the quantity whole, once, and counts a total beyond it up to the quantity', () => {
    const first = say(fresh, story.reportOf(intent, 'partially_filled', { lastQty: 15, id: 'a' }));
    const beyond = story.reportOf(intent, 'partially_filled', { lastQty: 6, cumQty: qty(20), id: 'b' });
    const second = applyReport(first, beyond, NOW);
    expect([bookedQty(second.order.ledger), second.overfill]).to.deep.equal([15, true]);
    const again = applyReport(second.order, beyond, NOW);
    expect([bookedQty(again.order.ledger), again.overfill]).to.deep.equal([15, false]);
    const total = story.reportOf(intent, 'filled', { source: 'query', cumQty: qty(25) });
    const third = applyReport(again.order, total, NOW);
    expect([bookedQty(third.order.ledger), third.overfill, third.order.kind]).to.deep.equal([
      20,
      true,
      'done',
    ]);
  });
});

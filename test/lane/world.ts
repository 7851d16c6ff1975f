import { expect } from 'chai';
import fc from 'fast-check';
import type { ExecutionReport, OrderStatus } from '../../lib/domain/execution.ts';
import { bookedQty } from '../../lib/domain/fills.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import {
  type Lane,
  nextWakeAt,
  ordersOf,
  reduceLane,
  sharesHeld,
  unsettledOrders,
} from '../../lib/domain/lane.ts';
import type { LaneCommand, LaneEvent, SubmitVerdict, TradingMode } from '../../lib/domain/lane-types.ts';
import type { Price } from '../../lib/domain/money.ts';
import { isLive } from '../../lib/domain/order.ts';
import { after as later, type Micros, seconds } from '../../lib/domain/time.ts';
import { ModelBroker, REJECTED } from './model-broker.ts';
import { type Bare, barAt, Story, usd } from './story.ts';

/** One thing that happens: what, and a number to choose by. */
export type Happening = { readonly what: keyof typeof HAPPENINGS; readonly pick: number };

const ENDS: readonly OrderStatus[] = ['expired', 'canceled', 'done_for_day', 'rejected'];
const MODES: readonly TradingMode[] = [
  'active',
  'active',
  'active',
  'active',
  'active',
  'active',
  'paused',
  'exitOnly',
  'flattening',
  'halted',
];

const HAPPENINGS = {
  /** The oldest request reaches its end, whatever that is. */
  request: (world: World, pick: number) => world.settleRequest(pick),
  /** Any report on the wire is delivered: order is not kept. */
  report: (world: World, pick: number) => world.deliver(pick),
  repeat: (world: World, pick: number) => world.repeat(pick),
  drop: ({ broker }: World, pick: number) => {
    broker.wire.splice(pick % Math.max(1, broker.wire.length), 1);
  },
  fill: ({ broker, now }: World, pick: number) => {
    const px = (usd(100) + (pick % 7) * 100) as Price;
    for (const { intent } of broker.live()) broker.fill(intent.clientOrderId, 1 + (pick % 9), px, now);
  },
  /** Somebody's hand, the venue or the clock ends an order. */
  end: ({ broker, now }: World, pick: number) => {
    for (const { intent } of broker.live().slice(pick % 3))
      broker.end(intent.clientOrderId, ENDS[pick % ENDS.length] ?? 'canceled', now);
  },
  obeyCancel: ({ broker, now }: World) => {
    for (const { intent, cancelAsked } of broker.live())
      if (cancelAsked) broker.end(intent.clientOrderId, 'canceled', now);
  },
  poll: (world: World) => world.poll(),
  tick: (world: World, pick: number) => world.pass(later(world.now, seconds(1 + (pick % 90)))),
  signal: (world: World) => {
    const bar = barAt((world.now - 60_000_000) as Micros);
    world.tell({ kind: 'barClosed', bar, origin: 'live', signal: 'enter' });
  },
  mode: (world: World, pick: number) =>
    world.tell({ kind: 'modeChanged', mode: MODES[pick % MODES.length] ?? 'active', by: 'test' }),
  halt: (world: World, pick: number) =>
    world.tell({ kind: 'haltChanged', halt: pick % 3 === 0 ? 'halted' : 'trading' }),
  gate: (world: World, pick: number) =>
    world.tell({
      kind: 'gateChanged',
      gate: pick % 3 === 0 ? { kind: 'shut', code: 'tradeFeedDown' } : { kind: 'open' },
    }),
} satisfies Record<string, (world: World, pick: number) => void>;

const WEIGHTS: Readonly<Record<keyof typeof HAPPENINGS, number>> = {
  request: 3,
  report: 4,
  repeat: 1,
  drop: 2,
  fill: 4,
  end: 1,
  obeyCancel: 2,
  poll: 1,
  tick: 2,
  signal: 3,
  mode: 1,
  halt: 1,
  gate: 1,
};

export const happenings = fc.array(
  fc.record<Happening>({
    what: fc.oneof(
      ...Object.entries(WEIGHTS).map(([what, weight]) => ({
        arbitrary: fc.constant(what as keyof typeof HAPPENINGS),
        weight,
      })),
    ),
    pick: fc.nat(1_000),
  }),
  { minLength: 20, maxLength: 160 },
);

/** A lane in front of the model broker, with a line between them that loses, repeats, delays and reorders. */
export class World {
  readonly broker = new ModelBroker();
  lane: Lane;
  now: Micros;
  /** Requests on their way. */
  readonly requests: OrderIntent[] = [];
  readonly delivered: ExecutionReport[] = [];
  readonly commands: LaneCommand[] = [];
  readonly stagesSeen = new Set<string>();

  constructor() {
    const story = new Story();
    this.lane = story.lane;
    this.now = story.now;
  }

  tell(bare: Bare): void {
    const event = { ...bare, at: this.now, mark: { price: usd(100), at: this.now } } as LaneEvent;
    const [lane, commands] = reduceLane(this.lane, event);
    this.lane = lane;
    this.commands.push(...commands);
    this.stagesSeen.add(lane.stage.kind);
    for (const command of commands) {
      if (command.kind === 'submit') this.requests.push(command.intent);
      if (command.kind === 'cancel') this.broker.askCancel(command.clientOrderId);
    }
    this.check();
  }

  /** What must hold after every single step. */
  check(): void {
    const { lane, broker } = this;
    const orders = ordersOf(lane);
    expect(broker.shares, 'never short at the broker').to.be.at.least(0);
    expect(orders.filter(isLive).length, 'one live order').to.be.at.most(1);
    for (const { kind } of lane.past) expect(kind, 'what is past is over').to.equal('done');
    for (const { kind } of lane.strays) expect(kind, 'a stray is not over').not.to.equal('done');
    expect(broker.live().length, 'one live order at the broker').to.be.at.most(1);
    let folded = 0;
    for (const order of orders) {
      const { intent, ledger } = order;
      const booked = bookedQty(ledger);
      expect(booked, 'booked within the order').to.be.at.most(intent.qty);
      const truth = broker.books.get(intent.clientOrderId)?.cumQty ?? 0;
      expect(booked, 'booked no more than was executed').to.be.at.most(truth);
      expect(new Set(ledger.executionIds).size).to.equal(ledger.executionIds.length);
      folded += intent.side === 'buy' ? booked : -booked;
      if (isLive(order) && intent.side === 'sell')
        expect(intent.qty - booked, 'sells are covered').to.be.at.most(sharesHeld(lane));
    }
    expect(sharesHeld(lane), 'position is the fold of fills').to.equal(folded);
    const wake = nextWakeAt(lane);
    if (wake !== null) expect(wake).to.be.greaterThan(lane.at);
  }

  happen({ what, pick }: Happening): void {
    HAPPENINGS[what](this, pick);
  }

  settleRequest(pick: number): void {
    const request = this.requests.shift();
    if (request === undefined) return;
    const verdicts: readonly (SubmitVerdict | null)[] = [
      REJECTED,
      { kind: 'absent' },
      { kind: 'denied', code: 'oversell', text: 'denied by the model' },
      // The answer is lost, the order is not.
      null,
      { kind: 'accepted' },
    ];
    const verdict = verdicts[pick % 9] ?? { kind: 'accepted' };
    const isLost = pick % 9 === 3;
    if (isLost || verdict.kind === 'accepted') this.broker.take(request, this.now);
    if (!isLost) this.tell({ kind: 'submitSettled', clientOrderId: request.clientOrderId, verdict });
  }

  deliver(pick: number): void {
    const { wire } = this.broker;
    const [report] = wire.splice(pick % Math.max(1, wire.length), 1);
    if (report === undefined) return;
    this.tell({ kind: 'reported', report });
    this.delivered.push(report);
  }

  repeat(pick: number): void {
    const report = this.delivered[pick % Math.max(1, this.delivered.length)];
    if (report !== undefined) this.tell({ kind: 'reported', report });
  }

  poll(): void {
    for (const { intent } of unsettledOrders(this.lane)) {
      const report = this.broker.query(intent.clientOrderId, this.now);
      if (report !== null) this.tell({ kind: 'reported', report });
    }
  }

  pass(to: Micros): void {
    for (let wake = nextWakeAt(this.lane); wake !== null && wake <= to; wake = nextWakeAt(this.lane)) {
      this.now = wake;
      this.tell({ kind: 'woke' });
    }
    this.now = to;
  }

  /** The faults stop: every request arrives, every query is answered, every cancel obeyed, every market order filled. */
  comeToRest(): void {
    const { broker } = this;
    this.tell({ kind: 'haltChanged', halt: 'trading' });
    this.tell({ kind: 'modeChanged', mode: 'flattening', by: 'test' });
    for (let round = 0; round < 40 && !this.isAtRest(); round += 1) {
      for (const request of this.requests.splice(0)) broker.take(request, this.now);
      for (const { intent, cancelAsked } of broker.live()) {
        if (cancelAsked) broker.end(intent.clientOrderId, 'canceled', this.now);
        else if (intent.price.type === 'market')
          broker.fill(intent.clientOrderId, intent.qty, usd(99), this.now);
      }
      this.poll();
      this.pass(later(this.now, seconds(10)));
    }
  }

  isAtRest(): boolean {
    const settled = this.broker.live().length === 0 && unsettledOrders(this.lane).length === 0;
    return settled && this.lane.stage.kind === 'flat';
  }
}

import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import type { ClientOrderId, Ticker } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { openLane, reduceLane, sharesHeld, unsettledOrders } from '../../lib/domain/lane.ts';
import type { LaneCommand, LaneEvent, SubmitVerdict } from '../../lib/domain/lane-types.ts';
import type { Mark } from '../../lib/domain/market.ts';
import { price } from '../../lib/domain/money.ts';
import { planSession } from '../../lib/domain/session.ts';
import { after, before, micros, minutes, seconds } from '../../lib/domain/time.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createSupervisor, type Supervisor } from '../../lib/engine/supervisor.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { LaneInputMessage } from '../../lib/ports/lane-protocol.ts';
import type { Strategy } from '../../lib/strategy/contract.ts';
import { ModelBroker, REJECTED } from '../lane/model-broker.ts';
import { laneParams, sessionOf } from './simulated-day.ts';
import { type LoggedLine, loggingTo, settle } from './support.ts';
import { UnrulyLanes } from './unruly-lanes.ts';

const SYMBOLS = ['SPY', 'AAPL'] as Ticker[];
const SESSION = sessionOf('09:30', '16:00');
const PX = price(1_000_000);

const enterAlways: Strategy<null> = {
  name: 'enter-always',
  check: () => [],
  open: () => null,
  onBar: () => ({ state: null, signal: 'enter', facts: {} }),
};

/** Whether one of them really happened: a schedule that never does proves nothing. */
export type Hits = Record<
  | 'diedWithShares'
  | 'diedSilent'
  | 'saidAndDied'
  | 'hungWithShares'
  | 'zombieDecided'
  | 'calledOff'
  | 'givenBack'
  | 'startFailed'
  | 'retired',
  number
>;

export const noHits = (): Hits => ({
  diedWithShares: 0,
  diedSilent: 0,
  saidAndDied: 0,
  hungWithShares: 0,
  zombieDecided: 0,
  calledOff: 0,
  givenBack: 0,
  startFailed: 0,
  retired: 0,
});

/** Supervisor and custodian between the worst of threads and a broker that takes everything; both are the test's. */
export class CustodyWorld {
  readonly supervisor: Supervisor;
  readonly lanes: UnrulyLanes;
  readonly clock: VirtualClock;
  readonly brokers = new Map(SYMBOLS.map((symbol) => [symbol, new ModelBroker()]));
  readonly requests: OrderIntent[] = [];
  readonly sent = new Set<ClientOrderId>();
  readonly lines: LoggedLine[] = [];
  readonly hits: Hits;

  constructor(hits: Hits, lossesMax: number) {
    this.hits = hits;
    const clock = createVirtualClock(after(SESSION.openAt, minutes(1)));
    const opened: UnrulyLanes[] = [];
    const marks = { read: () => this.marks() };
    this.clock = clock;
    this.supervisor = createSupervisor({
      clock,
      openHost(events) {
        const lanes = new UnrulyLanes(events, enterAlways, marks);
        opened.push(lanes);
        return lanes;
      },
      log: loggingTo(this.lines),
      settings: { ...DEFAULT_ENGINE_SETTINGS.supervisor, lossesMax },
      strategy: { name: 'enter-always' },
      marks,
      bars: () => [],
      events: {
        onSeated: () => undefined,
        onStep: (symbol, step) => {
          for (const command of step.commands) this.#act(symbol, command);
        },
        onSettled: () => undefined,
        onRetired: () => {
          hits.retired += 1;
        },
        onBroken: (error) => {
          throw error;
        },
      },
    });
    const [lanes] = opened;
    if (lanes === undefined) throw new Error('a supervisor opens its host at once');
    this.lanes = lanes;
  }

  async open(): Promise<void> {
    const plan = planSession(SESSION, minutes(5), seconds(120));
    const at = this.clock.now();
    const events: readonly LaneEvent[] = [
      { kind: 'sessionOpened', at, mark: null, plan },
      { kind: 'gateChanged', at, mark: null, gate: { kind: 'open' } },
    ];
    const started = this.supervisor.start(
      SYMBOLS.map((symbol) =>
        events.reduce((lane, event) => reduceLane(lane, event)[0], openLane(laneParams(symbol))),
      ),
    );
    for (const _ of SYMBOLS) this.lanes.arrive(false);
    await started;
  }

  marks(): Mark {
    return { price: PX, at: this.clock.now() };
  }

  tell(symbol: Ticker, input: LaneInputMessage): void {
    this.supervisor.deliver(symbol, input);
  }

  bar(symbol: Ticker): void {
    const at = this.clock.now();
    const startAt = before(at, minutes(1));
    const bar = { symbol, startAt, open: PX, high: PX, low: PX, close: PX };
    this.tell(symbol, {
      kind: 'bars',
      at,
      bars: [{ ...bar, volume: 100, tradeCount: 1, vwap: PX }],
      origin: 'live',
    });
  }

  brokerOf(symbol: Ticker): ModelBroker {
    const broker = this.brokers.get(symbol);
    if (broker === undefined) throw new RangeError(`no such symbol: ${symbol}`);
    return broker;
  }

  #act(symbol: Ticker, command: LaneCommand): void {
    if (command.kind === 'cancel') this.brokerOf(symbol).askCancel(command.clientOrderId);
    if (command.kind !== 'submit') return;
    const { intent } = command;
    expect(this.sent.has(intent.clientOrderId), `sent twice: ${intent.clientOrderId}`).to.equal(false);
    this.sent.add(intent.clientOrderId);
    this.requests.push(intent);
  }

  /** The oldest request of all comes to its end, whatever that is. */
  settleRequest(pick: number): void {
    const intent = this.requests.shift();
    if (intent === undefined) return;
    const verdict: SubmitVerdict | null =
      pick % 7 === 0 ? REJECTED : pick % 7 === 1 ? null : { kind: 'accepted' };
    if (verdict?.kind !== 'rejected') this.brokerOf(intent.symbol).take(intent, this.clock.now());
    const { clientOrderId, symbol } = intent;
    if (verdict !== null)
      this.tell(symbol, { kind: 'submitSettled', at: this.clock.now(), clientOrderId, verdict });
  }

  fill(symbol: Ticker, qty: number): void {
    const broker = this.brokerOf(symbol);
    for (const { intent } of broker.live()) broker.fill(intent.clientOrderId, qty, PX, this.clock.now());
  }

  obeyCancels(symbol: Ticker): void {
    const broker = this.brokerOf(symbol);
    for (const { intent, cancelAsked } of broker.live())
      if (cancelAsked) broker.end(intent.clientOrderId, 'canceled', this.clock.now());
  }

  report(symbol: Ticker): void {
    const report = this.brokerOf(symbol).wire.shift();
    if (report !== undefined) this.tell(symbol, { kind: 'reported', at: this.clock.now(), report });
  }

  poll(symbol: Ticker): void {
    for (const { intent } of unsettledOrders(this.supervisor.lane(symbol))) {
      const report = this.brokerOf(symbol).query(intent.clientOrderId, this.clock.now());
      if (report !== null) this.tell(symbol, { kind: 'reported', at: this.clock.now(), report });
    }
  }

  hear(symbol: Ticker): void {
    const isZombie = this.lanes.isGivenUp(symbol);
    const before = this.supervisor.lane(symbol);
    const sent = this.sent.size;
    const uplink = this.lanes.hear(symbol);
    if (!isZombie || uplink?.kind !== 'decided') return;
    this.hits.zombieDecided += 1;
    expect(this.supervisor.lane(symbol), 'a lane given up is not heard').to.equal(before);
    expect(this.sent.size, 'nor does it send').to.equal(sent);
  }

  die(symbol: Ticker, silent: boolean): void {
    if (!this.lanes.isSeated(symbol)) return;
    if (silent) this.hits.diedSilent += 1;
    else this.hits.saidAndDied += 1;
    this.lanes.die(symbol, silent);
    if (this.#holds(symbol)) this.hits.diedWithShares += 1;
    expect(this.supervisor.ownerOf(symbol), 'taken over in the same turn').to.not.equal('thread');
  }

  hang(symbol: Ticker): void {
    if (this.lanes.isSeated(symbol) && this.#holds(symbol)) this.hits.hungWithShares += 1;
    this.lanes.hang(symbol, true);
  }

  async pass(wait: number): Promise<void> {
    const until = micros(this.clock.now() + wait);
    for (let next = this.clock.nextAt(); next !== null && next <= until; next = this.clock.nextAt()) {
      this.clock.runNext();
      await settle();
    }
    this.clock.runUntil(until);
  }

  #holds(symbol: Ticker): boolean {
    return sharesHeld(this.supervisor.lane(symbol)) > 0;
  }

  /** What must hold after everything that happens. */
  check(): void {
    for (const symbol of SYMBOLS) {
      const broker = this.brokerOf(symbol);
      const lane = this.supervisor.lane(symbol);
      const owner = this.supervisor.ownerOf(symbol);
      expect(broker.shares, `${symbol}: never short`).to.be.at.least(0);
      expect(broker.live().length, `${symbol}: one live order`).to.be.at.most(1);
      if (owner === 'handover')
        expect([sharesHeld(lane), unsettledOrders(lane).length], `${symbol}: flat on the way`).to.deep.equal([
          0, 0,
        ]);
      expect(this.lanes.isSeated(symbol), `${symbol}: one owner, and it is ${owner}`).to.equal(
        owner === 'thread',
      );
      const own = owner === 'thread' ? this.lanes.settledLane(symbol) : null;
      expect(own === null || isDeepStrictEqual(own, lane), `${symbol}: shadow and lane agree`).to.equal(true);
    }
  }

  /** The faults stop: everything is read, answered, filled. */
  async comeToRest(): Promise<void> {
    for (const symbol of SYMBOLS)
      this.tell(symbol, { kind: 'modeChanged', at: this.clock.now(), mode: 'flattening', by: 'test' });
    for (let round = 0; round < 60 && !this.isAtRest(); round += 1) {
      this.lanes.arrive(false);
      await settle();
      for (const intent of this.requests.splice(0))
        this.brokerOf(intent.symbol).take(intent, this.clock.now());
      for (const symbol of SYMBOLS) {
        this.lanes.release(symbol);
        this.obeyCancels(symbol);
        for (const { intent } of this.brokerOf(symbol).live())
          if (intent.price.type === 'market') this.fill(symbol, intent.qty);
        while (this.brokerOf(symbol).wire.length > 0) this.report(symbol);
        this.poll(symbol);
        this.read(symbol);
      }
      await this.pass(seconds(1));
      this.check();
    }
  }

  /** One thing after another, as on any day: a bar, its order, part of a fill, the word about it. */
  flow(symbol: Ticker): void {
    this.lanes.arrive(false);
    this.bar(symbol);
    this.read(symbol);
    while (this.requests.length > 0) this.settleRequest(2);
    this.fill(symbol, 7);
    while (this.brokerOf(symbol).wire.length > 0) this.report(symbol);
    this.read(symbol);
  }

  /** Both sides read all there is. */
  read(symbol: Ticker): void {
    for (let messages = 0; messages < 50; messages += 1) {
      this.lanes.work(symbol);
      this.hear(symbol);
    }
  }

  isAtRest(): boolean {
    return SYMBOLS.every((symbol) => {
      const lane = this.supervisor.lane(symbol);
      const flat = sharesHeld(lane) === 0 && unsettledOrders(lane).length === 0;
      return flat && this.brokerOf(symbol).shares === 0 && this.brokerOf(symbol).live().length === 0;
    });
  }

  count(event: string): number {
    return this.lines.filter((line) => line.event === event).length;
  }
}

export const symbolAt = (pick: number): Ticker => SYMBOLS[pick % SYMBOLS.length] ?? (SYMBOLS[0] as Ticker);

import { expect } from 'chai';
import type { ExecutionId, Ticker } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { openLane, reduceLane, sharesHeld } from '../../lib/domain/lane.ts';
import type { LaneEvent } from '../../lib/domain/lane-types.ts';
import { cash, price, qty } from '../../lib/domain/money.ts';
import { planSession } from '../../lib/domain/session.ts';
import { before, type Duration, after as later, minutes, seconds } from '../../lib/domain/time.ts';
import { DEFAULT_ENGINE_SETTINGS, type SupervisorSettings } from '../../lib/engine/settings.ts';
import { createSupervisor } from '../../lib/engine/supervisor.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { LaneInputMessage } from '../../lib/ports/lane-protocol.ts';
import { type ScriptedHost, scriptedHost } from './scripted-host.ts';
import { laneParams, sessionOf } from './simulated-day.ts';
import { advance, intentOf, type LoggedLine, loggingTo, reportOn, SPY, START, settle } from './support.ts';

const THREW = { code: 'threw', text: 'the signal divided by zero' };
const plan = planSession(sessionOf('09:30', '16:00'), minutes(5), seconds(120));

/** A supervisor of one lane on virtual time; `late` puts the main thread that far behind its timers. */
function open(over: Partial<SupervisorSettings> = {}) {
  const virtual = createVirtualClock(START);
  const lines: LoggedLine[] = [];
  const submitted: OrderIntent[] = [];
  const stepped: string[] = [];
  const broken: unknown[] = [];
  const asked: ScriptedHost[] = [];
  let onNextStep = (): void => undefined;
  let behind = 0 as Duration;
  const clock = {
    now: () => later(virtual.now(), behind),
    at: (at: typeof START, task: () => void) => virtual.at(before(at, behind), task),
  };
  const settings = { ...DEFAULT_ENGINE_SETTINGS.supervisor, ...over };
  const supervisor = createSupervisor({
    clock,
    openHost(events) {
      const host = scriptedHost(events);
      asked.push(host);
      return host;
    },
    log: loggingTo(lines),
    settings,
    strategy: { name: 'sma-cross', period: 20 },
    marks: { read: () => ({ price: price(1_000_000), at: clock.now() }) },
    bars: () => [],
    events: {
      onSeated: () => undefined,
      onStep(_symbol, step) {
        stepped.push(`begins ${step.event.kind}`);
        for (const command of step.commands) if (command.kind === 'submit') submitted.push(command.intent);
        const act = onNextStep;
        onNextStep = () => undefined;
        act();
        stepped.push(`ends ${step.event.kind}`);
      },
      onSettled: () => undefined,
      onRetired: () => undefined,
      onBroken: (error) => broken.push(error),
    },
  });
  const [host] = asked;
  if (host === undefined) throw new Error('a supervisor opens its host at once');
  const lane = reduceLane(openLane(laneParams(SPY)), {
    kind: 'sessionOpened',
    at: START,
    mark: null,
    plan,
  } satisfies LaneEvent)[0];
  return {
    supervisor,
    host,
    lines,
    submitted,
    stepped,
    broken,
    settings,
    lane,
    clock,
    pass: (wait: Duration) => advance(virtual, later(virtual.now(), wait)),
    late(by: Duration) {
      behind = (behind + by) as Duration;
    },
    linesOf: (event: string) => lines.filter((line) => line.event === event),
    tell: (input: LaneInputMessage) => supervisor.deliver(SPY, input),
    whenStepped(act: () => void) {
      onNextStep = act;
    },
    bars: (): LaneInputMessage => ({ kind: 'bars', at: clock.now(), bars: [], origin: 'live' }),
    /** A lane keeps its symbol: its machine throws on these. */
    foreignParams: (): LaneInputMessage => ({
      kind: 'paramsChanged',
      at: clock.now(),
      params: { ...laneParams(SPY), symbol: 'QQQ' as Ticker },
    }),
    mode: (): LaneInputMessage => ({ kind: 'modeChanged', at: clock.now(), mode: 'active', by: 'test' }),
    /** Shares out of nowhere: an order that was held for dead has filled, or the operator gave them to us. */
    shares: (): LaneInputMessage => ({
      kind: 'adopted',
      at: clock.now(),
      qty: qty(5),
      averagePx: price(1_000_000),
      heldSince: clock.now(),
    }),
    /** The order that was sent last has sold them all. */
    sold: (): LaneInputMessage => ({
      kind: 'reported',
      at: clock.now(),
      report: reportOn(submitted.at(-1) ?? intentOf('exit', 1), 'filled', {
        cumQty: qty(5),
        cumNotional: cash(5_000_000),
        fill: { executionId: 'x1' as ExecutionId, lastQty: qty(5), lastPx: price(1_000_000) },
      }),
    }),
  };
}

describe('supervisor', () => {
  it('takes over a lane that was ready and is lost before the start of all lanes is done', async () => {
    const { supervisor, host, lane, pass, tell, mode } = open();
    let starts = 0;
    host.onStart = () => {
      starts += 1;
      if (starts === 1) host.lose(SPY, { code: 'exited', text: 'gone at once' });
    };
    await supervisor.start([lane]);
    expect(supervisor.ownerOf(SPY)).to.equal('custodian');
    expect(supervisor.losses(SPY)).to.equal(1);
    await pass(seconds(2));
    tell(mode());
    await pass(seconds(1));
    expect([starts, supervisor.ownerOf(SPY)]).to.deep.equal([2, 'thread']);
    await supervisor.stop();
  });

  describe('looks for a sign of life', () => {
    it('and takes over a lane that has given none for so long', async () => {
      const { supervisor, lane, pass, settings } = open();
      await supervisor.start([lane]);
      await pass((settings.pingEvery + settings.stallAfter - 1) as Duration);
      expect(supervisor.ownerOf(SPY)).to.equal('thread');
      await pass(1 as Duration);
      expect(supervisor.ownerOf(SPY)).to.equal('custodian');
      await supervisor.stop();
    });

    it('and blames no lane when it was itself too late to hear', async () => {
      const { supervisor, host, lane, pass, late, settings } = open();
      await supervisor.start([lane]);
      await pass(settings.pingEvery);
      const seq = host.pings.at(-1)?.seq ?? 0;
      // Its answer is here, unread, while the main thread stands still for longer than a stall.
      late((3 * settings.stallAfter) as Duration);
      await pass(settings.pingEvery);
      expect(supervisor.ownerOf(SPY)).to.equal('thread');
      host.say({ kind: 'alive', symbol: SPY, ack: seq });
      await pass(settings.pingEvery);
      expect(supervisor.ownerOf(SPY)).to.equal('thread');
      // One that really is silent is found afterwards.
      await pass(settings.stallAfter);
      expect(supervisor.ownerOf(SPY)).to.equal('custodian');
      await supervisor.stop();
    });
  });

  describe('gives a lane back', () => {
    it('and takes it again when shares turn up on the way', async () => {
      const { supervisor, host, lane, pass, tell, shares, mode, submitted, linesOf } = open();
      await supervisor.start([lane]);
      host.lose(SPY, THREW);
      let arrive = (): void => undefined;
      host.onStart = () =>
        new Promise<void>((resolve) => {
          arrive = resolve;
        });
      await pass(seconds(1));
      expect(supervisor.ownerOf(SPY)).to.equal('handover');
      tell(mode());
      tell(shares());
      // The new thread may take long, or never come: nobody waits for it with shares in hand.
      expect(supervisor.ownerOf(SPY)).to.equal('custodian');
      expect(submitted).to.have.length(1);
      expect(linesOf('lane.handover.calledOff')).to.have.length(1);
      arrive();
      await settle();
      expect(host.stopped).to.deep.equal([SPY]);
      expect(supervisor.ownerOf(SPY)).to.equal('custodian');
      expect(sharesHeld(supervisor.lane(SPY))).to.equal(5);
      expect(supervisor.losses(SPY)).to.equal(1);
      await supervisor.stop();
    });

    it('only when the custodian has nothing left to do', async () => {
      const { supervisor, host, lane, pass, tell, shares, submitted } = open();
      await supervisor.start([lane]);
      host.lose(SPY, THREW);
      tell(shares());
      await pass(seconds(5));
      expect([supervisor.ownerOf(SPY), host.starts.length]).to.deep.equal(['custodian', 1]);
      expect(submitted).to.have.length(1);
      await supervisor.stop();
    });

    it('not in the middle of what the custodian is told', async () => {
      const { supervisor, host, lane, pass, tell, shares, sold, whenStepped, submitted } = open();
      await supervisor.start([lane]);
      host.lose(SPY, THREW);
      tell(shares());
      await pass(seconds(1));
      // Flat by the first word, and not by the one that comes while it is acted on.
      whenStepped(() => tell(shares()));
      tell(sold());
      expect(supervisor.ownerOf(SPY)).to.equal('custodian');
      expect(sharesHeld(supervisor.lane(SPY))).to.equal(5);
      expect([host.starts.length, submitted.length]).to.deep.equal([1, 2]);
      await supervisor.stop();
    });
  });

  describe('takes a step ahead of a lane that owes no decision', () => {
    it('in the turn that brings the input, and tells the thread afterwards', async () => {
      const { supervisor, host, lane, tell, shares, submitted } = open();
      await supervisor.start([lane]);
      tell(shares());
      expect(submitted.map(({ side, qty }) => [side, qty])).to.deep.equal([['sell', 5]]);
      expect(host.posted, 'nothing is left for the thread to decide').to.deep.equal([]);
      const [told] = host.repeated;
      expect(told?.step.event).to.deep.include({ kind: 'adopted', qty: 5 });
      expect(told?.step.commands.map(({ kind }) => kind)).to.deep.equal(['submit']);
      expect(supervisor.isAnswered()).to.equal(false);
      host.say({ kind: 'decided', symbol: SPY, ack: told?.seq ?? 0, steps: [] });
      expect(supervisor.isAnswered()).to.equal(true);
      expect(submitted).to.have.length(1);
      await supervisor.stop();
    });

    it('and leaves bars to the thread, with everything that comes before it has decided on them', async () => {
      const { supervisor, host, lane, tell, shares, bars, submitted } = open();
      await supervisor.start([lane]);
      tell(bars());
      tell(shares());
      expect(host.posted.map(({ input }) => input.kind)).to.deep.equal(['bars', 'adopted']);
      expect([host.repeated.length, submitted.length]).to.deep.equal([0, 0]);
      const ack = host.posted.at(-1)?.seq ?? 0;
      host.say({ kind: 'decided', symbol: SPY, ack, steps: [] });
      tell(shares());
      expect([host.posted.length, host.repeated.length, submitted.length]).to.deep.equal([2, 1, 1]);
      await supervisor.stop();
    });

    it('one after the other, when one brings the next', async () => {
      const { supervisor, host, lane, tell, shares, mode, whenStepped, stepped } = open();
      await supervisor.start([lane]);
      whenStepped(() => tell(mode()));
      tell(shares());
      expect(stepped).to.deep.equal([
        'begins adopted',
        'ends adopted',
        'begins modeChanged',
        'ends modeChanged',
      ]);
      expect(host.repeated.map(({ step }) => step.event.kind)).to.deep.equal(['adopted', 'modeChanged']);
      await supervisor.stop();
    });

    it('not in the middle of a step that the thread has decided', async () => {
      const { supervisor, host, lane, tell, bars, mode, whenStepped, stepped, clock } = open();
      await supervisor.start([lane]);
      tell(bars());
      whenStepped(() => tell(mode()));
      const event: LaneEvent = { kind: 'gateChanged', at: clock.now(), mark: null, gate: { kind: 'open' } };
      const ack = host.posted.at(-1)?.seq ?? 0;
      host.say({ kind: 'decided', symbol: SPY, ack, steps: [{ event, commands: [] }] });
      expect(stepped).to.deep.equal([
        'begins gateChanged',
        'ends gateChanged',
        'begins modeChanged',
        'ends modeChanged',
      ]);
      await supervisor.stop();
    });

    it('and says so when acting on it throws, whoever catches that on the way', async () => {
      const { supervisor, lane, tell, mode, whenStepped, broken, stepped } = open();
      await supervisor.start([lane]);
      const fault = new Error('a promise of our own');
      whenStepped(() => {
        throw fault;
      });
      expect(() => tell(mode())).to.throw(fault.message);
      expect(broken).to.deep.equal([fault]);
      tell(mode());
      expect(stepped.at(-1), 'the lane still takes steps').to.equal('ends modeChanged');
      await supervisor.stop();
    });

    it('once: who takes the lane over is not told again what was taken', async () => {
      const { supervisor, host, lane, tell, shares, bars, linesOf, submitted } = open();
      await supervisor.start([lane]);
      tell(shares());
      tell(bars());
      host.lose(SPY, THREW);
      expect(linesOf('lane.lost')[0]?.fields).to.include({ unanswered: 1, shares: 5 });
      expect([submitted.length, sharesHeld(supervisor.lane(SPY))]).to.deep.equal([1, 5]);
      await supervisor.stop();
    });

    it('but for what its machine throws on: that is between the lane and its thread', async () => {
      const { supervisor, host, lane, tell, foreignParams } = open();
      await supervisor.start([lane]);
      tell(foreignParams());
      expect(host.posted.map(({ input }) => input.kind)).to.deep.equal(['paramsChanged']);
      expect(host.repeated).to.deep.equal([]);
      await supervisor.stop();
    });
  });

  describe('bounds what a lane has not answered', () => {
    it('says so when it is full, and takes the lane over with all of it', async () => {
      const { supervisor, host, lane, tell, mode, linesOf } = open({ unackedMax: 3, stepAhead: false });
      await supervisor.start([lane]);
      for (let n = 0; n < 4; n += 1) tell(mode());
      expect(supervisor.ownerOf(SPY)).to.equal('custodian');
      expect(linesOf('lane.queue.full').map(({ fields }) => fields)).to.deep.include.members([
        { symbol: SPY, queue: 'inputs', bound: 3, consequence: 'the custodian takes the lane over' },
      ]);
      expect(linesOf('lane.lost')[0]?.fields).to.include({ code: 'stalled', unanswered: 4 });
      expect(host.stopped).to.deep.equal([SPY]);
      await supervisor.stop();
    });

    it('and forgets what it has answered', async () => {
      const { supervisor, host, lane, tell, mode, linesOf } = open({ unackedMax: 3, stepAhead: false });
      await supervisor.start([lane]);
      for (let n = 0; n < 9; n += 1) {
        tell(mode());
        const ack = host.posted.at(-1)?.seq ?? 0;
        if (n !== 7) host.say({ kind: 'decided', symbol: SPY, ack, steps: [] });
      }
      expect(supervisor.isAnswered()).to.equal(true);
      tell(mode());
      host.lose(SPY, THREW);
      expect(linesOf('lane.lost')[0]?.fields).to.include({ code: 'threw', unanswered: 1 });
      await supervisor.stop();
    });

    it('and what it is to be told when its new thread is there', async () => {
      const { supervisor, host, lane, pass, tell, mode, linesOf } = open({ unackedMax: 3 });
      await supervisor.start([lane]);
      host.lose(SPY, THREW);
      host.onStart = () => new Promise(() => undefined);
      await pass(seconds(1));
      for (let n = 0; n < 4; n += 1) tell(mode());
      expect(supervisor.ownerOf(SPY)).to.equal('custodian');
      expect(linesOf('lane.queue.full').map(({ fields }) => fields.queue)).to.deep.equal(['handover']);
      await supervisor.stop();
    });
  });
});

import { expect } from 'chai';
import { type Lane, openLane } from '../../lib/domain/lane.ts';
import { price } from '../../lib/domain/money.ts';
import { openOrder } from '../../lib/domain/order.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import { after as later, minutes, type SessionDay, seconds } from '../../lib/domain/time.ts';
import { createKillSwitch } from '../../lib/engine/kill-switch.ts';
import { createLaneModes } from '../../lib/engine/modes.ts';
import { createOrderTracker } from '../../lib/engine/order-tracker.ts';
import { createReconciler } from '../../lib/engine/reconciler.ts';
import { createRecorder } from '../../lib/engine/recorder.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import { laneParams, memoryJournal } from './simulated-day.ts';
import { advance, failure, intentOf, loggingTo, SPY, START, scriptedBroker } from './support.ts';

/** A broker that shows five shares which no lane bought. */
function world(shares = 5) {
  const clock = createVirtualClock(START);
  let held = shares;
  let session = true;
  let lane = openLane(laneParams(SPY));
  const script = scriptedBroker();
  const broker = {
    ...script,
    positions: async () => ({
      kind: 'ok' as const,
      value: held === 0 ? [] : [{ symbol: SPY, shares: held, available: held, averagePx: price(1_000_000) }],
    }),
  };
  const log = loggingTo([]);
  const bucket = createTokenBucket({ limit: 1_000, reserve: 0.2, window: minutes(1) });
  const queue = createRequestQueue(clock, bucket, DEFAULT_ENGINE_SETTINGS.gateway);
  const nothing = (): void => undefined;
  const tracker = createOrderTracker({
    clock,
    broker,
    queue,
    log,
    settings: DEFAULT_ENGINE_SETTINGS.tracker,
    events: { onReport: nothing, onVerdict: nothing, onSuccessor: nothing, onForeign: nothing },
  });
  const modes = createLaneModes([SPY], nothing);
  const reconciler = createReconciler({
    clock,
    broker,
    queue,
    tracker,
    modes,
    recorder: createRecorder(clock, memoryJournal(), log),
    log,
    settings: DEFAULT_ENGINE_SETTINGS.reconcile,
    lanes: () => [lane],
    inSession: () => session,
    onLook: nothing,
    onGone: nothing,
  });
  const asked = (what: string): number => script.asked.filter((line) => line === what).length;
  return {
    clock,
    modes,
    reconciler,
    script,
    asked,
    hold: (now: number): void => {
      held = now;
    },
    endSession: (): void => {
      session = false;
    },
    put: (now: Lane): void => {
      lane = now;
    },
    run: (second: number): Promise<void> => advance(clock, later(START, seconds(second))),
  };
}

describe('reconciler', () => {
  it('looks that follow at once do not confirm what only lags', async () => {
    const { clock, modes, reconciler } = world();
    reconciler.openSession(START);
    reconciler.start();
    for (let look = 0; look < 10; look += 1) {
      reconciler.soon();
      await advance(clock, later(START, seconds(look / 10)));
    }
    expect(modes.of(SPY)).to.equal('active');
    await advance(clock, later(START, seconds(20)));
    expect(modes.of(SPY), 'it persists').to.equal('halted');
    reconciler.stop();
  });

  it("reads the account's fills at the start, when called, and while something disagrees; not in looks that agree", async () => {
    const { reconciler, asked, hold, run } = world(0);
    reconciler.openSession(START);
    reconciler.start();
    await run(100);
    expect([asked('openOrders'), asked('fillsSince')], 'a look each 30 s').to.deep.equal([4, 1]);
    reconciler.soon();
    await run(101);
    expect(asked('fillsSince'), 'after a gap').to.equal(2);
    hold(5);
    await run(150);
    expect(asked('fillsSince'), 'until it stands').to.be.within(4, 5);
    const stands = asked('fillsSince');
    await run(300);
    expect(asked('fillsSince') - stands, 'shares of others are no news').to.be.at.most(1);
    await reconciler.picture();
    expect(asked('fillsSince') - stands, 'the last picture').to.be.at.most(2);
    reconciler.stop();
  });

  it('asks a broker that does not answer with growing pauses, and concludes nothing', async () => {
    const { reconciler, script, modes, asked, run } = world();
    script.onOrdersSince = () => ({ kind: 'failed', failure: failure('serverError') });
    reconciler.openSession(START);
    reconciler.start();
    await run(300);
    // Three tries a look, a second apart; then 6, 12, 24 and 30 seconds.
    expect(asked('ordersSince')).to.be.within(24, 36);
    expect(modes.of(SPY)).to.equal('active');
    expect(reconciler.discrepancies()).to.deep.equal([]);
    reconciler.stop();
  });

  it('outside sessions, with nothing held and nothing open, looks every five minutes, and at once when called', async () => {
    const { reconciler, asked, endSession, put, run } = world(0);
    reconciler.openSession(START);
    reconciler.start();
    endSession();
    await run(1_000);
    expect(asked('openOrders'), 'at 0, 5, 10 and 15 minutes').to.equal(4);
    reconciler.soon();
    await run(1_001);
    expect(asked('openOrders'), 'called').to.equal(5);
    const idle = openLane(laneParams(SPY));
    put({ ...idle, stage: { kind: 'exiting', order: openOrder(intentOf('exit', 1)) } });
    reconciler.soon();
    await run(1_003);
    const before = asked('openOrders');
    await run(1_063);
    expect(asked('openOrders') - before, 'an order that is open is looked after').to.equal(2);
    reconciler.stop();
  });

  it('whatever calls for looks in a row, they come a second apart', async () => {
    const { reconciler, asked, run } = world(0);
    reconciler.openSession(START);
    reconciler.start();
    for (let tenth = 0; tenth < 100; tenth += 1) {
      reconciler.soon();
      await run(tenth / 10);
    }
    expect(asked('openOrders')).to.be.within(9, 12);
    reconciler.stop();
  });

  it('the last picture of a session counts as it is', async () => {
    const { reconciler, run } = world();
    reconciler.openSession(START);
    const asked = reconciler.picture();
    await run(1);
    const picture = await asked;
    if (picture === null) throw new Error('the broker answers');
    expect(reconciler.discrepancies(), 'nothing is confirmed yet').to.deep.equal([]);
    expect(reconciler.check(picture).map(({ code }) => code)).to.deep.equal(['foreign']);
    reconciler.stop();
  });

  it('shows what is open before the first session is known', async () => {
    const { clock, reconciler } = world();
    const asked = reconciler.picture();
    await advance(clock, later(START, seconds(1)));
    expect((await asked)?.positions).to.have.length(1);
  });
});

describe('kill switch after a restart', () => {
  it('a symbol that was resumed with all others stays resumed', async () => {
    const clock = createVirtualClock(START);
    const log = loggingTo([]);
    const journal = memoryJournal();
    const recorder = createRecorder(clock, journal, log);
    const day = '2026-10-05' as SessionDay;
    recorder.openDay(day);
    const open = () => {
      const modes = createLaneModes([SPY], () => undefined);
      const limits = DEFAULT_RISK_LIMITS;
      return { modes, killSwitch: createKillSwitch({ clock, modes, recorder, log, limits, symbols: [SPY] }) };
    };
    const { killSwitch } = open();
    killSwitch.pause({ symbol: SPY, by: 'ann', why: 'lunch' });
    killSwitch.resume({ symbol: null, by: 'ann', why: 'back', clearLatches: false });
    await advance(clock, START);
    const again = open();
    again.killSwitch.restore(await journal.read(day));
    expect(again.modes.of(SPY)).to.equal('active');
  });
});

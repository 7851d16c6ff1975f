import { expect } from 'chai';
import { openLane } from '../../lib/domain/lane.ts';
import { price } from '../../lib/domain/money.ts';
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
import { advance, loggingTo, SPY, START, scriptedBroker } from './support.ts';

/** A broker that shows five shares which no lane bought. */
function world() {
  const clock = createVirtualClock(START);
  const broker = {
    ...scriptedBroker(),
    positions: async () => ({
      kind: 'ok' as const,
      value: [{ symbol: SPY, shares: 5, available: 5, averagePx: price(1_000_000) }],
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
    lanes: () => [openLane(laneParams(SPY))],
    onLook: nothing,
  });
  return { clock, modes, reconciler };
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

import { expect } from 'chai';
import { openLane } from '../../lib/domain/lane.ts';
import { after as later, seconds } from '../../lib/domain/time.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createSupervisor } from '../../lib/engine/supervisor.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { LaneHost, LaneHostEvents } from '../../lib/ports/lane-host.ts';
import { laneParams } from './simulated-day.ts';
import { advance, loggingTo, SPY, START } from './support.ts';

describe('supervisor', () => {
  it('takes over a lane that was ready and is lost before the start of all lanes is done', async () => {
    const clock = createVirtualClock(START);
    let starts = 0;
    const openHost = (events: LaneHostEvents): LaneHost => ({
      async start() {
        starts += 1;
        events.onUplink({ kind: 'ready', symbol: SPY });
        if (starts === 1) events.onLost(SPY, { code: 'exited', text: 'gone at once' });
      },
      post: () => 1,
      ping: () => 1,
      setMark: () => undefined,
      control: () => {
        throw new Error('not asked here');
      },
      threadOf: () => null,
      stop: async () => undefined,
      close: async () => undefined,
    });
    const supervisor = createSupervisor({
      clock,
      openHost,
      log: loggingTo([]),
      settings: DEFAULT_ENGINE_SETTINGS.supervisor,
      strategy: { name: 'sma-cross', period: 20 },
      marks: { read: () => null },
      bars: () => [],
      events: { onStep: () => undefined, onSettled: () => undefined, onRetired: () => undefined },
    });
    await supervisor.start([openLane(laneParams(SPY))]);
    expect(supervisor.ownerOf(SPY)).to.equal('custodian');
    expect(supervisor.losses(SPY)).to.equal(1);
    await advance(clock, later(START, seconds(2)));
    supervisor.deliver(SPY, { kind: 'modeChanged', at: clock.now(), mode: 'active', by: 'test' });
    await advance(clock, later(START, seconds(2)));
    expect([starts, supervisor.ownerOf(SPY)]).to.deep.equal([2, 'thread']);
    await supervisor.stop();
  });
});

import { expect } from 'chai';
import {
  before as earlier,
  after as later,
  minutes,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';
import { NO_FAULTS } from '../../lib/sim/fault-types.ts';
import type { FaultPlan } from '../../lib/sim/faults.ts';
import { SYMBOLS, sessionOf, startDay } from './simulated-day.ts';

const FIRST = sessionOf('09:30', '10:00');
const NEXT = sessionOf('09:30', '10:00', '2026-10-06' as SessionDay);
const THIRD = sessionOf('09:30', '10:00', '2026-10-07' as SessionDay);

describe('the engine between sessions', function () {
  this.timeout(60_000);

  it('stops at once while it waits for the open, and knows that it is flat', async () => {
    const day = await startDay({ seed: 1, session: FIRST, startAt: earlier(FIRST.openAt, minutes(60)) });
    const from = day.clock.now();
    const stopping = day.engine().stop('flatten', later(from, seconds(20)));
    let took = Number.POSITIVE_INFINITY;
    void stopping.then(() => {
      took = day.clock.now() - from;
    });
    await day.runTo(later(from, minutes(2)));
    expect(took).to.be.lessThan(seconds(5));
    expect((await stopping).flat).to.equal(true);
  });

  it('stops in time though the broker answers nothing', async () => {
    const faults: FaultPlan = { ...NO_FAULTS, rates: { restServerError: 1 } };
    const mute = await startDay({ seed: 1, session: FIRST, faults });
    const from = mute.clock.now();
    let took = Number.POSITIVE_INFINITY;
    const stopping = mute.engine().stop('flatten', later(from, seconds(20)));
    void stopping.then(() => {
      took = mute.clock.now() - from;
    });
    await mute.runTo(later(from, minutes(3)));
    expect(took).to.be.lessThan(seconds(23));
  });

  it('a kill while waiting survives every later restart', async () => {
    const day = await startDay({
      seed: 1,
      session: FIRST,
      more: [NEXT, THIRD],
      startAt: earlier(FIRST.openAt, minutes(60)),
      symbols: SYMBOLS.slice(0, 1),
    });
    day.engine().kill({ by: 'ann', why: 'news' });
    await day.runTo(later(day.clock.now(), seconds(1)));
    await day.restart();
    expect(day.engine().status().latch, 'still waiting').to.contain('ann');
    for (const session of [NEXT, THIRD]) {
      await day.runTo(later(session.openAt, minutes(1)));
      await day.restart();
      expect(day.engine().status().latch, session.day).to.contain('ann');
    }
  });

  it('does not start lanes in mid-session that neither journal nor broker tell anything of', async () => {
    const faults: FaultPlan = {
      ...NO_FAULTS,
      script: [
        {
          kind: 'rest',
          match: { method: 'GET', path: '^/v2/(orders|positions)', side: null, symbol: null },
          from: null,
          times: 100_000,
          action: { kind: 'answer', status: 503, body: 'html', accept: false },
        },
      ],
    };
    const day = await startDay({ seed: 1, session: FIRST, startAt: later(FIRST.openAt, minutes(5)), faults });
    await day.runTo(later(FIRST.openAt, minutes(15)));
    const outcome = await day.started();
    expect(outcome).to.include({ kind: 'failed', code: 'notConnected' });
    expect(day.exchange.ledger().orders).to.deep.equal([]);
  });
});

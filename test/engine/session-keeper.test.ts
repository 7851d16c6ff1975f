import { expect } from 'chai';
import type { Session } from '../../lib/domain/session.ts';
import {
  before as earlier,
  after as later,
  micros,
  minutes,
  type SessionDay,
  seconds,
} from '../../lib/domain/time.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { createSessionKeeper } from '../../lib/engine/session-keeper.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import type { Broker } from '../../lib/ports/broker.ts';
import { sessionOf } from './simulated-day.ts';
import { advance, failure, type LoggedLine, loggingTo, scriptedBroker } from './support.ts';

const MONDAY = sessionOf('09:30', '16:00');
const TUESDAY = sessionOf('09:30', '13:00', '2026-10-06' as SessionDay);

function world(startAt: number, calendar: readonly Session[], drift = 0) {
  const clock = createVirtualClock(micros(startAt));
  const state = { down: false };
  const broker: Broker = {
    ...scriptedBroker(),
    calendar: async () =>
      state.down ? { kind: 'failed', failure: failure('connection') } : { kind: 'ok', value: calendar },
    clock: async () => ({
      kind: 'ok',
      value: {
        at: micros(clock.now() + drift),
        isOpen: true,
        nextOpenAt: micros(0),
        nextCloseAt: micros(0),
        speed: null,
      },
    }),
  };
  const lines: LoggedLine[] = [];
  const happened: string[] = [];
  const drifts: number[] = [];
  const bucket = createTokenBucket({ limit: 200, reserve: 0, window: minutes(1) });
  const keeper = createSessionKeeper({
    clock,
    broker,
    queue: createRequestQueue(clock, bucket, DEFAULT_ENGINE_SETTINGS.gateway),
    log: loggingTo(lines),
    settings: DEFAULT_ENGINE_SETTINGS.session,
    holdMax: minutes(2),
    events: {
      onBegin: ({ day }) => void happened.push(`begin ${day}`),
      onEnd: ({ day }) => void happened.push(`end ${day}`),
      onDrift: (ahead) => void drifts.push(ahead),
    },
  });
  return { clock, keeper, happened, drifts, state, lines };
}

describe('session keeper', () => {
  it('waits for the open, and begins the session ten minutes before it', async () => {
    const { clock, keeper, happened } = world(earlier(MONDAY.openAt, minutes(120)), [MONDAY]);
    const opening = keeper.open();
    await advance(clock, earlier(MONDAY.openAt, minutes(60)));
    expect((await opening).plan).to.equal(null);
    expect(keeper.next()?.day).to.equal(MONDAY.day);
    await advance(clock, earlier(MONDAY.openAt, minutes(9)));
    expect(happened).to.deep.equal([`begin ${MONDAY.day}`]);
    expect(keeper.plan()?.flattenAt).to.equal(earlier(MONDAY.closeAt, minutes(5)));
    expect(keeper.plan()?.entryCutoffAt).to.equal(earlier(MONDAY.closeAt, minutes(7)));
  });

  it('answers with the session under way, and goes on with the next, a half-day', async () => {
    const { clock, keeper, happened } = world(later(MONDAY.openAt, minutes(30)), [MONDAY, TUESDAY]);
    const opening = keeper.open();
    await advance(clock, later(MONDAY.openAt, minutes(31)));
    expect((await opening).plan?.day).to.equal(MONDAY.day);
    await advance(clock, later(TUESDAY.openAt, minutes(1)));
    expect(happened).to.deep.equal([`end ${MONDAY.day}`, `begin ${TUESDAY.day}`]);
    expect(keeper.plan()).to.include({ halfDay: true, flattenAt: earlier(TUESDAY.closeAt, minutes(5)) });
  });

  it('without a calendar there is no session; it goes on asking and says so once', async () => {
    const { clock, keeper, state, lines } = world(later(MONDAY.openAt, minutes(30)), [MONDAY]);
    state.down = true;
    const opening = keeper.open();
    await advance(clock, later(MONDAY.openAt, minutes(40)));
    expect(keeper.plan()).to.equal(null);
    expect(lines.filter(({ event }) => event === 'session.calendar.missing')).to.have.length(1);
    state.down = false;
    await advance(clock, later(MONDAY.openAt, minutes(42)));
    expect((await opening).plan?.day).to.equal(MONDAY.day);
  });

  for (const [drift, warnings] of [
    [seconds(0.9), 0],
    [seconds(1.5), 1],
    [-seconds(1.5), 1],
  ] as const)
    it(`a broker clock ${drift / 1e6} s off gives ${warnings} warnings`, async () => {
      const { clock, keeper, drifts, lines } = world(MONDAY.openAt, [MONDAY], drift);
      void keeper.open();
      await advance(clock, later(MONDAY.openAt, minutes(1)));
      expect(lines.filter(({ event }) => event === 'clock.drift')).to.have.length(warnings);
      expect(drifts, 'whoever owns the clock is told by how much').to.deep.equal(
        warnings === 0 ? [] : [drift],
      );
    });
});

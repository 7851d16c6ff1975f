import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { after, type Micros, seconds } from '../../lib/domain/time.ts';
import { createHeartbeat } from '../../lib/engine/heartbeat.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import { advance } from './support.ts';

const START = 0 as Micros;
const SETTINGS = DEFAULT_ENGINE_SETTINGS.supervisor;

/** Lanes that answer at once, but for the deaf ones. */
function world(count: number, deaf: ReadonlySet<Ticker> = new Set()) {
  const clock = createVirtualClock(START);
  const lanes = Array.from({ length: count }, (_, n) => `S${n}` as Ticker);
  const rounds: Ticker[][] = [];
  const silent: Ticker[] = [];
  let roundAt = -1;
  const heartbeat = createHeartbeat({
    clock,
    settings: SETTINGS,
    watched: () => lanes,
    ping(symbol) {
      if (clock.now() !== roundAt) rounds.push([]);
      roundAt = clock.now();
      rounds.at(-1)?.push(symbol);
      if (!deaf.has(symbol)) clock.at(clock.now(), () => heartbeat.heard(symbol));
    },
    onSilent: (symbol) => silent.push(symbol),
  });
  heartbeat.start();
  const pass = (count: number) => advance(clock, after(clock.now(), seconds(count)));
  return { lanes, rounds, silent, pass, stop: heartbeat.stop };
}

describe('heartbeat', () => {
  it('asks a few hundred lanes all in each round', async () => {
    const { lanes, rounds, pass, stop } = world(200);
    await pass(3);
    stop();
    expect(rounds).to.deep.equal([lanes, lanes, lanes]);
  });

  it('asks thousands of lanes in turn: each within eight rounds, an eighth of them at a time', async () => {
    const { lanes, rounds, pass, stop } = world(5_000);
    await pass(16);
    stop();
    expect(rounds.map(({ length }) => length)).to.deep.equal(Array(16).fill(625));
    expect(rounds.slice(0, 8).flat()).to.have.members([...lanes]);
    expect(rounds.slice(8).flat()).to.have.members([...lanes]);
  });

  it('finds the one of thousands that does not answer, and no other', async () => {
    const deaf = 'S4321' as Ticker;
    const { silent, pass, stop } = world(5_000, new Set([deaf]));
    await pass(8 + 3);
    stop();
    expect(silent).to.deep.equal([deaf]);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Duration, after as later, type Micros, millis, seconds } from '../../lib/domain/time.ts';
import { createEntryGates } from '../../lib/engine/entry-gates.ts';
import { type Overload, openOverload, overloadTurnsAt, reduceOverload } from '../../lib/engine/overload.ts';
import { createOverloadWatch } from '../../lib/engine/overload-watch.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import { type LoggedLine, loggingTo, SPY, START } from './support.ts';

const SETTINGS = { shutAfter: 10 as Duration, calmAfter: 40 as Duration };

type Stretch = { readonly ticks: number; readonly isBehind: boolean };
const stretches = fc.array(fc.record({ ticks: fc.nat(30), isBehind: fc.boolean() }), { maxLength: 30 });

/** The rules, tick by tick: whether entries are shut after each stretch. */
function byTicks(course: readonly Stretch[]): readonly boolean[] {
  let debt = 0;
  let isShut = false;
  return course.map(({ ticks, isBehind }) => {
    for (let tick = 0; tick < ticks; tick += 1) {
      debt = Math.min(40, Math.max(0, debt + (isBehind ? 1 : -1)));
      if (!isShut && debt >= 10) {
        isShut = true;
        debt = 40;
      } else if (debt === 0) isShut = false;
    }
    return isShut;
  });
}

/** `looks`: how often somebody looks within a stretch. */
function bySteps(course: readonly Stretch[], looks: number): readonly Overload[] {
  let at = 0 as Micros;
  let state = openOverload(at);
  return course.map(({ ticks, isBehind }) => {
    state = reduceOverload(state, isBehind, at, SETTINGS);
    for (let look = 1; look <= looks; look += 1) {
      const instant = later(at, Math.floor((ticks * look) / looks) as Duration);
      state = reduceOverload(state, isBehind, instant, SETTINGS);
    }
    at = later(at, ticks as Duration);
    return state;
  });
}

describe('overload', () => {
  it('shuts and opens as the rules say tick by tick, however often it is looked at', () => {
    let shut = 0;
    fc.assert(
      fc.property(stretches, fc.integer({ min: 1, max: 7 }), (course, looks) => {
        const states = bySteps(course, looks);
        expect(states.map(({ shutSince }) => shutSince !== null)).to.deep.equal(byTicks(course));
        expect(states.map(({ debt }) => debt)).to.deep.equal(bySteps(course, 1).map(({ debt }) => debt));
        shut += states.filter(({ shutSince }) => shutSince !== null).length;
      }),
      { numRuns: 1_000 },
    );
    expect(shut, 'both states were reached').to.be.greaterThan(1_000);
  });

  it('says when it turns: not a moment before, and then for certain', () => {
    fc.assert(
      fc.property(stretches, (course) => {
        const state = bySteps(course, 1).at(-1) ?? openOverload(0 as Micros);
        const turnsAt = overloadTurnsAt(state, SETTINGS);
        const isShutAt = (at: number) =>
          reduceOverload(state, state.isBehind, at as Micros, SETTINGS).shutSince !== null;
        const isShut = state.shutSince !== null;
        if (turnsAt === null) expect(isShutAt(state.at + 1_000)).to.equal(isShut);
        else {
          expect(isShutAt(turnsAt)).to.equal(!isShut);
          if (turnsAt > state.at) expect(isShutAt(turnsAt - 1)).to.equal(isShut);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is not moved by a clock that goes back', () => {
    const state = reduceOverload(openOverload(START), true, later(START, millis(5)), SETTINGS);
    expect(reduceOverload(state, true, START, SETTINGS)).to.deep.equal(state);
  });
});

describe('overload watch', () => {
  const OTHER = 'BAC' as Ticker;

  function world() {
    const clock = createVirtualClock(START);
    const lines: LoggedLine[] = [];
    const told: string[] = [];
    const gates = createEntryGates([SPY, OTHER], (symbol, gate) =>
      told.push(`${symbol} ${gate.kind === 'open' ? 'open' : gate.code}`),
    );
    gates.dataFeed(true);
    gates.tradeFeed(true, START);
    gates.agreed([SPY, OTHER], START);
    told.length = 0;
    const settings = { shutAfter: millis(250), calmAfter: seconds(2) };
    let prints = 0;
    const watch = createOverloadWatch({
      clock,
      log: loggingTo(lines),
      settings,
      gates,
      prints: () => {
        prints += 1_000;
        return prints;
      },
    });
    const at = (ms: number): void => clock.runUntil(later(START, millis(ms)));
    const events = () => lines.map(({ event }) => event);
    return { clock, gates, watch, told, lines, events, at };
  }

  it('leaves a burst that is worked off alone', () => {
    const { watch, told, events, at } = world();
    for (let n = 0; n < 10; n += 1) {
      at(n * 1_000);
      watch.behind(true);
      at(n * 1_000 + 200);
      watch.behind(false);
    }
    at(60_000);
    expect([...told, ...events()]).to.deep.equal([]);
    expect(watch.shutSince()).to.equal(null);
  });

  it('shuts all entries when data have waited too long, once, and opens them when all is made up for', () => {
    const { watch, told, lines, events, at } = world();
    watch.behind(true);
    at(249);
    expect(told).to.deep.equal([]);
    at(250);
    expect(told).to.deep.equal(['SPY overloaded', 'BAC overloaded']);
    expect(watch.shutSince()).to.equal(later(START, millis(250)));
    at(5_000);
    watch.behind(false);
    at(6_000);
    watch.behind(true);
    at(6_500);
    watch.behind(false);
    at(7_999);
    expect(told, 'half a second was added to what was owed').to.have.length(2);
    at(8_000);
    expect(told.slice(2)).to.deep.equal(['SPY open', 'BAC open']);
    expect(events()).to.deep.equal(['feed.overloaded', 'feed.caughtUp']);
    expect(lines[0]?.fields).to.include({ behindMs: 250, prints: 1_000 });
    expect(lines[1]?.fields).to.include({ shutMs: 7_750, prints: 1_000 });
  });

  it('is not fooled by moments without data in between', () => {
    const { watch, told, at } = world();
    for (let ms = 0; ms < 600; ms += 10) {
      at(ms);
      watch.behind(true);
      at(ms + 8);
      watch.behind(false);
    }
    expect(told).to.deep.equal(['SPY overloaded', 'BAC overloaded']);
  });

  it('a feed that is down says so rather than this', () => {
    const { gates, watch, told, at } = world();
    watch.behind(true);
    at(300);
    gates.dataFeed(false);
    expect(told.slice(2)).to.deep.equal(['SPY dataFeedDown', 'BAC dataFeedDown']);
    gates.tradeFeed(false, START);
    expect(gates.of(SPY)).to.deep.equal({ kind: 'shut', code: 'tradeFeedDown' });
  });

  it('asks for nothing once it is stopped', () => {
    const { clock, watch } = world();
    watch.behind(true);
    watch.stop();
    expect(clock.pending()).to.equal(0);
  });
});

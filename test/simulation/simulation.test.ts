import { expect } from 'chai';
import { drawScenario } from './draw-scenario.ts';
import { judge } from './judge.ts';
import { KEPT_SEEDS } from './kept-seeds.ts';
import { peacefulDay } from './peaceful-day.ts';
import { runScenario } from './run-scenario.ts';
import { digestOf, resultOf, runSeed } from './run-seed.ts';
import { doublesBuys, ignoresCancels, losesSells } from './sabotage.ts';
import type { Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { STRIKE_KINDS } from './strikes.ts';

/** The first twenty of one short session each: the long ones are for `npm run sim`. */
const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1)
  .filter((seed) =>
    drawScenario(seed).sessions.every(({ openAt, closeAt }) => closeAt - openAt < 3_600_000_000),
  )
  .filter((seed) => drawScenario(seed).sessions.length === 1)
  .slice(0, 20);

describe('simulation: seeded days', () => {
  for (const seed of SEEDS)
    it(`seed ${seed}`, async () => {
      const { violations } = await runSeed(seed);
      expect(violations, `npm run sim -- --seed ${seed}`).to.deep.equal([]);
    });

  for (const [seed, what] of KEPT_SEEDS)
    it(`seed ${seed}, kept: ${what}`, async () => {
      const { violations } = await runSeed(seed);
      expect(violations, `npm run sim -- --seed ${seed}`).to.deep.equal([]);
    });

  it('the same seed gives the same journal to the last byte', async () => {
    for (const seed of [5, 17]) {
      const { digest, repeated, events } = await runSeed(seed, true);
      expect(repeated).to.equal(digest);
      expect(events).to.be.greaterThan(0);
    }
  });

  it('a scenario survives being written down and read back', async () => {
    const scenario = drawScenario(18);
    const read = JSON.parse(JSON.stringify(scenario)) as Scenario;
    expect(digestOf(await runScenario(read))).to.equal(digestOf(await runScenario(scenario)));
  });

  it('counts every kind of fault where it takes effect', async () => {
    const { strikes } = await resultOf(drawScenario(24));
    expect(strikes.map(([kind]) => kind)).to.deep.equal(STRIKE_KINDS);
  });
});

describe('simulation: its judge', () => {
  it('finds nothing wrong with a day in peace, on which something was traded', async () => {
    const run = await runScenario(peacefulDay());
    expect(judge(run)).to.deep.equal([]);
    expect(run.exchange.ledger().fills.length).to.be.greaterThan(4);
  });

  for (const [name, sabotage, rules] of [
    ['a broker that loses sells', losesSells, ['notFlat', 'booksDiffer']],
    ['a broker that doubles buys', doublesBuys, ['twoLiveOrders', 'entryOnTop']],
    ['a broker that ignores cancels', ignoresCancels, ['heldTooLong', 'notFlat']],
  ] as const)
    it(`notices ${name}`, async () => {
      const found = judge(await runScenario(peacefulDay(), { sabotage }));
      expect(found.map(({ rule }) => rule)).to.include.oneOf([...rules]);
    });

  it('notices a broker that doubles buys, and shrinks the day to what it takes', async () => {
    const rule = 'twoLiveOrders';
    const drawn = { ...drawScenario(24), sessions: peacefulDay().sessions, calmFrom: peacefulDay().calmFrom };
    const fails = async (scenario: Scenario): Promise<boolean> =>
      judge(await runScenario(scenario, { sabotage: doublesBuys })).some((each) => each.rule === rule);
    expect(await fails(drawn)).to.equal(true);
    const { scenario, runs } = await shrink(drawn, fails, 60);
    expect(runs).to.be.within(1, 60);
    expect(scenario).to.deep.include({ happenings: [], kills: [], rates: {} });
    expect(scenario.symbols).to.have.length(1);
    expect(await fails(scenario)).to.equal(true);
  });
});

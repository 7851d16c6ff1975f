import { expect } from 'chai';
import { after as later, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import type { ScriptedFault } from '../../lib/sim/fault-types.ts';
import { laneOf, loggedOf } from '../engine/holding.ts';
import type { SimulatedDay } from '../engine/simulated-day.ts';
import { asked, at, buys, endsFlat, KEEN, SPY, startOne, untilHeld } from './support.ts';

const KEEN_DAY = { strategy: KEEN, params: { holdMax: minutes(2) } };

const onConnect = (kind: 'connectMute' | 'connectSlotTaken', times: number, life = 0): ScriptedFault => ({
  kind: 'connect',
  target: 'data',
  from: null,
  times,
  action: { kind, after: life },
});

const TRADES_DOWN = { kind: 'shut', code: 'tradeFeedDown' };

const noPositions = (from: Micros): ScriptedFault => ({
  kind: 'rest',
  match: { method: 'GET', path: '/v2/positions', side: null, symbol: null },
  from,
  times: 1_000,
  action: { kind: 'reset', accept: false },
});

const dataStates = (day: SimulatedDay) =>
  loggedOf(day, 'feed.state').filter(({ fields }) => fields.feed === 'data');

const buysBetween = (day: SimulatedDay, from: number, to: number) =>
  buys(day).filter(({ submittedAt }) => submittedAt > from && submittedAt < to);

describe('failures: sockets', function () {
  this.timeout(60_000);

  it('data socket drops: no entries, reconnect with jitter, missing bars fetched before the next decision', async () => {
    const day = await startOne([], KEEN_DAY);
    await day.runTo(at(5, 30));
    day.feeds.cut('data', minutes(3));
    const before = day.engine().status().feed.backfilled;
    await day.runTo(at(8, 20));
    expect(laneOf(day, SPY).gate).to.deep.equal({ kind: 'shut', code: 'dataFeedDown' });
    expect(buysBetween(day, at(5, 31), at(8, 20))).to.deep.equal([]);
    await day.runTo(at(10, 30));
    expect(day.engine().status().feed.backfilled - before, 'bars fetched').to.be.within(3, 4);
    expect(buysBetween(day, at(8, 30), at(10, 30))).to.not.deep.equal([]);
    const pauses = dataStates(day).flatMap(
      ({ fields }) => /next attempt in ([\d.]+) s/.exec(String(fields.text))?.[1] ?? [],
    );
    expect(new Set(pauses).size, 'pauses that differ').to.be.greaterThan(2);
    await endsFlat(day);
  });

  it('data socket goes mute: noticed by its silence, then as after a loss', async () => {
    const day = await startOne([onConnect('connectMute', 1, minutes(10))], KEEN_DAY);
    const mutedAt = at(5);
    await day.runTo(later(mutedAt, minutes(3)));
    const lost = dataStates(day).find(({ fields }) => fields.state === 'waiting');
    expect(lost?.fields.text).to.contain('mute: no data for');
    expect(buysBetween(day, later(mutedAt, seconds(16)), lost?.at ?? mutedAt)).to.deep.equal([]);
    expect(dataStates(day).at(-1)?.fields.state).to.equal('live');
    await endsFlat(day);
  });

  it('trade socket drops: no entries, exits by REST and polling, a full look before entries resume', async () => {
    const day = await startOne([], KEEN_DAY);
    await untilHeld(day);
    const cutAt = day.clock.now();
    day.feeds.cut('trade', minutes(3));
    await day.runTo(later(cutAt, seconds(20)));
    expect(asked(day, 'ordersSince', cutAt).length, 'a listing each 2 s').to.be.at.least(8);
    await day.runTo(later(cutAt, seconds(150)));
    expect(laneOf(day, SPY), 'bailed out').to.include({ shares: 0 });
    expect(laneOf(day, SPY).gate).to.deep.equal(TRADES_DOWN);
    day.faults?.add(noPositions(later(cutAt, seconds(150))));
    await day.runTo(later(cutAt, minutes(5)));
    expect(day.engine().status().tradeFeed.state).to.equal('live');
    expect(laneOf(day, SPY).gate, 'no full look yet').to.deep.equal(TRADES_DOWN);
    expect(buysBetween(day, cutAt, later(cutAt, minutes(5)))).to.deep.equal([]);
    day.faults?.lift();
    await day.runTo(later(cutAt, minutes(8)));
    expect(buysBetween(day, later(cutAt, minutes(5)), later(cutAt, minutes(8)))).to.not.deep.equal([]);
    await endsFlat(day);
  });

  it('406 on connect: said so, waited out 90 s, not hammered', async () => {
    const day = await startOne([onConnect('connectSlotTaken', 6)]);
    await day.runTo(at(4));
    const taken = dataStates(day).filter(({ fields }) => fields.state === 'slotTaken');
    expect(taken[0]).to.include({ level: 'error' });
    expect(taken[0]?.fields.text).to.contain('another session holds');
    // Nine minutes after the start: 540 s, an attempt every 90 s.
    expect(taken).to.have.length(6);
    expect(laneOf(day, SPY).gate).to.deep.equal({ kind: 'shut', code: 'dataFeedDown' });
    await day.runTo(at(6));
    expect(dataStates(day).at(-1)?.fields.state).to.equal('live');
  });
});

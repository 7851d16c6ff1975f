import { expect } from 'chai';
import { changeOf, type Overrides, readOverrides } from '../../lib/adapters/config/read-overrides.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { LaneEvent } from '../../lib/domain/lane-types.ts';
import type { Bar } from '../../lib/domain/market.ts';
import { minutes, seconds } from '../../lib/domain/time.ts';
import type { LaneReplay } from '../../lib/engine/replay.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { DAY, sessionOf, startDay } from '../engine/simulated-day.ts';
import { replayed } from './recorded-day.ts';

const SYMBOLS = ['SPY', 'BAC', 'F'] as Ticker[];

function overrides(...texts: readonly string[]): Overrides {
  const read = readOverrides(texts);
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  return read.overrides;
}

describe('replay: with other settings', function () {
  this.timeout(60_000);
  let records: readonly StoredRecord[] = [];

  before(async () => {
    const session = sessionOf('09:30', '11:30');
    const day = await startDay({ seed: 4, session, symbols: SYMBOLS, printsPerDay: 2_000 });
    await day.finish();
    records = await day.journal.read(DAY);
  });

  const changed = (...texts: readonly string[]): readonly LaneReplay[] => {
    const { lanes } = replayed(records, { change: changeOf(overrides(...texts)) });
    for (const { difference } of lanes)
      expect(difference, 'the recorded settings still decide the same').to.equal(null);
    return lanes;
  };
  const barsOf = (symbol: Ticker) =>
    records.flatMap(({ id, kind, symbol: of, body }) => {
      const { event } = (body ?? {}) as { readonly event?: LaneEvent };
      return kind === 'input' && of === symbol && event?.kind === 'barClosed' ? [{ id, event }] : [];
    });

  it('the same settings change nothing', () => {
    for (const { change, steps } of changed(
      'strategy.period=20',
      'exit.markup=0',
      'exit.holdMax=120s',
      'lot=2000',
    )) {
      expect(change?.difference).to.equal(null);
      expect(change?.steps).to.equal(steps);
      expect(change?.equal).to.equal(steps);
      expect(change?.signals).to.include({ gone: 0, added: 0 });
      expect(change?.signals.recorded).to.be.greaterThan(0);
    }
  });

  for (const period of [5, 25])
    it(`period ${period}: the first difference is the first bar that an average of our own judges otherwise`, () => {
      for (const { symbol, change } of changed(`strategy.period=${period}`)) {
        const bars = barsOf(symbol);
        const signals = crossings(
          bars.map(({ event }) => event.bar),
          period,
        );
        const first = bars.find(({ event }, index) => (event.signal === 'enter') !== signals[index]);
        expect(first, 'the day has a bar that the averages judge differently').to.not.equal(undefined);
        expect(change?.difference, symbol).to.include({ kind: 'signal', record: first?.id });
        const counted = (of: (is: boolean, was: boolean) => boolean): number =>
          bars.filter(({ event }, index) => of(signals[index] === true, event.signal === 'enter')).length;
        expect(change?.signals).to.deep.equal({
          recorded: counted((_, was) => was),
          replayed: counted((is) => is),
          gone: counted((is, was) => was && !is),
          added: counted((is, was) => is && !was),
        });
      }
    });

  it('another lot changes the first entry, and no signal', () => {
    for (const { symbol, change } of changed('lot=1000')) {
      const first = records.find(
        ({ kind, symbol: of, body }) =>
          kind === 'decision' && of === symbol && JSON.stringify(body).includes('"purpose":"entry"'),
      );
      expect(change?.difference, symbol).to.include({
        kind: 'commands',
        decision: first?.id,
        path: '[0].intent.qty',
      });
      expect(change?.signals).to.include({ gone: 0, added: 0 });
    }
  });

  it('a shorter holding time bails out between two recorded events, at the first exit that rests longer', () => {
    const found = changed('exit.holdMax=30s').flatMap(({ change }) =>
      change === null || change.difference === null ? [] : [change.difference],
    );
    expect(found.length).to.be.greaterThan(0);
    for (const { kind, at, before, replayed: commands, recorded } of found) {
      expect(kind).to.equal('wake');
      expect(at - (before.holding?.holdFrom ?? 0)).to.equal(seconds(30));
      expect(commands).to.deep.include({ ...commands[0], kind: 'cancel', purpose: 'bailOut' });
      expect(recorded).to.deep.equal([]);
    }
  });

  it('a longer holding time is seen where the recorded lane bailed out', () => {
    const found = changed('exit.holdMax=5m').flatMap(({ change }) => change?.difference ?? []);
    expect(found.length).to.be.greaterThan(0);
    for (const { event, recorded, replayed: commands } of found) {
      expect(JSON.stringify(recorded)).to.match(/bailOut|afterCutoff|submit/);
      expect(JSON.stringify(commands)).to.not.equal(JSON.stringify(recorded));
      expect(event).to.not.equal(null);
    }
  });

  it('an earlier flatten moves the entry cutoff with it', () => {
    const [lane] = changed('session.flattenBeforeClose=60m');
    const { difference } = lane?.change ?? {};
    expect(difference?.before.plan?.flattenAt).to.equal(
      (difference?.before.plan?.closeAt ?? 0) - minutes(60),
    );
    expect(difference?.before.plan?.entryCutoffAt).to.equal(
      (difference?.before.plan?.flattenAt ?? 0) - minutes(2),
    );
  });

  it('says which settings there are, in the words of the configuration', () => {
    const mistakesOf = (...texts: readonly string[]): readonly string[] => {
      const read = readOverrides(texts);
      return read.ok ? [] : read.mistakes.map(({ key, rule }) => `${key}: ${rule}`);
    };
    expect(mistakesOf('exit.markupp=1')).to.deep.equal([
      'exit.markupp: the key must be known (did you mean markup?)',
    ]);
    expect(
      mistakesOf('exit.holdMax=120', 'lot=0', 'nothing', 'exit.markup=1', 'exit.markup=2'),
    ).to.deep.equal([
      '--set: a setting must be given as path=value',
      'exit.markup: a setting must be given once',
      'lot: the value must be one of the allowed',
      'exit.holdMax: the value must be one of the allowed',
    ]);
    expect(mistakesOf('risk.dailyLossMax=5', 'feed=sip', '__proto__.x=1')).to.deep.equal([
      ...['--set: a setting must be given as path=value'],
      'risk.dailyLossMax: the setting must be one that a lane decides by',
      'feed: the setting must be one that a lane decides by',
    ]);
    expect(overrides('strategy.period=25').strategy).to.deep.equal({ period: 25 });
    expect(overrides('strategy.name=./mine.js', 'strategy.mode=fast').strategy).to.deep.equal({
      name: './mine.js',
      mode: 'fast',
    });
    expect(overrides('exit.markup=0.01', 'risk.coolOff=1m').params).to.deep.equal({
      exitMarkup: 100,
      coolOff: minutes(1),
    });
  });
});

/** Closes that cross their average from below, with averages in plain numbers. */
function crossings(bars: readonly Bar[], period: number): readonly boolean[] {
  const closes = bars.map(({ close }) => close as number);
  const average = (end: number): number =>
    closes.slice(end - period, end).reduce((sum, close) => sum + close, 0) / period;
  return closes.map((close, index) => {
    if (index < period) return false;
    const before = closes[index - 1] ?? 0;
    return before < average(index) && close > average(index + 1);
  });
}

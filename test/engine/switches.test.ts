import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Cash, cash } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS } from '../../lib/domain/risk.ts';
import { after as later, type SessionDay, seconds } from '../../lib/domain/time.ts';
import { createEntryGates } from '../../lib/engine/entry-gates.ts';
import { createKillSwitch } from '../../lib/engine/kill-switch.ts';
import { createLaneModes } from '../../lib/engine/modes.ts';
import { createRecorder } from '../../lib/engine/recorder.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import { memoryJournal } from './simulated-day.ts';
import { type LoggedLine, loggingTo, SPY, START, settle } from './support.ts';

const BAC = 'BAC' as Ticker;
const BOTH = [SPY, BAC];
const DAY = '2026-10-05' as SessionDay;

describe('lane modes', () => {
  function world() {
    const told: string[] = [];
    const modes = createLaneModes(BOTH, (symbol, mode) => void told.push(`${symbol} ${mode}`));
    return { told, modes };
  }

  it('the strictest reason that is left decides', () => {
    const { told, modes } = world();
    modes.set(SPY, { reason: 'pause', mode: 'paused', by: 'x' });
    modes.set(null, { reason: 'kill', mode: 'flattening', by: 'x' });
    modes.set(SPY, { reason: 'discrepancy', mode: 'exitOnly', by: 'x' });
    modes.lift(null, 'kill', 'x');
    modes.lift(SPY, 'discrepancy', 'x');
    modes.lift(SPY, 'pause', 'x');
    expect(told).to.deep.equal([
      'SPY paused',
      'SPY flattening',
      'BAC flattening',
      'SPY exitOnly',
      'BAC active',
      'SPY paused',
      'SPY active',
    ]);
  });

  it('who is to get out gets out of his own shares, whatever others hold: flattening outranks halted', () => {
    const { told, modes } = world();
    modes.set(SPY, { reason: 'foreign', mode: 'halted', by: 'x' });
    modes.set(null, { reason: 'kill', mode: 'flattening', by: 'x' });
    modes.set(BAC, { reason: 'foreign', mode: 'halted', by: 'x' });
    modes.set(BAC, { reason: 'discrepancy', mode: 'exitOnly', by: 'x' });
    expect([modes.of(SPY), modes.of(BAC)]).to.deep.equal(['flattening', 'flattening']);
    modes.lift(null, 'kill', 'x');
    expect([modes.of(SPY), modes.of(BAC)], 'what others hold still counts').to.deep.equal([
      'halted',
      'halted',
    ]);
    modes.lift(BAC, 'foreign', 'x');
    expect(told).to.deep.equal([
      'SPY halted',
      'SPY flattening',
      'BAC flattening',
      'SPY halted',
      'BAC halted',
      'BAC exitOnly',
    ]);
  });

  it('tells a restored lane its mode again where it takes itself to be in another', () => {
    const { told, modes } = world();
    modes.tellAll('start', (symbol) => (symbol === SPY ? 'paused' : 'active'));
    expect(told).to.deep.equal(['SPY active']);
  });
});

describe('entry gates', () => {
  function world() {
    const told: string[] = [];
    const gates = createEntryGates(BOTH, (symbol, gate) =>
      told.push(`${symbol} ${gate.kind === 'open' ? 'open' : gate.code}`),
    );
    return { told, gates };
  }

  it('open only with both feeds live and a look that began after the trade feed was', () => {
    const { gates } = world();
    gates.dataFeed(true);
    gates.tradeFeed(true, START);
    gates.agreed(BOTH, later(START, seconds(-1)));
    expect(gates.allOpen(), 'the look was older').to.equal(false);
    gates.agreed([SPY], later(START, seconds(1)));
    expect(gates.of(SPY).kind).to.equal('open');
    expect(gates.of(BAC), 'not agreed on').to.deep.equal({ kind: 'shut', code: 'tradeFeedDown' });
    gates.agreed(BOTH, later(START, seconds(2)));
    expect(gates.allOpen()).to.equal(true);
  });

  it('the data feed alone shuts them all, and a symbol that the server refused stays shut alone', () => {
    const { gates } = world();
    gates.tradeFeed(true, START);
    gates.agreed(BOTH, START);
    const NO_DATA = { kind: 'shut', code: 'dataFeedDown' };
    expect([gates.of(SPY), gates.of(BAC)], 'never live yet').to.deep.equal([NO_DATA, NO_DATA]);
    gates.dataFeed(true, [BAC]);
    expect([gates.of(SPY).kind, gates.of(BAC)]).to.deep.equal(['open', NO_DATA]);
    gates.dataFeed(true);
    expect(gates.allOpen()).to.equal(true);
    gates.dataFeed(false);
    expect([gates.of(SPY), gates.of(BAC)]).to.deep.equal([NO_DATA, NO_DATA]);
  });

  it('a gap of the trade feed needs a new look, a gap of the data feed does not', () => {
    const { told, gates } = world();
    gates.dataFeed(true);
    gates.tradeFeed(true, START);
    gates.agreed(BOTH, START);
    gates.dataFeed(false);
    gates.dataFeed(true);
    gates.tradeFeed(false, START);
    gates.tradeFeed(true, later(START, seconds(5)));
    expect(told.filter((line) => line.startsWith('SPY'))).to.deep.equal([
      'SPY tradeFeedDown',
      'SPY open',
      'SPY dataFeedDown',
      'SPY open',
      'SPY tradeFeedDown',
    ]);
  });
});

describe('entry gates of lanes that start', () => {
  it('are told where a lane takes its own to stand otherwise, and nowhere else', () => {
    const told: string[] = [];
    const gates = createEntryGates(BOTH, (symbol, gate) => told.push(`${symbol} ${gate.kind}`));
    gates.tellAll((symbol) => (symbol === SPY ? { kind: 'open' } : { kind: 'shut', code: 'tradeFeedDown' }));
    expect(told, 'an open gate out of an old journal').to.deep.equal(['SPY shut']);
    gates.dataFeed(true);
    gates.tradeFeed(true, START);
    gates.agreed(BOTH, START);
    expect(told).to.deep.equal(['SPY shut', 'SPY open', 'BAC open']);
  });
});

describe('kill switch', () => {
  function world(journal = memoryJournal()) {
    const clock = createVirtualClock(START);
    const lines: LoggedLine[] = [];
    const log = loggingTo(lines);
    const recorder = createRecorder(clock, journal, log);
    recorder.openDay(DAY);
    const modes = createLaneModes(BOTH, () => undefined);
    const deps = { clock, modes, recorder, log, limits: DEFAULT_RISK_LIMITS, symbols: BOTH };
    return { killSwitch: createKillSwitch(deps), modes, lines, journal, clock };
  }
  const who = { symbol: null, by: 'ann', why: 'news' };

  it('latches: a plain resume does not lift it, a deliberate one does', () => {
    const { killSwitch, modes } = world();
    killSwitch.kill(who);
    expect(modes.of(SPY)).to.equal('flattening');
    const refused = killSwitch.resume({ ...who, clearLatches: false });
    expect(refused).to.include({ kind: 'refused', code: 'latched' });
    expect(killSwitch.latches().killed).to.equal(true);
    expect(killSwitch.resume({ ...who, clearLatches: true })).to.deep.equal({ kind: 'done' });
    expect(modes.of(SPY)).to.equal('active');
    expect(killSwitch.describe()).to.equal(null);
  });

  it('says who and why, and a new process knows it from the journal', async () => {
    const { killSwitch, journal } = world();
    killSwitch.pause({ symbol: BAC, by: 'bob', why: 'lunch' });
    killSwitch.kill(who);
    await settle();
    const { killSwitch: later_, modes } = world();
    later_.restore(await journal.read(DAY));
    expect(later_.describe()).to.contain('ann').and.to.contain('news');
    expect(modes.reasons(BAC).map(({ reason }) => reason)).to.deep.equal(['kill', 'pause']);
  });

  it('a kill that comes while the journal is read outlives an older clearing in it', async () => {
    const { killSwitch, journal } = world();
    killSwitch.kill({ by: 'bob', why: 'yesterday' });
    killSwitch.resume({ ...who, clearLatches: true });
    await settle();
    const started = world();
    started.killSwitch.kill(who);
    started.killSwitch.restore(await journal.read(DAY));
    expect(started.killSwitch.latches().killed).to.equal(true);
    expect(started.killSwitch.describe()).to.contain('ann');
    expect(started.modes.of(SPY)).to.equal('flattening');
  });

  it('a latch keeps the instant it was set at, however often it is written again', async () => {
    const first = world();
    first.killSwitch.kill(who);
    first.killSwitch.watch(cash(-DEFAULT_RISK_LIMITS.dailyLossMax));
    const said = first.killSwitch.describe();
    first.clock.runUntil(later(START, seconds(3_600)));
    first.killSwitch.openDay();
    await settle();
    const again = world();
    again.clock.runUntil(later(START, seconds(7_200)));
    again.killSwitch.restore((await first.journal.read(DAY)).slice(-2));
    expect(again.killSwitch.describe()).to.equal(said);
    expect(again.killSwitch.latches().loss).to.deep.equal(first.killSwitch.latches().loss);
  });

  it('what an operator ordered stands on the next day too, told again in its journal, until he lifts it', async () => {
    const first = world();
    first.killSwitch.pause({ symbol: BAC, by: 'bob', why: 'lunch' });
    first.killSwitch.flatten({ symbol: SPY, by: 'ann', why: 'news' });
    first.killSwitch.openDay();
    await settle();
    const rewritten = (await first.journal.read(DAY)).slice(2);
    expect(rewritten).to.have.length(2);
    const nextDay = world();
    nextDay.killSwitch.restore(rewritten);
    expect([nextDay.modes.of(BAC), nextDay.modes.of(SPY)]).to.deep.equal(['paused', 'flattening']);
    expect(nextDay.modes.reasons(BAC)[0]?.by).to.equal('bob: lunch');
    nextDay.killSwitch.resume({ ...who, clearLatches: false });
    nextDay.killSwitch.openDay();
    await settle();
    const records = await nextDay.journal.read(DAY);
    expect(records.map(({ body }) => (body as { what: string }).what)).to.deep.equal(['resume']);
  });

  it('a flatten keeps entries shut across a restart, until it is resumed', async () => {
    const { killSwitch, journal } = world();
    killSwitch.flatten(who);
    await settle();
    const second = world(journal);
    second.killSwitch.restore(await journal.read(DAY));
    expect(second.modes.of(SPY)).to.equal('flattening');
    second.killSwitch.resume({ ...who, clearLatches: false });
    await settle();
    const third = world();
    third.killSwitch.restore(await journal.read(DAY));
    expect(third.modes.of(SPY)).to.equal('active');
  });

  it('the loss of the day latches at its limit, not before, and not for an unknown figure', () => {
    const { killSwitch, modes, lines } = world();
    const { dailyLossMax } = DEFAULT_RISK_LIMITS;
    killSwitch.watch(Number.NaN as Cash);
    killSwitch.watch(cash(1 - dailyLossMax));
    expect(killSwitch.latches().loss.kind).to.equal('armed');
    killSwitch.watch(cash(-dailyLossMax));
    killSwitch.watch(cash(0));
    expect(killSwitch.latches().loss.kind).to.equal('latched');
    expect(modes.of(BAC)).to.equal('flattening');
    expect(lines.filter(({ event }) => event === 'risk.dailyLoss')).to.have.length(1);
  });

  it('one symbol is flattened and resumed alone, and an unknown one is refused', () => {
    const { killSwitch, modes } = world();
    killSwitch.flatten({ ...who, symbol: SPY });
    expect([modes.of(SPY), modes.of(BAC)]).to.deep.equal(['flattening', 'active']);
    killSwitch.resume({ ...who, clearLatches: false });
    expect(modes.of(SPY)).to.equal('active');
    expect(killSwitch.pause({ ...who, symbol: 'XYZ' as Ticker })).to.include({ code: 'unknownSymbol' });
    killSwitch.pause(who);
    const one = killSwitch.resume({ ...who, symbol: SPY, clearLatches: false });
    expect(one, 'a done that changes nothing would be a lie').to.include({ code: 'stoppedTogether' });
    expect(modes.of(SPY)).to.equal('paused');
  });
});
